"""What happens to streams, one frozen record per event, told to the tree's hook beside the records of the supervisor.

A record is made only where somebody listens, at the moment what it says is settled; it never changes what happens.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeAlias

import attrs

from actors.failure import Failure
from actors.outcome import Attempt, Outcome, Status
from actors.route import Route
from supervisor import Record

_GOLDEN, _SPAN = 0x9E3779B97F4A7C15, (1 << 64) - 1

SPAN: ContextVar[tuple[str, str] | None] = ContextVar("SPAN", default=None)
"""The trace id and the span id of the attempt that the running code is part of: whatever logs from within it can say so."""


@attrs.frozen
class Trace:
    """Under which names logs and traces tell of one stream, as W3C trace context writes them.

    `trace_id` has 32 hexadecimal digits, `span_id` 16.  `parent` is the `traceparent` of the span in which the caller opened the stream;
    empty for none.
    """

    trace_id: str
    span_id: str
    parent: str = ""

    def span_of(self, number: int) -> str:
        """The span id of an attempt, by its number."""
        spread = (int(self.span_id, 16) + number * _GOLDEN) & _SPAN
        return f"{spread or 1:016x}"

    def __str__(self) -> str:
        return self.trace_id


@attrs.frozen
class AttemptEnded(Record):
    """An attempt of a stream ended.

    `tries` is how many attempts its route has had, this one included, and `limit` how many it can have if they all fail like this one.
    `next_route` is where the next attempt runs, `after` seconds from now; `None` where this one was the last.  `failure` is why it did not
    complete: its own failure, or what interrupted the stream.
    """

    trace: Trace
    attempt: Attempt
    failure: Failure | None
    tries: int
    limit: float
    next_route: Route | None = None
    after: float = 0.0


@attrs.frozen
class StreamEnded(Record):
    """A stream has its outcome: exactly one such record for each stream whose actor was started."""

    trace: Trace
    outcome: Outcome

    @property
    def began(self) -> float:
        """When its first attempt began, in seconds on trio's clock; now, where none did."""
        attempts = self.outcome.attempts
        return attempts[0].started if attempts else self.at

    @property
    def left(self) -> bool:
        """Whether it was interrupted: cancelled, or its caller's deadline was over."""
        return self.outcome.status is Status.INTERRUPTED


@attrs.frozen
class Captured:
    """What a failed attempt sent and got: the names of its trace and span, its route, and both bodies as text, bounded and redacted.

    `status` is 0 where no answer came; `request_bytes` and `response_bytes` are how long the bodies really were.
    """

    trace_id: str
    span_id: str
    route: Route
    status: int
    request: str
    response: str
    request_bytes: int
    response_bytes: int


Tell: TypeAlias = Callable[[Captured], object]
"""Who is told of it."""
