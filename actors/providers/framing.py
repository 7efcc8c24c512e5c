"""Where an HTTP/1.1 response body ends: chunk by chunk, after a known length, or when the peer closes.

Pure: bytes of the connection go in, bytes of the body come out. h11 reads the head; the body is decoded here because a
model's stream is one small chunk per segment, for each of which h11 walks its state machine several times.

The one rule: an end is only what the framing says. A peer that closes earlier, or sends what is no framing, leaves a
fault behind whatever came before it; nothing is skipped and nothing is guessed.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

import httpx2

LINE_BYTES = 16 * 1024
"""A chunk header or trailer line that is longer is no framing but garbage; h11 draws the same line by default."""

# RFC 9112 §7.1. Sixteen hexadecimal digits count 2**64 bytes; extensions are allowed and mean nothing here.
CHUNK_HEADER = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
TRAILER = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n]*)?\r\n")

Step: TypeAlias = Callable[[bytes, int], int]
"""Bytes and where to begin in, where it came to out; the same place where it waits for more."""


class Framing:
    """Finds the end of one body; this one has no end but the close (HTTP/1.0), so a cut cannot be told from it.

    `ended`: the body is complete. `rest`: what came after it; anything there unfits the connection for another request.
    `fault`: why the body will never be complete, once everything before it was returned.
    """

    __slots__ = ("ended", "fault", "rest")

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self.fault: Exception | None = None

    def feed(self, octets: bytes) -> bytes:
        """The body bytes in the next bytes of the connection, perhaps none. Never raises."""
        return octets

    def close(self) -> None:
        """The peer closed: the end, or a fault."""
        self.ended = True


class Sized(Framing):
    """A body of a known number of bytes (`Content-Length`, or zero for answers that never have one)."""

    __slots__ = ("_left", "_length")

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = self._left = length
        self.ended = length == 0

    def feed(self, octets: bytes) -> bytes:
        """As much as the length still allows."""
        piece, self.rest = octets[: self._left], octets[self._left :]
        self._left -= len(piece)
        self.ended = self._left == 0
        return piece

    def close(self) -> None:
        """A fault, unless the length was reached."""
        if not self.ended:
            got = self._length - self._left
            self.fault = httpx2.RemoteProtocolError(f"the server disconnected after {got} of {self._length} body bytes")


class Chunked(Framing):
    """A body in chunks (`Transfer-Encoding: chunked`).

    A chunk is `size CRLF content CRLF`; the last has size 0, then come trailer lines and an empty line. Content is passed
    on as it comes, only unfinished lines are held back. Each step takes what it can and says how far it came.
    """

    __slots__ = ("_between", "_held", "_left", "_pieces", "_step")

    def __init__(self) -> None:
        super().__init__()
        self._between = True  # the next byte is the first of a chunk header
        self._held = b""
        self._left = 0
        self._pieces: list[bytes] = []
        self._step: Step = self._header

    def feed(self, octets: bytes) -> bytes:
        """Decode; one whole chunk in one segment, which is how an event arrives, takes the short way."""
        if self._between and (header := CHUNK_HEADER.match(octets)):
            start, size = header.end(), int(header[1], 16)
            if size and len(octets) == start + size + 2 and octets.endswith(b"\r\n"):
                return octets[start:-2]
        return self._walk(self._held + octets)

    def close(self) -> None:
        """A fault, unless the last chunk and its trailer were there."""
        if not self.ended:
            self.fault = httpx2.RemoteProtocolError("the server disconnected in the middle of a chunked body")

    def _walk(self, given: bytes) -> bytes:
        """Step until a step does not move: it waits for more, or there is an end or a fault."""
        at, before = 0, -1
        while before < at < len(given) and not (self.ended or self.fault):
            before, at = at, self._step(given, at)
        self._held, self.rest = (b"", given[at:]) if self.ended else (given[at:], b"")
        self._between = self._step == self._header and not self._held
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body

    def _header(self, given: bytes, at: int) -> int:
        header = CHUNK_HEADER.match(given, at)
        if header is None:
            return self._unmatched(given, at, "chunk header")
        self._left = int(header[1], 16)
        self._step = self._content if self._left else self._trailer
        return header.end()

    def _content(self, given: bytes, at: int) -> int:
        piece = given[at : at + self._left]
        self._pieces.append(piece)
        self._left -= len(piece)
        if self._left == 0:
            self._step = self._footer
        return at + len(piece)

    def _footer(self, given: bytes, at: int) -> int:
        footer = given[at : at + 2]
        if footer == b"\r\n":
            self._step = self._header
            return at + 2
        if footer != b"\r":
            self.fault = httpx2.RemoteProtocolError(f"a chunk of the body ends with {footer!r} instead of a line end")
        return at

    def _trailer(self, given: bytes, at: int) -> int:
        line = TRAILER.match(given, at)
        if line is None:
            return self._unmatched(given, at, "trailer")
        self.ended = line[0] == b"\r\n"
        return line.end()

    def _unmatched(self, given: bytes, at: int, what: str) -> int:
        """Wait if this may still become a line; a whole line that did not match never will."""
        if given.find(b"\n", at) >= 0 or len(given) - at > LINE_BYTES:
            self.fault = httpx2.RemoteProtocolError(f"the body has an illegal {what}: {given[at : at + 40]!r}")
        return at
