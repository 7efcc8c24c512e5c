"""What a run came to: outcomes in, figures out.

A tally takes any number of outcomes and keeps none of them; a report is the value it makes of them.  Steps between attempts are told from
the timelines alone, so a report can be checked against what others counted.
"""

from collections import Counter
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from typing import TypeAlias

import attrs

from actors.catalogue import Advice
from actors.deltas import Usage
from actors.failure import Failure, FailureKind
from actors.observe.quantiles import Quantiles
from actors.outcome import Attempt, Outcome, Status
from actors.route import Route


class Step(Enum):
    """How one attempt follows another."""

    RETRY = "retry"
    SWITCH = "switch"
    DEGRADE = "degrade"


def step_between(before: Route, after: Route) -> Step:
    """The rung that leads from a route to the next: another route is a switch, the same one in one piece a degrade."""
    if (before.provider, before.model) != (after.provider, after.model):
        return Step.SWITCH
    return Step.DEGRADE if before.streams and not after.streams else Step.RETRY


@attrs.frozen
class Latency:
    """Seconds that half, nine tenths and 99 of 100 streams did not exceed, each within 1 %; `None` where nothing was timed."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None

    @classmethod
    def of(cls, quantiles: Quantiles) -> "Latency":
        """The three figures of a set."""
        return cls(quantiles.at(0.5), quantiles.at(0.9), quantiles.at(0.99))


@attrs.frozen
class Trouble:
    """A kind of failure at one provider: the attempts it cost, the streams it ended, the latest of them and what to do."""

    attempts: int
    streams: int
    latest: Failure

    @property
    def advice(self) -> Advice:
        """What happened and what a person can do."""
        return self.latest.advice


@attrs.frozen
class Report:
    """The figures of a run; `seconds` is how long it took, latencies are those of completed streams.

    `asked` counts the attempts that were sent by their route, as a route is written.  Of a route whose circuit breaker opened, `held` counts
    the attempts that were not sent, and `passed` the streams that began on another route because of it.
    """

    seconds: float
    statuses: Counter[Status]
    attempts: int
    asked: Counter[str]
    held: Counter[str]
    passed: Counter[str]
    steps: Counter[Step]
    usage: Usage
    first_content: Latency
    total: Latency
    troubles: tuple[Trouble, ...]

    @property
    def streams(self) -> int:
        """How many streams ended."""
        return self.statuses.total()

    @property
    def tokens_a_second(self) -> float:
        """Tokens of output over the time of the run."""
        return self.usage.output_tokens / self.seconds if self.seconds > 0 else 0.0

    @property
    def worst(self) -> tuple[Trouble, ...]:
        """The three commonest troubles, those that ended streams first."""
        return self.troubles[:3]


_What: TypeAlias = tuple[FailureKind, str]


class Tally:
    """The sums of outcomes so far."""

    def __init__(self) -> None:
        self.statuses: Counter[Status] = Counter()
        self.steps: Counter[Step] = Counter()
        self.asked: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        self.usage = Usage()
        self._first_content = Quantiles()
        self._total = Quantiles()
        self._cost: Counter[_What] = Counter()
        self._ended: Counter[_What] = Counter()
        self._latest: dict[_What, Failure] = {}

    def add(self, outcome: Outcome, first: Route | None = None) -> None:
        """Take one outcome in; `first` is the route the stream should have begun on, where that is known."""
        timeline = outcome.attempts
        self.statuses[outcome.status] += 1
        for attempt in timeline:
            if attempt.failure is not None and attempt.failure.held_back:
                self.held[attempt.route.name] += 1
            else:
                self.asked[str(attempt.route)] += 1
        if first is not None and timeline and timeline[0].route.name != first.name:
            self.passed[first.name] += 1
        self.steps.update(step_between(before.route, after.route) for before, after in pairwise(timeline))
        self.usage += outcome.usage
        self._cost.update(map(self._note, _weather(timeline)))
        if outcome.status is Status.FAILED and outcome.failure is not None:
            self._ended[self._note(outcome.failure)] += 1
        if outcome.completed and timeline:
            self._time(timeline)

    def _note(self, failure: Failure) -> "_What":
        what = (failure.kind, failure.provider)
        self._latest[what] = failure
        return what

    def _time(self, timeline: tuple[Attempt, ...]) -> None:
        asked, last = timeline[0].started, timeline[-1]
        self._total.add(last.ended - asked)
        if last.first_content is not None:
            self._first_content.add(last.first_content - asked)

    def report(self, seconds: float) -> Report:
        """The figures after a run of this many seconds."""
        troubles = (Trouble(self._cost[what], self._ended[what], latest) for what, latest in self._latest.items())
        return Report(
            seconds,
            self.statuses.copy(),
            self.asked.total() + self.held.total(),
            self.asked.copy(),
            self.held.copy(),
            self.passed.copy(),
            self.steps.copy(),
            self.usage,
            Latency.of(self._first_content),
            Latency.of(self._total),
            tuple(sorted(troubles, key=_weight, reverse=True)),
        )


def _weather(timeline: tuple[Attempt, ...]) -> Iterator[Failure]:
    """What the providers did; an attempt held back met none of them."""
    failures = (attempt.failure for attempt in timeline)
    return (failure for failure in failures if failure is not None and not failure.held_back)


def _weight(trouble: Trouble) -> tuple[int, int]:
    return trouble.streams, trouble.attempts
