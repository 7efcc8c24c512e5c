"""Spans of streams for OpenTelemetry: one for the stream, and under it one for each attempt.

They are made when the stream has ended, from its timeline; so a stream that runs carries nothing for them.  Names and attributes that begin with
`gen_ai.` are copied from the OpenTelemetry semantic conventions for generative AI (github.com/open-telemetry/semantic-conventions-genai, status
Development).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from itertools import zip_longest
from random import SystemRandom
from typing import TYPE_CHECKING, TypeAlias

import attrs
from opentelemetry import trace
from opentelemetry.context import Context

from actors.deltas import Usage
from actors.failure import WORD_LIMIT, Failure
from actors.lifecycle import StreamEnded
from actors.observe.instruments import PROVIDERS, goes_nowhere
from actors.observe.metrics import asked
from actors.outcome import Attempt, Outcome, Status
from actors.redaction import shown
from supervisor import Record

Fields: TypeAlias = Mapping[str, str | bool | int | float | Sequence[str]]

_names: ContextVar[tuple[str, str]] = ContextVar("_names", default=("", ""))
_dice = SystemRandom()


@attrs.frozen
class Mark:
    """Something that happened within a span, at a time in nanoseconds since 1970."""

    name: str
    at: int
    fields: Fields


@attrs.frozen
class Span:
    """A span as it is to be written; times are nanoseconds since 1970, `failed` says why it is an error, empty for none."""

    name: str
    kind: trace.SpanKind
    span_id: str
    began: int
    ended: int
    fields: Fields
    failed: str = ""
    marks: tuple[Mark, ...] = ()


def spans(record: StreamEnded, now: int) -> tuple[Span, tuple[Span, ...]]:
    """The span of the stream and those of its attempts; `now` is the record's time in nanoseconds since 1970."""

    def wall(at: float) -> int:
        return now - round((record.at - at) * 1e9)

    outcome = record.outcome
    error = outcome.failure.kind.label if outcome.failure is not None else ""
    whole = Span(
        "stream",
        trace.SpanKind.INTERNAL,
        record.trace.span_id,
        wall(record.began),
        now,
        dict(_stream_fields(record)),
        error if outcome.status is Status.FAILED else "",
        tuple(Mark(name, wall(at), fields) for name, at, fields in _seams(outcome.attempts)),
    )
    return whole, tuple(
        Span(
            f"chat {attempt.route.model}",
            trace.SpanKind.CLIENT,
            record.trace.span_of(attempt.number),
            wall(attempt.started),
            wall(attempt.ended),
            dict(_attempt_fields(attempt, outcome)),
            attempt.failure.kind.label if attempt.failure is not None else "",
        )
        for attempt in outcome.attempts
    )


def _stream_fields(record: StreamEnded) -> Iterator[tuple[str, str | int]]:
    outcome = record.outcome
    yield "supervisor.stream.name", record.path[-1]
    yield "supervisor.stream.trace_id", record.trace.trace_id
    yield "supervisor.stream.outcome", outcome.status.value
    yield "supervisor.stream.attempts", len(outcome.attempts)
    if outcome.failure is not None:
        yield "error.type", outcome.failure.kind.label


def _seams(attempts: Sequence[Attempt]) -> Iterator[tuple[str, float, Fields]]:
    """What the consumer was told between its deltas: when, and what."""
    for attempt, follower in zip_longest(attempts, attempts[1:]):
        which = {"supervisor.attempt.number": attempt.number}
        yield "attempt started", attempt.started, {**which, "supervisor.attempt.route": str(attempt.route)}
        if follower is not None:
            yield "attempt abandoned", attempt.ended, {**which, **_abandoned(attempt, follower)}


def _abandoned(attempt: Attempt, follower: Attempt) -> Fields:
    failed = {} if attempt.failure is None else {"error.type": attempt.failure.kind.label}
    return {
        **failed,
        "supervisor.attempt.discarded_characters": attempt.delivered.characters,
        "supervisor.attempt.next_route": str(follower.route),
        "supervisor.attempt.next_after": round(follower.started - attempt.ended, 6),
    }


def _attempt_fields(attempt: Attempt, outcome: Outcome) -> Iterator[tuple[str, str | bool | int | float | list[str]]]:
    route, last = attempt.route, attempt.number == len(outcome.attempts)
    yield "gen_ai.operation.name", "chat"
    yield "gen_ai.provider.name", PROVIDERS.get(route.provider, route.provider)
    yield "gen_ai.request.model", route.model
    yield "gen_ai.request.stream", route.streams
    yield from _usage_fields(attempt.usage)
    yield "supervisor.attempt.number", attempt.number
    yield "supervisor.attempt.route", str(route)
    failure = attempt.failure or (outcome.failure if last else None)
    yield "supervisor.attempt.outcome", _ending(attempt, failure)
    if failure is not None:
        yield "error.type", failure.kind.label
    if attempt.request_id:
        yield "supervisor.attempt.request_id", shown(attempt.request_id, WORD_LIMIT)
    if attempt.first_content is not None and route.streams:
        yield "gen_ai.response.time_to_first_chunk", attempt.first_content - attempt.started
    if last and outcome.completed:
        if outcome.model:
            yield "gen_ai.response.model", shown(outcome.model, WORD_LIMIT)
        if outcome.finish is not None:
            yield "gen_ai.response.finish_reasons", [outcome.finish.reason.value]


def _usage_fields(usage: Usage) -> Iterator[tuple[str, bool | int]]:
    if usage == Usage():
        return
    yield "gen_ai.usage.input_tokens", asked(usage)
    yield "gen_ai.usage.output_tokens", usage.output_tokens
    parts = (
        ("gen_ai.usage.cache_read.input_tokens", usage.cache_read_tokens),
        ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write_tokens),
        ("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens),
    )
    yield from ((name, tokens) for name, tokens in parts if tokens)
    if usage.estimated:
        yield "supervisor.attempt.usage_estimated", True


def _ending(attempt: Attempt, failure: Failure | None) -> str:
    if failure is None:
        return Status.COMPLETED.value
    return Status.FAILED.value if attempt.failure is not None else Status.INTERRUPTED.value


class StreamSpans:
    """A hook that writes spans: `open_streams(hook=StreamSpans())`; without an SDK they go nowhere.

    The stream's span is a child of the span in which the stream was opened.  `tracer` is the program's where not given.
    """

    def __init__(self, tracer: trace.Tracer | None = None) -> None:
        self._asked = tracer is None
        self._tracer = tracer or trace.get_tracer("actors")

    def __call__(self, record: Record) -> None:
        """Write the spans of a stream that ended."""
        if not isinstance(record, StreamEnded) or (self._asked and goes_nowhere(trace.get_tracer_provider())):
            return
        whole, attempts = spans(record, time.time_ns())
        span = self._start(whole, record.trace.trace_id, _within(record.trace.parent))
        under = trace.set_span_in_context(span, Context())
        for attempt in attempts:
            self._start(attempt, record.trace.trace_id, under).end(attempt.ended)
        span.end(whole.ended)

    def _start(self, told: Span, trace_id: str, within: Context) -> trace.Span:
        token = _names.set((trace_id, told.span_id))
        try:
            span = self._tracer.start_span(told.name, within, told.kind, told.fields, start_time=told.began)
        finally:
            _names.reset(token)
        for mark in told.marks:
            span.add_event(mark.name, mark.fields, mark.at)
        if told.failed:
            span.set_status(trace.StatusCode.ERROR, told.failed)
        return span


def _within(parent: str) -> Context:
    """The context of a `traceparent`; an empty one for none."""
    if not parent:
        return Context()
    _, trace_id, span_id, flags = parent.split("-")
    above = trace.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=_flags(flags))
    return trace.set_span_in_context(trace.NonRecordingSpan(above), Context())


def _flags(text: str) -> trace.TraceFlags:
    return trace.TraceFlags(int(text, 16))


if TYPE_CHECKING:
    from opentelemetry.sdk.trace.id_generator import IdGenerator
else:
    IdGenerator = object


class StreamIds(IdGenerator):
    """Gives spans of streams the ids that their log lines carry: `TracerProvider(id_generator=StreamIds())`; others get random ones."""

    def generate_trace_id(self) -> int:
        """128 bits."""
        return int(_names.get()[0] or "0", 16) or _dice.getrandbits(128)

    def generate_span_id(self) -> int:
        """64 bits."""
        return int(_names.get()[1] or "0", 16) or _dice.getrandbits(64)

    def is_trace_id_random(self) -> bool:
        """Whether the low half of trace ids is random, as W3C trace context asks."""
        return True
