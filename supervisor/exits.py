"""How an incarnation ended, as values that can be kept for ever.

An `Exit` never holds a live frame or an exception: a crash is kept as a `CrashSummary`, so a million of them cost what a million short
strings cost, and two runs of one seed write the same text.
"""

import re
from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Any

import attrs

MESSAGE_LIMIT = 300
"""Characters kept of an exception's message."""

FRAME_LIMIT = 12
"""Innermost frames kept of a crash."""

_ADDRESS = re.compile(r" (?:object )?at 0x[0-9a-fA-F]+")


def plain(value: object) -> str:
    """A value as short text without addresses, the same in every run."""
    return _ADDRESS.sub("", str(value))[:MESSAGE_LIMIT]


class Fault(Exception):
    """Weather: a classified failure of the outside world, raised by a child to end its incarnation.

    `value` travels on the `Exit`; the child's `respond` policy decides how it goes on. Without a policy a fault is treated like a crash.
    """

    def __init__(self, value: object = None) -> None:
        super().__init__(value)
        self.value = value


class Ignore(Exception):
    """Raised by a child that takes `task_status`, before it is ready: it has nothing to do now, and that is no failure.

    The child is down, its spec kept until somebody starts it or its group comes back; that of a temporary child, or of one added with
    `start_soon`, is forgotten. Raised by a child that is ready it is an exception like any other.
    """


class ExitKind(Enum):
    """How an incarnation ended."""

    NORMAL = "normal"
    """its function returned"""
    SHUTDOWN = "shutdown"
    """it was told to stop, and did within its grace"""
    CRASH = "crash"
    """an unexpected exception: a bug"""
    FAULT = "fault"
    """it raised `Fault`: weather"""
    KILLED = "killed"
    """it was told to stop, and its cleanup was cut at the end of grace"""
    GAVE_UP = "gave up"
    """it was a supervisor whose children kept failing"""
    TIMEOUT = "timeout"
    """it was not ready within `start_timeout`"""
    IGNORED = "ignored"
    """it raised `Ignore` before it was ready"""

    @property
    def abnormal(self) -> bool:
        """Whether a `TRANSIENT` child comes back after it."""
        return self not in {ExitKind.NORMAL, ExitKind.SHUTDOWN, ExitKind.IGNORED}


@attrs.frozen
class CrashSummary:
    """What is kept of an exception: its type, its message and where it came from (`file:line in function`, innermost last)."""

    type: str
    message: str
    frames: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: BaseException, redact: Callable[[str], str] = str) -> "CrashSummary":
        """The summary of `error`; addresses are taken out of the message, so that two runs read the same.

        `redact` sees the whole message before it is cut to length.
        """
        return cls(type(error).__qualname__, plain(redact(str(error))), _frames(error.__traceback__))

    @classmethod
    def without_message(cls, error: BaseException) -> "CrashSummary":
        """The summary of an error whose message cannot be read, or not be redacted."""
        return cls(type(error).__qualname__, "", _frames(error.__traceback__))

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


def _frames(traceback: TracebackType | None) -> tuple[str, ...]:
    places: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename}:{traceback.tb_lineno} in {code.co_qualname}")
        traceback = traceback.tb_next
    return tuple(places[-FRAME_LIMIT:])


@attrs.frozen
class Exit:
    """How one incarnation ended.

    `value` is what a normal child returned or what a fault carried; `error` sums up a crash, also one during a stop; `ready` says whether
    the incarnation had become ready before.
    """

    kind: ExitKind
    value: Any = None
    error: CrashSummary | None = None
    ready: bool = True

    def __str__(self) -> str:
        """One line without addresses: the kind, and what is known of the cause."""
        if self.error is not None:
            return f"{self.kind.value} ({self.error})"
        if self.kind is ExitKind.FAULT:
            return f"{self.kind.value} ({plain(self.value)})"
        return self.kind.value


@attrs.frozen
class Leave:
    """The polite message before a cancel, for a child with a mailbox whose spec says `polite`: end what is in hand, and return."""

    reason: str


@attrs.frozen
class Down:
    """The message that a watching actor receives when the child it watches has ended for good."""

    path: tuple[str, ...]
    exit: Exit


@attrs.frozen
class Past:
    """One past incarnation in a child's history; times are of the supervisor's clock, in seconds."""

    generation: int
    variant: Any
    rung: int
    kind: ExitKind
    value: Any
    started: float
    ended: float
