"""Log lines of streams: records in, events with fields out.

`lines` is pure and decides all: event, level, fields.  The one rule: every line carries the trace id of its stream and the span id of what it
tells of, and nothing that anybody but the user said goes out before it went through `redaction` (P13).
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import attrs
import structlog

from actors.failure import Category, Disposition, Failure, FailureKind
from actors.lifecycle import AttemptEnded, StreamEnded
from actors.observe.report import Step, step_between
from actors.outcome import Attempt, Status
from actors.policy.directive import SILENT
from actors.redaction import shown
from supervisor import Record

LIMIT = 256
"""Bytes (UTF-8) of a text in a field."""


class Level(Enum):
    """How urgent a line is: the method of a logger, and the number that logging gives it."""

    DEBUG = "debug", 10
    INFO = "info", 20
    WARNING = "warning", 30
    ERROR = "error", 40

    def __init__(self, method: str, number: int) -> None:
        self.method = method
        self.number = number


@attrs.frozen
class LogLine:
    """One line: what happened, how urgent it is, and the fields beside it."""

    level: Level
    event: str
    fields: Mapping[str, object]


_FOREIGN = frozenset({"stream", "provider", "model", "next_route"})
"""Fields whose words are neither ours nor those of a failure."""

MOVES: Mapping[Step, str] = {Step.SWITCH: "switched provider", Step.DEGRADE: "switched to buffered"}
"""The lines of the rungs that are no repetition."""


def transient(kind: FailureKind) -> bool:
    """Whether the same request on the same route can help, later."""
    return kind.disposition is Disposition.RETRY or kind in SILENT


def loudness(record: Record) -> Level | None:
    """The level that none of the record's lines is louder than, at a glance; `None` where it has no lines."""
    match record:
        case AttemptEnded(failure=failure):
            calm = failure is None or failure.category is Category.CONTEXT
            return Level.DEBUG if calm else Level.ERROR
        case StreamEnded():
            return Level.INFO
        case _:
            return None


def lines(record: Record) -> Sequence[LogLine]:
    """What a record has to say; nothing of records that are not about streams."""
    match record:
        case AttemptEnded():
            return _attempt_lines(record)
        case StreamEnded():
            return (_summary(record),)
        case _:
            return ()


def _attempt_lines(record: AttemptEnded) -> Sequence[LogLine]:
    fields = _attempt_fields(record)
    failure, route = record.failure, record.next_route
    if failure is None:
        return (LogLine(Level.DEBUG, "attempt completed", fields),)
    if failure.category is Category.CONTEXT:
        return (LogLine(Level.DEBUG, "attempt left", fields),)
    told = [line for line in (_failed(record, failure, fields),) if line is not None]
    if route is None:
        return (*told, LogLine(Level.ERROR, "exhausted", fields)) if transient(failure.kind) else told
    move = MOVES.get(step_between(record.attempt.route, route))
    return told if move is None else (*told, LogLine(Level.WARNING, move, fields))


def _failed(record: AttemptEnded, failure: Failure, fields: Mapping[str, object]) -> LogLine | None:
    final = record.next_route is None
    if transient(failure.kind):
        return LogLine(Level.WARNING, f"attempt {record.tries}/{record.limit:g} failed", fields)
    if final or failure.disposition is Disposition.ELSEWHERE:
        return LogLine(Level.ERROR if final else Level.WARNING, "not retrying", fields)
    if failure.kind is FailureKind.CRASH:
        return LogLine(Level.ERROR, "attempt crashed", fields)
    return None  # the request is sent in a leaner way, which has a line of its own


def _attempt_fields(record: AttemptEnded) -> dict[str, object]:
    attempt, trace = record.attempt, record.trace
    fields: dict[str, object] = {
        "trace_id": trace.trace_id,
        "span_id": trace.span_of(attempt.number),
        "stream": record.path[-1],
        "attempt": attempt.number,
        **_place(attempt),
        "elapsed": round(attempt.seconds, 3),
    }
    if record.failure is not None:
        fields |= _failure_fields(record.failure)
    if record.next_route is not None:
        fields |= {"next_route": str(record.next_route), "after": round(record.after, 3)}
    return _clean(fields)


def _place(attempt: Attempt) -> dict[str, object]:
    route = attempt.route
    return {"provider": route.provider, "model": route.model, "mode": route.mode.value}


def _failure_fields(failure: Failure) -> dict[str, object]:
    return {
        "phase": failure.phase.value,
        "error_type": failure.kind.label,
        "category": failure.category.value,
        "disposition": failure.disposition.value,
        "retry_after": failure.retry_after,
        "status": failure.status,
        "code": failure.code,
        "message": failure.message,
        "request_id": failure.request_id,
    }


def _summary(record: StreamEnded) -> LogLine:
    outcome, trace = record.outcome, record.trace
    attempts, failure = outcome.attempts, outcome.failure
    fields: dict[str, object] = {
        "trace_id": trace.trace_id,
        "span_id": trace.span_id,
        "stream": record.path[-1],
        "attempts": len(attempts),
        **(_place(attempts[-1]) if attempts else {}),
        "elapsed": round(record.at - record.began, 3),
        "input_tokens": outcome.usage.input_tokens,
        "output_tokens": outcome.usage.output_tokens,
    }
    if outcome.status is not Status.COMPLETED and failure is not None:
        fields |= _failure_fields(failure)
    return LogLine(Level.INFO, f"stream {outcome.status.value}", _clean(fields))


def _clean(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that say something, fit to be shown: what a failure carries is so from its birth."""
    return {
        name: shown(str(field), LIMIT) if name in _FOREIGN else field
        for name, field in fields.items()
        if field is not None and field != ""
    }


class StreamLogs:
    """A hook that logs: `open_streams(hook=StreamLogs())`; with structlog as the application has set it up.

    What the logger would drop is not made: at the default level a stream that succeeds costs a glance.
    """

    def __init__(self, log: Any = None) -> None:
        self._log = log if log is not None else structlog.get_logger("actors")

    def __call__(self, record: Record) -> None:
        """Log what a record has to say."""
        loudest = loudness(record)
        if loudest is None:
            return
        log = self._log.bind()
        enabled = getattr(log, "is_enabled_for", None)  # not every wrapper has it
        if enabled is not None and not enabled(loudest.number):
            return
        for line in lines(record):
            getattr(log, line.level.method)(line.event, **line.fields)
