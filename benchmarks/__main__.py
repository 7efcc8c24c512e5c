"""`python -m benchmarks`: every row in a process of its own, in turns, against one paced server in another process.

Medians over the rounds are printed beside the ratio to the bare byte stream; `--json` prints all that was measured.
"""

import argparse
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from statistics import median

import msgspec

from benchmarks.client import Load, Measured
from benchmarks.pools import EVENTS, OURS, STOCK, PoolMeasured
from benchmarks.rows import ROWS, YARDSTICK

LOADS = ((50, 20.0), (1000, 1.5))
"""Streams at once and events a second on each: slow enough that the slowest client keeps the pace on one core."""
FAST = (1000, 20.0)
KEEP_PACE = ("raw socket", "our bodies", "supervised")
"""A thousand streams as fast as models write, and the rows that keep that pace in one process."""
POOL_SIZES = (500, 1000, 2000, 4000)


class Result(msgspec.Struct, frozen=True):
    """All rounds of one row under one load."""

    row: str
    load: Load
    rounds: list[Measured]

    @property
    def microseconds(self) -> float:
        """The median."""
        return median(each.microseconds for each in self.rounds)


class PoolResult(msgspec.Struct, frozen=True):
    """All rounds of one pool at one size."""

    pool: str
    streams: int
    rounds: list[PoolMeasured]

    @property
    def microseconds(self) -> float:
        """The median."""
        return median(each.microseconds for each in self.rounds)


class Report(msgspec.Struct, frozen=True):
    """Everything of one run."""

    results: list[Result]
    pools: list[PoolResult]


@contextmanager
def server() -> Generator[str]:
    """The paced server in its own process; gives its address."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.server"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def run(module: str, *arguments: str) -> bytes:
    """What a measuring process prints."""
    return subprocess.run([sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.PIPE).stdout


def measure_rows(rows: Iterable[str], load: Load, rounds: int) -> list[Result]:
    """The rows in turns, as often as there are rounds: what disturbs the machine disturbs all of them."""
    results = [Result(row, load, []) for row in rows]
    with server() as base_url:
        for _ in range(rounds):
            for result in results:
                printed = run("benchmarks.client", result.row, base_url, msgspec.json.encode(load).decode())
                result.rounds.append(msgspec.json.decode(printed, type=Measured))
    return results


def measure_pools(sizes: Iterable[int], rounds: int) -> list[PoolResult]:
    """Both pools at each size, in turns."""
    results = [PoolResult(pool, streams, []) for streams in sizes for pool in (STOCK, OURS)]
    for _ in range(rounds):
        for result in results:
            with server() as base_url:
                printed = run("benchmarks.pools", result.pool, base_url, str(result.streams))
            result.rounds.append(msgspec.json.decode(printed, type=PoolMeasured))
    return results


def show_rows(results: list[Result]) -> None:
    """One load as a table."""
    load = results[0].load
    print(f"\n{load.streams} streams at {load.rate:g} events/s, {load.seconds:g} s, median of {len(results[0].rounds)}")
    print(f"{'':22}{'µs/event':>9}{'ratio':>8}{'kB/stream':>11}{'core used':>11}{'delivered':>11}")
    bare = next((result.microseconds for result in results if result.row == YARDSTICK), None)
    for result in results:
        ratio = f"{result.microseconds / bare:.2f}" if bare else ""
        kilobytes = median(each.kilobytes for each in result.rounds)
        busy = median(each.busy for each in result.rounds)
        delivered = median(each.delivered for each in result.rounds)
        print(f"{result.row:22}{result.microseconds:9.1f}{ratio:>8}{kilobytes:11.1f}{busy:11.0%}{delivered:11.0%}")


def show_pools(results: list[PoolResult]) -> None:
    """Both pools as a table."""
    print(f"\nµs/event over the whole life of streams of {EVENTS} events that were all opened at once")
    print(f"{'streams':>8}{STOCK:>12}{OURS:>12}{'ratio':>8}")
    by = {(result.pool, result.streams): result.microseconds for result in results}
    for streams in sorted({result.streams for result in results}):
        stock, ours = by[STOCK, streams], by[OURS, streams]
        print(f"{streams:8}{stock:12.0f}{ours:12.0f}{ours / stock:8.2f}")


def load(text: str) -> tuple[int, float]:
    """Streams at once and events a second on each out of `1000x1.5`."""
    streams, _, rate = text.partition("x")
    return int(streams), float(rate)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS), help="rows to measure (all)")
    parser.add_argument("--loads", nargs="*", type=load, default=LOADS, help="streams x events/s, like 10000x0.15")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each window (%(default)s)")
    parser.add_argument("--pools", nargs="*", type=int, default=list(POOL_SIZES), help="streams to compare pools at")
    parser.add_argument("--json", action="store_true", help="print all rounds as JSON instead of tables")
    return parser.parse_args()


def main() -> None:
    """Measure, then print."""
    asked = arguments()
    report = Report([], [])
    usual = [(load, asked.rows) for load in asked.loads]
    fast = [(FAST, [row for row in asked.rows if row in KEEP_PACE])] if asked.loads is LOADS else []
    for (streams, rate), rows in usual + fast:
        report.results.extend(found := measure_rows(rows, Load(streams, rate, asked.seconds), asked.rounds))
        if found and not asked.json:
            show_rows(found)
    if asked.pools:
        report.pools.extend(measure_pools(asked.pools, asked.rounds))
        if not asked.json:
            show_pools(report.pools)
    if asked.json:
        print(msgspec.json.encode(report).decode())


if __name__ == "__main__":
    main()
