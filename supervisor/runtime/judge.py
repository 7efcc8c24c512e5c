"""What follows from an exit: the child's policy for faults, its restart type and the supervisor's intensity for the rest.

It gathers what the pure functions of `policy` ask for (history, conditions, clock, dice) and keeps the charges; it acts on nothing.
"""

import trio

from supervisor.exits import Exit, ExitKind
from supervisor.policy.intensity import Charges, charge
from supervisor.policy.response import comes_back
from supervisor.runtime.flags import Settings
from supervisor.runtime.reports import Reports
from supervisor.runtime.slot import Slot
from supervisor.spec import Again, Answer, Escalate, Respond, Stop


class Judge:
    """The memory of one supervisor for restarts, and its dice."""

    __slots__ = ("_charges", "_reports", "_settings")

    def __init__(self, settings: Settings, reports: Reports) -> None:
        self._settings = settings
        self._reports = reports
        self._charges: Charges = ()

    def answer(self, slot: Slot, end: Exit) -> tuple[Answer, str]:
        """How the child goes on, and why the supervisor gives up if it does. A policy that raises is a crash of the child."""
        respond = slot.spec.respond
        if end.kind is ExitKind.FAULT and respond is not None:
            try:
                return self._ask(respond, slot, end), "the child's policy escalated"
            except Exception as error:  # noqa: BLE001 - a bug in a policy is charged like any other
                end = Exit(ExitKind.CRASH, error=self._reports.summary(error), ready=end.ready)
        return self._by_restart_type(slot, end)

    def _ask(self, respond: Respond, slot: Slot, end: Exit) -> Answer:
        settings = self._settings
        conditions = settings.conditions() if settings.conditions is not None else None
        answer = respond(end, tuple(slot.past or ()), conditions, trio.current_time(), self._roll())
        if not isinstance(answer, Answer):  # pyright: ignore[reportUnnecessaryIsInstance] - a policy is the user's
            raise TypeError(f"a policy answers Again, Stop or Escalate, not {type(answer).__name__}")
        return answer

    def _by_restart_type(self, slot: Slot, end: Exit) -> tuple[Answer, str]:
        failed_start = slot.asked and not end.ready
        if failed_start or not comes_back(slot.spec, end.kind):
            return Stop(), ""
        now, settings = trio.current_time(), self._settings
        self._charges, exceeded = charge(self._charges, now, settings.intensity, settings.period)
        if exceeded:
            return (
                Escalate(),
                f"more restarts than its intensity of {settings.intensity} in {settings.period:g} s allows",
            )
        return Again(self._delay(slot, now), rung=slot.rung), ""

    def _delay(self, slot: Slot, now: float) -> float:
        if slot.spec.backoff is None:
            return 0.0
        slot.crashes = 1 if now - slot.since >= self._settings.period else slot.crashes + 1
        return slot.spec.backoff.delay(slot.crashes, self._roll())

    def _roll(self) -> float:
        return self._settings.dice.random() if self._settings.dice is not None else 0.5
