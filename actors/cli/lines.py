"""Bytes in, numbered lines of text out, in bounded memory.

Pure, so that a file, a pipe and a test are read the same way.  Blank lines carry nothing and are not given; a line that no prompt can
have (not UTF-8, far too long) is refused with its number.
"""

from collections.abc import Iterator
from enum import Enum

import attrs

from actors.errors import SettingError

LONGEST = 16 * 1024 * 1024
"""Bytes of one line: four times what the largest context window of today takes."""

_MARK = b"\xef\xbb\xbf"
"""What some editors begin a UTF-8 file with."""


class Form(Enum):
    """How prompts are written: one a line, or one JSON object a line."""

    TEXT = "text"
    JSON_LINES = "json-lines"


@attrs.frozen
class Line:
    """One line: where it stands, for people, and its text without the line's end."""

    source: str
    number: int
    text: str

    @property
    def place(self) -> str:
        """The line as a sentence names it."""
        return f"{self.source}, line {self.number}"


class Splitter:
    """Cuts the bytes of one source into lines."""

    __slots__ = ("_number", "_pieces", "_size", "_source")

    def __init__(self, source: str) -> None:
        self._source = source
        self._pieces: list[bytes] = []
        self._size = 0
        self._number = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that this chunk ends; to be used up before the next chunk is fed."""
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._keep(piece)
            yield from self._line()
        self._keep(rest)

    def close(self) -> Iterator[Line]:
        """The last line, where the source does not end with a line's end."""
        yield from self._line()

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > LONGEST:
            msg = f"{self._source}, line {self._number + 1} is longer than {LONGEST >> 20} MiB; end each prompt with a line break"
            raise SettingError(msg)
        self._pieces.append(piece)

    def _line(self) -> Iterator[Line]:
        raw = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        self._number += 1
        if self._number == 1:
            raw = raw.removeprefix(_MARK)
        try:
            text = raw.decode().strip()
        except UnicodeDecodeError:
            msg = f"{self._source}, line {self._number} is not UTF-8 text; save the file as UTF-8"
            raise SettingError(msg) from None
        if text:
            yield Line(self._source, self._number, text)
