"""A place in the tree: the spec, and what the loop knows of its child. Only the loop writes it."""

from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, Generic, Protocol, TypeVar

import trio

from supervisor.exits import Exit, Past
from supervisor.lifecycle import State
from supervisor.policy.response import HISTORY
from supervisor.runtime.mailbox import Mailbox
from supervisor.spec import Child

T = TypeVar("T")


class Life(Protocol):
    """What a slot and those who act on it know of an incarnation."""

    generation: int
    variant: Any
    rung: int
    task: trio.lowlevel.Task | None
    timed_out: bool
    killed: bool
    killed_at: float
    subtrees: tuple[Any, ...]

    @property
    def cancelled(self) -> bool:
        """Whether it was told to stop by more than words."""
        ...

    def ask_to_leave(self, reason: str) -> None:
        """Tell it to stop, by words."""
        ...

    def stop(self, reason: str) -> None:
        """Cancel it, with grace."""
        ...

    def kill(self) -> None:
        """End its grace."""
        ...


class OneShot(Generic[T]):
    """A value that comes once, and those who wait for it."""

    __slots__ = ("_event", "_value")

    def __init__(self) -> None:
        self._event = trio.Event()
        self._value: T | None = None

    def set(self, value: T) -> None:
        """Give the value; later ones fall on the floor."""
        if not self._event.is_set():
            self._value = value
            self._event.set()

    async def wait(self) -> T:
        """The value, once it is there."""
        await self._event.wait()
        return self._value  # pyright: ignore[reportReturnType] - set before the event


class Slot:
    """What the loop knows of one child; see `State` for where it can stand."""

    __slots__ = (
        "alarm",
        "asked",
        "context",
        "crashes",
        "doomed",
        "dynamic",
        "endings",
        "exit",
        "generation",
        "held",
        "incarnation",
        "kept",
        "known",
        "last",
        "mailbox",
        "ordered",
        "parent",
        "passing",
        "past",
        "readiness",
        "restarts",
        "returns",
        "rung",
        "since",
        "spec",
        "state",
        "successor",
        "value",
        "variant",
    )

    def __init__(self, spec: Child, parent: tuple[str, ...], context: Context, *, ordered: bool) -> None:
        self.spec = spec
        self.parent = parent
        self.successor: Child | None = None  # the spec of the next incarnation, where it was replaced
        self.dynamic = False  # added at run time
        self.ordered = ordered  # stops one by one in reverse order; else together with its like
        self.context = context  # of whoever started it; every incarnation runs in a copy
        self.state = State.WAITING
        self.asked = True  # by boot or by a person, and not ready since: a failed start is told, not repeated
        self.known = False  # was ready once: a child that never was is not kept
        self.passing = False  # one of thousands: forgotten when it has ended for good
        self.held = False  # stopped on purpose
        self.doomed = False  # its stop is planned: an exit before that is part of it
        self.returns = False  # it starts again once it has stopped
        self.incarnation: Life | None = None
        self.generation = 0
        self.variant = spec.variant
        self.rung = 0
        self.restarts = 0
        self.crashes = 0
        self.since = 0.0
        self.alarm = 0
        self.value: Any = None
        self.last: Exit | None = None
        self.past: deque[Past] | None = None
        self.exit: Exit | None = None
        self.mailbox = Mailbox(spec.id, spec.mailbox) if spec.mailbox is not None else None
        self.kept: dict[object, Any] | None = None
        self.endings: dict[object, Callable[[Exit], object]] | None = None
        self.readiness: list[OneShot[Exit | None]] | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The ids from the root down to this child."""
        return (*self.parent, self.spec.id)

    def remember(self, incarnation: Life, end: Exit, now: float) -> None:
        """Take the end of an incarnation, and what a policy will ask about it into the bounded history."""
        self.incarnation = None
        self.last = end
        if self.mailbox is not None:
            self.mailbox.life_ended(end)
        if self.spec.respond is None:
            return
        if self.past is None:
            self.past = deque(maxlen=HISTORY)
        value = end.value if end.kind.abnormal else None
        self.past.append(
            Past(incarnation.generation, incarnation.variant, incarnation.rung, end.kind, value, self.since, now)
        )

    def begin_anew(self) -> None:
        """Forget how it went so far: a person wants it up."""
        self.asked, self.held = True, False
        self.variant, self.rung, self.crashes, self.past = self.spec.variant, 0, 0, None

    def renew(self) -> None:
        """Take the spec that replaces the present one, if there is one."""
        if self.successor is None:
            return
        self.spec, self.successor = self.successor, None
        self.variant, self.rung, self.crashes = self.spec.variant, 0, 0
        if self.mailbox is not None and self.spec.mailbox is not None:
            self.mailbox.rebound(self.spec.mailbox)

    def on_ready(self, reply: "OneShot[Exit | None]") -> None:
        """Tell `reply` when the child is ready (None), or that it will not be (its exit)."""
        self.readiness = self.readiness or []
        self.readiness.append(reply)

    def tell_readiness(self, end: Exit | None) -> None:
        """Answer those who wait for the child to be ready."""
        replies, self.readiness = self.readiness, None
        for reply in replies or ():
            reply.set(end)

    def reopen(self) -> None:
        """It comes back after all."""
        self.exit = None
        if self.mailbox is not None:
            self.mailbox.open()

    def settle(self, end: Exit) -> tuple[Callable[[Exit], object], ...]:
        """The child does not come back: tell those who wait for it, and give those who are still to be told."""
        self.exit = end
        self.tell_readiness(end)
        if self.mailbox is not None:
            self.mailbox.close(end)
        endings, self.endings = self.endings, None
        return tuple((endings or {}).values())

    def on_end(self, tell: Callable[[Exit], object], ticket: object = None) -> Callable[[], None]:
        """Have `tell` called once the child does not come back by itself, at once if so; the result takes that back.

        Of several under one `ticket` only the last is called.
        """
        if self.exit is not None:
            tell(self.exit)
            return lambda: None
        self.endings = self.endings or {}
        ticket = ticket or object()
        self.endings[ticket] = tell
        return lambda: self._forget_ending(ticket)

    def _forget_ending(self, ticket: object) -> None:
        if self.endings is not None:
            self.endings.pop(ticket, None)

    def keep(self, key: object, factory: Callable[[], T]) -> T:
        """The object kept under `key`, made on the first call."""
        if self.kept is None:
            self.kept = {}
        if key not in self.kept:
            self.kept[key] = factory()
        return self.kept[key]
