"""JSON lines out of bytes in any slicing: one JSON value a line, as programs write them to their standard output.

The one rule: how the bytes were sliced changes nothing, neither the lines nor the fault.  A line ends with a line feed and nothing else:
what other characters some libraries take for line ends may stand raw within JSON text.
"""

from actors.source import MalformedError

LINE_LIMIT = 32 * 1024 * 1024
"""Bytes one line may have: room for a tool's result with the largest image in it, and for no runaway program."""


class Lines:
    """Cuts bytes into lines of at most `limit` bytes, without their ends; blank lines are left out.

    `fault` is a line beyond the limit, found once all before it were returned; nothing is read after it.
    """

    __slots__ = ("_held", "_held_size", "_limit", "fault")

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self.fault: MalformedError | None = None
        self._limit = limit
        self._held: list[bytes] = []  # pieces of a line whose end has not arrived
        self._held_size = 0

    def feed(self, octets: bytes) -> list[bytes]:
        """The lines that these bytes complete."""
        if self.fault is not None:
            return []
        first, *rest = octets.split(b"\n")
        self._hold(first)
        if not rest:
            self._check(self._held_size)
            return []
        lines = [b"".join(self._held), *rest[:-1]]
        self._held, self._held_size = [], 0
        self._hold(rest[-1])
        return self._sound(lines)

    def close(self) -> list[bytes]:
        """The line whose end never came."""
        return self.feed(b"\n")

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._held.append(piece)
            self._held_size += len(piece)

    def _sound(self, lines: list[bytes]) -> list[bytes]:
        """The lines up to the first that is too long."""
        found: list[bytes] = []
        for line in lines:
            self._check(len(line))
            if self.fault is not None:
                return found
            if line and not line.isspace():
                found.append(line)
        self._check(self._held_size)
        return found

    def _check(self, size: int) -> None:
        if size > self._limit:
            self._held = []
            self.fault = MalformedError(f"a line has more than {self._limit} bytes, which no program should write")
