"""Where lifecycle records go: to the child's `notify`, then to the tree's hook.

Both are called at the moment of the decision. One that raises is counted and never harms the tree; a record that nobody would see is not made.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import trio

from supervisor.exits import CrashSummary
from supervisor.lifecycle import Record
from supervisor.runtime.slot import Slot

T = TypeVar("T")

Hook = Callable[[Record], object]


class Reports:
    """The listeners of one supervisor."""

    __slots__ = ("_path", "_redact", "errors", "hook")

    def __init__(self, hook: Hook | None, path: tuple[str, ...], redact: Callable[[str], str] = str) -> None:
        self.hook = hook
        self.errors = 0
        self._redact = redact
        self._path = path

    def tree(self, kind: Callable[..., Record], *fields: Any) -> None:
        """Report something about the supervisor itself."""
        if self.hook is not None:
            self.call(self.hook, kind(trio.current_time(), self._path, *fields))

    def child(self, slot: Slot, kind: Callable[..., Record], *fields: Any) -> None:
        """Report something about a child."""
        notify = slot.spec.notify
        if notify is None and self.hook is None:
            return
        record = kind(trio.current_time(), slot.path, *fields)
        if notify is not None:
            self.call(notify, record)
        if self.hook is not None:
            self.call(self.hook, record)

    def more(self, record: Record) -> None:
        """Tell the hook what somebody else has to report."""
        if self.hook is not None:
            self.call(self.hook, record)

    def summary(self, error: BaseException) -> CrashSummary:
        """What is kept of an exception, redacted; without its message where that cannot be had."""
        try:
            return CrashSummary.of(error, self._redact)
        except Exception:  # noqa: BLE001 - `__str__` and `redact` are the user's: counted, and the message kept out
            self.errors += 1
            return CrashSummary.without_message(error)

    def call(self, listener: Callable[[T], object], news: T) -> None:
        """Tell a listener; what it raises is counted."""
        try:
            listener(news)
        except Exception:  # noqa: BLE001 - whatever a listener does wrong is not the tree's fault
            self.errors += 1
