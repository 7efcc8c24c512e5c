"""The life of one stream: what its attempts delivered, how they ended, and the one outcome at the end.

Written by the attempt that runs and by the supervisor's notices, read by the consumer; never two at once, for nothing here awaits.
What an attempt delivered belongs to that attempt alone: the next one starts an empty assembly (P6).
"""

import math
from collections.abc import Sequence

import attrs
import msgspec
import trio

from actors.deltas import AttemptAbandoned, AttemptStarted, Delta, FinishReason, StreamEvent, Usage
from actors.failure import Disposition, Failure, FailureKind, Phase
from actors.ladder import Ladder, Seam
from actors.lifecycle import Trace
from actors.outcome import Attempt, Outcome, Status
from actors.policy.assemble import Assembly
from actors.policy.directive import Broken, Climb, Conditions, Leg, Try
from actors.policy.estimate import billed
from actors.policy.ration import ration
from actors.request import Request
from actors.route import Route
from actors.runtime.chronicle import Chronicle
from actors.runtime.outlet import Outlet
from actors.runtime.watch import Watch
from supervisor import Again, ChildEnded, ChildExited, ChildRestarting, Exit, ExitKind, Past, Record, Respond, Stop


@attrs.frozen
class Order:
    """What a caller asked for; `repeat_tools`: tools that its provider runs may run twice."""

    request: Request
    ladder: Ladder
    seam: Seam
    name: str
    trace: Trace
    repeat_tools: bool = False


class Life:
    """One stream from its first attempt to its outcome."""

    def __init__(self, order: Order, *, consumed: bool) -> None:
        self.order = order
        self.outlet: Outlet[StreamEvent] | None = Outlet() if consumed else None
        self.assembly = Assembly()
        self.route = order.ladder.route
        self.watch = Watch(self.route)
        self.began = self.watch.marks.started
        self.number = 0
        self.attempts: list[Attempt] = []
        self.outcome: Outcome | None = None
        self.ended = trio.Event()
        self.leaving: FailureKind | None = None
        self.request_id = ""
        self.cause: BaseException | None = None
        self.listens = False  # an answer is being read
        self.resumes_at: float | None = None
        self.chronicle = Chronicle(order.trace)
        self._climb = Climb(order.ladder, order.seam)
        self._leg = Leg(order.ladder.route)
        self._tries: list[Try] = []
        self._failed: Failure | None = None
        self._given_up = False
        self._fallback: Assembly | None = None

    # -- the attempt's side

    def begin(self, leg: Leg) -> Watch:
        """A new attempt starts on this leg; gives the watch over it."""
        self._leg, self.route = leg, leg.route
        self.number += 1
        self.assembly = Assembly()
        self.watch = Watch(leg.route)
        self.request_id, self.cause, self.listens = "", None, False
        self.resumes_at = None
        if self.outlet is not None:
            self.outlet.push(AttemptStarted(self.number, leg.route))
        return self.watch

    async def take(self, deltas: Sequence[Delta]) -> bool:
        """The attempt delivered this; an empty sequence is a sign of life.

        Waits where the consumer is slow, and says whether the alarm may be nearer now.  What came before a delta that fits nowhere is told.
        """
        add, content, taken = self.assembly.add, False, 0
        try:
            for delta in deltas:
                content |= add(delta)
                taken += 1
        finally:
            if self.outlet is not None and taken:
                self.outlet.push_all(deltas if taken == len(deltas) else deltas[:taken])
        nearer = self.watch.heard(content=content)
        if self.outlet is None or not self.outlet.full:
            return nearer
        self.watch.blocked()
        await self.outlet.room()
        self.watch.unblocked()
        return True

    @property
    def flaw(self) -> Failure | None:
        """Why the answer whose terminal event arrived is none; `None` where it is one."""
        finish, assembly = self.assembly.finish, self.assembly
        if finish is not None and finish.reason is FinishReason.REFUSAL:
            return self.failure(FailureKind.POLICY, finish.detail or finish.spelling)
        if finish is not None and finish.releases and assembly.incomplete:
            call, garbled = assembly.incomplete[0], assembly.garbled
            kind = FailureKind.TOOL_JSON if garbled else FailureKind.TRUNCATED
            wrong = "are no JSON object" if garbled else "were cut off"
            return self.failure(kind, f"the arguments of {call.name} ({call.id}) {wrong}: {call.fragment}")
        return None

    @property
    def phase(self) -> Phase:
        """How far the attempt is."""
        if self.assembly.finish is not None:
            return Phase.FINALISATION
        if self.watch.marks.first_content is not None:
            return Phase.STREAMING
        return Phase.FIRST_EVENT if self.listens else Phase.CONNECTION

    @property
    def left(self) -> FailureKind | None:
        """Why nobody waits for the attempt any more; `None` where somebody does."""
        if self.leaving is not None or self.watch.scope.cancel_called:
            return self.leaving
        return FailureKind.CANCELLED if trio.current_effective_deadline() == -math.inf else None

    def failure(self, kind: FailureKind, message: str) -> Failure:
        """A failure of the attempt that runs."""
        route, trace_id = self.route, self.order.trace.trace_id
        return Failure(
            kind, message, self.phase, route.provider, route.model, request_id=self.request_id, trace_id=trace_id
        )

    def alarmed(self, kind: FailureKind, seconds: float) -> Failure:
        """The failure of an attempt whose alarm is over, so many seconds after it began."""
        return self.failure(kind, f"given up {seconds:g} s after the attempt began")

    def broken(self, failure: Failure) -> Broken:
        """The fault the attempt ends with, counted among those of its route."""
        progress, now = self.assembly.progress, trio.current_time()
        if self.order.repeat_tools:
            progress = msgspec.structs.replace(progress, acted=False)
        self._tries.append(Try(self._leg, now, Broken(failure, progress)))
        spent = ration(self._climb.ladder, self._climb.seam, self._tries)
        trace_id = self.order.trace.trace_id
        self._failed = attrs.evolve(
            failure,
            tries=spent.tries,
            limit=spent.limit,
            trace_id=trace_id,
            final=failure.final or progress.acted,
        )
        return Broken(self._failed, progress)

    # -- the supervisor's side

    def notice(self, record: Record) -> None:
        """What the supervisor decided about this stream, at the moment it did."""
        match record:
            case ChildExited(exit=exit_):
                self._close_attempt(exit_, record.at)
            case ChildRestarting(after=after, variant=leg):
                self._abandon(leg.route if isinstance(leg, Leg) else self.route, after, record.at)
            case ChildEnded(exit=exit_):
                self.settle(exit_.kind)
            case _:
                pass

    def judged(self, climb: Climb) -> Respond:
        """The policy that also tells this life whether it was given up: one stopped as it broke has not failed."""
        self._climb = climb

        def respond(
            exit_: Exit, history: Sequence[Past], conditions: Conditions, now: float, roll: float
        ) -> Again | Stop:
            answer = climb(exit_, history, conditions, now, roll)
            self._given_up = isinstance(answer, Stop)
            return answer

        return respond

    def repeats(self, record: ChildRestarting) -> bool:
        """Whether the next attempt asks the same provider again: a retry, for its budget.  After one that does not count it is none."""
        again = isinstance(record.variant, Leg) and record.variant.route.provider == self.route.provider
        return again and not (self._failed is not None and self._failed.uncounted)

    def _close_attempt(self, exit_: Exit, at: float) -> None:
        if exit_.kind is ExitKind.CRASH and exit_.error is not None:
            self._failed = self.failure(FailureKind.CRASH, f"{exit_.error.type}: {exit_.error.message}")
        if self.number > len(self.attempts):  # else it was stopped before the attempt began
            self.attempts.append(self._attempt(at))

    def _attempt(self, at: float) -> Attempt:
        return Attempt(
            self.number,
            self.route,
            self.watch.marks.started,
            at,
            self.watch.marks.first_content,
            self.assembly.progress,
            self._billed(),
            self._failed,
            self.request_id or self.assembly.response_id,
            self.watch.marks.first_event,
        )

    def _billed(self) -> Usage:
        assembly = self.assembly
        return billed(assembly.usage, self.order.request, assembly.progress, complete=assembly.finish is not None)

    def _abandon(self, route: Route, after: float, at: float) -> None:
        self.resumes_at = at + after
        if self.assembly.progress.any:
            self._fallback = self.assembly
        if self.outlet is not None and self._failed is not None:
            delivered = self.assembly.progress
            self.outlet.push(AttemptAbandoned(self._failed, delivered, self.number, after, route))
        self._failed, self.assembly = None, Assembly()
        self.chronicle.goes_on(self.attempts, route, after, at)

    def settle(self, end: ExitKind) -> None:
        """Give the stream its one outcome, now that its actor ended so, or is waited for no longer."""
        if self.outcome is not None:
            return
        status, failure = self._verdict(end)
        self.outcome = self.outcome_as(status, failure)
        if self.outlet is not None:
            if status is Status.COMPLETED:
                self.outlet.push_all(self.assembly.ready)
            self.outlet.end()
        self.ended.set()
        self.chronicle.ends(self.outcome, trio.current_time())

    def _verdict(self, end: ExitKind) -> tuple[Status, Failure | None]:
        if self._failed is not None and self._failed.disposition is Disposition.LEAVE:
            return Status.INTERRUPTED, self._left_with(self._failed)
        if self._failed is not None and (self._given_up or end is ExitKind.CRASH):
            return Status.FAILED, self._failed
        if end is not ExitKind.NORMAL and self.assembly.finish is None:
            return Status.INTERRUPTED, self._left_with(self.failure(self.leaving or FailureKind.CANCELLED, ""))
        # Stopped or not, an answer that was heard to its terminal event is complete (P7).
        flaw = self.flaw
        return (Status.COMPLETED if flaw is None else Status.FAILED), flaw

    def _left_with(self, failure: Failure) -> Failure:
        """An interruption that says how long the stream was asked for, its waits included, and what there is of the answer."""
        kept, seconds = self._partial, trio.current_time() - self.began
        letters, calls = (_counted(kept.characters, "character"), _counted(len(kept.incomplete), "tool call"))
        return attrs.evolve(failure, message=f"left after {seconds:.1f} s with {letters} and {calls}")

    @property
    def _partial(self) -> Assembly:
        """What the last attempt that delivered anything delivered."""
        return self.assembly if self.assembly.progress.any or self._fallback is None else self._fallback

    def outcome_as(self, status: Status, failure: Failure | None) -> Outcome:
        """The outcome that this life has when it ends so; a partial is that of the last attempt that delivered anything."""
        assembly, attempts = self.assembly if status is Status.COMPLETED else self._partial, tuple(self.attempts)
        if self.number > len(attempts):
            attempts = (*attempts, self._attempt(trio.current_time()))
        return Outcome(
            status,
            assembly.parts,
            tuple(ready.call for ready in assembly.ready) if status is Status.COMPLETED else (),
            assembly.incomplete,
            sum((attempt.usage for attempt in attempts), Usage()),
            attempts,
            assembly.finish,
            failure,
            assembly.model or (self.route.model if assembly.progress.any else ""),
            self.order.trace.trace_id,
            self.cause if status is Status.FAILED else None,
        )


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
