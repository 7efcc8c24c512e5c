"""One message of the model within a run of Claude Code: its events as they come, and the lines that confirm them.

The program streams a block and then says it once more, whole, before the block ends.  The one rule: events are provisional, and the whole
block is what counts; where the two differ, the events are taken back.
"""

from collections.abc import Callable

import msgspec

from actors.deltas import Delta, Finish, Finished, ResponseStarted, TextDelta, ThinkingDelta, Usage, UsageDelta
from actors.wire import blocks as wire
from actors.wire.blockwise import CALLS, Answer
from actors.wire.shapes import text_at

_TELLING = {"text": "text", "thinking": "thinking", **dict.fromkeys(CALLS, "id")}
"""The field by which a block of each type is known again."""


class Streamed:
    """A message that comes in events.

    `began` is the place of its first part in the answer, `at` that of its open part once that said anything; `place` gives out the next.
    """

    __slots__ = ("_confirmed", "_loose", "_muted", "_parts", "_place", "_said", "at", "began", "id", "reader", "usage")

    def __init__(self, message: wire.Message, began: int, place: Callable[[], int]) -> None:
        self.id = message.id
        self.began = began
        self.at: int | None = None
        self.usage = Usage()
        self._place = place
        self._parts: dict[int, int] = {}
        self.reader = Answer(hosted=CALLS)  # the program runs every tool itself
        self._said: list[str] = []
        self._loose: list[tuple[str, str]] = []  # blocks that ended unconfirmed
        self._confirmed = False
        self._muted = False

    @property
    def finish(self) -> Finish | None:
        """Why the model stopped, once that was said; a message without it is no whole one."""
        return self.reader.finish

    def read(self, event: wire.Event, out: list[Delta]) -> None:
        """One event of this message; the end of a block that is over already says nothing new."""
        reader = self.reader
        if isinstance(event, wire.BlockStop):
            if (block := reader.open) is None:
                return
            if not self._confirmed:
                self._loose.append(self._mark(block))
        deltas: list[Delta] = []
        reader.take(event, deltas)
        if isinstance(event, wire.BlockStart):
            self._said, self.at, self._confirmed, self._muted = [], None, False, False
        for delta in deltas:
            self._pass(delta, out)

    def confirms(self, block: dict[str, object]) -> bool:
        """Whether a whole block is one that was streamed, so that there is nothing to say again."""
        mark = _mark(block)
        if (opened := self.reader.open) is not None and self._mark(opened) == mark:
            self._confirmed = True
        elif mark in self._loose:
            self._loose.remove(mark)
        else:
            return False
        return True

    def contradicts(self, block: dict[str, object]) -> bool:
        """Whether a whole block says something else than the open one of its type; then what still comes for that is not passed on."""
        opened = self.reader.open
        if opened is None or self._confirmed or text_at(opened, "type") != text_at(block, "type"):
            return False
        self._confirmed = self._muted = True
        return True

    def _pass(self, delta: Delta, out: list[Delta]) -> None:
        match delta:
            case UsageDelta(usage):
                self.usage = usage
                return
            case ResponseStarted() | Finished():
                return
            case TextDelta(text) | ThinkingDelta(text):
                self._said.append(text)
            case _:
                pass
        if not self._muted:
            if delta.index not in self._parts:
                self._parts[delta.index] = self._place()
            self.at = self._parts[delta.index]
            out.append(msgspec.structs.replace(delta, index=self.at))

    def _mark(self, block: dict[str, object]) -> tuple[str, str]:
        kind = text_at(block, "type")
        return (kind, "".join(self._said)) if kind in {"text", "thinking"} else _mark(block)


def _mark(block: dict[str, object]) -> tuple[str, str]:
    kind = text_at(block, "type")
    return kind, text_at(block, _TELLING.get(kind, ""))


def whole(block: dict[str, object], place: int, out: list[Delta]) -> None:
    """A block in one piece, as the part at `place`."""
    reader, deltas = Answer(hosted=CALLS), list[Delta]()
    reader.begin(wire.Message(), [])
    reader.add(block, deltas)
    out += [msgspec.structs.replace(delta, index=place) for delta in deltas]
