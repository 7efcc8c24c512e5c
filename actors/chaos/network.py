"""An in-memory network: connections to a simulator without a socket, so that only the clock decides.

Streams behave as TCP does on Linux: bounded buffers that make a fast writer wait for a slow reader, FIN after what was
written, and RST, after which the peer still reads what had arrived and then fails.  It works on trio's mock clock.
"""

import math
import operator
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpcore2
import trio

from actors.chaos.simulator import Simulator

DEFAULT_BUFFER = 65536
"""Bytes that one direction holds before its writer waits."""


class _Pipe:
    """One direction: bytes on their way, bounded; only its two ends touch it."""

    def __init__(self, size: int) -> None:
        self.held = bytearray()
        self.size = size
        self.ended = False
        self.broken = False
        self.waiting = trio.lowlevel.ParkingLot()


class _Turn:
    """A side of a stream that one task uses at a time, as trio's streams promise."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._taken = False

    def __enter__(self) -> None:
        if self._taken:
            raise trio.BusyResourceError(f"another task is {self._doing} this stream")
        self._taken = True

    def __exit__(self, *_: object) -> None:
        self._taken = False


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end of a connection in memory; make two with `memory_pair`."""

    def __init__(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._in = incoming
        self._out = outgoing
        self._closed = False
        self._writing = _Turn("writing to")
        self._reading = _Turn("reading from")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it, waiting while the peer has not read enough.

        Raises `trio.BrokenResourceError` after a reset or when the peer is gone, `trio.ClosedResourceError` after close.
        """
        with self._writing:
            await trio.lowlevel.checkpoint()
            self._check_writable()
            view = memoryview(data)
            while view:
                room = self._out.size - len(self._out.held)
                if room > 0:
                    self._out.held += view[:room]
                    view = view[room:]
                    self._out.waiting.unpark_all()
                else:
                    await self._out.waiting.park()
                    self._check_writable()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room; raises as `send_all` does, or returns, when there will never be any."""
        with self._writing:
            await trio.lowlevel.checkpoint()
            self._check_open()
            while len(self._out.held) >= self._out.size and not self._out.broken:
                await self._out.waiting.park()
                self._check_open()

    async def send_eof(self) -> None:
        """Send FIN: the peer reads what was written, then the end."""
        with self._writing:
            await trio.lowlevel.checkpoint()
            self._check_open()
            self._out.ended = True
            self._out.waiting.unpark_all()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What has arrived, at most so many bytes; empty at the end.

        Raises `trio.BrokenResourceError` after a reset, once what had arrived is read.
        """
        if max_bytes is not None and operator.index(max_bytes) < 1:
            raise ValueError(f"max_bytes is {max_bytes}; it must be at least 1")
        with self._reading:
            await trio.lowlevel.checkpoint()
            self._check_open()
            while not (self._in.held or self._in.ended or self._in.broken):
                await self._in.waiting.park()
                self._check_open()
            return self._taken(max_bytes)

    def _taken(self, max_bytes: int | None) -> bytes:
        if not self._in.held and self._in.broken:
            raise trio.BrokenResourceError("connection reset by peer")
        data = bytes(self._in.held[:max_bytes])
        del self._in.held[:max_bytes]
        self._in.waiting.unpark_all()
        return data

    def reset(self) -> None:
        """Send RST and close: the peer's writes fail now, its reads when it has read what arrived."""
        self._in.held.clear()
        self._leave(broken=True)

    async def aclose(self) -> None:
        """Close: FIN to the peer, or RST when it had sent bytes that nobody read, as TCP does."""
        self._leave(broken=bool(self._in.held))
        await trio.lowlevel.checkpoint()

    def readable(self) -> bool:
        """Whether a read would return at once: bytes, the end or a reset are there."""
        return bool(self._in.held) or self._in.ended or self._in.broken or self._closed

    def _leave(self, *, broken: bool) -> None:
        if self._closed:
            return
        self._closed = True
        self._out.ended = True
        self._out.broken = self._out.broken or broken
        # Who writes to a closed end is told so by a reset.
        self._in.broken = True
        self._in.waiting.unpark_all()
        self._out.waiting.unpark_all()

    def _check_writable(self) -> None:
        self._check_open()
        if self._out.broken:
            raise trio.BrokenResourceError("connection reset by peer")
        if self._out.ended:
            raise trio.ClosedResourceError("this end has sent its FIN")

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this end is closed")


def memory_pair(buffer: int = DEFAULT_BUFFER) -> tuple[MemoryStream, MemoryStream]:
    """Two ends of one connection; `buffer` bytes in each direction before a writer waits."""
    there, back = _Pipe(buffer), _Pipe(buffer)
    return MemoryStream(back, there), MemoryStream(there, back)


_READ_ERRORS: dict[type[Exception], type[Exception]] = {
    trio.TooSlowError: httpcore2.ReadTimeout,
    trio.BrokenResourceError: httpcore2.ReadError,
    trio.ClosedResourceError: httpcore2.ReadError,
}
_WRITE_ERRORS: dict[type[Exception], type[Exception]] = {
    trio.TooSlowError: httpcore2.WriteTimeout,
    trio.BrokenResourceError: httpcore2.WriteError,
    trio.ClosedResourceError: httpcore2.WriteError,
}


class _ClientEnd(httpcore2.AsyncNetworkStream):
    """The client's end as the HTTP library wants it."""

    def __init__(self, stream: MemoryStream, closed: Callable[[], None]) -> None:
        self._stream = stream
        self._closed = closed

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the HTTP library's signature
        with _translated(_READ_ERRORS), trio.fail_after(math.inf if timeout is None else timeout):
            return await self._stream.receive_some(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the HTTP library's signature
        with _translated(_WRITE_ERRORS), trio.fail_after(math.inf if timeout is None else timeout):
            await self._stream.send_all(buffer)

    async def aclose(self) -> None:
        self._closed()
        await self._stream.aclose()

    async def start_tls(self, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        """Nothing to hide in memory: the same stream, so that `https://` addresses need not be rewritten."""
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.readable() if info == "is_readable" else None


@contextmanager
def _translated(table: dict[type[Exception], type[Exception]]) -> Generator[None]:
    """Raise trio's errors as the HTTP library's."""
    try:
        yield
    except tuple(table) as error:
        raise table[type(error)](str(error)) from error


class MemoryNetwork(httpcore2.AsyncNetworkBackend):
    """A network on which every host is the same simulator; its server ends live in the nursery it was given.

    Hosts named in `unreachable` refuse connections.  `open_connections` counts client ends that were not closed.
    """

    def __init__(self, nursery: trio.Nursery, simulator: Simulator, buffer: int = DEFAULT_BUFFER) -> None:
        self.unreachable: set[str] = set()
        self.opened = 0
        self._open: set[MemoryStream] = set()
        self._nursery = nursery
        self._simulator = simulator
        self._buffer = buffer

    @property
    def open_connections(self) -> int:
        """How many connections a client has not closed yet."""
        return len(self._open)

    async def connect(self) -> MemoryStream:
        """A plain connection to the simulator, for a client that speaks HTTP itself."""
        await trio.lowlevel.checkpoint()
        ours, theirs = memory_pair(self._buffer)
        self._nursery.start_soon(self._simulator.serve, theirs)
        self.opened += 1
        return ours

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        """A connection for the HTTP library; raises `httpcore2.ConnectError` for an unreachable host."""
        if host in self.unreachable:
            raise httpcore2.ConnectError(f"connection to {host}:{port} refused")
        stream = await self.connect()
        self._open.add(stream)
        return _ClientEnd(stream, lambda: self._open.discard(stream))

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        """There are no files on this network."""
        raise httpcore2.ConnectError(f"no such socket: {path}")

    async def sleep(self, seconds: float) -> None:
        """Sleep on trio's clock."""
        await trio.sleep(seconds)


@asynccontextmanager
async def open_network(simulator: Simulator, buffer: int = DEFAULT_BUFFER) -> AsyncGenerator[MemoryNetwork]:
    """A network that lasts as long as the block; what its body raises comes out as it is."""
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield MemoryNetwork(nursery, simulator, buffer)
        except Exception as error:  # noqa: BLE001 - raised again below, outside of the nursery's group
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
