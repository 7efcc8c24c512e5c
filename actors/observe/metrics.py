"""Figures of streams for OpenTelemetry: records in, measures out.

`measures` is pure and decides what is counted; `StreamMetrics` gives it to the meter of the program.  An attempt that completed touches
nothing but durations and tokens.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

import attrs
from opentelemetry import metrics

from actors.deltas import Usage
from actors.failure import Category, Failure
from actors.lifecycle import AttemptEnded, StreamEnded
from actors.observe.instruments import (
    DURATION_MS,
    ERRORS,
    FALLBACKS,
    FIRST_CHUNK,
    INPUT_TOKENS,
    INSTRUMENTS,
    OPERATION,
    OUTPUT_TOKENS,
    PER_CHUNK,
    PROVIDERS,
    RETRIES,
    USAGE,
    Instrument,
    Labels,
    Names,
    Shape,
    error_category,
    goes_nowhere,
)
from actors.observe.report import Step, step_between
from actors.route import Route
from supervisor import Record

_Put = Callable[[float, Labels], None]

_UNTOLD = Usage()


@attrs.frozen
class Measure:
    """One figure for one instrument."""

    instrument: Instrument
    amount: float
    labels: Labels


def measures(record: Record, provider: Names, model: Names) -> Sequence[Measure]:
    """What a record adds to the metrics; the two bound the values of labels."""
    match record:
        case AttemptEnded():
            labels = _Where.of(record.attempt.route, provider, model)
            return (*_durations(record, labels), *_tokens(record, labels), *_troubles(record, labels))
        case StreamEnded() if record.left and record.outcome.attempts and record.outcome.failure is not None:
            labels = _Where.of(record.outcome.attempts[-1].route, provider, model)
            return (_error(record.outcome.failure, labels),)
        case _:
            return ()


@attrs.frozen
class _Where:
    """The labels that tell where a request went: as operators know them, and as the conventions have them."""

    plain: Labels
    gen_ai: Labels

    @classmethod
    def of(cls, route: Route, provider: Names, model: Names) -> "_Where":
        place, name = provider(route.provider), model(route.model)
        return cls(
            {"provider": place, "model": name},
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": PROVIDERS.get(place, place),
                "gen_ai.request.model": name,
            },
        )


def _durations(record: AttemptEnded, where: _Where) -> Iterator[Measure]:
    attempt, failure = record.attempt, record.failure
    yield _phase(attempt.seconds, "total", where)
    if attempt.first_event is not None:
        yield _phase(attempt.first_event - attempt.started, "connection", where)
        yield _phase(attempt.ended - attempt.first_event, "streaming", where)
    failed = {} if failure is None else {"error.type": failure.kind.label}
    yield Measure(OPERATION, attempt.seconds, {**where.gen_ai, **failed})
    if attempt.first_content is None or not attempt.route.streams:
        return
    yield Measure(FIRST_CHUNK, attempt.first_content - attempt.started, where.gen_ai)
    gaps = attempt.delivered.events - 1
    if failure is None and gaps > 0:
        yield Measure(PER_CHUNK, (attempt.ended - attempt.first_content) / gaps, where.gen_ai)


def _phase(seconds: float, phase: str, where: _Where) -> Measure:
    return Measure(DURATION_MS, seconds * 1000, {**where.plain, "phase": phase})


def _tokens(record: AttemptEnded, where: _Where) -> Iterator[Measure]:
    usage = record.attempt.usage
    # The conventions take what a provider counted of a whole answer, nothing included; the counters take what was spent.
    told = record.failure is None and not usage.estimated and usage != _UNTOLD
    figures = ((INPUT_TOKENS, "input", asked(usage)), (OUTPUT_TOKENS, "output", usage.output_tokens))
    for counter, kind, tokens in figures:
        if tokens:
            yield Measure(counter, tokens, where.plain)
        if told:
            yield Measure(USAGE, tokens, {**where.gen_ai, "gen_ai.token.type": kind})


def asked(usage: Usage) -> int:
    """All tokens of a request, those read from a cache or written to one included, as the conventions count them."""
    return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens


def _troubles(record: AttemptEnded, where: _Where) -> Iterator[Measure]:
    failure = record.attempt.failure
    if failure is None:
        return
    yield _error(failure, where)
    if record.next_route is None:
        return
    match step_between(record.attempt.route, record.next_route):
        case Step.RETRY:
            yield Measure(RETRIES, 1, {**where.plain, "error_type": failure.kind.label})
        case Step.SWITCH:
            yield _fallback("provider_switch", where)
        case Step.DEGRADE:
            short = failure.category is Category.RESOURCE
            yield _fallback("memory_exhaustion" if short else "buffered", where)


def _error(failure: Failure, where: _Where) -> Measure:
    category = error_category(failure.kind, final=failure.final)
    return Measure(ERRORS, 1, {**where.plain, "error_category": category})


def _fallback(kind: str, where: _Where) -> Measure:
    return Measure(FALLBACKS, 1, {**where.plain, "fallback_type": kind})


class StreamMetrics:
    """A hook that measures: `open_streams(hook=StreamMetrics())`; without an SDK that costs next to nothing.

    `models` are the names that may be the value of a label, every other one is `other`; where not given, the first 64 that are met are
    kept.  `meter` is the program's where not given.
    """

    def __init__(self, meter: metrics.Meter | None = None, *, models: Collection[str] | None = None) -> None:
        self._asked = meter is None
        meter = meter or metrics.get_meter("actors")
        self._puts = {instrument.name: _put(meter, instrument) for instrument in INSTRUMENTS}
        self._provider, self._model = Names(), Names(models)

    def __call__(self, record: Record) -> None:
        """Measure what a record tells."""
        if self._asked and goes_nowhere(metrics.get_meter_provider()):
            return
        for measure in measures(record, self._provider, self._model):
            self._puts[measure.instrument.name](measure.amount, measure.labels)


def _put(meter: metrics.Meter, instrument: Instrument) -> _Put:
    words = (instrument.name, instrument.unit, instrument.tells)
    match instrument.shape:
        case Shape.COUNTER:
            return meter.create_counter(*words).add
        case Shape.HISTOGRAM:
            return meter.create_histogram(*words, explicit_bucket_boundaries_advisory=instrument.buckets).record
