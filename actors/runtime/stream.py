"""One stream as its consumer holds it: a block to be in, events to iterate over, an outcome to read.

Weather never raises out of `async for`: the stream ends and `outcome` says how.  `Cancelled` always passes through, and the outcome is
readable after it.  Leaving the block stops what it opened.
"""

from types import TracebackType
from typing import Protocol, Self

import trio

from actors.deltas import StreamEvent
from actors.errors import StreamClosed
from actors.failure import FailureKind
from actors.outcome import Outcome, Status
from actors.route import Route
from actors.runtime.life import Life
from supervisor import ChildRef, ExitKind, cleanup

GRACE = 5.0
"""Seconds a stream's actor has to release what it holds when it is stopped."""


class Starter(Protocol):
    """Whoever can start the actor of a stream."""

    async def launch(self, life: Life) -> ChildRef:
        """Start the actor; waits where the service is being restarted."""
        ...


class Stream:
    """A stream of events, opened by `streams.open(...)` and used in `async with`."""

    def __init__(self, life: Life, starter: Starter) -> None:
        self._life = life
        self._starter = starter
        self._ref: ChildRef | None = None

    async def __aenter__(self) -> Self:
        life = self._life
        if self._ref is not None or life.outcome is not None:
            message = f"stream {self.name} was opened before: open another one with streams.open(...)"
            raise StreamClosed(message)
        try:
            self._ref = await self._starter.launch(life)
        except trio.Cancelled as error:
            life.leaving = _why(error)
            life.settle(ExitKind.SHUTDOWN)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        life, ref = self._life, self._ref
        if ref is None or life.outcome is not None:
            return
        life.leaving = _why(error)
        ref.cancel(reason="its consumer left")
        with cleanup(GRACE + 1.0):
            await life.ended.wait()
        # Where the actor overstays its grace its supervisor reports it; the consumer gets what there is (P9, P12).
        life.settle(ExitKind.KILLED)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        outlet = self._life.outlet
        if self._ref is None or outlet is None:
            message = "iterate over a stream inside its block: async with streams.open(...) as stream"
            raise StreamClosed(message)
        return await outlet.take()

    async def wait(self) -> Outcome:
        """Wait for the end and give the outcome, beside whoever iterates.

        Where nobody does, a long answer stands still once its outlet is full (P10): for the outcome alone, use `ask`.
        """
        await self._life.ended.wait()
        return self.outcome

    @property
    def outcome(self) -> Outcome:
        """How the stream ended; raises `StreamClosed` while it has not."""
        if self._life.outcome is None:
            message = "the stream has not ended: iterate to its end or leave its block, then read the outcome"
            raise StreamClosed(message)
        return self._life.outcome

    @property
    def partial(self) -> Outcome:
        """The outcome, or what it would be if the stream were interrupted now."""
        return self._life.outcome or self._life.outcome_as(Status.INTERRUPTED, None)

    @property
    def name(self) -> str:
        """The stream's name in the tree."""
        return self._life.order.name

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits that every log line and report of this stream carries."""
        return self._life.order.trace.trace_id

    @property
    def route(self) -> Route:
        """Where the attempt in force runs."""
        return self._life.route

    @property
    def attempt(self) -> int:
        """The number of the attempt in force, from 1; 0 before the first."""
        return self._life.number

    @property
    def resumes_at(self) -> float | None:
        """When the next attempt begins, on trio's clock, while the stream waits for it."""
        return self._life.resumes_at

    def __repr__(self) -> str:
        state = "open" if self._life.outcome is None else self._life.outcome.status.value
        return f"<Stream {self.name} {state} on {self.route} attempt {self.attempt}>"


def _why(error: BaseException | None) -> FailureKind:
    if isinstance(error, BaseExceptionGroup):  # as a nursery in the block raises it
        return _why(next(iter(error.exceptions)))  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType] -- of what, no one knows
    source = getattr(error, "source", None) if isinstance(error, trio.Cancelled) else None
    return FailureKind.DEADLINE if source == "deadline" else FailureKind.CANCELLED
