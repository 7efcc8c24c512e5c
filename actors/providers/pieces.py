"""What came in a recorded attempt, in the pieces in which it came: bytes of an answer, or deltas.

The one rule: pieces come as fast as they are read; only where an attempt was given up its times are kept, so that the same clock ends it.
"""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar, cast

import trio
from msgspec import UNSET

from actors.deltas import Delta
from actors.providers.claude_code import ProgramSource
from actors.source import Source
from actors.wire.claude_code import DIALECT
from actors.wire.recording import Ended, Line

S = TypeVar("S", bytes, tuple[Delta, ...])


class Pieces(Generic[S]):
    """Everything that came, handed out by the slices of its line."""

    def __init__(self, line: Line, whole: S) -> None:
        self._line = line
        self._rest = whole
        self._slices = deque(line.slices)
        self._began = trio.current_time()

    async def next(self) -> S | None:
        """The next piece, `None` after the last."""
        await trio.lowlevel.checkpoint()
        if not self._slices:
            return None
        seconds, size = self._slices.popleft()
        if self._line.ended is Ended.LEFT:
            await trio.sleep_until(self._began + seconds)
        piece, self._rest = self._rest[:size], self._rest[size:]
        if not self._slices:  # what was blotted out of a body has another length
            piece, self._rest = piece + self._rest, self._rest[:0]
        return piece


async def _end(line: Line) -> None:
    """The end of an attempt whose answer was no HTTP: it raises what ended it, and stays silent where nobody waited for more."""
    if line.ended is Ended.LEFT:
        await trio.sleep_forever()
    if line.ended is not Ended.COMPLETE:
        from actors.providers.weather import error_of  # noqa: PLC0415 -- it knows the HTTP clients' exceptions

        raise error_of(line.error, bug=line.ended is Ended.FAILED)


class RecordedDeltas:
    """The deltas of a client of somebody's own, as they came."""

    def __init__(self, line: Line) -> None:
        self.request_id = line.request_id
        self._line = line
        self._pieces = Pieces(line, line.heard)

    async def receive(self) -> Sequence[Delta] | None:
        """The next deltas, `None` after the last; raises what the client raised."""
        deltas = await self._pieces.next()
        if deltas is None:
            await _end(self._line)
        return deltas


class RecordedRun:
    """What a program wrote, and how it ended."""

    def __init__(self, line: Line) -> None:
        self.stderr = line.stderr or ""
        self._line = line
        self._pieces = Pieces(line, line.octets)

    async def receive(self) -> bytes:
        """The next bytes of its output; b"" at the end."""
        piece = await self._pieces.next()
        if piece is None and self._line.ended is Ended.LEFT:
            await trio.sleep_forever()
        return piece or b""

    async def ended(self, seconds: float) -> int | None:
        """Its exit status; `None` where it still ran after that time."""
        del seconds
        await trio.lowlevel.checkpoint()
        return cast("int | None", self._line.exit)


@asynccontextmanager
async def run_again(line: Line) -> AsyncGenerator[Source]:
    """The run of a program. Raises why it could not be started."""
    if line.exit is UNSET:
        await _end(line)
    yield ProgramSource(RecordedRun(line), DIALECT.reader())
