"""What Ctrl-C means: once, stop in order and keep every partial; twice, leave at once.

The handler is a plain signal handler, not a task, so the second Ctrl-C is obeyed even when the event loop is stuck.
"""

import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Self

import trio

_STOPS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = b"\x1b[?25h\n"


class Interrupts:
    """While in the block, the first signal cancels `scope`; `received` is its number, or `None`."""

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        self.received: int | None = None
        self._token = trio.lowlevel.current_trio_token()
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in _STOPS:
            self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType] -- what signal() gave, it takes back

    def _arrived(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- the shape of a handler
        if self.received is not None:
            _leave(number)
        self.received = number
        self._token.run_sync_soon(self.stop)

    def stop(self) -> None:
        """Cancel what runs in `scope`."""
        self.scope.cancel(reason="interrupted")


def _leave(number: int) -> None:
    """Die of the signal, as whoever started this program expects; the terminal gets its cursor back."""
    if sys.stderr.isatty():
        os.write(2, _SHOW_CURSOR)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
