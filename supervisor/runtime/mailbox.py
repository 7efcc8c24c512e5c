"""A bounded mailbox with two lanes, and the calls that travel in it.

It belongs to a child's reference: what waits in it survives a restart, and only the message in hand is lost with its incarnation. Putting and
taking avoid the scheduler as long as they can; every sixty-fourth message taken in a row lets others run.
"""

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Self

import trio
from trio.lowlevel import Abort

from supervisor.errors import CalleeDied, ChildDown, MailboxFull
from supervisor.exits import Exit, Leave
from supervisor.spec import Bounds, Overflow

FAIRNESS = 64
"""Messages taken in a row before others get their turn."""

_NOTHING: deque[Any] = deque(maxlen=0)


class Call:
    """A message whose sender waits for an answer. The first of `reply` and `fail` counts; those that come too late are dropped."""

    __slots__ = ("_error", "_taken", "_task", "_value", "answered", "message")
    __match_args__ = ("message",)

    def __init__(self, message: Any) -> None:
        self.message = message
        self.answered = False
        self._value: Any = None
        self._error: Exception | None = None
        self._task: trio.lowlevel.Task | None = None
        self._taken: set[Call] | None = None

    def __repr__(self) -> str:
        return f"Call({self.message!r})"

    def reply(self, value: Any = None) -> None:
        """Give the sender its answer."""
        if not self.answered:
            self._value = value
            self._settle()

    def fail(self, error: Exception) -> None:
        """Have `error` raised at the sender."""
        if not self.answered:
            self._error = error
            self._settle()

    def _settle(self) -> None:
        self.answered = True
        if self._taken is not None:
            self._taken.discard(self)
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None

    def take_into(self, taken: "set[Call]") -> None:
        """Be in the hands of an incarnation, until answered."""
        self._taken = taken
        taken.add(self)

    async def answer(self) -> Any:
        """Wait for the answer. When the wait is cancelled, any answer is too late."""

        def abort(_: object) -> Abort:
            self._task = None
            self.reply()
            return Abort.SUCCEEDED

        if not self.answered:
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(abort)
        if self._error is not None:
            raise self._error
        return self._value


class Mailbox:
    """Messages in the order they came, the urgent ones first.

    A child with `mailbox=Bounds(...)` gets it as keyword `mailbox`, and takes from it with `async for message in mailbox` or `await
    mailbox.receive()`; what was sent by `ask` arrives as a `Call`. `peak` is its greatest depth so far, `dropped` the messages it gave up.
    """

    __slots__ = (
        "_bounds",
        "_down",
        "_granted",
        "_name",
        "_queue",
        "_reader",
        "_row",
        "_senders",
        "_taken",
        "_urgent",
        "dropped",
        "lost",
        "peak",
        "when_lost",
    )

    def __init__(self, name: str, bounds: Bounds) -> None:
        self.dropped = 0
        self.peak = 0
        self.lost = 0  # dropped, or refused for want of room
        self.when_lost: Callable[[str], object] | None = None
        self._name = name
        self._bounds = bounds
        self._queue: deque[Any] = _NOTHING  # a lane is made when it is needed: an idle actor has none
        self._urgent: deque[Any] = _NOTHING
        self._reader: trio.lowlevel.Task | None = None
        self._senders: trio.lowlevel.ParkingLot | None = None
        self._granted = 0  # places kept for senders that were woken and have not run yet
        self._taken: set[Call] | None = None
        self._row = 0
        self._down: Exit | None = None

    def __len__(self) -> int:
        return len(self._queue) + len(self._urgent)

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        return self.receive()

    def put_nowait(self, message: Any, *, urgent: bool = False) -> None:
        """Add a message. An urgent one overtakes the others and always finds room.

        Raises:
            ChildDown: The child has ended for good.
            MailboxFull: There is no room, and the overflow policy drops nothing.
        """
        if self._down is not None:
            raise ChildDown(self._name, self._down)
        if urgent:
            if self._urgent is _NOTHING:
                self._urgent = deque()
            self._urgent.append(message)
            self._wake()
        elif self._has_room() or self._made_room(message):
            self._append(message)

    async def put(self, message: Any) -> None:
        """Add a message, and wait for room under `Overflow.WAIT`; senders that wait are served in order."""
        if self._bounds.overflow is not Overflow.WAIT or self._down is not None or self._has_room():
            self.put_nowait(message)
            return
        self._senders = self._senders or trio.lowlevel.ParkingLot()
        await self._senders.park()
        self._granted -= 1
        if self._down is not None:
            raise ChildDown(self._name, self._down)
        self._append(message)

    async def receive(self) -> Any:
        """The next message, the urgent ones first.

        Raises:
            trio.BusyResourceError: Another task receives already.
        """
        self._row += 1
        if self._row >= FAIRNESS:
            self._row = 0
            await trio.lowlevel.checkpoint()
        while True:
            while not self._urgent and not self._queue:
                self._sit_down()
                await trio.lowlevel.wait_task_rescheduled(self._stand_up)
            message = self._urgent.popleft() if self._urgent else self._queue.popleft()
            if self._senders:
                self._grant()
            if type(message) is not Call:
                return message
            if not message.answered:
                self._taken = self._taken or set()
                message.take_into(self._taken)
                return message

    def life_ended(self, end: Exit) -> None:
        """The incarnation is gone: calls in its hands have no answer; with `fresh`, nor has what waits."""
        for call in tuple(self._taken or ()):
            call.fail(CalleeDied(self._name, end))
        if self._bounds.fresh:
            self._clear(lambda: CalleeDied(self._name, end))
        elif self._urgent:
            self._urgent = deque(message for message in self._urgent if type(message) is not Leave)

    def close(self, end: Exit) -> None:
        """The child has ended for good: nothing is taken in any more."""
        self._down = end
        self._clear(lambda: ChildDown(self._name, end))

    def open(self) -> None:
        """The child is wanted again."""
        self._down = None

    @property
    def capacity(self) -> int:
        """How many messages it holds."""
        return self._bounds.capacity

    def rebound(self, bounds: Bounds) -> None:
        """Other bounds from now on; what waits stays, also where it is more."""
        self._bounds = bounds
        self._grant()

    def _append(self, message: Any) -> None:
        if self._queue is _NOTHING:
            self._queue = deque()
        self._queue.append(message)
        self.peak = max(self.peak, len(self._queue))
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

    def _has_room(self) -> bool:
        return len(self._queue) + self._granted < self._bounds.capacity

    def _grant(self) -> None:
        while self._senders and (self._has_room() or self._down is not None):
            self._senders.unpark()
            self._granted += 1

    def _clear(self, error: Callable[[], Exception]) -> None:
        for message in (*self._urgent, *self._queue):
            self._drop(message, error())
        self._urgent, self._queue = _NOTHING, _NOTHING
        self._grant()

    def _made_room(self, message: Any) -> bool:
        self.lost += 1
        if self.when_lost is not None and not self.lost & (self.lost - 1):  # a power of two
            self.when_lost(self._name)
        match self._bounds.overflow:
            case Overflow.DROP_OLDEST:
                self._drop(self._queue.popleft(), MailboxFull(self._name, self._bounds.capacity))
                return True
            case Overflow.DROP_NEWEST:
                self._drop(message, MailboxFull(self._name, self._bounds.capacity))
                return False
            case Overflow.WAIT | Overflow.REJECT:
                raise MailboxFull(self._name, self._bounds.capacity)

    def _drop(self, message: Any, error: Exception) -> None:
        self.dropped += 1
        if isinstance(message, Call):
            message.fail(error)

    def _sit_down(self) -> None:
        if self._reader is not None:
            raise trio.BusyResourceError("another task receives from this mailbox already")
        self._reader = trio.lowlevel.current_task()
        self._row = 0

    def _stand_up(self, _: object) -> Abort:
        self._reader = None
        return Abort.SUCCEEDED
