"""The demonstration: a run like any other, against a provider that is built in and fails on purpose.

Everything is as in earnest, sockets included, except that the provider is the simulator: so what the report says can be held against what
the provider itself saw, to the number.
"""

from collections import Counter
from itertools import product
from random import Random

import attrs
import trio

from actors.chaos import Answer, Down, Entry, Generated, OnPrompt, Pacing, Recording, Simulator, Visit, parse_fault
from actors.chaos import Ending as Seen
from actors.chaos import Plan as Weather
from actors.cli.inlet import from_prompts
from actors.cli.jobs import Job, Wishes
from actors.cli.run import Audience, Ending, Plan, carry_out
from actors.config import Settings
from actors.ladder import Buffered, Ladder, Switch
from actors.observe.figures import count, counted
from actors.observe.report import Report
from actors.outcome import Outcome, Status
from actors.route import Clocks, Route
from supervisor import Backoff, Retry

FAULTS = "status529=0.03 status503=0.01 status429:1=0.01 cut=0.03 reset=0.01 truncate=0.02 error:overloaded=0.01 stall:4=0.02"
"""What goes wrong in a demonstration, as shares of all requests; nothing in it ends a stream for good."""

_CLOCKS = Clocks(connect=5, first_event=4, first_content=5, gap=2, buffered=8)
"""A demonstration does not wait a minute for a stalled stream."""

_RETRY = Retry(3, backoff=Backoff(initial=0.4))
_FIRST = Route("anthropic", "claude-sonnet-4-5", clocks=_CLOCKS)
_SECOND = Route("openai", "gpt-5-mini", clocks=_CLOCKS)
_THIRD = Route("google", "gemini-2.5-flash", clocks=_CLOCKS)
LADDER = Ladder(_FIRST, _RETRY, Switch(_SECOND), _RETRY, Switch(_THIRD), _RETRY, Buffered(), _RETRY)

_THINGS = (
    *(
        "a rainbow",
        "the tide",
        "a candle flame",
        "an echo",
        "rust",
        "a magnet",
        "the moon's phases",
        "yeast",
        "thunder",
    ),
    *(
        "a vaccine",
        "a mirage",
        "the seasons",
        "soap",
        "a compass",
        "dew",
        "a black hole",
        "glass",
        "a heartbeat",
        "ice",
    ),
    "the northern lights",
)
_LISTENERS = (
    *("a child of six", "a sailor", "a cook", "a poet", "a judge", "a gardener", "a drummer", "a sceptic", "a pilot"),
    "a grandmother",
)
_LENGTHS = (24, 36, 48, 72)


def questions(number: int) -> tuple[str, ...]:
    """So many different prompts, always the same ones."""
    pairs = [f"Explain {thing} to {listener}." for listener, thing in product(_LISTENERS, _THINGS)]
    rounds = -(-number // len(pairs))
    marked = [pair + (f" (take {take})" if take > 1 else "") for take in range(1, rounds + 1) for pair in pairs]
    return tuple(marked[:number])


def weather(faults: str, prompts: tuple[str, ...], seed: int) -> Weather:
    """The plan of what goes wrong; without wishes of one's own a provider goes down, and some prompts need every rung.

    Counted in requests, not in seconds, so that it shows on any machine: the first provider is lost when a third of the prompts
    is asked, and long enough for every stream that was under way there to end before its circuit is judged.

    Raises `BadPlan` (a `ValueError`) naming the term that cannot be read.
    """
    if faults:
        return Weather.parse(f"seed={seed} {faults}")
    dice = Random(seed)  # noqa: S311 -- which prompts are unlucky is no secret
    early = prompts[: len(prompts) // 8 or 1]
    unlucky = dice.sample(early, min(3, len(early)))
    garbled = [OnPrompt(prompt, attempt, parse_fault("garble:3")) for prompt in unlucky for attempt in (1, 2, 3)]
    outage = Down(_FIRST.provider, len(prompts) // 3 + 1, len(prompts) + len(prompts) // 3)
    return attrs.evolve(Weather.parse(f"seed={seed} {FAULTS}"), schedule=[outage, *garbled])


@attrs.frozen
class Answers:
    """Answers of different lengths, told by the prompt alone."""

    seed: int

    def answer(self, visit: Visit) -> Answer | Recording:
        """What the simulated model says."""
        return self._of(visit.ask.prompt).answer(visit)

    def text(self, prompt: str) -> str:
        """What a whole answer to this prompt reads like."""
        return self._of(prompt).text(prompt)

    def _of(self, prompt: str) -> Generated:
        return Generated(self.seed, _LENGTHS[len(prompt) % len(_LENGTHS)])


@attrs.frozen
class Demo:
    """What a demonstration is to show; raises `ValueError` at once where the faults cannot be read."""

    prompts: int
    seed: int
    faults: str
    concurrency: int

    @property
    def simulator(self) -> Simulator:
        """A provider with this weather, as fast as a model speaks."""
        plan = weather(self.faults, questions(self.prompts), self.seed)
        return Simulator(Answers(self.seed), plan, Pacing(first_token=0.25, events_per_second=45))


async def demonstrate(demo: Demo, simulator: Simulator, audience: Audience) -> tuple[Ending, "Agreement"]:
    """Run the demonstration; gives how it ended and whether the two sides agree."""
    exact = Counter[bool]()

    async def check_and_write(name: str, outcome: Outcome) -> None:
        if outcome.completed:
            exact[outcome.text == Answers(demo.seed).text(prompts[int(name) - 1])] += 1
        await audience.write(name, outcome)

    prompts = questions(demo.prompts)
    async with trio.open_nursery() as nursery:
        url: str = await nursery.start(simulator.listen)
        settings = _settings(url)
        title = f"demo of {counted(demo.prompts, 'prompt')}, seed {demo.seed}"
        inlet = from_prompts(prompts, Wishes(settings, LADDER.routes))
        plan = Plan(title, settings, LADDER.routes, inlet, _ladder, demo.concurrency, seed=demo.seed)
        ending = await carry_out(plan, attrs.evolve(audience, write=check_and_write))
        await simulator.quiet()
        nursery.cancel_scope.cancel()
    return ending, compare(ending.report, simulator.journal.entries, exact[True])


def _settings(url: str) -> Settings:
    """Every provider is the simulator, which asks for a key as they do and takes any."""
    keys = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"), "no-key-needed")
    urls = {"ANTHROPIC_BASE_URL": url, "OPENAI_BASE_URL": f"{url}/v1", "GEMINI_BASE_URL": url}
    return Settings.read({**keys, **urls})


def _ladder(_: Job) -> Ladder:
    return LADDER


@attrs.frozen
class Agreement:
    """What the client's report and the provider's journal say of the same things: name, ours, theirs."""

    rows: tuple[tuple[str, int, int], ...]

    @property
    def holds(self) -> bool:
        """Whether every number is the same on both sides."""
        return all(ours == theirs for _, ours, theirs in self.rows)

    @property
    def record(self) -> dict[str, object]:
        """The same for programs."""
        return {"holds": self.holds, **{name: {"report": ours, "journal": theirs} for name, ours, theirs in self.rows}}

    def __str__(self) -> str:
        if self.holds:
            told = ", ".join(f"{count(ours)} {name}" for name, ours, _ in self.rows)
            return f"The providers' own journal agrees: {told}."
        apart = [
            f"{name}: {count(ours)} here, {count(theirs)} there" for name, ours, theirs in self.rows if ours != theirs
        ]
        return f"The providers' own journal DIFFERS: {'; '.join(apart)}."


def compare(report: Report, entries: tuple[Entry, ...], exact: int) -> Agreement:
    """Hold a report against the journal of the provider it was made with; `exact` answers were right to the letter."""
    whole = sum(entry.ending is Seen.COMPLETE and entry.status == 200 for entry in entries)
    seen = Counter(_route(entry) for entry in entries)
    routes = sorted({*report.asked, *seen}, key=lambda route: (-seen[route], route))
    by_route = ((f"to {route}", report.asked[route], seen[route]) for route in routes)
    return Agreement(
        (
            ("requests", report.asked.total(), len(entries)),
            *by_route,
            ("whole answers", report.statuses[Status.COMPLETED], whole),
            ("exact to the letter", exact, whole),
        )
    )


def _route(entry: Entry) -> str:
    route = Route(entry.provider, entry.model)
    return str(route if entry.streaming else route.buffered)
