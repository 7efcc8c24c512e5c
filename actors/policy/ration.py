"""How many attempts a route has had and how many it can have: the `N/M` that people read.

Pure, and the same tables as the judgement itself; what is shared (breakers, budgets) or spent (time) may end the climb earlier.
"""

from collections.abc import Sequence

import attrs

from actors.ladder import Ladder, Seam
from actors.policy.decisions import decide
from actors.policy.directive import Try, may_not_go_on, may_repeat
from supervisor import Retry


@attrs.frozen
class Ration:
    """Attempts on one route: how many there were, and how many there can be if all that follow fail like the last one."""

    tries: int = 1
    limit: float = 1


def ration(ladder: Ladder, seam: Seam, tries: Sequence[Try]) -> Ration:
    """The ration of the route of the last try."""
    last = tries[-1]
    kind, standing = last.broken.failure.kind, last.leg.rung
    here = [past for past in tries if past.leg.route == last.leg.route and not past.broken.failure.uncounted] or [last]
    if may_not_go_on(seam, last.broken) or not may_repeat(ladder, last, standing):
        return Ration(len(here), len(here))
    limit = _limit(ladder, standing)
    alike = sum(past.broken.failure.kind is kind for past in here)
    more = min(limit - len(here), (decide(last.broken.failure).most or limit) - alike)
    return Ration(len(here), len(here) + max(0, more))


def _limit(ladder: Ladder, standing: int) -> float:
    """What the `Retry` in force allows: that on which the stream stands, else the one that follows at once."""
    rungs = ladder.rungs[max(standing, 0) : standing + 2]
    return next((rung.limit for rung in rungs if isinstance(rung, Retry)), 1)
