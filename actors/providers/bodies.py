"""The body of one answer, read straight off its connection.

`receive` goes below the layers of async generators and timeout scopes that an HTTP client puts around a body: whoever
reads a stream has clocks of its own. The same object is an ordinary byte stream for the official clients, which read the
bodies of errors. The one rule: a body whose framing said that it is complete gives its connection back, every other way
out closes it.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import httpcore2
import httpx2
import trio

from actors.providers.exchange import FOREIGN, READ_BYTES, Head, translated

DRAIN_SECONDS = 0.25
DRAIN_BYTES = 256 * 1024

# An answer of status 400 or more is known by its status; its body is worth this much waiting and memory, no more.
ERROR_STATUS = 400
ERROR_SECONDS = 5.0
ERROR_BYTES = 1024 * 1024

EXTENSION = "actors.body"

Release = Callable[[bool], Awaitable[None]]


class Body(httpx2.AsyncByteStream):
    """The bytes of one answer as they come.

    `release` takes the connection back, once: with `True` it can serve again, with `False` it is to be closed.
    `timeout` (seconds between bytes) holds for the ordinary byte stream; `receive` waits as long as it takes.
    """

    __slots__ = ("_error", "_first", "_framing", "_line", "_release", "_reusable", "_timeout")

    def __init__(
        self, line: httpcore2.AsyncNetworkStream, head: Head, release: Release, timeout: float | None = None
    ) -> None:
        self._line = line
        self._framing = head.framing
        self._first = head.first
        self._reusable = head.reusable
        self._error = head.status >= ERROR_STATUS
        self._release: Release | None = release
        self._timeout = math.inf if timeout is None else timeout

    @staticmethod
    def of(response: httpx2.Response) -> "Body":
        """The body of an answer that came through `Connections`, under whatever the official clients wrapped it in."""
        return response.extensions[EXTENSION]

    async def receive(self) -> bytes:
        """The next bytes, as they came; b"" at the end.

        Raises `httpx2.RemoteProtocolError` where the answer breaks off or is no HTTP, `httpx2.ReadError` where the
        connection breaks, `trio.ClosedResourceError` after `aclose`, and the same again when called again.
        A cancelled call loses nothing.
        """
        framing = self._framing
        if self._first:
            await trio.lowlevel.checkpoint()
            piece, self._first = self._first, b""
            return piece
        while framing.fault is None and not framing.ended:
            try:
                octets = await self._line.read(READ_BYTES)
            except FOREIGN as error:
                framing.fault = translated(error)
                raise framing.fault from error
            if not octets:
                framing.close()
            elif piece := framing.feed(octets):
                return piece
        await trio.lowlevel.checkpoint()
        if framing.fault is not None:
            raise framing.fault
        return b""

    async def read(self) -> bytes:
        """All that is left, up to the end; raises as `receive` does."""
        pieces: list[bytes] = []
        while piece := await self.receive():
            pieces.append(piece)
        return b"".join(pieces)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Read away what is left after the terminal event, so that the connection can serve again; give up early."""
        await self._remains(seconds, DRAIN_BYTES)

    async def _remains(self, seconds: float, most: int) -> bytes:
        """What comes within some seconds and bytes; a fault ends it, and is not worth telling."""
        pieces: list[bytes] = []
        with trio.move_on_after(seconds), suppress(httpx2.TransportError):
            while most > 0 and (piece := await self.receive()):
                pieces.append(piece)
                most -= len(piece)
        return b"".join(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._error:
            yield await self._remains(ERROR_SECONDS, ERROR_BYTES)
            return
        while piece := await self._receive_in_time():
            yield piece

    async def _receive_in_time(self) -> bytes:
        try:
            with trio.fail_after(self._timeout):
                return await self.receive()
        except trio.TooSlowError as error:
            raise httpx2.ReadTimeout(f"no byte of the answer came for {self._timeout:g} s") from error

    async def aclose(self) -> None:
        """Give the connection back if the body is complete, close it if not. Never waits for the network."""
        release, self._release = self._release, None
        if release is None:
            return
        framing = self._framing
        if not framing.ended and framing.fault is None:
            framing.fault = trio.ClosedResourceError("the body was closed before it was read to its end")
        await release(framing.ended and self._reusable and not framing.rest)
