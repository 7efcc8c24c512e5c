"""The loop: one task that owns the nursery of a supervisor and is the only writer of its children's state.

Incarnations, alarms and callers post; the loop takes the posts in order, lets pure functions decide, has the roster act, and never waits for
anything but the next post or alarm. So it answers at any time, also amid a backoff, a slow start or a slow stop.
"""

from collections.abc import Callable, Sequence
from traceback import clear_frames
from typing import Any, TypeVarTuple

import trio

from supervisor.errors import GaveUp, StartFailed, TooDeep, TooManyChildren, TreeStopped
from supervisor.exits import Exit, ExitKind, plain
from supervisor.lifecycle import (
    ChildExited,
    State,
    SupervisorEnded,
    SupervisorGaveUp,
    SupervisorStarted,
    SupervisorStopping,
)
from supervisor.policy.strategy import ends_tree
from supervisor.runtime.acts import NEVER_RAN, Acts
from supervisor.runtime.alarms import Alarms
from supervisor.runtime.collector import ASIDE, CROWD
from supervisor.runtime.flags import Settings
from supervisor.runtime.inbox import BATCH, Inbox
from supervisor.runtime.incarnation import Incarnation, context_for_child, enclosing, path_below
from supervisor.runtime.judge import Judge
from supervisor.runtime.registry import Registry
from supervisor.runtime.reports import Reports
from supervisor.runtime.roster import Roster
from supervisor.runtime.slot import OneShot, Slot
from supervisor.runtime.sweep import Sweep, closing, regroup
from supervisor.spec import Again, Child, Escalate, Stop, Strategy

Ts = TypeVarTuple("Ts")

DEPTH_LIMIT = 100
"""Supervisors inside supervisors; trio itself fails at some 330 nurseries that unwind together."""


class Loop:
    """One supervisor at work."""

    def __init__(self, settings: Settings, children: Sequence[Child]) -> None:
        self.parent = enclosing()
        above = self.parent.owner if self.parent is not None and isinstance(self.parent.owner, Loop) else None
        self.path = path_below(self.parent, settings.name)
        self.depth = above.depth + 1 if above else 1
        if self.depth > DEPTH_LIMIT:
            raise TooDeep(self.path, DEPTH_LIMIT)
        self.settings = settings.inherit(above.settings if above else None, self.path)
        self.inbox = Inbox()
        self.reports = Reports(self.settings.hook, self.path, self.settings.redact or str)
        self.registry: Registry = above.registry if above else Registry()
        self.roster = Roster()
        self.alarms = Alarms()
        self.acts = Acts(self, self.roster, self.alarms, self.reports, settings.overdue)
        self.roster.when_idle = self._became_idle
        self.body = trio.CancelScope()
        self.booted = trio.Event()
        self.closing: str | None = None
        self.closed: OneShot[None] = OneShot()
        self.idle: OneShot[None] = OneShot()
        self.watchers = 0  # tasks that wait for the end, and need not be cancelled at it
        self.failure: BaseException | None = None
        self.cause: BaseException | None = None
        self.over = False
        self._watched = False
        self._aside = False  # it has the collector look away from its children
        self._judge = Judge(self.settings, self.reports)
        self.settings.check_all(children)
        for child in children:
            self._enter(Slot(child, self.path, context_for_child(), ordered=True))
        self._sweep: Sweep | None = Sweep(self.acts, (), (), self.roster.slots.values(), "")

    def enter(self, child: Child) -> Slot:
        """Take in a child that is added at run time, at the end of the order; it runs when `begin` is posted."""
        if self.closing is not None:
            raise TreeStopped(self.path)
        self.settings.check(child)
        if self.roster.dynamic >= self.settings.max_children and child.id not in self.roster.slots:
            raise TooManyChildren(self.path, self.roster.dynamic)
        slot = Slot(child, self.path, context_for_child(), ordered=self.settings.strategy is not Strategy.ONE_FOR_ONE)
        slot.dynamic = True
        self._enter(slot)
        return slot

    def _enter(self, slot: Slot) -> None:
        self.roster.enter(slot)
        if slot.mailbox is not None:
            slot.mailbox.when_lost = self.acts.overflowed

    # --- the task

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Supervise until the tree is closed and its last child is gone."""
        if self.parent is not None:
            self.parent.adopt(self)
        try:
            async with trio.open_nursery() as self.acts.nursery:
                await self._serve_to_the_end()
        finally:
            if self.parent is not None:
                self.parent.part(self)
            self._finish()

    async def _serve_to_the_end(self) -> None:
        try:
            await self._serve()
        except trio.Cancelled as cancelled:
            # Not lost: whoever opened the tree stands in the same cancelled scope, and meets it when the tree is down.
            self.close(plain(cancelled.reason or "the scope around the supervisor was cancelled"))
            with trio.CancelScope(shield=True):  # bounded by the grace of the children
                await self._serve()

    async def _serve(self) -> None:
        try:
            await self._serve_each()
        except trio.Cancelled:
            raise
        except BaseException:
            self.closing = self.closing or "the supervisor itself failed"
            self.acts.drop(self.closing)
            raise

    async def _serve_each(self) -> None:
        self._advance()
        while self.closing is None or self.roster.busy:
            if self._sweep is not None and self._sweep.has_more:
                await trio.lowlevel.checkpoint()
            else:
                await self.inbox.wait(self.alarms.next())
            for _ in range(min(BATCH, len(self.inbox))):
                self.inbox.take()
                self._advance()
            for slot in self.alarms.due(trio.current_time(), BATCH):
                self._rang(slot)
            self._advance(cancel=True)

    def _advance(self, *, cancel: bool = False) -> None:
        if self._sweep is not None and self._sweep.advance(cancel=cancel):
            self._sweep = None
            if not self.booted.is_set():
                self.booted.set()
                self.reports.tree(SupervisorStarted)

    def _finish(self) -> None:
        self.over = True
        self._take_all()
        for slot in list(self.roster.slots.values()) if self.roster.busy else ():
            if slot.state is not State.DOWN:
                self.acts.end(slot, NEVER_RAN)
        self._take_all()
        if self._aside:
            ASIDE.end()
        self.reports.tree(SupervisorEnded)
        self.closed.set(None)
        if not self._watched:
            self.body.cancel(self.closing)

    def _take_all(self) -> None:
        while self.inbox:
            self.inbox.take()

    def _became_idle(self) -> None:
        self._watched = self.watchers > 0
        self.idle.set(None)
        self.idle = OneShot()

    # --- news of children

    def have_done(self, call: Callable[[*Ts], None], *args: *Ts) -> None:
        """Have this call made in its turn, which is now if the loop sleeps and walks through nothing. It must set no alarm."""
        (self.inbox.make if self._sweep is None else self.inbox.post)(call, *args)

    def became_ready(self, incarnation: Incarnation, value: Any) -> None:
        """An incarnation called `started`, or was first scheduled."""
        slot = incarnation.slot
        if slot.incarnation is incarnation and slot.state is State.STARTING:
            self.acts.ready(slot, value)
            if self._sweep is not None:
                self._sweep.note_ready(slot)

    def ended(self, incarnation: Incarnation, end: Exit, error: BaseException | None) -> None:
        """An incarnation ended."""
        slot = incarnation.slot
        if slot.incarnation is not incarnation:
            return
        now = trio.current_time()
        self.alarms.clear(slot)
        slot.remember(incarnation, end, now)
        self.reports.child(slot, ChildExited, incarnation.generation, end, now - slot.since)
        if error is not None and not isinstance(error, Exception | trio.Cancelled):
            self._fail(error, None, f"child {incarnation.id!r} raised {type(error).__name__}")
        if self.closing is not None or slot.doomed:
            self._stopped(slot, end)
        else:
            self._react(slot, end, error)
        if error is not None and end.kind is not ExitKind.FAULT:
            clear_frames(error.__traceback__)

    def _stopped(self, slot: Slot, end: Exit) -> None:
        if self.closing is None and slot.returns:
            self.acts.await_turn(slot)
            self.take_turn(slot)
        else:
            self.acts.end(slot, end)

    def _react(self, slot: Slot, end: Exit, error: BaseException | None) -> None:
        answer, why = self._judge.answer(slot, end)
        match answer:
            case Again():
                self._return(slot, answer)
            case Stop():
                self._let_go(slot, end, error)
            case Escalate():
                self.acts.end(slot, end)
                self.reports.tree(SupervisorGaveUp, slot.spec.id, end, why)
                self._fail(GaveUp(self.path, slot.spec.id, end, why), error, f"gave up: {why}")

    def _return(self, slot: Slot, again: Again) -> None:
        slot.variant = slot.variant if again.variant is None else again.variant
        slot.rung = again.rung
        self.acts.delay(slot, again.after)
        if self.settings.strategy is not Strategy.ONE_FOR_ONE:
            self._sweep = regroup(self.roster, self.acts, self.settings.strategy, slot, self._sweep)
        elif slot.state is State.WAITING:
            self.take_turn(slot)

    def _let_go(self, slot: Slot, end: Exit, error: BaseException | None) -> None:
        if end.kind is ExitKind.IGNORED:
            slot.asked, slot.known = False, True
            self.acts.end(slot, end)
            return
        failed_start = slot.asked and not end.ready
        self.acts.end(slot, end)
        if failed_start and not self.booted.is_set() and slot.ordered:
            self._fail(StartFailed(slot.spec.id, end), error, f"child {slot.spec.id!r} did not start")
            return
        counts = slot.spec.significant and not failed_start
        if counts and ends_tree(self.settings.auto_shutdown, others=self.roster.has_significant()):
            self.close(f"significant child {slot.spec.id!r} ended")

    def take_turn(self, slot: Slot) -> None:
        """Start a child that stands in line, unless a walk under way will."""
        if self._sweep is None or slot not in self._sweep.starts:
            self.acts.spawn(slot)

    def _rang(self, slot: Slot) -> None:
        incarnation = slot.incarnation
        match slot.state:
            case State.BACKOFF:
                self.acts.await_turn(slot)
                self.take_turn(slot)
            case State.STARTING if incarnation is not None:
                incarnation.timed_out = True
                self.acts.halt(slot, f"not ready within {slot.spec.start_timeout:g} s")
            case State.STOPPING:
                self.acts.press(slot)
            case _:
                pass

    def holds_up(self, slot: Slot, other: Slot) -> bool:
        """Whether the supervisor does nothing more about `other` before `slot` has ended, or is ready."""
        return self._sweep is not None and self._sweep.holds_up(slot, other)

    # --- the end

    def close(self, reason: str) -> None:
        """Stop all children in order and let nothing start any more."""
        if self.closing is not None:
            return
        self.closing = reason
        if len(self.roster.slots) >= CROWD:
            self._aside = True
            ASIDE.begin()
        self.reports.tree(SupervisorStopping, reason)
        self._sweep = closing(self.roster, self.acts, reason)
        self.booted.set()

    def hurry(self) -> None:
        """The grace of the incarnation around this supervisor is over: so is that of every child."""
        self.inbox.post(self._hurry)

    def _hurry(self) -> None:
        self.close("the grace of the supervisor is over")
        if self._sweep is not None:
            self._sweep.hurry()

    def _fail(self, failure: BaseException, cause: BaseException | None, reason: str) -> None:
        if self.failure is None or not isinstance(failure, Exception):
            self.failure, self.cause = failure, cause
        self.close(reason)
        self.body.cancel(reason)
