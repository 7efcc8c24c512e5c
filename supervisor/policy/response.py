"""Rungs of recovery and their ladder: how a child that met a fault comes back.

A rung answers, or says None when it is exhausted; the ladder asks the rung it stands on, then those above, and never goes back down.
Everything a rung looks at is in its arguments.
"""

from math import inf
from typing import Any, Protocol

import attrs

from supervisor.errors import BadSpec
from supervisor.exits import Exit, ExitKind, Past
from supervisor.policy.backoff import USUAL, Backoff
from supervisor.spec import Again, Answer, Child, Restart, Stop, is_seconds

HISTORY = 32
"""Past incarnations kept of each child."""

_COMES_BACK = {
    Restart.PERMANENT: frozenset(ExitKind) - {ExitKind.IGNORED},
    Restart.TRANSIENT: frozenset(kind for kind in ExitKind if kind.abnormal),
    Restart.TEMPORARY: frozenset[ExitKind](),
}


def comes_back(child: Child, kind: ExitKind) -> bool:
    """What the restart type says of an exit, where no policy was asked."""
    return kind in _COMES_BACK[child.restart]


class Rung(Protocol):
    """One way to go on. It is pure: the same arguments give the same answer."""

    def answer(self, end: Exit, history: tuple[Past, ...], conditions: Any, now: float, roll: float) -> Again | None:
        """How to come back, or None when this rung has nothing more to give."""
        ...


@attrs.frozen
class Retry:
    """The same variant again, after a backoff.

    Args:
        limit: Attempts on one variant, the first included; from 1 to 32, or inf.
        backoff: The wait before each repetition.
        within: Seconds from the first of these failures within which the next attempt must begin.
        forget: An incarnation that lived this many seconds makes the failures before it forgotten.
    """

    limit: float = 5
    backoff: Backoff = USUAL
    within: float = 120.0
    forget: float = inf

    def __attrs_post_init__(self) -> None:
        if self.limit != inf and not (isinstance(self.limit, int) and 1 <= self.limit <= HISTORY):
            raise BadSpec("Retry", "limit", self.limit, f"give a whole number from 1 to {HISTORY}, or inf")
        if not is_seconds(self.within) or self.within < 0:
            raise BadSpec("Retry", "within", self.within, "give seconds from 0, or inf")
        if not is_seconds(self.forget) or self.forget <= 0:
            raise BadSpec("Retry", "forget", self.forget, "give seconds above 0, or inf")

    def answer(self, end: Exit, history: tuple[Past, ...], conditions: Any, now: float, roll: float) -> Again | None:  # noqa: ARG002 - a Rung
        """Again on the present variant while attempts and time are left."""
        streak = self._streak(history)
        after = self.backoff.delay(len(streak), roll)
        if len(streak) >= self.limit or now + after - streak[0].ended > self.within:
            return None
        return Again(after, history[-1].variant)

    def _streak(self, history: tuple[Past, ...]) -> list[Past]:
        """The failures on the present variant since it last was well, oldest first."""
        variant = history[-1].variant
        streak: list[Past] = []
        for past in reversed(history):
            if past.variant == variant:
                streak.append(past)
            if past.ended - past.started >= self.forget:
                break
        return streak[::-1]


@attrs.frozen
class Next:
    """Another variant of the same child, at once; exhausted while that variant is the present one."""

    variant: Any

    def answer(self, end: Exit, history: tuple[Past, ...], conditions: Any, now: float, roll: float) -> Again | None:  # noqa: ARG002 - a Rung
        """Again as `variant`, unless it is what just failed."""
        return None if history[-1].variant == self.variant else Again(0.0, self.variant)


@attrs.frozen(init=False)
class Rungs:
    """Rungs in order, as one policy: the first that answers decides; when none does, `end` does.

    ```python
    Child("feed", feed, respond=Rungs(Retry(3), Next("mirror"), Retry(3)))
    ```
    """

    rungs: tuple[Rung, ...]
    end: Answer

    def __init__(self, *rungs: Rung, end: Answer = Stop()) -> None:  # noqa: B008 - a frozen value
        self.__attrs_init__(rungs, end)  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType] - attrs makes it

    def __call__(self, end: Exit, history: tuple[Past, ...], conditions: Any, now: float, roll: float) -> Answer:
        """The answer of the first rung, from the present one up, that is not exhausted."""
        present = history[-1].rung
        for place, rung in enumerate(self.rungs[present:], present):
            answer = rung.answer(end, history, conditions, now, roll)
            if answer is not None:
                return attrs.evolve(answer, rung=place)
        return self.end
