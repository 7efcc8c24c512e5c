"""An ordered walk over a tree: stop some children together, then some one by one, then start some one by one.

Each step is taken when the one before it is done; nothing here waits, the loop calls `advance` after every batch of news. Many are
cancelled in slices, so that stopping a hundred thousand children does not keep the event loop.
"""

from collections import deque
from collections.abc import Iterable

from supervisor.lifecycle import State
from supervisor.policy.strategy import Member, plan
from supervisor.runtime.acts import Acts
from supervisor.runtime.inbox import BATCH
from supervisor.runtime.roster import ALIVE, Roster
from supervisor.runtime.slot import Slot
from supervisor.spec import Restart, Strategy


class Sweep:
    """Stops those in `together`, then those in `row`, then starts in order, when the delay of those in `delayed` is over."""

    def __init__(
        self, acts: Acts, together: Iterable[Slot], row: Iterable[Slot], starts: Iterable[Slot], reason: str
    ) -> None:
        self.starts = deque(starts)
        self.delayed: list[Slot] = []
        self.hurried = False
        self.is_last = False
        self._acts = acts
        self._row = deque(row)
        self._reason = reason
        self._to_cancel = deque(together)
        self._to_await: deque[Slot] = deque()

    @property
    def has_more(self) -> bool:
        """Whether there is something to cancel without waiting for news."""
        return bool(self._to_cancel)

    def to_stop(self) -> list[Slot]:
        """Those who are stopping, or will be."""
        return [*self._to_await, *self._to_cancel, *self._row]

    def holds_up(self, slot: Slot, other: Slot) -> bool:
        """Whether nothing is done about `other` before `slot` is down, or ready."""
        if slot in self._to_await:
            return other in self.starts or other in self._row
        return bool(self.starts) and self.starts[0] is slot and other is not slot and other in self.starts

    def hurry(self) -> None:
        """Stop all that is left at once, without grace."""
        self.hurried = True
        self._to_cancel = deque(self.to_stop())
        self._row.clear()
        self._to_await.clear()

    def note_ready(self, slot: Slot) -> None:
        """A child is ready: if it was its turn, it is the next one's. It may have ended again before the loop looks."""
        if self.starts and self.starts[0] is slot:
            self.starts.popleft()

    def advance(self, *, cancel: bool) -> bool:
        """Take the steps that can be taken now, with `cancel` also the next slice of those to cancel; whether all are done."""
        if cancel:
            self._cancel_slice()
        return self._stopped() and self._started()

    def _cancel_slice(self) -> None:
        for _ in range(min(BATCH, len(self._to_cancel))):
            slot = self._to_cancel.popleft()
            self._to_await.append(slot)
            if self.is_last or slot.state in ALIVE:  # one that ended before its turn waits for its start
                self._acts.halt(slot, self._reason, at_once=self.hurried)

    def _stopped(self) -> bool:
        while True:
            while self._to_await and self._to_await[0].state not in ALIVE:
                self._to_await.popleft()
            if self._to_await or self._to_cancel:
                return False
            if not self._row:
                return True
            self._to_cancel.append(self._row.popleft())

    def _started(self) -> bool:
        if any(slot.state is State.BACKOFF for slot in self.delayed):
            return False
        while self.starts:
            slot = self.starts[0]
            match slot.state:
                case State.WAITING:
                    self._acts.spawn(slot)
                    return False
                case State.STARTING | State.STOPPING | State.BACKOFF:
                    return False
                case State.RUNNING | State.DOWN:
                    self.starts.popleft()
        return True


def regroup(roster: Roster, acts: Acts, strategy: Strategy, failed: Slot, under_way: Sweep | None) -> Sweep:
    """The walk that brings `failed` back together with those whom `strategy` ties to it, and with those a walk under way still owes."""
    slots = roster.slots
    members = [
        Member(slot.spec.id, slot.state in ALIVE, slot.spec.restart is Restart.TEMPORARY, slot.held)
        for slot in slots.values()
    ]
    todo = plan(strategy, members, failed.spec.id)
    owed = {slot.spec.id for slot in under_way.starts if slot.state is not State.DOWN} if under_way else set[str]()
    returning = owed.union(todo.start)
    unfinished = under_way.to_stop() if under_way else ()
    stopping = {slot.spec.id for slot in unfinished if slot.state in ALIVE}.union(todo.stop)
    row = [slot for slot in reversed(slots.values()) if slot.spec.id in stopping]
    for slot in row:
        slot.doomed, slot.returns = True, slot.spec.id in returning
    starts = [slot for slot in slots.values() if slot.spec.id in returning]
    for slot in starts:
        if slot.state is State.DOWN:
            acts.await_turn(slot)
    reason = f"{strategy.value}: child {failed.spec.id!r} comes back"
    sweep = Sweep(acts, (), row, starts, reason)
    sweep.delayed = [*(under_way.delayed if under_way else ()), failed]
    return sweep


def closing(roster: Roster, acts: Acts, reason: str) -> Sweep:
    """The walk that ends a tree: first the children without a place in the order, together; then the others, the youngest first."""
    sweep = Sweep(acts, roster.loose.values(), reversed(roster.ordered.values()), (), reason)
    sweep.is_last = True
    return sweep
