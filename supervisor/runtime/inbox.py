"""The loop's post box: what to call next, with which arguments.

Any task of the same event loop may post, without waiting; one task takes. Posting to a sleeping loop wakes it once.
"""

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any, ParamSpec

import trio
from trio.lowlevel import Abort

P = ParamSpec("P")

BATCH = 64
"""Posts taken, and children cancelled, between two checkpoints: bounds how long the loop keeps others waiting."""


class Inbox:
    """A queue of calls and the one task that waits for them."""

    __slots__ = ("_calls", "_reader")

    def __init__(self) -> None:
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._reader: trio.lowlevel.Task | None = None

    def __len__(self) -> int:
        return len(self._calls)

    def post(self, call: Callable[P, None], *args: P.args, **_: P.kwargs) -> None:
        """Have the loop make this call, after those posted before."""
        self._calls.append((call, args))
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

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
