"""All deadlines of one supervisor in one heap, so that it needs a single timer.

Each slot has at most one alarm; setting another or clearing it makes the old entry stale, and stale entries never ring.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from math import inf

from supervisor.runtime.slot import Slot

_SLACK = 64


class Alarms:
    """Slots by the time at which they want attention."""

    __slots__ = ("_heap", "_sequence", "_set")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Slot]] = []
        self._sequence = 0
        self._set = 0

    def set(self, slot: Slot, at: float) -> None:
        """Ring for `slot` at `at`, instead of any alarm it had; inf never rings."""
        self.clear(slot)
        if at == inf:
            return
        self._sequence += 1
        self._set += 1
        slot.alarm = self._sequence
        heappush(self._heap, (at, self._sequence, slot))
        if len(self._heap) > 2 * self._set + _SLACK:
            self._heap = [entry for entry in self._heap if entry[2].alarm == entry[1]]
            heapify(self._heap)

    def clear(self, slot: Slot) -> None:
        """Forget the alarm of `slot`."""
        if slot.alarm:
            slot.alarm = 0
            self._set -= 1

    def next(self) -> float:
        """When the next alarm rings; inf without one."""
        while self._heap and self._heap[0][2].alarm != self._heap[0][1]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else inf

    def due(self, now: float, most: int) -> Iterator[Slot]:
        """The slots whose alarms ring by `now`, at most so many of them, earliest first; their alarms are cleared."""
        for _ in range(most):
            if self.next() > now:
                return
            slot = heappop(self._heap)[2]
            self.clear(slot)
            yield slot
