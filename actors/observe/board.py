"""What a run looks like at this moment: one track a live stream, the sums of those that ended, the latest turns.

Written by the tasks that consume the streams, an event at a time, and read by whoever draws it; so it knows neither clock nor terminal.
It holds what is live and nothing that ended.
"""

import math
from collections import Counter, deque
from enum import Enum

import attrs

from actors.deltas import (
    AttemptAbandoned,
    AttemptStarted,
    Reach,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageDelta,
)
from actors.failure import Failure
from actors.observe.report import Step, Tally, step_between
from actors.outcome import Attempt, Outcome, Status
from actors.route import Route

CHARACTERS_A_TOKEN = 4
"""What a token is taken for until the provider says how many there were."""

LATEST = 64
"""Turns a board remembers."""


class State(Enum):
    """What a live stream does."""

    ASKING = "asking"
    THINKING = "thinking"
    WRITING = "writing"
    CALLING = "calling"
    WAITING = "waiting"


def in_short(failure: Failure) -> str:
    """A failure in two or three words."""
    return "Circuit open" if failure.held_back else failure.title


@attrs.frozen
class Turn:
    """Something worth telling, as it happened to one stream at `at` seconds on the clock of the board."""

    at: float
    name: str
    told: str


_STATES = {Reach.THINKING: State.THINKING, Reach.TEXT: State.WRITING, Reach.TOOL_CALL: State.CALLING}


@attrs.define(eq=False)
class Track:
    """A live stream; times are seconds on the clock of the board, `until` is when the next attempt begins, `first` the route planned first.

    `characters` and `measured` (tokens of output the provider counted) are those of the attempt in force.
    """

    name: str
    started: float
    first: Route | None = None
    state: State = State.ASKING
    route: Route | None = None
    attempt: int = 0
    characters: int = 0
    measured: int = 0
    first_content: float | None = None
    until: float = 0.0
    trouble: str = ""
    moved: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of output so far: counted by the provider, or estimated from the characters where that is more."""
        return max(self.measured, -(-self.characters // CHARACTERS_A_TOKEN))

    @property
    def passed_over(self) -> Route | None:
        """The route it should have begun on, where its first attempt runs on another: that one's circuit breaker is open."""
        if self.attempt != 1 or self.first is None or self.route is None or self.route.name == self.first.name:
            return None
        return self.first

    def rate(self, now: float) -> float | None:
        """Tokens a second since the first content; `None` before there is anything to divide."""
        if self.first_content is None or now - self.first_content < 0.05:
            return None
        return self.tokens / (now - self.first_content)

    def grow(self, reach: Reach, text: str, now: float) -> None:
        """More content of this kind."""
        self.characters += len(text)
        self.state = _STATES[reach]
        if self.first_content is None:
            self.first_content = now

    def begin(self, event: AttemptStarted) -> None:
        """Another attempt."""
        self.state, self.route, self.attempt = State.ASKING, event.route, event.number

    def abandon(self, event: AttemptAbandoned, now: float) -> None:
        """The attempt failed: what it delivered is discarded."""
        self.state, self.until, self.trouble = State.WAITING, now + event.after, in_short(event.failure)
        self.characters = self.measured = 0
        self.first_content = None


class Board:
    """The live streams of a run and the sums of the others; `expected` is how many there will be, where that is known.

    `avoided` are the routes (by name) whose circuit breaker was last seen open, and when it first was.
    """

    def __init__(self, title: str, started: float, expected: int | None = None) -> None:
        self.title = title
        self.started = started
        self.expected = expected
        self.tally = Tally()
        self.live: dict[Track, None] = {}
        self.steps: Counter[Step] = Counter()
        self.turns: deque[Turn] = deque(maxlen=LATEST)
        self.turned = 0
        self.avoided: dict[str, float] = {}

    def begin(self, name: str, now: float, first: Route | None = None) -> Track:
        """A stream begins; `first` is the route that its ladder begins on."""
        track = Track(name, now, first)
        self.live[track] = None
        return track

    def see(self, track: Track, event: StreamEvent, now: float) -> None:
        """An event of a live stream."""
        match event:
            case TextDelta(text):
                track.grow(Reach.TEXT, text, now)
            case ThinkingDelta(text):
                track.grow(Reach.THINKING, text, now)
            case ToolCallDelta(fragment):
                track.grow(Reach.TOOL_CALL, fragment, now)
            case ToolCallStarted():
                track.grow(Reach.TOOL_CALL, "", now)
            case UsageDelta(usage):
                track.measured = usage.output_tokens
            case AttemptStarted():
                track.begin(event)
                if track.passed_over:
                    self._avoid(track, track.passed_over, now)
            case AttemptAbandoned():
                self._turn(track, event, now)
            case _:
                pass

    def end(self, track: Track, outcome: Outcome, now: float) -> None:
        """A stream ended."""
        self.live.pop(track, None)
        self.tally.add(outcome, track.first)
        if outcome.completed and outcome.attempts:
            self._served(outcome.attempts[-1])
        if outcome.status is Status.FAILED:
            self._tell(now, track.name, f"failed: {outcome.failure}")

    @property
    def tokens(self) -> int:
        """Tokens of output so far, those of live streams estimated."""
        return self.tally.usage.output_tokens + sum(track.tokens for track in self.live)

    def since(self, seen: int) -> tuple[Turn, ...]:
        """The turns after the first `seen` of `turned`, as far as they are remembered."""
        fresh = min(self.turned - seen, len(self.turns))
        return tuple(self.turns)[len(self.turns) - fresh :]

    def _avoid(self, track: Track, route: Route, now: float) -> None:
        if route.name not in self.avoided:
            self.avoided[route.name] = now
            self._tell(now, track.name, f"circuit of {route.name} opened")

    def _served(self, attempt: Attempt) -> None:
        """A route that served somebody who came after its breaker opened is avoided no more."""
        if attempt.started > self.avoided.get(attempt.route.name, math.inf):
            del self.avoided[attempt.route.name]

    def _turn(self, track: Track, event: AttemptAbandoned, now: float) -> None:
        if event.failure.held_back:
            self._avoid(track, track.route or event.next_route, now)
        track.abandon(event, now)
        step = step_between(track.route or event.next_route, event.next_route)
        self.steps[step] += 1
        if step is not Step.RETRY:
            track.moved = True
            self._tell(now, track.name, f"{in_short(event.failure)}: {_MOVES[step]} {event.next_route.name}")

    def _tell(self, now: float, name: str, told: str) -> None:
        self.turned += 1
        self.turns.append(Turn(now, name, told))


_MOVES = {Step.SWITCH: "switched to", Step.DEGRADE: "fetched in one piece from"}
