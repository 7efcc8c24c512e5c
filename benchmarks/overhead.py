"""`python -m benchmarks.overhead`: what supervising, observing, waiting and buffering cost beside doing without, in processor time.

Both sides of a row run in one process, in turns, so what disturbs the machine disturbs both; a ratio is the median over the pairs, with the
interval that holds it 19 times of 20.  Nothing here is judged: the figures are printed.
"""

import argparse
import gc
import logging
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from math import comb
from statistics import median

import msgspec
import trio
import trio.testing
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from actors import Backoff, Ladder, Request, Retry, Route, Settings, TextDelta, from_deltas, open_streams
from actors.chaos import Answer, Plan, Scripted, Simulator, Text, expected_text, open_network
from actors.telemetry import StreamIds, StreamLogs, StreamMetrics, StreamSpans, configure_logs, together
from supervisor import Record

EVENTS, STREAMS, SHORT = 400, 40, 400
"""Events of a stream and streams of a sample; streams of a sample where what is measured happens once a stream."""

Hook = Callable[[Record], object]
Sample = Callable[[], Awaitable[float]]


class Row(msgspec.Struct, frozen=True):
    """One comparison: microseconds of processor time of both sides for each `unit`, the ratio and its interval."""

    name: str
    unit: str
    without: float
    beside: float
    ratio: float
    low: float
    high: float
    pairs: int


class Waiting(msgspec.Struct, frozen=True):
    """Seconds waited on a clock that jumps, the waits, and the milliseconds of processor time they took."""

    waits: list[float]
    seconds: float
    milliseconds: float


class Report(msgspec.Struct, frozen=True):
    """Everything of one run."""

    rows: list[Row]
    waiting: Waiting


async def words(request: Request, route: Route) -> AsyncGenerator[TextDelta]:  # noqa: ARG001 -- what a foreign client is given
    """An answer that costs next to nothing, one event a turn of the loop."""
    for _ in range(int(route.model)):
        await trio.lowlevel.cancel_shielded_checkpoint()
        yield TextDelta("token ")


async def bare(events: int, streams: int) -> float:
    """Read the answers as they come from the client, no supervision anywhere."""
    request, route = Request("hello"), Route("mine", str(events))
    began = time.process_time()
    for _ in range(streams):
        async for _ in words(request, route):
            pass
    return (time.process_time() - began) / streams / events


async def supervised(events: int, streams: int, hook: Hook | None = None) -> float:
    """Read the same answers through supervised streams, told to `hook`."""
    providers = {"mine": from_deltas(words)}
    async with open_streams(settings=Settings.read({}), providers=providers, hook=hook, seed=1) as service:
        began = time.process_time()
        for _ in range(streams):
            async with service.open("hello", Ladder(f"mine:{events}")) as stream:
                async for _ in stream:
                    pass
        return (time.process_time() - began) / streams / events


async def fetched(base_url: str, route: Route, answers: int) -> float:
    """Get the same answer again and again over a socket, streamed or in one piece."""
    settings = Settings.read({"ANTHROPIC_API_KEY": "bench", "ANTHROPIC_BASE_URL": base_url})
    async with open_streams(settings=settings) as service:
        await service.ask("hello", route)
        began = time.process_time()
        for _ in range(answers):
            (await service.ask("hello", route)).unwrap()
        return (time.process_time() - began) / answers


async def waits() -> Waiting:
    """Refused requests until two minutes are over, and the waits between them, on a clock that jumps."""
    plan = Plan.parse("down:model=1..40@status503")
    simulator, settings = Simulator(plan=plan), Settings.read({"ANTHROPIC_API_KEY": "bench"})
    ladder = Ladder("anthropic:model", Retry(float("inf"), backoff=Backoff()))
    async with open_network(simulator) as network, open_streams(settings=settings, network=network) as service:
        began, cpu = trio.current_time(), time.process_time()
        await service.ask("hello", ladder)
        cpu, seconds = time.process_time() - cpu, trio.current_time() - began
    begun = [entry.started for entry in simulator.journal.entries]
    return Waiting([after - before for before, after in pairwise(begun)], seconds, cpu * 1000)


def compare(name: str, unit: str, without: Sample, beside: Sample, pairs: int) -> Row:
    """Both sides in turns."""
    trio.run(without)
    trio.run(beside)
    found: list[tuple[float, float]] = []
    for _ in range(pairs):
        gc.collect()
        found.append((trio.run(without), trio.run(beside)))
    low, middle, high = interval([second / first for first, second in found])
    sides = [median(side) * 1e6 for side in zip(*found, strict=True)]
    return Row(name, unit, sides[0], sides[1], middle, low, high, pairs)


def interval(ratios: list[float]) -> tuple[float, float, float]:
    """The median of some figures between the two that hold the true one 19 times of 20, by their order alone."""
    ordered, count = sorted(ratios), len(ratios)
    outside = (place for place in range(count) if sum(comb(count, k) for k in range(place + 1)) / 2**count > 0.025)
    place = max(0, next(outside, 1) - 1)
    return ordered[place], median(ordered), ordered[-1 - place]


class Nowhere(SpanExporter):
    """Takes spans and forgets them."""

    def export(self, spans: object) -> SpanExportResult:  # noqa: ARG002 -- what an exporter is given
        """Say that all is well."""
        return SpanExportResult.SUCCESS


def meter() -> Meter:
    """A meter of a real SDK."""
    return MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False).get_meter("bench")


@contextmanager
def tracing() -> Generator[Hook]:
    """Metrics and spans through a real SDK."""
    provider = TracerProvider(id_generator=StreamIds(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    try:
        yield together(StreamMetrics(meter()), StreamSpans(provider.get_tracer("bench")))
    finally:
        provider.shutdown()


@contextmanager
def server() -> Generator[str]:
    """The simulator in a process of its own, with one answer; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.overhead", "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


async def serve() -> None:
    """Answer every request with the same text, of a thousand tokens, streamed or in one piece as asked."""
    answer = Answer((Text(expected_text("hello", tokens=1000)),))
    async with trio.open_nursery() as nursery:
        print(await nursery.start(Simulator(Scripted(answer)).listen), flush=True)
        await trio.sleep_forever()


def rows(pairs: int) -> Generator[Row]:
    """Every comparison."""
    plain, short = partial(supervised, EVENTS, STREAMS), partial(supervised, 1, SHORT)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 -- it has no place
        configure_logs("warning", file=nowhere)
        logs = StreamLogs()
        yield compare("supervised / bare iterator", "event", partial(bare, EVENTS, STREAMS), plain, pairs)
        yield compare("logs at the default level / none", "event", plain, partial(plain, logs), pairs)
        yield compare("the same, one event a stream", "stream", short, partial(short, logs), pairs)
        silent = together(StreamMetrics(), StreamSpans())
        yield compare("metrics and spans without an SDK / none", "stream", short, partial(short, silent), pairs)
        with tracing() as told:
            yield compare("metrics and spans with an SDK / none", "stream", short, partial(short, told), pairs)
    with server() as url:
        route = Route("anthropic", "model")
        yield compare(
            "in one piece / streamed, 1,000 tokens",
            "answer",
            partial(fetched, url, route, 20),
            partial(fetched, url, route.buffered, 20),
            pairs,
        )


def show(row: Row) -> None:
    """A row of the table."""
    print(
        f"{row.name:42}{row.without:10.2f}{row.beside:10.2f} µs/{row.unit:7}{row.ratio:7.3f}  [{row.low:.3f}, {row.high:.3f}]",
        flush=True,
    )


def show_waiting(waiting: Waiting) -> None:
    """What waiting took."""
    told = ", ".join(f"{wait:.1f}" for wait in waiting.waits)
    print(
        f"\n{len(waiting.waits)} waits of {told} s: {waiting.seconds:.0f} s on the clock, {waiting.milliseconds:.0f} ms of processor time"
    )


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--pairs", type=int, default=21, help="how often both sides are measured (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of a table")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure, then print."""
    asked = arguments()
    if asked.serve:
        trio.run(serve)
        return
    logging.disable(logging.CRITICAL)
    found: list[Row] = []
    if not asked.json:
        print(
            f"{'Processor time, median of ' + str(asked.pairs) + ' pairs':42}{'without':>10}{'with':>10}{'':11}{'ratio':>7}  19 of 20"
        )
    for row in rows(asked.pairs):
        found.append(row)
        if not asked.json:
            show(row)
    waiting = trio.run(waits, clock=trio.testing.MockClock(autojump_threshold=0))
    if asked.json:
        print(msgspec.json.encode(Report(found, waiting)).decode())
    else:
        show_waiting(waiting)


if __name__ == "__main__":
    main()
