"""Server-sent events out of bytes in any slicing (WHATWG HTML, section 9.2.6 "Interpreting an event stream").

An event leaves as its name and its raw data bytes, so that typed structs are decoded straight from them.  The one rule: how the bytes
were sliced changes nothing, neither the events nor the fault.  Lines that are no field come out as an event of their own, because a
provider in trouble sends bare JSON, and because what is skipped may have held text.
"""

import re
from typing import TypeAlias

from actors.source import MalformedError

EVENT_LIMIT = 32 * 1024 * 1024
"""Bytes one event may have, a line end counted as one byte: room for the largest inline image; the official Go clients draw the same line."""

Event: TypeAlias = tuple[bytes, bytes]
"""The event's name (empty where none was given) and its data, lines joined by a line feed."""

STRAY = b"\r"
"""The name of an event made of lines that are no field; no line can say it."""

_FIELD = re.compile(rb"(?!error:)[A-Za-z][A-Za-z_-]*(?::|\Z)")  # old llama.cpp says `error: {...}` and nothing else
_BOM = b"\xef\xbb\xbf"
_LF, _CR = 10, 13


class Events:
    """Cuts bytes into events of at most `limit` bytes.

    `fault` is an event beyond the limit, found once all before it was returned; nothing is read after it.
    """

    __slots__ = ("_after_cr", "_data", "_fresh", "_held", "_held_size", "_limit", "_name", "_size", "_stray", "fault")

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self.fault: MalformedError | None = None
        self._limit = limit
        self._fresh = True  # before the first line, which may begin with a byte order mark
        self._after_cr = False  # a line feed that comes next belongs to the line before
        self._held: list[bytes] = []  # pieces of a line whose end has not arrived
        self._held_size = 0
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._stray = bytearray()  # lines may be short and many: one object for all of them

    def feed(self, octets: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if self.fault is not None:
            return []
        if octets and (self._after_cr or self._held):
            octets = self._joined(octets)
        if not octets:
            return []
        lines = octets.splitlines()
        last = octets[-1]
        rest = b"" if last in (_LF, _CR) else lines.pop()
        self._after_cr = last == _CR
        if self._fresh and lines:
            self._fresh = False
            lines[0] = lines[0].removeprefix(_BOM)
        found = self._read(lines)
        if rest and self.fault is None:
            self._hold(rest)
        return found

    def close(self) -> list[Event]:
        """The event whose closing blank line never came, if its data did."""
        return self.feed(b"\n\n")

    def _read(self, lines: list[bytes]) -> list[Event]:
        found: list[Event] = []
        data = self._data
        for line in lines:
            if not line:
                if data:
                    found.append((self._name, data[0] if len(data) == 1 else b"\n".join(data)))
                    data.clear()
                if self._stray:
                    found.append((STRAY, bytes(self._stray[:-1])))
                    self._stray.clear()
                self._name = b""
                self._size = 0
            elif (size := self._size + len(line) + 1) > self._limit:
                self._overflow()
                break
            elif line.startswith(b"data: "):
                data.append(line[6:])
                self._size = size
            else:
                self._size = size
                self._field(line)
        return found

    def _field(self, line: bytes) -> None:
        """Any line but the usual `data: ...`; comments, ids, retry times and unknown fields mean nothing to an answer."""
        name, _, value = line.partition(b":")
        if name == b"event":
            self._name = value.removeprefix(b" ")
        elif name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name and not _FIELD.match(line):
            self._stray += line + b"\n"

    def _joined(self, octets: bytes) -> bytes:
        """These bytes and the line they go on with; empty while its end is missing, so a long line is joined once."""
        if self._after_cr:
            self._after_cr = False
            octets = octets.removeprefix(b"\n")
        if not self._held:
            return octets
        if b"\n" not in octets and b"\r" not in octets:
            self._hold(octets)
            return b""
        octets = b"".join((*self._held, octets))
        self._held.clear()
        self._held_size = 0
        return octets

    def _hold(self, octets: bytes) -> None:
        self._held.append(octets)
        self._held_size += len(octets)
        if self._held_size > self._limit + len(_BOM):
            self._overflow()

    def _overflow(self) -> None:
        for kept in (self._held, self._data, self._stray):
            kept.clear()
        self._held_size = 0
        self.fault = MalformedError(f"an event has more than {self._limit} bytes, which no provider sends")
