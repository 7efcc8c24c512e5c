"""What a supervisor can do to a child: spawn, halt, cut, delay, end, each reported as it is done.

The loop decides, the acts do; nothing here waits.
"""

from math import inf

import trio

from supervisor.exits import Exit, ExitKind
from supervisor.lifecycle import (
    ChildEnded,
    ChildOverdue,
    ChildReady,
    ChildRestarting,
    ChildStarting,
    ChildStopping,
    MailboxOverflowed,
    State,
)
from supervisor.runtime.alarms import Alarms
from supervisor.runtime.incarnation import Incarnation, Owner
from supervisor.runtime.reports import Reports
from supervisor.runtime.roster import Roster
from supervisor.runtime.slot import Slot
from supervisor.runtime.stack import stack_of
from supervisor.spec import Restart

NEVER_RAN = Exit(ExitKind.SHUTDOWN, ready=False)
"""How a child ends that is told to stop while it has no incarnation."""


class Acts:
    """The acts of one supervisor upon the slots of its roster."""

    __slots__ = ("_alarms", "_overdue", "_owner", "_reports", "_roster", "nursery")

    def __init__(self, owner: Owner, roster: Roster, alarms: Alarms, reports: Reports, overdue: float) -> None:
        self.nursery: trio.Nursery | None = None
        self._owner = owner
        self._roster = roster
        self._alarms = alarms
        self._reports = reports
        self._overdue = overdue

    def spawn(self, slot: Slot) -> None:
        """Begin the next incarnation."""
        assert self.nursery is not None
        slot.generation += 1
        slot.renew()
        slot.doomed = slot.returns = False
        slot.since = trio.current_time()
        slot.incarnation = incarnation = Incarnation(self._owner, slot)
        self._roster.move(slot, State.STARTING)
        if slot.spec.start_timeout != inf:
            self._alarms.set(slot, slot.since + slot.spec.start_timeout)
        self._reports.child(slot, ChildStarting, slot.generation, slot.variant, slot.rung)
        slot.context.run(self.nursery.start_soon, incarnation.live, name=slot.spec.id)

    def ready(self, slot: Slot, value: object) -> None:
        """The incarnation is ready."""
        self._alarms.clear(slot)
        self._roster.move(slot, State.RUNNING)
        slot.value = value
        slot.asked, slot.known = False, True
        self._reports.child(slot, ChildReady, slot.generation)
        slot.tell_readiness(None)

    def hold(self, slot: Slot, reason: str) -> None:
        """Stop a child; it stays down until a person wants it up."""
        slot.held, slot.doomed, slot.returns = True, True, False
        self.halt(slot, reason)

    def halt(self, slot: Slot, reason: str, *, at_once: bool = False) -> None:
        """Tell a child to stop, with its grace, or with none."""
        match slot.state:
            case State.WAITING | State.BACKOFF:
                self.end(slot, NEVER_RAN)
            case State.STARTING | State.RUNNING:
                self._stop(slot, reason, 0.0 if at_once else slot.spec.shutdown, polite=not at_once)
            case State.STOPPING if at_once:
                self._cut(slot, reason)
            case State.STOPPING | State.DOWN:
                pass

    def _stop(self, slot: Slot, reason: str, grace: float, *, polite: bool) -> None:
        assert slot.incarnation is not None
        listens = slot.state is State.RUNNING
        self._roster.move(slot, State.STOPPING)
        self._reports.child(slot, ChildStopping, slot.generation, reason, grace)
        if polite and listens and slot.spec.polite > 0:
            self._alarms.set(slot, trio.current_time() + slot.spec.polite)
            slot.incarnation.ask_to_leave(reason)
        else:
            self._cancel(slot, reason, grace)

    def _cancel(self, slot: Slot, reason: str, grace: float) -> None:
        assert slot.incarnation is not None
        if grace > 0:
            self._alarms.set(slot, trio.current_time() + grace)
            slot.incarnation.stop(reason)
        else:
            self._cut(slot, reason)

    def press(self, slot: Slot) -> None:
        """A time that a child had for its stop is over: cancel one that was only asked, cut one that was cancelled, report one that was cut."""
        assert slot.incarnation is not None
        if not slot.incarnation.cancelled:
            self._cancel(slot, "asked to leave, and still there", slot.spec.shutdown)
        elif not slot.incarnation.killed:
            self._cut(slot, "its grace is over")
        else:
            self._report_overdue(slot)

    def _cut(self, slot: Slot, reason: str) -> None:
        """Grace is over: nothing of ours shields the child any longer."""
        assert slot.incarnation is not None
        if not slot.incarnation.killed:
            slot.incarnation.kill()
            self._alarms.set(slot, trio.current_time() + self._overdue)
            slot.incarnation.stop(reason)

    def _report_overdue(self, slot: Slot) -> None:
        """Grace was over a while ago and the child still lives: say where it hangs, and again after twice the time."""
        incarnation = slot.incarnation
        assert incarnation is not None
        now = trio.current_time()
        since = now - incarnation.killed_at
        self._reports.child(slot, ChildOverdue, slot.generation, since, stack_of(incarnation.task))
        self._alarms.set(slot, now + max(since, self._overdue))

    def delay(self, slot: Slot, after: float) -> None:
        """Come back as what `variant` and `rung` say, `after` seconds from now; without delay it waits for its turn only."""
        slot.restarts += 1
        slot.renew()
        self._reports.child(slot, ChildRestarting, slot.generation + 1, after, slot.variant, slot.rung)
        if after > 0:
            self._roster.move(slot, State.BACKOFF)
            self._alarms.set(slot, trio.current_time() + after)
        else:
            self._roster.move(slot, State.WAITING)

    def await_turn(self, slot: Slot) -> None:
        """Stand in line for a start."""
        self._alarms.clear(slot)
        slot.reopen()
        self._roster.move(slot, State.WAITING)

    def end(self, slot: Slot, end: Exit) -> None:
        """The child does not come back by itself; one that is temporary, or was never ready, is forgotten."""
        self._alarms.clear(slot)
        self._reports.child(slot, ChildEnded, slot.generation, end)
        if slot.spec.restart is Restart.TEMPORARY or slot.passing or not slot.known:
            self._roster.forget(slot)
        for tell in slot.settle(end):
            self._reports.call(tell, end)
        self._roster.move(slot, State.DOWN)

    def overflowed(self, name: str) -> None:
        """The mailbox of a child had no room for a message."""
        slot = self._roster.slots.get(name)
        if slot is not None and slot.mailbox is not None:
            self._reports.child(slot, MailboxOverflowed, slot.mailbox.capacity, slot.mailbox.lost)

    def drop(self, reason: str) -> None:
        """Cancel whatever lives, without order or grace: nobody is left to supervise it."""
        for slot in self._roster.slots.values():
            if slot.incarnation is not None:
                slot.incarnation.kill()
                slot.incarnation.stop(reason)
