"""One life of a child: the task that runs its function in a shielded scope and posts how it ended.

Nothing leaves the wrapper but a post: whatever happens inside becomes an `Exit`. Only the supervisor cancels the scope, so an outer
cancellation cannot overtake the order of stops.
"""

from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any, Protocol, TypeVar, TypeVarTuple

import trio

from supervisor.errors import GaveUp, NotAChild
from supervisor.exits import Exit, ExitKind, Fault, Ignore, Leave
from supervisor.runtime.inbox import Inbox
from supervisor.runtime.reports import Reports
from supervisor.runtime.slot import Slot

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


class Subtree(Protocol):
    """A supervisor opened inside an incarnation: when the grace of the one is over, so is that of the other."""

    def hurry(self) -> None:
        """Stop everything at once."""
        ...


class Owner(Protocol):
    """What an incarnation knows of its supervisor."""

    inbox: Inbox
    reports: Reports

    def holds_up(self, slot: Slot, other: Slot) -> bool:
        """Whether the supervisor does nothing more about `other` before `slot` has ended, or is ready."""
        ...

    def have_done(self, call: Callable[[*Ts], None], *args: *Ts) -> None:
        """Have this call made in its turn, which may be now."""
        ...

    def became_ready(self, incarnation: "Incarnation", value: Any) -> None:
        """To be done when the incarnation is ready."""
        ...

    def ended(self, incarnation: "Incarnation", end: Exit, error: BaseException | None) -> None:
        """Posted when the incarnation ended; `error` is the exception itself, for as long as it is needed."""
        ...


class Incarnation:
    """One life of a child. `generation` counts them from 1; `variant` and `rung` are what its policy chose."""

    __slots__ = (
        "_cleanups",
        "_is_ready",
        "_leaving",
        "generation",
        "killed",
        "killed_at",
        "owner",
        "rung",
        "scope",
        "slot",
        "stopping",
        "subtrees",
        "task",
        "timed_out",
        "variant",
    )

    def __init__(self, owner: Owner, slot: Slot) -> None:
        self.owner = owner
        self.slot = slot
        self.generation = slot.generation
        self.variant = slot.variant
        self.rung = slot.rung
        self.scope = trio.CancelScope(
            shield=True
        )  # bounded: the supervisor cancels it, and cuts what is shielded inside
        self.task: trio.lowlevel.Task | None = None
        self.stopping = False
        self.timed_out = False
        self.killed = False
        self.killed_at = 0.0
        self._is_ready = False
        self._leaving: trio.Event | None = None
        self._cleanups: set[trio.CancelScope] | None = None
        self.subtrees: tuple[Any, ...] = ()

    @property
    def id(self) -> str:
        """The id of the child."""
        return self.slot.spec.id

    @property
    def path(self) -> tuple[str, ...]:
        """The ids from the root down to the child."""
        return self.slot.path

    def started(self, value: Any = None) -> None:
        """What a child calls as `task_status.started(value)`: it is ready."""
        if self._is_ready:
            raise RuntimeError("called 'started' twice on the same task status")
        self._is_ready = True
        self.owner.have_done(self.owner.became_ready, self, value)

    @property
    def leaving(self) -> trio.Event:
        """Set when the child is told to stop: with `polite` in its spec it has so many seconds to return before it is cancelled."""
        if self._leaving is None:
            self._leaving = trio.Event()
            if self.stopping:
                self._leaving.set()
        return self._leaving

    def on_end(self, tell: Callable[[Exit], object]) -> Callable[[], None]:
        """Have `tell` called with the child's final exit, once it does not come back by itself; the result takes that back.

        The same callable given again by the next life counts once. What it raises is counted and harms nobody.
        """
        return self.slot.on_end(tell, tell)

    @property
    def cancelled(self) -> bool:
        """Whether it was told to stop by more than words."""
        return self.scope.cancel_called

    def ask_to_leave(self, reason: str) -> None:
        """Tell it to stop, by words: its event, and its mailbox if it has one."""
        self.stopping = True
        if self._leaving is not None:
            self._leaving.set()
        if self.slot.mailbox is not None:
            self.slot.mailbox.put_nowait(Leave(reason), urgent=True)

    def stop(self, reason: str) -> None:
        """Cancel it; its cleanup scopes may go on."""
        self.stopping = True
        if self._leaving is not None:
            self._leaving.set()
        self.scope.cancel(reason)

    def kill(self) -> None:
        """Grace is over: its cleanup scopes are cut, and those it opens from now on are cut at once."""
        self.killed = True
        self.killed_at = trio.current_time()
        for scope in self._cleanups or ():
            scope.shield = False
        for subtree in self.subtrees:
            subtree.hurry()

    def hold(self, scope: trio.CancelScope) -> None:
        """Have `scope` cut when grace is over."""
        scope.shield = not self.killed
        self._cleanups = self._cleanups or set()
        self._cleanups.add(scope)

    def release(self, scope: trio.CancelScope) -> None:
        """Forget a scope that was left."""
        if self._cleanups is not None:
            self._cleanups.discard(scope)

    def adopt(self, subtree: Subtree) -> None:
        """Have `subtree` hurry when grace is over."""
        self.subtrees = (*self.subtrees, subtree)
        if self.killed:
            subtree.hurry()

    def part(self, subtree: Subtree) -> None:
        """Forget a subtree that is gone."""
        self.subtrees = tuple(other for other in self.subtrees if other is not subtree)

    async def live(self) -> None:
        """Run the child's function to its end and post how it ended."""
        _current.set(self)
        value, error = None, None
        try:
            with self.scope:
                self.task = trio.lowlevel.current_task()
                value = await self._begin()
        except BaseException as caught:  # noqa: BLE001 - becomes an Exit; what is no Exception is raised again by the tree
            error = caught
        self.owner.inbox.post(self.owner.ended, self, self._exit(value, error), error)
        # Cycles cut here spare the garbage collector: traceback and frame, task and context.
        del error
        self.task = None

    def _begin(self) -> Awaitable[Any]:
        spec = self.slot.spec
        options: dict[str, Any] = {} if self.variant is None else {"variant": self.variant}
        if self.slot.mailbox is not None:
            options["mailbox"] = self.slot.mailbox
        if spec.announces:
            return spec.run(*spec.args, task_status=self, **options)
        self.started()
        return spec.run(*spec.args, **options)

    def _exit(self, value: Any, error: BaseException | None) -> Exit:
        sole = _sole(error)
        summary = None
        if isinstance(sole, Fault):
            value = sole.value
        elif error is not None and not (isinstance(sole, Ignore) and not self._is_ready):
            summary = self.owner.reports.summary(sole or error)
        kind = self._kind(sole)
        if value is None and summary is None:
            return _PLAIN[kind, self._is_ready]
        return Exit(kind, value, summary, self._is_ready)

    def _kind(self, error: BaseException | None) -> ExitKind:
        if self.stopping:
            told = ExitKind.KILLED if self.killed else ExitKind.SHUTDOWN
            return ExitKind.TIMEOUT if self.timed_out else told
        match error:
            case None:
                return ExitKind.NORMAL
            case Fault():
                return ExitKind.FAULT
            case GaveUp():
                return ExitKind.GAVE_UP
            case Ignore() if not self._is_ready:
                return ExitKind.IGNORED
            case _:
                return ExitKind.CRASH


_PLAIN = {(kind, ready): Exit(kind, ready=ready) for kind in ExitKind for ready in (False, True)}
"""Exits with nothing to tell but their kind: one of each, however many children end so."""

_current: ContextVar[Incarnation | None] = ContextVar("supervisor_incarnation", default=None)


def _sole(error: BaseException | None) -> BaseException | None:
    """The one exception that a group of one holds, however deep; else the exception itself."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType] - of what, no one knows
        error = error.exceptions[0]  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType] - the same
    return error  # pyright: ignore[reportUnknownVariableType] - the same


def enclosing() -> Incarnation | None:
    """The incarnation that the calling task runs in, if any."""
    return _current.get()


def life_of(task: trio.lowlevel.Task) -> Incarnation | None:
    """The incarnation whose task this is."""
    life = task.context.get(_current)
    return life if life is not None and life.task is task else None


def path_below(incarnation: Incarnation | None, name: str | None) -> tuple[str, ...]:
    """The path of a supervisor opened in `incarnation`: that of the child, unless it has a name of its own."""
    if incarnation is None:
        return (name or "root",)
    return (*incarnation.path, name) if name else incarnation.path


def context_for_child() -> Context:
    """The caller's context for every incarnation of a child it starts; without the incarnation that the caller itself runs in, which would
    else be held for as long as the child is known.
    """
    context = copy_context()
    if enclosing() is not None:
        context.run(_current.set, None)
    return context


def current_child() -> Incarnation:
    """The incarnation that the calling task runs in: its id, path, generation, variant and rung.

    Raises:
        NotAChild: The task does not run inside a child.
    """
    incarnation = _current.get()
    if incarnation is None:
        raise NotAChild
    return incarnation


def keep(factory: Callable[[], T], key: object = None) -> T:
    """An object made once for this child and given again after every restart, such as a mailbox.

    Without a `key`, the place where the factory is written tells one object from another.

    Raises:
        NotAChild: The task does not run inside a child.
    """
    return current_child().slot.keep(key or getattr(factory, "__code__", factory), factory)
