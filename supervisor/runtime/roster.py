"""The children of one supervisor and the acts upon them: spawn, halt, delay, end.

The loop decides, the roster does it and reports it; nothing here waits. All changes of a child's state go through `_move`.
"""

from math import inf
from typing import TYPE_CHECKING

import trio

from supervisor.exits import Exit, ExitKind
from supervisor.lifecycle import (
    ChildEnded,
    ChildOverdue,
    ChildReady,
    ChildRestarting,
    ChildStarting,
    ChildStopping,
    State,
)
from supervisor.runtime.alarms import Alarms
from supervisor.runtime.incarnation import Incarnation, Owner
from supervisor.runtime.reports import Reports
from supervisor.runtime.slot import Slot
from supervisor.runtime.stack import stack_of
from supervisor.spec import Restart

if TYPE_CHECKING:
    from collections.abc import Callable

ALIVE = frozenset({State.STARTING, State.RUNNING, State.STOPPING})

NEVER_RAN = Exit(ExitKind.SHUTDOWN, ready=False)
"""How a child ends that is told to stop while it has no incarnation."""


class Roster:
    """Slots by id, in start order, and what can be done to them."""

    def __init__(self, owner: Owner, reports: Reports, overdue: float) -> None:
        self.slots: dict[str, Slot] = {}
        self.alarms = Alarms()
        self.nursery: trio.Nursery | None = None
        self.busy = 0  # slots that are not down
        self.when_idle: Callable[[], None] = lambda: None
        self._owner = owner
        self._reports = reports
        self._overdue = overdue

    def enter(self, slot: Slot) -> None:
        """Take a new slot in, at the end of the order."""
        self.slots[slot.spec.id] = slot
        self.busy += 1

    def spawn(self, slot: Slot) -> None:
        """Begin the next incarnation."""
        assert self.nursery is not None
        slot.generation += 1
        slot.doomed = slot.returns = False
        slot.since = trio.current_time()
        slot.incarnation = incarnation = Incarnation(self._owner, slot)
        self._move(slot, State.STARTING)
        if slot.spec.start_timeout != inf:
            self.alarms.set(slot, slot.since + slot.spec.start_timeout)
        self._reports.child(slot, ChildStarting, slot.generation, slot.variant, slot.rung)
        slot.context.run(self.nursery.start_soon, incarnation.live, name=slot.spec.id)

    def ready(self, slot: Slot, value: object) -> None:
        """The incarnation is ready."""
        self.alarms.clear(slot)
        self._move(slot, State.RUNNING)
        slot.value = value
        slot.asked, slot.known = False, True
        self._reports.child(slot, ChildReady, slot.generation)
        slot.tell_readiness(None)

    def halt(self, slot: Slot, reason: str, *, at_once: bool = False) -> None:
        """Tell a child to stop, with its grace, or with none."""
        match slot.state:
            case State.WAITING | State.BACKOFF:
                self.end(slot, NEVER_RAN)
            case State.STARTING | State.RUNNING:
                self._cancel(slot, reason, 0.0 if at_once else slot.spec.shutdown)
            case State.STOPPING if at_once:
                self.cut(slot)
            case State.STOPPING | State.DOWN:
                pass

    def _cancel(self, slot: Slot, reason: str, grace: float) -> None:
        assert slot.incarnation is not None
        self._move(slot, State.STOPPING)
        self._reports.child(slot, ChildStopping, slot.generation, reason, grace)
        if grace > 0:
            self.alarms.set(slot, trio.current_time() + grace)
        else:
            self.cut(slot)
        slot.incarnation.stop(reason)

    def cut(self, slot: Slot) -> None:
        """Grace is over: nothing of ours shields the child any longer."""
        assert slot.incarnation is not None
        if not slot.incarnation.killed:
            slot.incarnation.kill()
            self.alarms.set(slot, trio.current_time() + self._overdue)

    def drop(self, reason: str) -> None:
        """Cancel whatever lives, without order or grace: nobody is left to supervise it."""
        for slot in self.slots.values():
            if slot.incarnation is not None:
                slot.incarnation.kill()
                slot.incarnation.stop(reason)

    def report_overdue(self, slot: Slot) -> None:
        """Grace was over a while ago and the child still lives: say where it hangs, and again after twice the time."""
        incarnation = slot.incarnation
        assert incarnation is not None
        now = trio.current_time()
        since = now - incarnation.killed_at
        self._reports.child(slot, ChildOverdue, slot.generation, since, stack_of(incarnation.task))
        self.alarms.set(slot, now + max(since, self._overdue))

    def delay(self, slot: Slot, after: float) -> None:
        """Come back as what `variant` and `rung` say, `after` seconds from now; without delay its turn is at once."""
        slot.restarts += 1
        self._reports.child(slot, ChildRestarting, slot.generation + 1, after, slot.variant, slot.rung)
        if after > 0:
            self._move(slot, State.BACKOFF)
            self.alarms.set(slot, trio.current_time() + after)
        else:
            self._move(slot, State.WAITING)

    def await_turn(self, slot: Slot) -> None:
        """Stand in line for a start."""
        self.alarms.clear(slot)
        slot.exit = None
        self._move(slot, State.WAITING)

    def end(self, slot: Slot, end: Exit) -> None:
        """The child does not come back by itself."""
        self.alarms.clear(slot)
        self._reports.child(slot, ChildEnded, slot.generation, end)
        if slot.spec.restart is Restart.TEMPORARY or slot.passing or not slot.known:
            self.forget(slot)
        slot.settle(end)
        self._move(slot, State.DOWN)

    def has_significant(self) -> bool:
        """Whether a significant child lives or will."""
        return any(slot.spec.significant and slot.state is not State.DOWN for slot in self.slots.values())

    def forget(self, slot: Slot) -> None:
        """Take a slot out."""
        if self.slots.get(slot.spec.id) is slot:
            del self.slots[slot.spec.id]

    def _move(self, slot: Slot, state: State) -> None:
        self.busy += (state is not State.DOWN) - (slot.state is not State.DOWN)
        slot.state = state
        if not self.busy:
            self.when_idle()
