"""What every provider must do, as checks that anyone can put a provider of his own through: `await failures(provider, route)`.

A check asks for the answer to "hello" on the route, several times, and raises `AssertionError` where the provider does not keep its side.  The
one rule: nothing is asked of a provider but what the stream layer relies on.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import trio

from actors.config import Settings
from actors.deltas import Delta, Finished, TextDelta
from actors.ladder import Ladder
from actors.policy.assemble import Assembly
from actors.policy.brakes import Brakes
from actors.request import Request
from actors.route import Route
from actors.source import Provider
from actors.streams import open_streams

__all__ = [
    "a_cancel_passes_through_at_every_event",
    "after_the_end_there_is_nothing",
    "an_answer_has_text_and_ends_once_and_last",
    "answers_after_one_another_are_alike",
    "answers_at_once_do_not_mix",
    "failures",
    "it_can_be_supervised",
    "its_deltas_fit_together",
    "its_name_for_a_request_is_text",
    "one_piece_says_what_the_stream_says",
    "who_leaves_early_is_not_held",
]

PATIENCE = 60.0
"""Seconds for one check."""

AT_ONCE = 1.0
"""Seconds within which a cancel, or leaving the block, is over."""

_HELLO = Request("hello")

Check: TypeAlias = Callable[[Provider, Route], Awaitable[None]]


async def _deltas(provider: Provider, route: Route) -> list[Delta]:
    found: list[Delta] = []
    async with provider.open(_HELLO, route) as source:
        while (some := await source.receive()) is not None:
            found += some
    return found


async def _text(provider: Provider, route: Route) -> str:
    return "".join(delta.text for delta in await _deltas(provider, route) if isinstance(delta, TextDelta))


async def an_answer_has_text_and_ends_once_and_last(provider: Provider, route: Route) -> None:
    """One `Finished`, behind everything else, and text before it."""
    found = await _deltas(provider, route)
    assert [type(delta) for delta in found].count(Finished) == 1
    assert isinstance(found[-1], Finished)
    assert any(isinstance(delta, TextDelta) and delta.text for delta in found)


async def after_the_end_there_is_nothing(provider: Provider, route: Route) -> None:
    """`receive` gives `None` again and again."""
    async with provider.open(_HELLO, route) as source:
        while await source.receive() is not None:
            pass
        assert await source.receive() is None


async def its_deltas_fit_together(provider: Provider, route: Route) -> None:
    """Nothing is added to a part that ended, no index is used for two kinds of parts."""
    assembly = Assembly()
    for delta in await _deltas(provider, route):
        assembly.add(delta)
    assert assembly.parts


async def one_piece_says_what_the_stream_says(provider: Provider, route: Route) -> None:
    """Both modes give the same text."""
    assert await _text(provider, route.buffered) == await _text(provider, route) != ""


async def answers_at_once_do_not_mix(provider: Provider, route: Route) -> None:
    """Three attempts side by side: each has a source of its own."""
    said: list[str] = []

    async def ask() -> None:
        said.append(await _text(provider, route))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
    assert len(set(said)) == 1
    assert all(said)


async def answers_after_one_another_are_alike(provider: Provider, route: Route) -> None:
    """An attempt leaves nothing behind that changes the next."""
    assert len({await _text(provider, route) for _ in range(3)}) == 1


async def who_leaves_early_is_not_held(provider: Provider, route: Route) -> None:
    """Leaving the block waits for nothing that may not come."""
    began = trio.current_time()
    async with provider.open(_HELLO, route) as source:
        await source.receive()
    assert trio.current_time() - began < AT_ONCE
    assert await _text(provider, route)


async def a_cancel_passes_through_at_every_event(provider: Provider, route: Route) -> None:
    """Cancelled before the first event, after the first and so on to the last: the cancel is seen at once and not swallowed."""
    events = await _receives(provider, route)
    for at in range(events):
        began = trio.current_time()
        with trio.CancelScope() as scope:
            async with provider.open(_HELLO, route) as source:
                for _ in range(at):
                    await source.receive()
                scope.cancel()
                while await source.receive() is not None:
                    pass
        assert scope.cancelled_caught
        assert trio.current_time() - began < AT_ONCE + at


async def _receives(provider: Provider, route: Route) -> int:
    count = 1
    async with provider.open(_HELLO, route) as source:
        while await source.receive() is not None:
            count += 1
    return count


async def its_name_for_a_request_is_text(provider: Provider, route: Route) -> None:
    """`request_id` is a text, empty where there is none."""
    async with provider.open(_HELLO, route) as source:
        assert isinstance(source.request_id, str)


async def it_can_be_supervised(provider: Provider, route: Route) -> None:
    """A stream on it completes, with text."""
    providers = {route.provider: provider}
    settings = Settings.read({})
    async with open_streams(settings=settings, providers=providers, brakes=Brakes(None, None)) as streams:
        outcome = await streams.ask(_HELLO, Ladder(route))
    assert outcome.completed
    assert outcome.text


CHECKS: tuple[Check, ...] = (
    an_answer_has_text_and_ends_once_and_last,
    after_the_end_there_is_nothing,
    its_deltas_fit_together,
    one_piece_says_what_the_stream_says,
    answers_at_once_do_not_mix,
    answers_after_one_another_are_alike,
    who_leaves_early_is_not_held,
    a_cancel_passes_through_at_every_event,
    its_name_for_a_request_is_text,
    it_can_be_supervised,
)
"""What must hold, in the order in which a new provider comes to hold it."""


async def failures(provider: Provider, route: Route) -> list[str]:
    """The names of the checks that a provider fails; one that takes a minute has failed too."""
    failed: list[str] = []
    for check in CHECKS:
        try:
            with trio.fail_after(PATIENCE):
                await check(provider, route)
        except Exception:  # noqa: BLE001 -- whatever a broken provider raises, the check has failed
            failed.append(getattr(check, "__name__", ""))
    return failed
