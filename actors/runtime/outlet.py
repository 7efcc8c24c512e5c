"""The bounded way from the task that reads an answer to the one that consumes it.

One writer, one reader, nowait first: an event costs no trip through the scheduler unless somebody has to wait.  A full outlet blocks the
writer, so a slow consumer slows the provider, not the heap (P10).  Seams are never refused: they are few, and must not wait.  A second
task that would wait beside the first is refused: it would take events away from it.
"""

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

import trio

from actors.errors import StreamClosed

T = TypeVar("T")

CAPACITY = 256
"""Events an outlet holds before its writer waits."""

_FAIR = 64
"""Events a reader may take in a row before it lets others run."""


class Outlet(Generic[T]):
    """A bounded queue of events between two tasks."""

    __slots__ = ("_buffer", "_capacity", "_ended", "_reader", "_taken", "_writer")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._buffer: deque[T] = deque()
        self._capacity = capacity
        self._ended = False
        self._taken = 0
        self._reader: trio.lowlevel.Task | None = None
        self._writer: trio.lowlevel.Task | None = None

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def full(self) -> bool:
        """Whether the writer has to wait."""
        return len(self._buffer) >= self._capacity

    def push(self, event: T) -> None:
        """Add an event without waiting, also to a full outlet; the writer checks `full` and waits for `room` itself."""
        self._buffer.append(event)
        self._wake_reader()

    def push_all(self, events: Iterable[T]) -> None:
        """Add several events without waiting."""
        self._buffer.extend(events)
        self._wake_reader()

    def end(self) -> None:
        """No event will follow; the reader still gets what is there."""
        self._ended = True
        self._wake_reader()

    async def room(self) -> None:
        """Wait, where the outlet is full, until half of it was taken; raises `StreamClosed` beside another waiting writer."""
        if self.full:
            _check_alone(self._writer, "is written")
            self._writer = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._leave_writing)

    async def take(self) -> T:
        """The next event; raises `StopAsyncIteration` after the last one, `StreamClosed` while another task waits for it."""
        buffer = self._buffer
        self._taken += 1
        if self._taken > _FAIR:
            self._taken = 1
            await trio.lowlevel.checkpoint()
        while not buffer:
            if self._ended:
                await trio.lowlevel.checkpoint()
                raise StopAsyncIteration
            _check_alone(self._reader, "is read")
            self._taken = 1
            self._reader = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._leave_reading)
        event = buffer.popleft()
        if self._writer is not None and len(buffer) * 2 <= self._capacity:
            self._wake_writer()
        return event

    def _wake_reader(self) -> None:
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

    def _wake_writer(self) -> None:
        if self._writer is not None:
            trio.lowlevel.reschedule(self._writer)
            self._writer = None

    def _leave_reading(self, _: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _leave_writing(self, _: object) -> trio.lowlevel.Abort:
        self._writer = None
        return trio.lowlevel.Abort.SUCCEEDED


def _check_alone(waiting: trio.lowlevel.Task | None, what: str) -> None:
    if waiting is not None:
        message = f"the stream {what} by two tasks at once ({waiting.name} waits already): let one task do it"
        raise StreamClosed(message)
