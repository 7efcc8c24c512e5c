"""One timer for all streams.

A stream's alarm moves with every event, a timer's entry does not: an entry that comes due asks its stream when the alarm is now and, as
a rule, only moves itself.  So an event costs an attribute write, and there is one waiting task for any number of streams.
"""

import heapq
import math
from itertools import count
from typing import Protocol, TypeAlias

import trio


class Watched(Protocol):
    """Whoever has an alarm."""

    def due(self) -> float:
        """When the alarm is now, on trio's clock; infinity for never."""
        ...

    def expire(self, late: float) -> None:
        """The alarm is over, by so many seconds; called once, outside of any task of the watched."""
        ...


_Entry: TypeAlias = tuple[float, int, Watched]
"""When to ask, in which order of asking, whom; an entry is dead once its stream has another one or was forgotten."""

_SPARE = 64
"""Dead entries that may lie in the heap beside as many as there are live ones: more are swept, so what was forgotten is freed."""


class Timers:
    """The alarms of many streams, kept by the one task that runs `run`."""

    def __init__(self) -> None:
        self._heap: list[_Entry] = []
        self._watched: dict[Watched, _Entry | None] = {}
        self._order = count()
        self._earlier = trio.Event()

    def watch(self, watched: Watched) -> None:
        """Keep this alarm; call again when it may have moved nearer, never for one that moved away."""
        entry = self._watched.setdefault(watched, None)
        due = watched.due()
        if due < (math.inf if entry is None else entry[0]):
            self._push(watched, due)

    def forget(self, watched: Watched) -> None:
        """Stop keeping this alarm."""
        self._watched.pop(watched, None)

    def __len__(self) -> int:
        return len(self._watched)

    def _push(self, watched: Watched, due: float) -> None:
        heap = self._heap
        if not heap or due < heap[0][0]:
            self._earlier.set()
        entry = self._watched[watched] = (due, next(self._order), watched)
        heapq.heappush(heap, entry)
        if len(heap) > 2 * len(self._watched) + _SPARE:
            heap[:] = [entry for entry in heap if self._live(entry)]
            heapq.heapify(heap)

    def _live(self, entry: _Entry) -> bool:
        return self._watched.get(entry[2]) is entry

    async def run(self) -> None:
        """Keep the alarms, for ever."""
        while True:
            deadline = self._settle(trio.current_time())
            self._earlier = trio.Event()
            with trio.CancelScope(deadline=deadline):
                await self._earlier.wait()

    def _settle(self, now: float) -> float:
        """Let what is due expire or move; says when to look again."""
        heap = self._heap
        while heap and (heap[0][0] <= now or not self._live(heap[0])):
            entry = heapq.heappop(heap)
            if self._live(entry):
                self._ring(entry[2], now)
        return heap[0][0] if heap else math.inf

    def _ring(self, watched: Watched, now: float) -> None:
        moved = watched.due()
        if moved <= now:
            self.forget(watched)
            watched.expire(now - moved)
        elif moved < math.inf:
            self._push(watched, moved)
        else:
            self._watched[watched] = None
