"""One attempt under its clocks: the marks it leaves and the alarm that ends it.

The reading task only writes marks; the timer asks for the alarm when the old one comes due.
"""

import math

import attrs
import trio

from actors.failure import FailureKind
from actors.policy.clocks import Alarm, Marks, clocks_for, next_alarm
from actors.route import Route

LATE_SECONDS = 1.0
"""An alarm that rings so late was rung by a machine too busy to follow: what seemed silent may wait unread on this side of the line."""

OVERDUE = "an alarm is over"
"""Why an attempt is cancelled whose time is over."""


class Watch:
    """The watch over one attempt on `route`; `scope` is what its alarm cancels."""

    def __init__(self, route: Route) -> None:
        self.clocks = clocks_for(route)
        self.marks = Marks(started=trio.current_time())
        self.scope = trio.CancelScope()
        self._streams = route.streams
        self._alarm: Alarm | None = None
        self._blocked_since = 0.0
        self._late = 0.0

    def heard(self, *, content: bool) -> bool:
        """The provider said something: content, or a sign of life.  Says whether the alarm may be nearer now."""
        marks, now = self.marks, trio.current_time()
        if marks.first_event is None:
            marks.first_event = now
        if not content:
            return False
        marks.last_content = now
        if marks.first_content is not None:
            return False
        marks.first_content = now
        return True

    def blocked(self) -> None:
        """The consumer is not ready: time does not count until it is."""
        self._blocked_since = trio.current_time()
        self.marks.blocked = True

    def unblocked(self) -> None:
        """The consumer is ready again."""
        marks, now = self.marks, trio.current_time()
        marks.blocked = False
        marks.waited += now - self._blocked_since
        if marks.last_content is not None:
            marks.last_content = now

    def due(self) -> float:
        """When the attempt is to be given up, as things stand; infinity for never."""
        self._alarm = next_alarm(self.clocks, self.marks, streams=self._streams)
        return math.inf if self._alarm is None else self._alarm.at

    def expire(self, late: float = 0.0) -> None:
        """The alarm is over, by so many seconds: end the attempt."""
        self._late = late
        self.scope.cancel(reason=OVERDUE)

    @property
    def expired(self) -> tuple[FailureKind, float]:
        """Which clock ran out, and how many seconds into the attempt; only after `expire`."""
        assert self._alarm is not None
        rang = self._alarm.at - self.marks.started
        return (self._alarm.kind, rang) if self._late < LATE_SECONDS else (FailureKind.CPU, rang + self._late)


def held_to(route: Route) -> Route:
    """The route with the clocks it is held to written into it, for the provider that opens the connection."""
    return attrs.evolve(route, clocks=clocks_for(route))
