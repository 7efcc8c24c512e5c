"""One timer for all streams.

A stream's alarm moves with every event, a timer's entry does not: an entry that comes due asks its stream when the alarm is now and, as
a rule, only moves itself.  So an event costs an attribute write, and there is one waiting task for any number of streams.
"""

import heapq
import math
from itertools import count
from typing import Protocol

import trio


class Watched(Protocol):
    """Whoever has an alarm."""

    def due(self) -> float:
        """When the alarm is now, on trio's clock; infinity for never."""
        ...

    def expire(self) -> None:
        """The alarm is over; called once, outside of any task of the watched."""
        ...


class Timers:
    """The alarms of many streams, kept by the one task that runs `run`."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Watched]] = []
        self._watched: dict[Watched, float] = {}
        self._order = count()
        self._earlier = trio.Event()

    def watch(self, watched: Watched) -> None:
        """Keep this alarm; call again when it may have moved nearer, never for one that moved away."""
        due = watched.due()
        if due < self._watched.get(watched, math.inf):
            self._push(watched, due)
        else:
            self._watched.setdefault(watched, math.inf)

    def forget(self, watched: Watched) -> None:
        """Stop keeping this alarm."""
        self._watched.pop(watched, None)

    def __len__(self) -> int:
        return len(self._watched)

    def _push(self, watched: Watched, due: float) -> None:
        self._watched[watched] = due
        if not self._heap or due < self._heap[0][0]:
            self._earlier.set()
        heapq.heappush(self._heap, (due, next(self._order), watched))

    async def run(self) -> None:
        """Keep the alarms, for ever."""
        while True:
            self._earlier = trio.Event()
            with trio.CancelScope(deadline=self._settle(trio.current_time())):
                await self._earlier.wait()

    def _settle(self, now: float) -> float:
        """Let what is due expire or move; says when to look again."""
        heap = self._heap
        while heap and (heap[0][0] <= now or self._stale()):
            due, _, watched = heapq.heappop(heap)
            if self._watched.get(watched) != due:
                continue
            moved = watched.due()
            if moved <= now:
                self.forget(watched)
                watched.expire()
            elif moved < math.inf:
                self._push(watched, moved)
            else:
                self._watched[watched] = math.inf
        return heap[0][0] if heap else math.inf

    def _stale(self) -> bool:
        due, _, watched = self._heap[0]
        return self._watched.get(watched) != due
