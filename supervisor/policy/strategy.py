"""Who is stopped and who is started when one child must come back.

Stops run from the youngest to the oldest, starts the other way round. A temporary sibling is stopped and not started again; one that was
stopped on purpose stays stopped (OTP would start it).
"""

from collections.abc import Sequence

import attrs

from supervisor.spec import AutoShutdown, Strategy


@attrs.frozen
class Member:
    """What a plan asks of a child: whether it lives, comes back at all, and was stopped on purpose."""

    id: str
    alive: bool = True
    temporary: bool = False
    held: bool = False


@attrs.frozen
class Plan:
    """Ids to stop, in this order, and then to start, in this order."""

    stop: tuple[str, ...]
    start: tuple[str, ...]


def touched(strategy: Strategy, members: Sequence[Member], failed: str) -> Sequence[Member]:
    """The members that share the fate of `failed`, itself included, in start order."""
    match strategy:
        case Strategy.ONE_FOR_ONE:
            return [member for member in members if member.id == failed]
        case Strategy.ONE_FOR_ALL:
            return members
        case Strategy.REST_FOR_ONE:
            first = next(place for place, member in enumerate(members) if member.id == failed)
            return members[first:]


def plan(strategy: Strategy, members: Sequence[Member], failed: str) -> Plan:
    """What to stop and to start so that `failed` comes back; `members` are all children in start order."""
    group = touched(strategy, members, failed)
    stop = tuple(member.id for member in reversed(group) if member.alive and member.id != failed)
    start = tuple(member.id for member in group if (not member.held and not member.temporary) or member.id == failed)
    return Plan(stop, start)


def ends_tree(rule: AutoShutdown, *, others: bool) -> bool:
    """Whether the tree ends with a significant child; `others` says whether another significant one lives or will."""
    match rule:
        case AutoShutdown.NEVER:
            return False
        case AutoShutdown.ANY_SIGNIFICANT:
            return True
        case AutoShutdown.ALL_SIGNIFICANT:
            return not others
