"""A trio run that a synchronous test steps: what it asks is done to the end, in one thread, on a mock clock."""

import collections
import time

import outcome
import trio
from trio.testing import MockClock


class Guest:
    """`run(function, *args)` from anywhere; `close()` at the end raises what the run raised."""

    def __init__(self):
        self._ticks = collections.deque()
        self._send = self._ended = None
        self.nursery = None
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._ticks.append,
            done_callback=lambda end: setattr(self, "_ended", end),
            clock=MockClock(autojump_threshold=0),
            host_uses_signal_set_wakeup_fd=True,
            restrict_keyboard_interrupt_to_checkpoints=True,
        )
        self._until(lambda: self._send is not None)

    async def _main(self):
        self._send, calls = trio.open_memory_channel(1)
        async with trio.open_nursery() as self.nursery:
            async for function, args, box in calls:
                box.append(await outcome.acapture(function, *args))
            self.nursery.cancel_scope.cancel()

    def _until(self, true):
        while not true() and self._ended is None:
            if self._ticks:
                self._ticks.popleft()()
            else:
                time.sleep(0)  # the thread that polls for the guest has not answered yet

    def run(self, function, *args):
        box = []
        self._send.send_nowait((function, args, box))
        self._until(lambda: box)
        return (box[0] if box else self._ended).unwrap()

    def close(self):
        if self._ended is None:
            self._send.close()
            self._until(lambda: False)
        self._ended.unwrap()
