"""One recorded attempt over HTTP, played: the bytes that came, in the pieces in which they came, through the reader of today.

The one rule: what the network did is done again, what the reader made of it is not; so a change in decoding shows.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import trio

from actors.providers.bodies import EXTENSION
from actors.providers.pieces import Pieces
from actors.providers.sources import reading
from actors.providers.weather import error_of
from actors.route import Route
from actors.source import Source, TruncatedError
from actors.wire.dialect import Dialect
from actors.wire.recording import Ended, Line


@asynccontextmanager
async def played(line: Line, dialect: Dialect, route: Route) -> AsyncGenerator[Source]:
    """The answer of a line. Raises `RefusedError` for a status of 300 or more, and what the network raised."""
    body = RecordedBody(line)
    if not line.status:
        await body.end()
        raise TruncatedError("the recorded attempt ended before an answer came")
    if not httpx2.codes.is_success(line.status):
        if line.ended is Ended.LEFT:
            await trio.sleep_forever()
        refused = dialect.read_error(line.status, line.response_headers, line.octets)
        refused.next_key = (
            line.error[0].next_key if line.error else refused.next_key
        )  # that others had the keys for it is no news of theirs
        raise refused
    response = httpx2.Response(line.status, headers=line.response_headers, stream=body, extensions={EXTENSION: body})
    async with reading(response, dialect, route, line.request_id) as source:
        yield source


class RecordedBody(httpx2.AsyncByteStream):
    """The body of a recorded answer, cut as it came."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._pieces = Pieces(line, line.octets)

    async def receive(self) -> bytes:
        """The next bytes; b"" at the end. Raises what the connection raised, and stays silent where nobody waited for more."""
        piece = await self._pieces.next()
        return await self.end() if piece is None else piece

    async def end(self) -> bytes:
        """The end of the answer, as it was."""
        if self._line.ended is Ended.LEFT:
            await trio.sleep_forever()
        if self._line.ended is Ended.CUT:
            raise error_of(self._line.error)
        return b""

    async def drain(self) -> None:
        """What came after the terminal event holds nobody up."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while octets := await self.receive():
            yield octets
