"""What happens in a tree, one frozen record per event, in the order in which the supervisor decided it.

`at` is trio's clock in seconds, `path` the ids from the root down. `line(record)` is the record as text: no addresses, no reprs of
unknown objects, so that one seed gives one log.
"""

from enum import Enum
from typing import Any

import attrs

from supervisor.exits import Exit, plain


class State(Enum):
    """Where a child stands."""

    WAITING = "waiting"
    """its turn in an ordered start has not come yet"""
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    """it comes back when its delay is over"""
    DOWN = "down"
    """it ended, or was stopped, and does not come back by itself"""


@attrs.frozen
class Record:
    """What all records have: when (trio's clock, seconds) and where (the ids from the root down)."""

    at: float
    path: tuple[str, ...]


@attrs.frozen
class SupervisorStarted(Record):
    """All its static children are ready."""


@attrs.frozen
class SupervisorStopping(Record):
    """It begins to stop its children."""

    reason: str


@attrs.frozen
class SupervisorEnded(Record):
    """Its last child is gone."""


@attrs.frozen
class SupervisorGaveUp(Record):
    """Its children failed more often than `intensity` in `period` seconds, or a policy escalated."""

    child: str
    exit: Exit
    why: str


@attrs.frozen
class ChildStarting(Record):
    """An incarnation was spawned."""

    generation: int
    variant: Any
    rung: int


@attrs.frozen
class ChildReady(Record):
    """The incarnation is ready."""

    generation: int


@attrs.frozen
class ChildStopping(Record):
    """The incarnation was told to stop and has `grace` seconds."""

    generation: int
    reason: str
    grace: float


@attrs.frozen
class ChildOverdue(Record):
    """The incarnation still lives `since` seconds after the end of its grace; `stack` says where it hangs."""

    generation: int
    since: float
    stack: tuple[str, ...]


@attrs.frozen
class ChildExited(Record):
    """The incarnation ended after `uptime` seconds."""

    generation: int
    exit: Exit
    uptime: float


@attrs.frozen
class ChildRestarting(Record):
    """The child comes back as `generation`, `after` seconds from now, as `variant`."""

    generation: int
    after: float
    variant: Any
    rung: int


@attrs.frozen
class ChildEnded(Record):
    """The child does not come back by itself: exactly one such record for each time it was started."""

    generation: int
    exit: Exit


@attrs.frozen
class MailboxOverflowed(Record):
    """Messages were refused or dropped because the mailbox held `capacity`: told with the first, and each time their number doubled."""

    capacity: int
    lost: int


def line(record: Record) -> str:
    """The record as one line: time, path, name, then the fields that differ between records; a stack is told by its depth only."""
    fields = attrs.fields(type(record))[2:]
    words = [f"{field.name}={_plain(getattr(record, field.name))}" for field in fields]
    return " ".join([f"{record.at:.6f}", "/".join(record.path), type(record).__name__, *words])


def _plain(value: object) -> str:
    match value:
        case None | bool() | int() | str():
            return str(value)
        case float():
            return f"{value:.6f}"
        case Exit():
            return f"[{value}]"
        case tuple():
            return f"{len(value)} frames"  # pyright: ignore[reportUnknownArgumentType] - a stack: its text holds paths of this machine
        case _:
            return plain(value)
