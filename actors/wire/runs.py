"""Parts for formats that have none: text and thinking that come in pieces make one part until something else comes.

The one rule: parts are numbered in the order in which they begin, and at most one part of text or thinking is open.
"""

from typing import TypeAlias

from actors.deltas import Delta, PartEnded, TextDelta, ThinkingDelta

Kind: TypeAlias = type[TextDelta | ThinkingDelta]


class Runs:
    """Numbers the parts of one answer; `open` is what the open part at `index` is made of."""

    __slots__ = ("_count", "index", "open")

    def __init__(self) -> None:
        self.open: Kind | None = None
        self.index = -1
        self._count = 0

    def part(self, kind: Kind, out: list[Delta]) -> int:
        """The index of the open part of this kind; an open one of the other kind ends, a new one begins."""
        if self.open is not kind:
            self.close(out)
            self.open, self.index = kind, self.another()
        return self.index

    def another(self) -> int:
        """The index of a part of its own (a call, say), which leaves the open one open."""
        self._count += 1
        return self._count - 1

    def close(self, out: list[Delta]) -> None:
        """The end of the open part, if there is one."""
        if self.open is not None:
            out.append(PartEnded(self.index))
            self.open = None
