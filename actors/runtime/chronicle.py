"""What the tree's hook is told of one stream, and whose trace the stream is part of.

Every attempt is told once, when it is known how the stream goes on; the outcome comes last.
"""

import sys
from collections.abc import Callable, Sequence

from actors.failure import Failure
from actors.lifecycle import AttemptEnded, StreamEnded, Trace
from actors.outcome import Attempt, Outcome
from actors.route import Route
from supervisor import Record


class Chronicle:
    """Tells whoever listens about one stream; costs nothing where nobody does."""

    __slots__ = ("_path", "_tell", "_told", "_trace")

    def __init__(self, trace: Trace) -> None:
        self._tell: Callable[[Record], object] | None = None
        self._path: tuple[str, ...] = ()
        self._trace = trace
        self._told = 0

    def listen(self, hook: Callable[[Record], object] | None, path: tuple[str, ...]) -> None:
        """From now on this hook, where there is one, is told about the stream at `path`."""
        self._tell, self._path = hook, path

    def goes_on(self, attempts: Sequence[Attempt], route: Route, after: float, at: float) -> None:
        """The last of the attempts is over, and another follows."""
        if self._tell is not None and len(attempts) > self._told:
            self._tell(self._attempt(attempts[-1], attempts[-1].failure, at, route, after))

    def ends(self, outcome: Outcome, at: float) -> None:
        """The stream has its outcome."""
        if self._tell is None:
            return
        if len(outcome.attempts) > self._told:
            last = outcome.attempts[-1]
            self._tell(self._attempt(last, last.failure or outcome.failure, at))
        self._tell(StreamEnded(at, self._path, self._trace, outcome))

    def _attempt(
        self, attempt: Attempt, failure: Failure | None, at: float, route: Route | None = None, after: float = 0.0
    ) -> AttemptEnded:
        self._told = attempt.number
        tries, limit = (failure.tries or 1, failure.limit or 1) if failure is not None else (1, 1)
        return AttemptEnded(at, self._path, self._trace, attempt, failure, tries, limit, route, after)


def caller() -> str:
    """The `traceparent` of the OpenTelemetry span the caller is in; empty for none.

    Nothing is imported for it: where nobody has imported OpenTelemetry, nobody is in a span.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return ""
    span = trace.get_current_span().get_span_context()
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}" if span.is_valid else ""


def trace_under(parent: str, dice: int) -> Trace:
    """The names of a new stream, of 128 random bits: a part of the trace it was asked for in, else a trace of its own."""
    trace_id = parent.split("-")[1] if parent else f"{dice:032x}"
    return Trace(trace_id, f"{dice & (1 << 64) - 1 or 1:016x}", parent)
