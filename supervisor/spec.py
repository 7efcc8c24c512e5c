"""What a child is and what a supervisor is told about it: inert, validated values.

A spec starts nothing. Everything that can be wrong with it is said when it is made, by the name of the field.
"""

import inspect
from collections.abc import Awaitable, Callable
from enum import Enum
from math import inf
from typing import Any, Protocol, TypeGuard

import attrs

from supervisor.errors import BadSpec
from supervisor.exits import Exit, Past
from supervisor.lifecycle import Record


class Restart(Enum):
    """When a child that ended comes back."""

    PERMANENT = "permanent"
    """always"""
    TRANSIENT = "transient"
    """after a failure only"""
    TEMPORARY = "temporary"
    """never; its spec is forgotten when it ends"""


class Strategy(Enum):
    """Which siblings are touched when a child must come back."""

    ONE_FOR_ONE = "one_for_one"
    """none"""
    REST_FOR_ONE = "rest_for_one"
    """those started after it"""
    ONE_FOR_ALL = "one_for_all"
    """all"""


class AutoShutdown(Enum):
    """Whether the tree ends by itself when significant children have ended for good."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    """with the first of them"""
    ALL_SIGNIFICANT = "all_significant"
    """with the last of them"""


@attrs.frozen
class Again:
    """Come back `after` seconds as `variant` (None keeps the present one); `rung` is handed back to the policy next time."""

    after: float = 0.0
    variant: Any = None
    rung: int = 0


@attrs.frozen
class Stop:
    """Do not come back; siblings are not touched."""


@attrs.frozen
class Escalate:
    """The supervisor gives up: this is for its parent to decide."""


Answer = Again | Stop | Escalate

Respond = Callable[[Exit, tuple[Past, ...], Any, float, float], Answer]
"""A response policy: `(exit, history, conditions, now, roll)`, pure. History has the newest last and is bounded."""


class Overflow(Enum):
    """What a full mailbox does with one more message."""

    WAIT = "wait"
    """`send` and `ask` wait for room, `tell` raises"""
    REJECT = "reject"
    """raises"""
    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"


@attrs.frozen
class Bounds:
    """A mailbox: how many messages it holds, what it does when full, and whether a restart empties it (`fresh`, as in OTP)."""

    capacity: int = 1000
    overflow: Overflow = Overflow.WAIT
    fresh: bool = False

    def __attrs_post_init__(self) -> None:
        if not is_whole(self.capacity) or self.capacity < 1:  # pyright: ignore[reportUnnecessaryIsInstance] - not everyone runs a type checker
            raise BadSpec("Bounds", "capacity", self.capacity, "give a whole number from 1")
        if not isinstance(self.overflow, Overflow):  # pyright: ignore[reportUnnecessaryIsInstance] - the same
            raise BadSpec("Bounds", "overflow", self.overflow, "give a member of Overflow")
        if not isinstance(self.fresh, bool):  # pyright: ignore[reportUnnecessaryIsInstance] - the same
            raise BadSpec("Bounds", "fresh", self.fresh, "give True or False")


class Delay(Protocol):
    """The wait before an attempt (the first repetition is 1); `roll` is in [0, 1)."""

    def delay(self, attempt: int, roll: float) -> float:
        """Seconds."""
        ...


def _check_parts(name: str, backoff: object, mailbox: object) -> None:
    if backoff is not None and not callable(getattr(backoff, "delay", None)):
        raise BadSpec(name, "backoff", backoff, "give a Backoff, or None")
    if mailbox is not None and not isinstance(mailbox, Bounds):
        raise BadSpec(name, "mailbox", mailbox, "give Bounds, or None")


def _takes_task_status(run: Callable[..., Any]) -> bool:
    code = getattr(run, "__code__", None)
    if code is not None and not code.co_flags & inspect.CO_VARKEYWORDS:
        return "task_status" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    try:
        return "task_status" in inspect.signature(run).parameters
    except (TypeError, ValueError):
        return False


@attrs.frozen(init=False)
class Child:
    """The specification of a child: the function, its arguments, and how it is to be kept alive.

    `run(*args)` is any trio function. When it takes `task_status`, it is ready once it calls `task_status.started(value)`, else as soon
    as it is first scheduled. `respond` is consulted when it ends with a `Fault`; `backoff` delays its return after crashes. `variant`
    other than None is passed to `run` as keyword `variant`. `notify` receives every lifecycle record of this child, synchronously.
    With `mailbox`, `run` is passed a `Mailbox` as keyword `mailbox`. With `polite`, a child that is ready is first asked to leave: its
    `current_child().leaving` is set, and its mailbox receives `Leave`, urgently.

    Args:
        id: A name unique among siblings.
        run: An async function.
        args: Its positional arguments.
        restart: When it comes back by itself.
        shutdown: Grace in seconds between the request to stop and the end of its cleanup; 0 cuts cleanup at once, inf waits.
        start_timeout: Seconds it may take to become ready.
        significant: Whether its end can end the tree (see `AutoShutdown`).
        polite: Seconds it has to leave by itself before it is cancelled and its grace begins; 0 cancels at once.

    Raises:
        BadSpec: A field has a value that cannot work.
    """

    id: str
    run: Callable[..., Awaitable[Any]]
    args: tuple[Any, ...]
    restart: Restart
    shutdown: float
    start_timeout: float
    significant: bool
    respond: Respond | None
    variant: Any
    notify: Callable[[Record], object] | None
    backoff: Delay | None
    mailbox: Bounds | None
    polite: float
    announces: bool
    """whether `run` takes `task_status`"""

    def __init__(  # noqa: PLR0913 - a spec has the fields that supervision has questions
        self,
        id: str,  # noqa: A002 - OTP's word for it
        run: Callable[..., Awaitable[Any]],
        *args: Any,
        restart: Restart = Restart.PERMANENT,
        shutdown: float = 5.0,
        start_timeout: float = inf,
        significant: bool = False,
        respond: Respond | None = None,
        variant: Any = None,
        notify: Callable[[Record], object] | None = None,
        backoff: Delay | None = None,
        mailbox: Bounds | None = None,
        polite: float = 0.0,
    ) -> None:
        _check(id, run, restart)
        _check_seconds(id, shutdown, start_timeout, polite)
        _check_more(id, restart=restart, significant=significant, calls={"respond": respond, "notify": notify})
        _check_parts(id, backoff, mailbox)
        self.__attrs_init__(  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType] - attrs makes it
            id,
            run,
            args,
            restart,
            float(shutdown),
            float(start_timeout),
            significant,
            respond,
            variant,
            notify,
            backoff,
            mailbox,
            float(polite),
            _takes_task_status(run),
        )


def _check(name: object, run: object, restart: object) -> None:
    if not isinstance(name, str) or not name:
        raise BadSpec(name, "id", name, "give a non-empty string")
    if not callable(run):
        raise BadSpec(name, "run", run, "give an async function")
    if inspect.iscoroutine(run):
        raise BadSpec(name, "run", "a coroutine object", "give the async function itself and its arguments after it")
    if getattr(getattr(run, "__code__", None), "co_flags", 0) & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        raise BadSpec(name, "run", run, "give an async function; a generator does not run by being called")
    if not isinstance(restart, Restart):
        raise BadSpec(name, "restart", restart, "give a member of Restart")


def _check_seconds(name: str, shutdown: object, start_timeout: object, polite: object) -> None:
    if not is_seconds(shutdown) or shutdown < 0:
        raise BadSpec(name, "shutdown", shutdown, "give seconds from 0, or inf")
    if not is_seconds(start_timeout) or start_timeout <= 0:
        raise BadSpec(name, "start_timeout", start_timeout, "give seconds above 0, or inf")
    if not is_seconds(polite) or not 0 <= polite < inf:
        raise BadSpec(name, "polite", polite, "give seconds from 0, and an end to them")


def _check_more(name: str, *, restart: Restart, significant: object, calls: dict[str, object]) -> None:
    if not isinstance(significant, bool):
        raise BadSpec(name, "significant", significant, "give True or False")
    if significant and restart is Restart.PERMANENT:
        raise BadSpec(
            name, "significant", significant, "a permanent child never ends for good: make it transient or temporary"
        )
    for field, call in calls.items():
        check_callable(name, field, call)


def check_callable(name: str, field: str, call: object) -> None:
    """Whether `call` can be called from where nothing is awaited.

    Raises:
        BadSpec: It cannot, or would give a coroutine that nobody runs.
    """
    if call is not None and not callable(call):
        raise BadSpec(name, field, call, "give a callable, or None")
    if call is not None and inspect.iscoroutinefunction(call):
        raise BadSpec(name, field, call, "give a plain function: it is called and not awaited")


def is_whole(value: object) -> TypeGuard[int]:
    """Whether `value` is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_seconds(value: object) -> TypeGuard[float]:
    """Whether `value` is a number that can be a duration: real, and not NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - NaN differs from itself
