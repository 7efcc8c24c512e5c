"""The loop's post box: what to call next, with which arguments.

Any task of the same event loop may post, without waiting; one task takes. Posting to a sleeping loop wakes it once. A call after which the loop
has nothing to do is not worth waking it: whoever has it made makes it in the loop's place, when the loop sleeps and no other call is under way.
"""

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any, TypeVarTuple

import trio
from trio.lowlevel import Abort

Ts = TypeVarTuple("Ts")

BATCH = 64
"""Posts taken, and children cancelled, between two checkpoints: bounds how long the loop keeps others waiting."""


class Inbox:
    """A queue of calls and the one task that waits for them."""

    __slots__ = ("_calls", "_lent", "_reader")

    def __init__(self) -> None:
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._reader: trio.lowlevel.Task | None = None
        self._lent = False  # a call is being made in the reader's place

    def __len__(self) -> int:
        return len(self._calls)

    def post(self, call: Callable[[*Ts], None], *args: *Ts) -> None:
        """Have the loop make this call, after those posted before."""
        self._calls.append((call, args))
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

    @trio.lowlevel.enable_ki_protection
    def make(self, call: Callable[[*Ts], None], *args: *Ts) -> None:
        """Have this call made now if that is its turn, else post it; for calls that leave the loop nothing to do."""
        if self._reader is None or self._calls or self._lent:
            self.post(call, *args)
            return
        self._lent = True
        try:
            call(*args)
        except BaseException as error:  # noqa: BLE001 - the loop's to fail with, as if it had made the call itself
            self.post(_fail, error)
        finally:
            self._lent = False

    def take(self) -> None:
        """Make the oldest call."""
        call, args = self._calls.popleft()
        call(*args)

    async def wait(self, until: float = inf) -> None:
        """Sleep until something is posted or the clock reads `until`; a checkpoint in any case."""
        if self._calls:
            await trio.lowlevel.checkpoint()
        elif until == inf:
            await self._park()
        else:
            with trio.move_on_at(until):
                await self._park()

    async def _park(self) -> None:
        def abort(_: object) -> Abort:
            self._reader = None
            return Abort.SUCCEEDED

        self._reader = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(abort)


def _fail(error: BaseException) -> None:
    raise error
