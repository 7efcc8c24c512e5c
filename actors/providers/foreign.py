"""A client we do not know as a route: any async generator of text or deltas, and any plain async function.

`open_streams(providers={"mine": from_deltas(chat)})` makes `mine:any-model` a route like every other: retried, switched
away from, timed, cancelled. What the client raises is classified like everything else, and what is no weather is a bug.

The one rule: the client's end is its own terminal event (P7). It answered completely when its generator ended or its
function returned; so a client that ends silently where its connection broke has to be made to raise.
"""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import Protocol, TypeAlias, cast

from actors.deltas import Delta, Finish, Finished, FinishReason, TextDelta, ToolCallStarted
from actors.request import Request
from actors.route import Route
from actors.source import Provider, Source

Generates: TypeAlias = Callable[[Request, Route], AsyncIterator[Delta | str]]
Calls: TypeAlias = Callable[[Request, Route], Awaitable[str | Sequence[Delta]]]


class _Closable(Protocol):
    async def aclose(self) -> object: ...


def from_deltas(generates: Generates) -> Provider:
    """A provider out of an async generator function `(request, route)` that yields text or deltas as they come.

    A string is text of part 0; who gives several parts yields deltas that number them, and closes a tool call with
    `PartEnded`. A `Finished` ends the answer; where none comes, the generator's end does. The generator runs in the task of
    its attempt and is closed with it, cancelled or not.
    """
    if inspect.iscoroutinefunction(generates):
        raise TypeError(f"{generates!r} gives its answer at once: make a provider of it with from_call")
    return GeneratingProvider(generates)


def from_call(calls: Calls) -> Provider:
    """A provider out of an async function `(request, route)` that returns its answer at once, a text or deltas.

    The deltas are as for `from_deltas`. Its routes are buffered ones: nothing is heard before everything is, so the clock
    for buffered answers holds.
    """
    if inspect.isasyncgenfunction(calls):
        raise TypeError(f"{calls!r} yields its answer piece by piece: make a provider of it with from_deltas")
    return CallingProvider(calls)


class GeneratingProvider:
    """Answers with what a generator yields."""

    def __init__(self, generates: Generates) -> None:
        self._generates = generates

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Make the generator, which begins with the first `receive`."""
        said = self._generates(request, route)
        async with aclosing(cast("_Closable", said)) if hasattr(said, "aclose") else nullcontext():
            yield ForeignSource(said)


class CallingProvider:
    """Answers with what a function returns."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Get ready for the call, which begins with the first `receive`."""
        async with aclosing(self._pieces(request, route)) as said:
            yield ForeignSource(said)

    async def _pieces(self, request: Request, route: Route) -> AsyncGenerator[Delta | str]:
        whole = await self._calls(request, route)
        for piece in [whole] if isinstance(whole, str) else whole:
            yield piece


class ForeignSource:
    """The answer of a foreign client, ended where the client left its end unsaid."""

    request_id = ""

    def __init__(self, said: AsyncIterator[Delta | str]) -> None:
        self._said = said
        self._reason = FinishReason.STOP
        self._finished = False

    async def receive(self) -> Sequence[Delta] | None:
        """The next piece, `None` after the last; raises what the client raised, and `TypeError` for what is no piece."""
        if self._finished:
            return None
        delta = await self._next()
        if isinstance(delta, ToolCallStarted):
            self._reason = FinishReason.TOOL_CALLS
        self._finished = isinstance(delta, Finished)
        return [delta]

    async def _next(self) -> Delta:
        try:
            piece = await anext(self._said)
        except StopAsyncIteration:
            return Finished(Finish(self._reason, releases=True))
        if isinstance(piece, str):
            return TextDelta(piece)
        if not isinstance(piece, Delta):  # pyright: ignore[reportUnnecessaryIsInstance] -- nobody has checked the client
            raise TypeError(f"a foreign client gave {piece!r}, which is neither text nor a delta")
        return piece
