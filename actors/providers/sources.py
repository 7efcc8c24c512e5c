"""From an HTTP answer to deltas: what every provider that is reached over HTTP does the same way.

The one rule: an answer ends with the dialect's terminal event. The connection is given back only after it, and whatever
else happens closes it.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager

import httpx2

from actors.deltas import Delta
from actors.providers.bodies import Body
from actors.providers.spool import Spool
from actors.route import Route
from actors.source import MalformedError, RefusedError, Source
from actors.wire.dialect import Dialect, Reader

KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key", "x-amz-security-token")
KEY_BYTES = 8
"""The shortest key that is a secret; a server of one's own is given any word, which then may stand in any sentence."""


class StreamedSource:
    """An answer that is decoded as it comes."""

    def __init__(self, body: Body, reader: Reader, request_id: str) -> None:
        self._body = body
        self._reader = reader
        self.request_id = request_id

    async def receive(self) -> Sequence[Delta] | None:
        """The next deltas, `None` after the terminal event; raises the reader's fault or what the connection raised."""
        reader = self._reader
        if reader.fault is None and not reader.finished:
            octets = await self._body.receive()
            if deltas := reader.feed(octets) if octets else reader.close():
                return deltas
            if octets:
                return ()
        if reader.fault is not None:
            raise reader.fault
        return None


class BufferedSource:
    """An answer that is read whole, a large one by way of the disk, then decoded at once."""

    def __init__(self, response: httpx2.Response, dialect: Dialect, request_id: str) -> None:
        self._response = response
        self._dialect = dialect
        self._read = False
        self.request_id = request_id

    async def receive(self) -> Sequence[Delta] | None:
        """All deltas, then `None`."""
        if self._read:
            return None
        with Spool() as spool:
            async with aclosing(self._response.aiter_bytes()) as pieces:
                async for piece in pieces:
                    await spool.add(piece)
            self._read = True
            return self._dialect.read_reply(await spool.whole())


@asynccontextmanager
async def reading(
    response: httpx2.Response, dialect: Dialect, route: Route, request_id: str = ""
) -> AsyncGenerator[Source]:
    """The source of an answer that came through our connections; leaving the block frees the connection.

    Raises `MalformedError` for a compressed stream.
    """
    body, reader = Body.of(response), dialect.reader()
    try:
        if route.streams:
            _check_plain(response)
            yield StreamedSource(body, reader, request_id)
        else:
            yield BufferedSource(response, dialect, request_id)
        if reader.finished:
            await body.drain()
    finally:
        await response.aclose()


def refused(response: httpx2.Response, dialect: Dialect) -> RefusedError:
    """What an answer of status 300 or more says, its body read; a key that the server repeats is blotted out (P13)."""
    content = response.content
    for name in KEY_HEADERS:
        key = response.request.headers.get(name, "").removeprefix("Bearer ").encode()
        if len(key) >= KEY_BYTES:
            content = content.replace(key, b"***")
    return dialect.read_error(response.status_code, dict(response.headers), content)


def _check_plain(response: httpx2.Response) -> None:
    """Refuse a stream that a proxy compressed, as nobody asked for that."""
    coding = response.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise MalformedError(f"the stream came compressed with {coding!r} although plain bytes were asked for")
