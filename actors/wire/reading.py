"""The reader that every dialect of server-sent events shares: bytes in, deltas out, and one place where a fault is kept.

A dialect brings an `Answer`, which takes one event at a time and knows nothing of slices.  The one rule: what was read before a fault is
delivered before it, and nothing is read after it.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from actors.deltas import Delta
from actors.source import MalformedError, RefusedError, TruncatedError, WireError
from actors.wire.sse import STRAY, Events

UNREADABLE = (ValueError, RecursionError)
"""What decoding raises: bytes that are no JSON or no UTF-8, values of another type, nesting without end."""


class Answer(Protocol):
    """One answer as a dialect's automaton; `finished` once the provider's own terminal event was read."""

    finished: bool

    def read(self, name: bytes, data: bytes, out: list[Delta]) -> None:
        """Append what one event says to `out`; raises `WireError`, or one of `UNREADABLE`."""
        ...

    def end(self, out: list[Delta]) -> None:
        """The events are over: finish, where the dialect lets the end of the bytes say so, or raise `TruncatedError`."""
        ...


class EventReader:
    """A `Reader` (see `actors.wire.dialect`) over an `Answer`.

    `whole` reads a body that turns out to be no event stream at all: a reply in one piece or a bare JSON error.
    """

    __slots__ = ("_answer", "_began", "_events", "_whole", "fault")

    def __init__(self, answer: Answer, whole: Callable[[bytes], Sequence[Delta]]) -> None:
        self.fault: WireError | None = None
        self._answer = answer
        self._whole = whole
        self._events = Events()
        self._began = False

    @property
    def finished(self) -> bool:
        """Whether the provider's terminal event was read."""
        return self._answer.finished

    def feed(self, octets: bytes) -> list[Delta]:
        """The deltas in these bytes, maybe none; bytes after the terminal event or a fault are ignored."""
        out: list[Delta] = []
        answer = self._answer
        if self.fault is not None or answer.finished:
            return out
        try:
            for name, data in self._events.feed(octets):
                if name is STRAY:
                    self._read_stray(data, out)
                elif data:
                    self._began = True
                    answer.read(name, data, out)
                if answer.finished:
                    return out
        except WireError as fault:
            self.fault = fault
        except UNREADABLE as error:
            self.fault = malformed("event", error)
        else:
            self.fault = self._events.fault
        return out

    def close(self) -> list[Delta]:
        """The deltas that the end of the bytes completes; without the terminal event the end is a fault (P7)."""
        out: list[Delta] = []
        if self.fault is None and not self.finished:
            try:
                self._end(out)
            except WireError as fault:
                self.fault = fault
        return out

    def _end(self, out: list[Delta]) -> None:
        for name, data in self._events.close():
            try:
                if name is STRAY:
                    self._read_stray(data, out)
                elif data:
                    self._answer.read(name, data, out)
            except UNREADABLE as error:
                raise TruncatedError("the answer ended within an event") from error
            if self.finished:
                return
        if self._events.fault is not None:
            raise self._events.fault
        self._answer.end(out)

    def _read_stray(self, lines: bytes, out: list[Delta]) -> None:
        """Lines that are no event are a reply in one piece, an error or rubbish."""
        try:
            deltas = self._whole(lines)
        except RefusedError:
            raise
        except WireError as error:
            raise MalformedError("the answer has lines that are no server-sent event") from error
        if self._began:
            raise MalformedError("the answer has a second answer behind it, in one piece")
        out.extend(deltas)
        self._answer.finished = True


def malformed(what: str, error: Exception) -> MalformedError:
    """The fault for an event or a reply that raised one of `UNREADABLE`."""
    fault = MalformedError(f"the {what} cannot be read: {error}")
    fault.__cause__ = error
    return fault
