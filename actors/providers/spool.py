"""An answer in one piece on its way to the decoder: in memory while it is small, on the disk where it is not.

The one rule: what is on the disk is not in memory too. The file has no name and is gone with the spool; it is written in
blocks, in a thread, and read by mapping it.
"""

import mmap
import tempfile
from types import TracebackType
from typing import IO, Self, cast

import trio

from actors.source import OversizeError

MEMORY_BYTES = 1024 * 1024
"""What is kept in memory of one answer, and the size of a block on its way to the disk."""

MOST_BYTES = 256 * 1024 * 1024
"""The largest body that is read at all; the answers of today's models have some hundred kilobytes."""


class Spool:
    """Takes bytes piece by piece and gives them back as one; used in `with`."""

    def __init__(self, most: int = MOST_BYTES, memory: int = MEMORY_BYTES) -> None:
        self._most, self._memory = most, memory
        self._pieces: list[bytes] = []
        self._held = self._length = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._pieces.clear()
        if self._file is not None:
            self._file.close()

    async def add(self, piece: bytes) -> None:
        """Take the next bytes; raises `OversizeError` where they are too many, for the disk or at all."""
        self._length += len(piece)
        if self._length > self._most:
            raise OversizeError(f"the answer is larger than the {self._most} bytes that are read of one")
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held > self._memory:
            await trio.to_thread.run_sync(self._write)

    async def whole(self) -> bytes:
        """All bytes; no piece may follow. Those of a file are mapped: a decoder reads them like any others."""
        if self._file is None:
            return b"".join(self._pieces)
        if self._pieces:
            await trio.to_thread.run_sync(self._write)
        return cast("bytes", mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the spool
            self._file.writelines(self._pieces)
            self._file.flush()
        except OSError as error:
            raise OversizeError(
                f"{self._length} bytes of the answer do not fit on the disk: {error.strerror}"
            ) from error
        self._pieces.clear()
        self._held = 0
