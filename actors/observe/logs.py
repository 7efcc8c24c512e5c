"""Log lines of streams and of their tree: records in, events with fields out.

`lines` is pure and decides all: event, level, fields.  The one rule: every line carries the trace id of its stream and the span id of what it
tells of (zeros where it tells of the tree and of no stream), and nothing that anybody but the user said goes out before it went through
`redaction` (P13).
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import attrs
import structlog

from actors.failure import Category, Disposition, Failure, FailureKind
from actors.lifecycle import AttemptEnded, Captured, StreamEnded
from actors.observe.report import Step, step_between
from actors.outcome import Attempt, Status
from actors.redaction import shown
from supervisor import ChildOverdue, MailboxOverflowed, Record, SupervisorGaveUp

LIMIT = 256
"""Bytes (UTF-8) of a text in a field."""

NOWHERE: Mapping[str, object] = {"trace_id": "0" * 32, "span_id": "0" * 16}
"""The trace and the span of what belongs to none, as W3C trace context and OpenTelemetry write it."""


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


_FOREIGN = frozenset({"stream", "provider", "model", "next_route", "child", "supervisor", "where"})
"""Fields whose words are neither ours nor those of a failure."""

MOVES: Mapping[Step, str] = {Step.SWITCH: "switched provider", Step.DEGRADE: "switched to buffered"}
"""The lines of the rungs that are no repetition."""


def loudness(record: Record) -> Level | None:
    """The level that none of the record's lines is louder than, at a glance; `None` where it has no lines."""
    match record:
        case AttemptEnded(failure=failure):
            calm = failure is None or failure.category is Category.CONTEXT
            return Level.DEBUG if calm else Level.ERROR
        case StreamEnded():
            return Level.INFO
        case ChildOverdue() | MailboxOverflowed() | SupervisorGaveUp():
            return Level.ERROR
        case _:
            return None


def lines(record: Record) -> Sequence[LogLine]:
    """What a record has to say; nothing of those that only tell that a tree lives."""
    match record:
        case AttemptEnded():
            return _attempt_lines(record)
        case StreamEnded():
            return (_summary(record),)
        case ChildOverdue() | MailboxOverflowed() | SupervisorGaveUp():
            return (_of_the_tree(record),)
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
        return (*told, LogLine(Level.ERROR, "exhausted", fields)) if failure.transient else told
    move = MOVES.get(step_between(record.attempt.route, route))
    return told if move is None else (*told, LogLine(Level.WARNING, move, fields))


def _failed(record: AttemptEnded, failure: Failure, fields: Mapping[str, object]) -> LogLine | None:
    final = record.next_route is None
    if failure.held_back:
        return LogLine(Level.WARNING, "attempt held back", fields)
    if failure.transient:
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
        "delivered": attempt.delivered.characters or None,
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
        "title": failure.title,
        "category": failure.category.value,
        "disposition": failure.disposition.value,
        "retry_after": None if failure.retry_after is None else round(failure.retry_after, 3),
        "status": failure.status,
        "code": failure.code,
        "message": failure.message,
        "cause": failure.cause,
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


def _of_the_tree(record: ChildOverdue | MailboxOverflowed | SupervisorGaveUp) -> LogLine:
    where = "/".join(record.path)
    match record:
        case ChildOverdue(generation=generation, since=since, stack=stack):
            frame = stack[-1] if stack else ""
            fields = {"child": where, "generation": generation, "since": round(since, 3), "where": frame}
            level, event = Level.WARNING, "child overdue"
        case MailboxOverflowed(capacity=capacity, lost=lost):
            fields = {"child": where, "capacity": capacity, "lost": lost}
            level, event = Level.WARNING, "mailbox overflowed"
        case SupervisorGaveUp(child=child, why=why):
            fields = {"supervisor": where, "child": child, "message": shown(why, LIMIT)}
            level, event = Level.ERROR, "supervisor gave up"
    return LogLine(level, event, _clean({**NOWHERE, **fields}))


def captured_line(captured: Captured) -> LogLine:
    """What a failed attempt sent and got, word for word; its bodies are redacted and bounded already."""
    route = captured.route
    fields = {
        "trace_id": captured.trace_id or NOWHERE["trace_id"],
        "span_id": captured.span_id or NOWHERE["span_id"],
        "provider": route.provider,
        "model": route.model,
        "mode": route.mode.value,
        "status": captured.status or None,
        "request_bytes": captured.request_bytes,
        "response_bytes": captured.response_bytes,
        "request_body": captured.request,
        "response_body": captured.response,
    }
    return LogLine(Level.DEBUG, "attempt bodies", _clean(fields))


def _clean(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that say something, fit to be shown: what a failure carries is so from its birth."""
    return {
        name: shown(str(field), LIMIT) if name in _FOREIGN else field
        for name, field in fields.items()
        if field is not None and field != ""
    }


class StreamLogs:
    """A hook that logs: `open_streams(hook=StreamLogs())`; with structlog as the application has set it up.

    What the logger would drop is not made: at the default level a stream that succeeds costs a glance.  `gauges` gives fields that are
    added to the lines of failures: what the program held at that moment.
    """

    def __init__(self, log: Any = None, *, gauges: Callable[[], Mapping[str, object]] | None = None) -> None:
        self._log = log if log is not None else structlog.get_logger("actors")
        self._gauges = gauges

    def __call__(self, record: Record) -> None:
        """Log what a record has to say."""
        loudest = loudness(record)
        if loudest is None:
            return
        log = self._log.bind()
        if not _hears(log, loudest):
            return
        failed = isinstance(record, AttemptEnded) and record.failure is not None
        gauges: Mapping[str, object] = self._gauges() if failed and self._gauges is not None else {}
        for line in lines(record):
            getattr(log, line.level.method)(line.event, **line.fields, **gauges)

    def captured(self, captured: Captured) -> None:
        """Log, for who debugs, what a failed attempt sent and got: `open_streams(capture=logs.captured)`."""
        log = self._log.bind()
        if _hears(log, Level.DEBUG):
            line = captured_line(captured)
            log.debug(line.event, **line.fields)


def _hears(log: Any, level: Level) -> bool:
    enabled = getattr(log, "is_enabled_for", None)  # not every wrapper has it
    return enabled is None or bool(enabled(level.number))
