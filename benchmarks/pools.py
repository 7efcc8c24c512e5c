"""What a pool costs when very many streams are open: the stock pool and ours under the same client and the same reading.

All streams are asked for at once and say a few events each, so that opening and closing weigh. Prints one JSON object.
"""

import sys
import time

import httpx2
import msgspec
import trio

from actors.providers.connections import Connections
from benchmarks.rows import question

EVENTS = 4
EVENTS_PER_SECOND = 2000.0
"""Of all streams together: what one core can follow with either pool as long as it is small."""

STOCK, OURS = "stock pool", "our pool"


class PoolMeasured(msgspec.Struct, frozen=True):
    """Processor time over the whole life of all streams, µs for each event."""

    microseconds: float


def transport(pool: str) -> httpx2.AsyncBaseTransport:
    """The pool of that name, unbounded."""
    if pool == OURS:
        return Connections()
    return httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None))


async def measure(pool: str, base_url: str, streams: int) -> PoolMeasured:
    """Open so many streams at once and read all of them to their end."""
    body = question(f"bench-{EVENTS_PER_SECOND / streams}-{EVENTS}")

    async def read() -> None:
        async with client.stream("POST", "/v1/messages", content=body) as response:
            async for _ in response.aiter_raw():
                pass

    async with httpx2.AsyncClient(base_url=base_url, transport=transport(pool), timeout=600) as client:
        begun = time.process_time()
        async with trio.open_nursery() as nursery:
            for _ in range(streams):
                nursery.start_soon(read)
        return PoolMeasured((time.process_time() - begun) / streams / EVENTS * 1e6)


def main() -> None:
    """`python -m benchmarks.pools POOL BASE_URL STREAMS`."""
    pool, base_url, streams = sys.argv[1:]
    print(msgspec.json.encode(trio.run(measure, pool, base_url, int(streams))).decode())


if __name__ == "__main__":
    main()
