"""What follows a broken attempt: the one judgement every stream stands on.

Pure: how the attempt ended, the seam, the ladder, the attempts before it, what is shared, the clock and the dice come in; where the next
attempt runs and after how many seconds comes out, or that there is none.  The ladder is read from the rung in force upwards: the
first rung that can help answers.  What can help is a table by disposition of the failure.
"""

import math
from collections.abc import Mapping, Sequence

import attrs

from actors.deltas import Progress
from actors.failure import SILENT, Disposition, Failure, FailureKind, NextKey
from actors.ladder import Buffered, Ladder, Rung, Seam, Switch
from actors.policy.decisions import CURED_IN_ONE_PIECE, OF_THE_ACCOUNT, SLOWER, Action, decide
from actors.route import Route
from supervisor import Again, Exit, Past, Retry, Stop

D = Disposition


@attrs.frozen
class Leg:
    """Where one attempt runs, and the index of the rung that led there; -1 for the ladder's first route."""

    route: Route
    rung: int = -1


@attrs.frozen
class Broken:
    """How an attempt ended that did not complete: the fault a stream raises."""

    failure: Failure
    progress: Progress = attrs.field(factory=Progress)


@attrs.frozen
class Try:
    """One attempt as the judgement sees it: where it ran, when it ended (seconds), and how."""

    leg: Leg
    ended: float
    broken: Broken


def _nothing() -> Mapping[str, float]:
    return {}


@attrs.frozen
class Conditions:
    """What all streams share, at one moment.

    `open_until`: the routes (by `Route.name`) whose breaker is open, and until when.  `tokens`: what is left of each provider's retry budget.
    What is not named has no breaker open, or a full budget.  `busy`: how many times the usual wait a machine that is too busy is given.
    """

    open_until: Mapping[str, float] = attrs.field(factory=_nothing)
    tokens: Mapping[str, float] = attrs.field(factory=_nothing)
    busy: float = SLOWER[FailureKind.CPU]


@attrs.frozen
class Onward:
    """Another attempt: on this leg, in `after` seconds."""

    leg: Leg
    after: float


MOST_KEYS = 16
"""Keys that one stream tries on one route."""

HELPED_BY_BUFFERING = frozenset({Action.AGAIN, Action.IN_ONE_PIECE, Action.ELSEWHERE_OR_AGAIN})


def direct(
    ladder: Ladder, seam: Seam, tries: Sequence[Try], conditions: Conditions, now: float, roll: float
) -> Onward | None:
    """Where the stream goes after its last try (`tries[-1]`), or `None`: it ends here.

    `now` is in seconds on the clock of the tries; `roll` is in [0, 1).
    """
    last = tries[-1]
    failure = last.broken.failure
    if failure.disposition in {D.STOP, D.LEAVE} or may_not_go_on(seam, last.broken):
        return None
    if failure.rekeyed and _may_rekey(tries):
        return Onward(last.leg, 0.0)
    sight = _Sight(ladder, tries, conditions, now, roll)
    answers = (sight.ask(index, rung) for index, rung in _ahead(ladder, last.leg.rung, failure))
    return next((onward for onward in answers if onward is not None), None)


def may_not_go_on(seam: Seam, broken: Broken) -> bool:
    """Whether what was delivered forbids any further attempt: tools ran that may have changed something, or the caller wants it so."""
    progress = broken.progress
    return progress.acted or (seam is Seam.FAIL and progress.any)


def _may_rekey(tries: Sequence[Try]) -> bool:
    """Whether the same route may be asked with another key: with each of those given, and once with a new one."""
    last = tries[-1]
    before = [past.broken.failure.next_key for past in tries[:-1] if past.leg.route == last.leg.route]
    spent = before.count(last.broken.failure.next_key)
    return spent < (1 if last.broken.failure.next_key is NextKey.RENEWED else MOST_KEYS)


def _ahead(ladder: Ladder, standing: int, failure: Failure) -> list[tuple[int, Rung]]:
    """The rungs still to be climbed, in the order in which they are asked: only `Retry` holds for more than one attempt."""
    rungs = [
        (index, rung)
        for index, rung in enumerate(ladder.rungs)
        if index > standing or (index == standing and isinstance(rung, Retry))
    ]
    if failure.disposition is D.DEGRADE:
        # Memory is short everywhere: no other route helps, only a leaner way of reading.
        rungs.sort(key=lambda numbered: not isinstance(numbered[1], Buffered))
    return rungs


def may_repeat(ladder: Ladder, last: Try, standing: int) -> bool:
    """Whether the last try may be made again as it was, as seen from a rung: silence only where no other route is ahead."""
    decision, route = decide(last.broken.failure), last.leg.route
    others = any(isinstance(rung, Switch) and rung.route != route for rung in ladder.rungs[standing + 1 :])
    return decision.repeats and not (decision.action is Action.ELSEWHERE_OR_AGAIN and others)


@attrs.frozen
class _Sight:
    """All that a rung may look at."""

    ladder: Ladder
    tries: Sequence[Try]
    conditions: Conditions
    now: float
    roll: float

    @property
    def last(self) -> Try:
        return self.tries[-1]

    @property
    def failure(self) -> Failure:
        return self.last.broken.failure

    @property
    def route(self) -> Route:
        return self.last.leg.route

    def ask(self, index: int, rung: Rung) -> Onward | None:
        match rung:
            case Retry():
                return self._retry(index, rung)
            case Switch(route):
                return self._switch(index, route)
            case Buffered():
                return self._buffer(index)

    def _retry(self, index: int, rung: Retry) -> Onward | None:
        here = [past for past in self.tries if past.leg.route == self.route and not past.broken.failure.uncounted]
        kind, most = self.failure.kind, decide(self.failure).most or rung.limit
        alike = sum(past.broken.failure.kind is kind for past in here)
        if not may_repeat(self.ladder, self.last, index) or len(here) >= rung.limit or alike >= most:
            return None
        # An attempt that was held back sent nothing: to make up for it is no retry.
        if not self.failure.uncounted and not self._may_spend:
            return None
        if self._closed_for(self.route) > 0 and self._others(index, self.route):
            return None
        after = self._wait(rung)
        return None if after is None else Onward(Leg(self.route, index), after)

    @property
    def _may_spend(self) -> bool:
        """Whether the provider's retry budget has one attempt more."""
        return self.conditions.tokens.get(self.route.provider, math.inf) >= 1

    def _wait(self, rung: Retry) -> float | None:
        """Seconds until the route may be asked again; `None` where that is longer than the rung allows."""
        slower = self.conditions.busy if self.failure.kind is FailureKind.CPU else decide(self.failure).slower
        usual = rung.backoff.delay(self._fruitless, self.roll) * slower
        after = max(usual, self.failure.retry_after or 0.0)
        if self.failure.next_key is NextKey.ANOTHER:
            after = 0.0  # the wait was asked of one key, and another one has none
        after = max(after, self._closed_for(self.route))
        return after if self.now + after - self._broken_since <= rung.within else None

    def _closed_for(self, route: Route) -> float:
        """Seconds until the route's breaker lets anybody through; not above 0 where it does now."""
        return self.conditions.open_until.get(route.name, 0.0) - self.now

    def _others(self, index: int, route: Route) -> bool:
        """Whether a rung further up leads to another route whose breaker is closed."""
        ahead = (rung.route for rung in self.ladder.rungs[index + 1 :] if isinstance(rung, Switch))
        return any(other.name != route.name and self._closed_for(other) <= 0 for other in ahead)

    @property
    def _fruitless(self) -> int:
        """Failures on this route since content last arrived, this one included."""
        count = 0
        for past in reversed(self.tries):
            if past.leg.route != self.route:
                break
            count += 1
            if past.broken.progress.any:
                break
        return count

    @property
    def _broken_since(self) -> float:
        """When the first failure since content last arrived was met."""
        since = self.last.ended
        for past in reversed(self.tries):
            since = past.ended
            if past.broken.progress.any:
                break
        return since

    def _switch(self, index: int, route: Route) -> Onward | None:
        same_account = route.provider == self.route.provider
        if route == self.route or (same_account and self.failure.kind in OF_THE_ACCOUNT):
            return None
        closed_in = self._closed_for(route)
        if closed_in > 0 and self._others(index, route):
            return None
        return Onward(Leg(route, index), max(closed_in, 0.0))

    def _buffer(self, index: int) -> Onward | None:
        route = self.route
        if not route.streams or decide(self.failure).action not in HELPED_BY_BUFFERING:
            return None
        kind = self.failure.kind
        if not (kind in CURED_IN_ONE_PIECE or self._may_spend):
            return None
        # Where nothing speaks against streaming, it is one more attempt on a route that fails; silence was waited for already.
        after = 0.0 if kind in CURED_IN_ONE_PIECE or kind in SILENT else self._wait(self._in_force(index))
        return None if after is None else Onward(Leg(route.buffered, index), after)

    def _in_force(self, index: int) -> Retry:
        """The last `Retry` below a rung, whose waits go on holding; the usual one where there is none."""
        below = (rung for rung in reversed(self.ladder.rungs[:index]) if isinstance(rung, Retry))
        return next(below, Retry())


def tries_of(history: Sequence[Past]) -> list[Try]:
    """The attempts in the history of a stream's actor, oldest first; crashes are none."""
    return [Try(past.variant, past.ended, past.value) for past in history if isinstance(past.value, Broken)]


@attrs.frozen
class Climb:
    """`direct` as the response policy of a supervised child whose variants are routes and whose faults are `Broken`."""

    ladder: Ladder
    seam: Seam

    def __call__(
        self, _exit: Exit, history: Sequence[Past], conditions: Conditions, now: float, roll: float
    ) -> Again | Stop:
        """What the supervisor is to do with the child; crashes never come here."""
        onward = direct(self.ladder, self.seam, tries_of(history), conditions, now, roll)
        return Stop() if onward is None else Again(onward.after, onward.leg)


def first_leg(ladder: Ladder, conditions: Conditions, now: float) -> Leg:
    """Where a stream begins: on the ladder's first route, or further up while that one's breaker is open and another's is not."""
    legs = [
        Leg(ladder.route),
        *(Leg(rung.route, at) for at, rung in enumerate(ladder.rungs) if isinstance(rung, Switch)),
    ]
    open_ones = (leg for leg in legs if conditions.open_until.get(leg.route.name, 0.0) <= now)
    return next(open_ones, legs[0])
