"""A tree at one moment, as values: to print, to compare, to send away.

Reading is atomic, because nothing here waits; it never stands behind a slow start or stop.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import attrs
import trio

from supervisor.exits import Exit
from supervisor.lifecycle import State
from supervisor.runtime.flags import Settings
from supervisor.runtime.roster import ALIVE, Roster
from supervisor.runtime.slot import Slot
from supervisor.spec import Strategy


@attrs.frozen
class ChildStatus:
    """One child: `uptime` in seconds is that of the present incarnation, `mailbox` the number of messages that wait (None: it has none)."""

    id: str
    state: State
    generation: int
    restarts: int
    uptime: float
    variant: Any = None
    last: Exit | None = None
    mailbox: int | None = None
    below: "tuple[TreeSnapshot, ...]" = ()


@attrs.frozen
class TreeSnapshot:
    """A supervisor and all below it, children in start order."""

    path: tuple[str, ...]
    strategy: Strategy
    closing: str | None
    children: tuple[ChildStatus, ...]

    def __str__(self) -> str:
        """The tree as indented text, one line for each child."""
        return "\n".join(_lines(self, 0))

    def flat(self) -> dict[tuple[str, ...], ChildStatus]:
        """Every child of the whole tree by its path, parents before their children."""
        found: dict[tuple[str, ...], ChildStatus] = {}
        for child in self.children:
            found[*self.path, child.id] = child
            for tree in child.below:
                found.update(tree.flat())
        return found


@attrs.frozen
class Count:
    """Children of one supervisor: all, those alive, those that wait for their return, and those that are supervisors."""

    specs: int
    active: int
    restarting: int
    supervisors: int


@runtime_checkable
class Shown(Protocol):
    """What a snapshot asks of a supervisor."""

    path: tuple[str, ...]
    closing: str | None
    roster: Roster
    settings: Settings


def top(
    snapshot: TreeSnapshot,
    by: Callable[[ChildStatus], float | None],
    n: int = 10,
    since: TreeSnapshot | None = None,
) -> list[tuple[tuple[str, ...], float]]:
    """The `n` children with the most of what `by` reads, with their paths; with an earlier snapshot, by what was added since.

    `by` gives None for a child that has nothing of it: `top(tree.snapshot(), lambda child: child.mailbox)`.
    """
    before = {path: by(child) or 0.0 for path, child in since.flat().items()} if since is not None else {}
    read = ((path, by(child)) for path, child in snapshot.flat().items())
    grown = [(path, value - before.get(path, 0.0)) for path, value in read if value is not None]
    return sorted(grown, key=lambda entry: -entry[1])[:n]


def _lines(tree: TreeSnapshot, depth: int) -> Iterator[str]:
    margin = "  " * depth
    yield f"{margin}{tree.path[-1]} [{tree.strategy.value}]{f' closing: {tree.closing}' if tree.closing else ''}"
    for child in tree.children:
        words = [
            f"{margin}  {child.id}",
            child.state.value,
            f"generation {child.generation}",
            f"up {child.uptime:.1f} s",
        ]
        words += [f"{child.mailbox} waiting"] if child.mailbox is not None else []
        words += [f"last exit: {child.last}"] if child.last is not None else []
        yield ", ".join(words)
        for below in child.below:
            yield from _lines(below, depth + 2)


def status_of(slot: Slot, below: tuple[TreeSnapshot, ...] = ()) -> ChildStatus:
    """A child without what is below it."""
    alive = slot.state in ALIVE
    return ChildStatus(
        id=slot.spec.id,
        state=slot.state,
        generation=slot.generation,
        restarts=slot.restarts,
        uptime=trio.current_time() - slot.since if alive else 0.0,
        variant=slot.variant,
        last=slot.last,
        mailbox=len(slot.mailbox) if slot.mailbox is not None else None,
        below=below,
    )


def snapshot_of(shown: Shown) -> TreeSnapshot:
    """A supervisor and all below it."""
    children = tuple(status_of(slot, _below(slot)) for slot in shown.roster.slots.values())
    return TreeSnapshot(shown.path, shown.settings.strategy, shown.closing, children)


def count_of(roster: Roster) -> Count:
    """Children by state."""
    slots = roster.slots.values()
    return Count(
        specs=len(slots),
        active=sum(slot.state in ALIVE for slot in slots),
        restarting=sum(slot.state in {State.BACKOFF, State.WAITING} for slot in slots),
        supervisors=sum(bool(slot.incarnation and slot.incarnation.subtrees) for slot in slots),
    )


def _below(slot: Slot) -> tuple[TreeSnapshot, ...]:
    subtrees = slot.incarnation.subtrees if slot.incarnation is not None else ()
    return tuple(snapshot_of(tree) for tree in subtrees if isinstance(tree, Shown))
