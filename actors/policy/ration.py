"""How many attempts a route has had and how many it can have: the `N/M` that people read.

Pure, and the same tables as the judgement itself; what is shared (breakers, budgets) or spent (time) may end the climb earlier.
"""

from collections.abc import Sequence

import attrs

from actors.failure import Disposition
from actors.ladder import Ladder, Seam, Switch
from actors.policy.directive import CAPS, SILENT, Try
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
    if not _may_repeat(ladder, seam, last):
        return Ration(len(here), len(here))
    limit = _limit(ladder, standing)
    alike = sum(past.broken.failure.kind is kind for past in here)
    more = min(limit - len(here), CAPS.get(kind, limit) - alike)
    return Ration(len(here), len(here) + max(0, more))


def _may_repeat(ladder: Ladder, seam: Seam, last: Try) -> bool:
    failure, route = last.broken.failure, last.leg.route
    if seam is Seam.FAIL and last.broken.progress.any:
        return False
    ahead = ladder.rungs[last.leg.rung + 1 :]
    others = any(isinstance(rung, Switch) and rung.route != route for rung in ahead)
    return failure.disposition is Disposition.RETRY or (failure.kind in SILENT and not others)


def _limit(ladder: Ladder, standing: int) -> float:
    """What the `Retry` in force allows: that on which the stream stands, else the one that follows at once."""
    rungs = ladder.rungs[max(standing, 0) : standing + 2]
    return next((rung.limit for rung in rungs if isinstance(rung, Retry)), 1)
