"""A recording as the streams that it was made of: which attempts belong together, and what each stream asked.

Pure.  The one rule: a stream is a name within one opening of the file, its attempts counted upwards; attempts without a name belong
together where they asked the same.
"""

import math
from collections.abc import Sequence
from itertools import groupby

import attrs
import msgspec

from actors.ladder import Ladder, Rung, Switch
from actors.request import Request
from actors.wire.recording import Ended, Line, request_of
from supervisor import Backoff, Retry

AT_ONCE = Backoff(initial=0.001, jitter=0)
"""A replay waits for nobody."""


@attrs.frozen
class Take:
    """One stream of a recording; `lines` are its attempts in order."""

    name: str
    lines: tuple[Line, ...]

    @property
    def request(self) -> Request:
        """What it asked."""
        first = self.lines[0]
        return request_of(first.request, first.provider)

    @property
    def ladder(self) -> Ladder:
        """The ladder that leads through the routes of its attempts, as often as each was asked in a row."""
        legs = [(route, len(list(lines))) for route, lines in groupby(line.route for line in self.lines)]
        rungs: list[Rung] = []
        for route, times in legs:
            rungs += [Switch(route), Retry(times, backoff=AT_ONCE, within=math.inf)]
        return Ladder(legs[0][0], *rungs[1:])

    @property
    def deserted(self) -> bool:
        """Whether nobody waited for its end, and no clock of its route was over either."""
        last = self.lines[-1]
        return last.ended is Ended.LEFT and not last.overdue


def takes_of(lines: Sequence[Line]) -> tuple[Take, ...]:
    """The streams of a recording, in the order of their first attempts, each under a name of its own."""
    found: list[list[Line]] = []
    latest: dict[tuple[int, str], list[Line]] = {}
    for line in sorted(lines, key=lambda one: one.number):
        key = line.run, line.stream or msgspec.json.encode(line.request, order="sorted").decode()
        take = latest.get(key)
        if take is None or (line.stream and line.attempt <= take[-1].attempt):
            take = latest[key] = []
            found.append(take)
        take.append(line)
    return tuple(Take(name, tuple(take)) for name, take in zip(_names(found), found, strict=True))


def _names(found: Sequence[Sequence[Line]]) -> list[str]:
    """The streams' own names; a number behind those that come again."""
    names: list[str] = []
    for number, (first, *_) in enumerate(found, 1):
        name = first.stream or str(number)
        again = 2
        while name in names:
            name = f"{first.stream or number} ({again})"
            again += 1
        names.append(name)
    return names
