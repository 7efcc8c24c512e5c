"""The spans of streams, read back from an SDK that keeps them in memory."""

import time

import attrs
import pytest
from observed import busy, completed, ended, forbidden, streams
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from structlog.testing import capture_logs

from actors import Buffered, Ladder, Retry, Status, Switch
from actors.deltas import Usage
from actors.observe.hooks import together
from actors.observe.logs import StreamLogs
from actors.observe.traces import StreamIds, StreamSpans

LADDER = Ladder("a:m", Retry(5), Switch("b:n"))


class Spans:
    """A hook that writes spans and what it wrote, the stream's last."""

    def __init__(self, **options):
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False, **options)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = provider.get_tracer("test")
        self.hook = StreamSpans(self.tracer)

    @property
    def written(self):
        return self._exporter.get_finished_spans()


@pytest.mark.row("J9")
async def test_a_stream_is_a_span_and_each_attempt_a_span_under_it(autojump_clock):
    spans = Spans()
    async with streams(spans.hook, a=[busy(), forbidden()], b=[]) as service:
        outcome = await service.ask("hello", LADDER, name="mine")
    *attempts, stream = spans.written
    assert [span.name for span in spans.written] == ["chat m", "chat m", "chat n", "stream"]
    assert stream.kind is trace.SpanKind.INTERNAL
    assert stream.parent is None
    assert dict(stream.attributes) == {
        "supervisor.stream.name": "mine",
        "supervisor.stream.trace_id": outcome.trace_id,
        "supervisor.stream.outcome": "completed",
        "supervisor.stream.attempts": 3,
    }
    assert {span.kind for span in attempts} == {trace.SpanKind.CLIENT}
    assert {span.parent.span_id for span in attempts} == {stream.context.span_id}
    assert [span.attributes["supervisor.attempt.number"] for span in attempts] == [1, 2, 3]
    assert [span.attributes["supervisor.attempt.outcome"] for span in attempts] == ["failed", "failed", "completed"]
    assert [span.attributes.get("error.type") for span in attempts] == ["rate_limit", "invalid_key", None]
    assert [span.status.is_ok for span in attempts] == [False, False, True]


async def test_the_seams_between_attempts_are_events_of_the_stream(autojump_clock):
    spans = Spans()
    async with streams(spans.hook, a=[busy(), forbidden()], b=[]) as service:
        await service.ask("hello", LADDER)
    stream = spans.written[-1]
    number, route = "supervisor.attempt.number", "supervisor.attempt.route"
    told = [(event.name, event.attributes.get(number), event.attributes.get(route)) for event in stream.events]
    assert told == [
        ("attempt started", 1, "a:m"),
        ("attempt abandoned", 1, None),
        ("attempt started", 2, "a:m"),
        ("attempt abandoned", 2, None),
        ("attempt started", 3, "b:n"),
    ]
    first, second = (dict(event.attributes) for event in stream.events if event.name == "attempt abandoned")
    assert first.pop("supervisor.attempt.next_after") == pytest.approx(1.0, rel=0.1)
    assert first == {
        number: 1,
        "error.type": "rate_limit",
        "supervisor.attempt.discarded_characters": 0,
        "supervisor.attempt.next_route": "a:m",
    }
    assert (second["supervisor.attempt.next_after"], second["supervisor.attempt.next_route"]) == (0, "b:n")
    times = [(event.timestamp - stream.start_time) / 1e9 for event in stream.events]
    assert times == pytest.approx([0, 1, 2, 3, 3], abs=0.11)


async def test_an_answer_in_one_piece_has_no_first_chunk_and_an_unknown_usage_is_not_told(autojump_clock):
    spans = Spans()
    async with streams(spans.hook, a=[busy()]) as service:
        await service.ask("hello", Ladder("a:m", Buffered()))
    failed, buffered = (span.attributes for span in spans.written[:2])
    assert (failed["gen_ai.request.stream"], buffered["gen_ai.request.stream"]) == (True, False)
    assert not [name for name in failed if name.startswith("gen_ai.usage.")]
    assert buffered["gen_ai.usage.output_tokens"] == 7
    assert "gen_ai.response.time_to_first_chunk" not in buffered


@pytest.mark.parametrize("estimated", [True, False])
def test_an_estimate_is_marked(estimated):
    spans = Spans()
    record = ended(Status.COMPLETED, None, completed(usage=Usage(1, 2, reasoning_tokens=1, estimated=estimated)))
    spans.hook(record)
    attributes = spans.written[0].attributes
    assert attributes["gen_ai.usage.reasoning.output_tokens"] == 1
    assert attributes.get("supervisor.attempt.usage_estimated") == (True if estimated else None)


@pytest.mark.row("J9")
async def test_the_attributes_of_an_attempt_are_those_of_the_conventions(autojump_clock):
    spans = Spans()
    async with streams(spans.hook, a=[]) as service:
        await service.ask("hello", "a:m")
    attributes = dict(spans.written[0].attributes)
    assert attributes.pop("gen_ai.response.time_to_first_chunk") == pytest.approx(1.0)
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "a",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m",
        "gen_ai.request.stream": True,
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 2,
        "gen_ai.response.finish_reasons": ("stop",),
        "supervisor.attempt.number": 1,
        "supervisor.attempt.route": "a:m",
        "supervisor.attempt.outcome": "completed",
    }


async def test_spans_stand_where_the_attempts_were_in_time(autojump_clock):
    spans = Spans()
    async with streams(spans.hook, a=[busy()]) as service:
        outcome = await service.ask("hello", Ladder("a:m", Retry(2)))
    first, second, stream = spans.written
    lengths = [(span.end_time - span.start_time) / 1e9 for span in (first, second, stream)]
    whole = outcome.attempts[-1].ended - outcome.attempts[0].started
    assert lengths == pytest.approx([1.0, 3.0, whole], abs=1e-6)
    assert stream.start_time == first.start_time
    assert first.end_time < second.start_time
    assert abs(stream.end_time - time.time_ns()) < 60e9


async def test_a_failed_stream_is_an_error_and_an_interrupted_one_is_not(autojump_clock):
    spans = Spans()
    async with streams(spans.hook, a=[forbidden()]) as service:
        await service.ask("hello", "a:m")
        async with service.open("hello", "a:m"):
            pass
    streams_ = [span for span in spans.written if span.name == "stream"]
    assert [span.status.is_ok for span in streams_] == [False, True]
    assert [span.attributes["error.type"] for span in streams_] == ["invalid_key", "cancelled"]


async def test_a_stream_hangs_under_the_span_it_was_opened_in(autojump_clock):
    spans = Spans()
    async with streams(spans.hook, a=[]) as service:
        with spans.tracer.start_as_current_span("request") as caller:
            outcome = await service.ask("hello", "a:m")
    attempt, stream, request = sorted(spans.written, key=lambda span: ["chat m", "stream", "request"].index(span.name))
    assert stream.parent.span_id == caller.get_span_context().span_id
    assert {span.context.trace_id for span in (attempt, stream, request)} == {int(outcome.trace_id, 16)}


async def test_with_our_ids_logs_and_spans_name_one_another(autojump_clock):
    spans = Spans(id_generator=StreamIds())
    with capture_logs() as logs:
        async with streams(together(spans.hook, StreamLogs()), a=[busy()], b=[]) as service:
            outcome = await service.ask("hello", LADDER)
    named = {(f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}") for span in spans.written}
    assert {(line["trace_id"], line["span_id"]) for line in logs} == named
    assert {trace_id for trace_id, _ in named} == {outcome.trace_id}
    with spans.tracer.start_as_current_span("other") as other:
        assert f"{other.get_span_context().trace_id:032x}" != outcome.trace_id


async def test_what_the_sampler_drops_is_not_written(autojump_clock):
    spans = Spans(sampler=TraceIdRatioBased(0.0))
    async with streams(spans.hook, a=[]) as service:
        await service.ask("hello", "a:m")
    assert spans.written == ()


async def test_without_an_sdk_spans_go_nowhere(autojump_clock):
    async with streams(StreamSpans(), a=[busy()], b=[]) as service:
        assert (await service.ask("hello", LADDER)).completed


@pytest.mark.promise("P13")
def test_what_a_provider_said_is_written_without_secrets():
    spans, secret = Spans(), "sk-ant-api03-abcdefghijklmnop"
    attempt = attrs.evolve(completed().attempt, request_id=secret)
    record = ended()
    spans.hook(attrs.evolve(record, outcome=attrs.evolve(record.outcome, attempts=(attempt,), model=secret)))
    attributes = spans.written[0].attributes
    assert attributes["supervisor.attempt.request_id"] == attributes["gen_ai.response.model"] == "***"
