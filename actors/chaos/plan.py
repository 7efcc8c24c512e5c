"""Which request meets which fault.

Pure and seeded: chance is a hash of the seed and of what a request is (provider, model, conversation, attempt), so the
order in which concurrent requests arrive changes nothing.  What a schedule names comes before chance.
"""

import shlex
from hashlib import blake2b
from typing import TypeAlias

from attrs import evolve, field, frozen

from actors.chaos.answers import Visit, prompt_key
from actors.chaos.faults import Cut, ErrorEvent, Fault, Garble, Stall, Status, Truncate, parse_fault, spell_number

Placed: TypeAlias = Cut | Stall | ErrorEvent | Truncate | Garble
"""The faults that have a position in the stream."""


class BadPlan(ValueError):
    """A plan that cannot be read; the sentence names the term."""

    def __init__(self, term: str, reason: str) -> None:
        self.term = term
        super().__init__(f"bad plan term {term!r}: {reason}")


@frozen
class Chance:
    """A fault that a share of requests meets; with `drawn` its position is drawn too."""

    fault: Fault
    probability: float
    drawn: bool = False

    def __str__(self) -> str:
        """The plan term, such as `cut=0.1` or `cut:3=0.1`."""
        name = str(self.fault).rpartition(":")[0] if self.drawn else str(self.fault)
        return f"{name}={spell_number(self.probability)}"


@frozen
class Nth:
    """The n-th request to a model, a provider or (`*`) anyone meets this fault."""

    target: str
    nth: int
    fault: Fault

    def hits(self, visit: Visit) -> bool:
        """Whether it is this request's turn."""
        return _count(self.target, visit) == self.nth

    def __str__(self) -> str:
        """The plan term: `claude-sonnet-4-5#3=cut:5`."""
        return f"{self.target}#{self.nth}={self.fault}"


@frozen
class OnPrompt:
    """The n-th attempt at one prompt, with any model of its own count, meets this fault."""

    prompt: str
    attempt: int
    fault: Fault

    def hits(self, visit: Visit) -> bool:
        """Whether this is that prompt and attempt."""
        return visit.attempt == self.attempt and visit.ask.key == prompt_key(self.prompt)

    def __str__(self) -> str:
        """The plan term: `'prompt:tell me a story#1=cut:3'`."""
        return shlex.quote(f"prompt:{self.prompt}#{self.attempt}={self.fault}")


@frozen
class Down:
    """A model, a provider or (`*`) everyone is down from request `first` to `last`, or so between two moments.

    Requests count from 1 and `last` is down too; seconds count from the simulator's start, and `last` is up again.
    """

    target: str
    first: float
    last: float
    fault: Fault = field(factory=lambda: Status(503))
    by_seconds: bool = False

    def hits(self, visit: Visit) -> bool:
        """Whether this request falls into the outage."""
        count = _count(self.target, visit)
        if count is None:
            return False
        return self.first <= visit.now < self.last if self.by_seconds else self.first <= count <= self.last

    def __str__(self) -> str:
        """The plan term: `down:anthropic=1..40` or `down:gpt-5-mini=0s..30s@refuse`."""
        unit = "s" if self.by_seconds else ""
        return f"down:{self.target}={spell_number(self.first)}{unit}..{spell_number(self.last)}{unit}{_unless(self.fault, Status(503))}"


@frozen
class Full:
    """A model, a provider or (`*`) everyone takes `most` requests at once and answers each one more with this fault."""

    target: str
    most: int
    fault: Fault = field(factory=lambda: Status(429))

    def hits(self, visit: Visit) -> bool:
        """Whether this request is one too many."""
        return visit.at_once.get(self.target, 0) > self.most

    def __str__(self) -> str:
        """The plan term: `full:anthropic=50` or `full:gpt-5-mini=8@status503`."""
        return f"full:{self.target}={self.most}{_unless(self.fault, Status(429))}"


Scheduled: TypeAlias = Nth | OnPrompt | Down | Full


@frozen
class Plan:
    """What goes wrong, and when.

    `reach` is how many events deep a drawn position can lie.  The first scheduled entry that hits decides; where none
    does, chance does.
    """

    seed: int = 0
    chances: tuple[Chance, ...] = field(default=(), converter=tuple)
    schedule: tuple[Scheduled, ...] = field(default=(), converter=tuple)
    reach: int = 8

    @staticmethod
    def parse(line: str) -> "Plan":
        """The plan that a line of terms describes; raises `BadPlan` naming the first term that is wrong.

        Terms: `seed=7`, `reach=8`, `FAULT=PROBABILITY` (`cut=0.1`, `cut:3=0.1`, `status429:quota=0.01`), `MODEL#N=FAULT`
        (the n-th request to it), `down:MODEL=1..40`, `down:PROVIDER=0s..30s@FAULT`, `full:PROVIDER=50`,
        `'prompt:WORDS#N=FAULT'`.  `*` stands for every model.
        """
        plan = Plan()
        for term in _terms(line):
            plan = _with_term(plan, term)
        return plan

    def fault(self, visit: Visit) -> Fault | None:
        """The fault that this request meets, or None."""
        for entry in self.schedule:
            if entry.hits(visit):
                return entry.fault
        return self._by_chance(visit) if self.chances else None

    def _by_chance(self, visit: Visit) -> Fault | None:
        ask = visit.ask
        identity = f"{self.seed}\x1e{ask.provider}\x1e{ask.model}\x1e{ask.key}\x1e{visit.attempt}"
        digest = blake2b(identity.encode(), digest_size=16).digest()
        roll = int.from_bytes(digest[:8], "big") / 2**64
        for chance in self.chances:
            if roll < chance.probability:
                return _placed(chance, int.from_bytes(digest[8:], "big") % (self.reach + 1))
            roll -= chance.probability
        return None

    def __str__(self) -> str:
        """The line that `parse` reads back into an equal plan."""
        terms = [f"seed={self.seed}", *([] if self.reach == _REACH else [f"reach={self.reach}"])]
        return " ".join([*terms, *map(str, self.chances), *map(str, self.schedule)])


_REACH = 8
CALM = Plan()
"""No fault at all."""


def _placed(chance: Chance, position: int) -> Fault:
    fault = chance.fault
    return evolve(fault, after_events=position) if chance.drawn and isinstance(fault, Placed) else fault


def _unless(fault: Fault, usual: Fault) -> str:
    """How a fault is written where another is meant when none is."""
    return "" if fault == usual else f"@{fault}"


def _count(target: str, visit: Visit) -> int | None:
    """How many requests this target has had with this one, or None when the request is not for it."""
    if target == "*":
        return visit.number
    if target == visit.ask.model:
        return visit.nth_of_model
    return visit.nth_of_provider if target == visit.ask.provider else None


def _terms(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise BadPlan(line, f"{error}".lower()) from None


def _with_term(plan: Plan, term: str) -> Plan:
    """The plan with one more term; the shape of the term says which kind it is."""
    name, equals, value = term.rpartition("=")
    if not (name and equals and value):
        raise BadPlan(term, "write NAME=VALUE, such as cut=0.1")
    try:
        if name in {"seed", "reach"}:
            return evolve(plan, **{name: _whole_number(value)})
        if name.startswith("down:"):
            return evolve(plan, schedule=(*plan.schedule, _down(name.removeprefix("down:"), value)))
        if name.startswith("full:"):
            return evolve(plan, schedule=(*plan.schedule, _full(name.removeprefix("full:"), value)))
        if "#" in name:
            return evolve(plan, schedule=(*plan.schedule, _nth(name, value)))
        return evolve(plan, chances=(*plan.chances, _chance(name, value, plan.chances)))
    except ValueError as error:
        raise BadPlan(term, str(error)) from None


def _whole_number(value: str) -> int:
    if not value.isdecimal():
        raise ValueError(f"{value!r} is not a whole number from 0 up")
    return int(value)


def _chance(name: str, value: str, others: tuple[Chance, ...]) -> Chance:
    fault = parse_fault(name)
    try:
        probability = float(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a probability between 0 and 1") from None
    if not 0 <= probability <= 1:
        raise ValueError(f"{value} is not a probability between 0 and 1")
    if sum(other.probability for other in others) + probability > 1 + 1e-9:
        raise ValueError("the probabilities of this plan add up to more than 1")
    given = any(argument[0].isdecimal() for argument in name.split(":")[1:] if argument)
    return Chance(fault, probability, drawn=isinstance(fault, Placed) and not given)


def _nth(name: str, value: str) -> Nth | OnPrompt:
    target, _, nth = name.rpartition("#")
    count = _whole_number(nth)
    if not target or count < 1:
        raise ValueError("write MODEL#N=FAULT with N from 1 up")
    if target.startswith("prompt:"):
        return OnPrompt(target.removeprefix("prompt:"), count, parse_fault(value))
    return Nth(target, count, parse_fault(value))


def _down(target: str, value: str) -> Down:
    window, _, term = value.partition("@")
    first, dots, last = window.partition("..")
    by_seconds = first.endswith("s") and last.endswith("s")
    try:
        start, end = float(first.removesuffix("s")), float(last.removesuffix("s"))
    except ValueError:
        start, end = 1.0, 0.0
    if not (target and dots and start <= end and first.endswith("s") == last.endswith("s")):
        raise ValueError("write down:MODEL=FIRST..LAST in requests (1..40) or in seconds (0s..30s)")
    return Down(target, start, end, parse_fault(term) if term else Status(503), by_seconds)


def _full(target: str, value: str) -> Full:
    most, _, term = value.partition("@")
    if not target:
        raise ValueError("write full:MODEL=MOST, such as full:anthropic=50")
    return Full(target, _whole_number(most), parse_fault(term) if term else Status(429))
