"""One measurement: a process that opens many paced streams with one row's client and tells what an event cost it.

The window opens when every stream has delivered something, so opening is not in it. Prints one JSON object.
"""

import gc
import os
import resource
import sys
import time
from pathlib import Path

import attrs
import msgspec
import trio

from benchmarks.rows import ROWS, Read

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ENDLESS = 1_000_000
SETTLE_SECONDS = 1.0
"""Before the window: what queued up while streams were opened and garbage was collected is read by then."""


class Load(msgspec.Struct, frozen=True):
    """Streams at once, events a second on each, seconds of the window."""

    streams: int
    rate: float
    seconds: float


class Measured(msgspec.Struct, frozen=True):
    """What one process spent in the window: µs of processor time an event; and kB of memory a stream."""

    microseconds: float
    kilobytes: float
    busy: float
    """Share of one core that was used."""
    delivered: float
    """Share of the events that were due: well below 1, the row did not keep the pace and its figure flatters it."""


@attrs.define
class Tally:
    """Counts deliveries."""

    events: int = 0


def resident() -> float:
    """Memory of this process in kB."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * PAGE_BYTES / 1000
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


async def one(read: Read, model: str, tally: Tally, begun: trio.Semaphore) -> None:
    """Read one stream to its end, and say once that it began."""
    first = True

    def delivered() -> None:
        nonlocal first
        tally.events += 1
        if first:
            first = False
            begun.release()

    await read(model, delivered)


async def measure(row: str, base_url: str, load: Load) -> Measured:
    """Warm up with one stream, open all, and look at the clocks at both ends of the window."""
    tally, begun = Tally(), trio.Semaphore(0)
    async with ROWS[row](base_url) as read:
        await one(read, "bench-100-20", tally, begun)
        await begun.acquire()
        gc.collect()
        before = resident()
        async with trio.open_nursery() as nursery:
            for _ in range(load.streams):
                nursery.start_soon(one, read, f"bench-{load.rate}-{ENDLESS}", tally, begun)
                await trio.sleep(0.001)
            for _ in range(load.streams):
                await begun.acquire()
            gc.collect()
            kilobytes = (resident() - before) / load.streams
            await trio.sleep(SETTLE_SECONDS)
            tally.events, cpu, wall = 0, time.process_time(), time.perf_counter()
            await trio.sleep(load.seconds)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            due = load.streams * load.rate * wall
            measured = Measured(cpu / tally.events * 1e6, kilobytes, cpu / wall, tally.events / due)
            nursery.cancel_scope.cancel()
    return measured


def main() -> None:
    """`python -m benchmarks.client ROW BASE_URL LOAD`, the load as JSON."""
    row, base_url, load = sys.argv[1:]
    measured = trio.run(measure, row, base_url, msgspec.json.decode(load, type=Load))
    print(msgspec.json.encode(measured).decode())


if __name__ == "__main__":
    main()
