"""What is counted and timed of streams, read back from an SDK that keeps everything in memory."""

from collections import Counter

import attrs
import pytest
import trio
from observed import A, B, busy, completed, ended, failed, forbidden, streams
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from actors import Buffered, FailureKind, Ladder, Retry, Status, Switch
from actors.deltas import Usage
from actors.failure import Category, Failure
from actors.observe.hooks import together
from actors.observe.instruments import INSTRUMENTS, OTHER, SECONDS, TOKENS, USAGE, Names, Shape, error_category
from actors.observe.metrics import StreamMetrics, measures
from actors.route import Route
from supervisor.lifecycle import SupervisorStarted

HARMLESS = {
    "llm.request.duration_ms",
    "llm.input_tokens",
    "llm.output_tokens",
    "gen_ai.client.operation.duration",
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.operation.time_per_output_chunk",
    "gen_ai.client.token.usage",
}


class Meters:
    """A hook that measures and what it measured."""

    def __init__(self, **options):
        self._reader = InMemoryMetricReader()
        provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.hook = StreamMetrics(provider.get_meter("test"), **options)

    def points(self):
        """Every data point: the metric's name, its labels, and the point."""
        read = self._reader.get_metrics_data()
        for resource in read.resource_metrics if read else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        yield metric.name, dict(point.attributes), point

    def sums(self, name, *labels):
        """The sums of one metric by these labels."""
        sums = Counter()
        for found, attributes, point in self.points():
            if found == name:
                sums[tuple(attributes.get(label) for label in labels)] += getattr(point, "value", None) or point.sum
        return {key[0] if len(key) == 1 else key: amount for key, amount in sums.items()}

    @property
    def names(self):
        return {name for name, _, _ in self.points()}


def counted(record):
    """What one record adds to the counters."""
    return [
        (measure.instrument.name, *list(measure.labels.values())[2:])
        for measure in measures(record, Names(), Names())
        if measure.instrument.shape is Shape.COUNTER
    ]


@pytest.mark.row("I1", "I5", "I6", "M1", "M10")
async def test_fair_weather_touches_durations_and_tokens_alone(autojump_clock):
    meters = Meters()
    async with streams(meters.hook, a=[]) as service:
        assert (await service.ask("hello", "a:m")).completed
    assert meters.names == HARMLESS
    assert meters.sums("llm.request.duration_ms", "phase") == pytest.approx(
        {"connection": 1000, "streaming": 2000, "total": 3000}
    )
    assert meters.sums("gen_ai.client.operation.duration", "error.type") == pytest.approx({None: 3.0})
    assert meters.sums("gen_ai.client.operation.time_to_first_chunk") == pytest.approx({(): 1.0})
    assert meters.sums("gen_ai.client.operation.time_per_output_chunk") == pytest.approx({(): 2.0})
    assert meters.sums("llm.input_tokens", "provider", "model") == {("a", "m"): 10}
    assert meters.sums("gen_ai.client.token.usage", "gen_ai.token.type") == {"input": 10, "output": 7}


@pytest.mark.row("I2", "I3", "I4", "M10")
async def test_two_retries_are_two_and_a_switch_is_a_fallback(autojump_clock):
    meters = Meters()
    async with streams(meters.hook, a=[busy(), busy(), forbidden()], b=[]) as service:
        assert (await service.ask("hello", Ladder("a:m", Retry(5), Switch("b:n")))).completed
    assert meters.sums("llm.request.retries", "provider", "model", "error_type") == {("a", "m", "rate_limit"): 2}
    assert meters.sums("llm.streaming.errors", "error_category") == {"transient": 2, "permanent": 1}
    assert meters.sums("llm.fallback.triggered", "fallback_type") == {"provider_switch": 1}
    durations = meters.sums("gen_ai.client.operation.duration", "gen_ai.provider.name", "error.type")
    assert durations == pytest.approx({("a", "rate_limit"): 2.0, ("a", "invalid_key"): 1.0, ("b", None): 3.0})


@pytest.mark.row("I3", "I4", "E14", "X8", "X10", "M10")
async def test_memory_that_ran_short_is_a_resource_error_and_a_fallback_of_its_own(autojump_clock):
    meters = Meters()
    async with streams(meters.hook, a=[MemoryError()]) as service:
        assert (await service.ask("hello", Ladder("a:m", Retry(5), Buffered()))).completed
    assert meters.sums("llm.streaming.errors", "error_category") == {"resource": 1}
    assert meters.sums("llm.fallback.triggered", "fallback_type") == {"memory_exhaustion": 1}
    assert meters.sums("llm.request.retries", "error_type") == {}


async def test_an_answer_in_one_piece_is_timed_as_a_whole_and_not_by_its_chunks(autojump_clock):
    meters = Meters()
    async with streams(meters.hook, a=[]) as service:
        assert (await service.ask("hello", Route("a", "m").buffered)).completed
    assert HARMLESS - meters.names == {
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.operation.time_per_output_chunk",
    }


TOKEN_RECORDS = [
    (completed(usage=Usage(1, 0)), {"input": 1, "output": 0}),
    (completed(usage=Usage(0, 1)), {"input": 0, "output": 1}),
    (completed(usage=Usage(1, 1, estimated=True)), {}),
    (completed(), {}),
    (attrs.evolve(completed(usage=Usage(1, 1)), failure=Failure(FailureKind.RESET)), {}),
]


@pytest.mark.parametrize(("record", "expected"), TOKEN_RECORDS)
def test_the_conventions_get_what_a_provider_counted_of_a_whole_answer(record, expected):
    told = [measure for measure in measures(record, Names(), Names()) if measure.instrument is USAGE]
    assert {measure.labels["gen_ai.token.type"]: measure.amount for measure in told} == expected


@pytest.mark.row("I3", "X15")
@pytest.mark.parametrize("moment", [0.5, 1.5])
async def test_an_interrupted_stream_is_one_error_of_its_context(autojump_clock, moment):
    meters = Meters()
    async with streams(meters.hook, a=[busy()]) as service:
        with trio.move_on_after(moment):
            await service.ask("hello", Ladder("a:m", Retry(5)))
    assert meters.sums("llm.streaming.errors", "error_category")["context"] == 1


COUNTS = [
    (completed(), []),
    (completed(usage=Usage(1, 2)), [("llm.input_tokens",), ("llm.output_tokens",)]),
    (
        failed(FailureKind.SERVER, then=A, after=1.0),
        [("llm.streaming.errors", "transient"), ("llm.request.retries", "server")],
    ),
    (failed(FailureKind.SERVER), [("llm.streaming.errors", "transient")]),
    (
        failed(FailureKind.QUOTA, then=B),
        [("llm.streaming.errors", "permanent"), ("llm.fallback.triggered", "provider_switch")],
    ),
    (
        failed(FailureKind.MALFORMED, then=A.buffered),
        [("llm.streaming.errors", "transient"), ("llm.fallback.triggered", "buffered")],
    ),
    (failed(FailureKind.RATE_LIMIT, final=True), [("llm.streaming.errors", "permanent")]),
    (ended(), []),
    (ended(Status.FAILED, Failure(FailureKind.SERVER), failed(FailureKind.SERVER)), []),
    (ended(Status.INTERRUPTED, Failure(FailureKind.CANCELLED), completed()), [("llm.streaming.errors", "context")]),
    (ended(Status.INTERRUPTED, Failure(FailureKind.CANCELLED)), []),
    (SupervisorStarted(0.0, ("root",)), []),
]


@pytest.mark.row("I2", "I3", "I4", "I5", "X10")
@pytest.mark.parametrize(("record", "expected"), COUNTS)
def test_each_record_is_counted_as_what_it_is(record, expected):
    assert counted(record) == expected


@pytest.mark.row("I3", "M14", "X16")
@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_has_one_of_the_four_categories(kind):
    expected = {Category.CONTEXT: {"context"}, Category.RESOURCE: {"resource"}}
    assert error_category(kind) in expected.get(kind.category, {"transient", "permanent"})


@pytest.mark.parametrize("record", [record for record, _ in COUNTS])
def test_every_measure_has_the_labels_of_the_table(record):
    for measure in measures(record, Names(), Names()):
        missing = set(measure.instrument.labels) - set(measure.labels)
        assert set(measure.labels) <= set(measure.instrument.labels)
        assert missing <= {"error.type"}


@pytest.mark.parametrize(
    ("provider", "name"),
    [("anthropic", "anthropic"), ("openai-chat", "openai"), ("google", "gcp.gemini"), ("mine", "mine")],
)
def test_providers_have_the_names_of_the_conventions(provider, name):
    names = {
        measure.labels["gen_ai.provider.name"]
        for measure in measures(completed(Route(provider, "m")), Names(), Names())
        if "gen_ai.provider.name" in measure.labels
    }
    assert names == {name}


def test_the_buckets_are_those_of_the_conventions():
    assert SECONDS[0] == 0.01
    assert SECONDS[-1] == 81.92
    assert (TOKENS[0], TOKENS[1], TOKENS[-1], len(TOKENS)) == (1, 4, 67_108_864, 14)
    meters = Meters()
    meters.hook(completed(usage=Usage(1, 2)))
    bounds = {
        name: tuple(point.explicit_bounds) for name, _, point in meters.points() if hasattr(point, "bucket_counts")
    }
    assert bounds["gen_ai.client.operation.duration"] == SECONDS
    assert bounds["gen_ai.client.token.usage"] == TOKENS


@pytest.mark.row("I8")
def test_a_model_that_is_not_allowed_is_other():
    meters = Meters(models={"m"})
    meters.hook(completed())
    meters.hook(completed(Route("a", "surprise")))
    assert {labels["model"] for _, labels, _ in meters.points() if "model" in labels} == {"m", OTHER}


@pytest.mark.row("I8")
def test_ten_thousand_models_are_a_bounded_number_of_series():
    meters = Meters()
    for number in range(10_000):
        meters.hook(completed(Route("a", f"m{number}")))
    assert len({labels["model"] for _, labels, _ in meters.points() if "model" in labels}) == 65


def test_without_an_sdk_measuring_costs_nothing_and_breaks_nothing():
    hook = StreamMetrics()
    hook(completed(usage=Usage(1, 2)))


def test_a_hook_that_raises_keeps_nothing_from_the_next_one():
    heard = []

    def broken(record):
        raise KeyError(record)

    hook = together(broken, heard.append)
    with pytest.raises(ExceptionGroup, match="hooks raised"):
        hook(completed())
    assert heard == [completed()]
    together(heard.append)(ended())
    assert heard[1:] == [ended()]


def test_instruments_have_names_of_their_own():
    assert len({instrument.name for instrument in INSTRUMENTS}) == len(INSTRUMENTS)
