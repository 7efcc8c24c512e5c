"""What keeps one provider's bad minute from becoming a storm: a circuit breaker for each route, a retry budget for each provider; and what
keeps answers without end from filling the memory.

Pure rules; `runtime/shared.py` holds their state.  Only what speaks of a route's health moves the breaker: a refused key or a
malformed request says nothing about it, and a rate limit is a healthy provider's answer.
"""

import attrs

from actors.failure import Disposition, Failure, FailureKind, Phase
from actors.policy.decisions import SLOWER
from supervisor import Breaker, RetryBudget

K = FailureKind

_SICK = frozenset(
    {
        K.CONNECT_TIMEOUT,
        K.TIMEOUT,
        K.REFUSED,
        K.OVERLOADED,
        K.UNAVAILABLE,
        K.SERVER,
        K.FIRST_EVENT_TIMEOUT,
        K.FIRST_CONTENT_TIMEOUT,
    }
)


def sick(kind: FailureKind, phase: Phase) -> bool:
    """Whether a failure speaks of a provider that cannot serve at present."""
    return kind in _SICK or (kind is K.RESET and phase in {Phase.CONNECTION, Phase.FIRST_EVENT})


def answered(failure: Failure) -> bool:
    """Whether a failure shows a provider that serves, be it with a refusal; what failed on our side says nothing of it, nor who left."""
    heard = failure.status is not None or failure.phase is not Phase.CONNECTION
    return heard and failure.disposition is not Disposition.LEAVE


BREAKER = Breaker(failures=5, within=30.0, rest=15.0, probes=1)
"""Five failures in a row within 30 s open a route's breaker for 15 s; then one probe at a time decides."""

BUDGET = RetryBudget(ratio=0.2, burst=20.0)
"""Retries are at most a fifth of the requests to a provider, and twenty more at once."""


CROWD_SHARE = 0.2
"""The share of a route's attempts under way that must fail in a row to open its breaker, where that is more than the rule says."""


@attrs.frozen
class Memory:
    """How much the answers under way may hold, in bytes of what the model said; `None` switches a limit off.

    `stream`: one that is streamed; above it the answer is asked for in one piece, which is read without deltas and by way of the disk.
    `answer`: one in one piece, the end of it.  `together`: all of them; whoever grows while that is exceeded is degraded.
    """

    stream: int | None = 16 * 1024 * 1024
    answer: int | None = 64 * 1024 * 1024
    together: int | None = 1024 * 1024 * 1024


@attrs.frozen
class Brakes:
    """The rules for every route and provider, and for memory; `None` switches one off.

    `busy`: how many times the usual wait a machine is given that is too busy to follow.
    """

    breaker: Breaker | None = BREAKER
    budget: RetryBudget | None = BUDGET
    memory: Memory = Memory()
    busy: float = SLOWER[FailureKind.CPU]

    def breaker_of(self, in_flight: int) -> Breaker | None:
        """The breaker's rule for a route with so many attempts under way.

        Refusals come back before answers do: of a burst they are heard first, in a row, though most of it is served.  So a crowd must fail
        in a row by a share of itself.
        """
        if self.breaker is None:
            return None
        return attrs.evolve(self.breaker, failures=max(self.breaker.failures, int(in_flight * CROWD_SHARE)))

    def budget_of(self, in_flight: int) -> RetryBudget | None:
        """The budget's rule for a provider with so many attempts under way: it holds the share that each of them puts in."""
        if self.budget is None:
            return None
        return attrs.evolve(self.budget, burst=self.budget.burst + in_flight * self.budget.ratio)


BRAKES = Brakes()
"""The usual ones."""
