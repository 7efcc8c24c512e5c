"""The reader of a run's standard output: bytes in any slicing, deltas out, and one place where a fault is kept.

The one rule: what was read before a fault is delivered before it, and nothing is read after it.
"""

from collections.abc import Sequence

from actors.deltas import Delta
from actors.source import TruncatedError, WireError
from actors.wire.claude_code.answer import Answer
from actors.wire.claude_code.request import encode
from actors.wire.dialect import Dialect
from actors.wire.ndjson import Lines
from actors.wire.reading import UNREADABLE, malformed
from actors.wire.refusals import read_error


class LineReader:
    """A `Reader` (see `actors.wire.dialect`) of lines."""

    __slots__ = ("_answer", "_lines", "fault")

    def __init__(self) -> None:
        self.fault: WireError | None = None
        self._answer = Answer()
        self._lines = Lines()

    @property
    def finished(self) -> bool:
        """Whether the `result` line was read and says success."""
        return self._answer.finished

    def feed(self, octets: bytes) -> list[Delta]:
        """The deltas in these bytes, maybe none; bytes after the result or a fault are ignored."""
        out: list[Delta] = []
        if self.fault is None and not self.finished:
            self._read(self._lines.feed(octets), out)
            self.fault = self.fault or (None if self.finished else self._lines.fault)
        return out

    def close(self) -> list[Delta]:
        """The deltas of a last line without an end; without a `result` line the end is a fault (P7)."""
        out: list[Delta] = []
        if self.fault is None and not self.finished:
            try:
                for line in self._lines.close():
                    self._answer.read(line, out)
            except WireError as fault:
                self.fault = fault
            except UNREADABLE as error:
                self.fault = TruncatedError("the program ended within a line")
                self.fault.__cause__ = error
            if self.fault is None and not self.finished:
                self.fault = TruncatedError("the program ended without a result line")
        return out

    def _read(self, lines: list[bytes], out: list[Delta]) -> None:
        try:
            for line in lines:
                self._answer.read(line, out)
                if self.finished:
                    return
        except WireError as fault:
            self.fault = fault
        except UNREADABLE as error:
            self.fault = malformed("line", error)


def read_reply(body: bytes) -> Sequence[Delta]:
    """The deltas of a whole run; raises `WireError` where it is none, failed or was cut."""
    reader = LineReader()
    deltas = [*reader.feed(body), *reader.close()]
    if reader.fault is not None:
        raise reader.fault
    return deltas


DIALECT = Dialect(encode, LineReader, read_reply, read_error)
"""Claude Code.  A program sends no HTTP status: `read_error` is for a gateway's answer that reached somebody else."""
