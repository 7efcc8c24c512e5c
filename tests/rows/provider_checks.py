"""What every provider must do, as checks that any of them can be put through: `failures(provider, route)` names those it fails.

A check asks for the answer to "hello" on the route and raises `AssertionError` where the provider does not keep its side.
"""

import trio
from rows_world import NO_BRAKES

from actors import Ladder, Request, Settings, open_streams
from actors.deltas import Finished, TextDelta
from actors.policy.assemble import Assembly

HELLO = Request("hello")


async def deltas(provider, route):
    """Everything an answer says, read to its end."""
    found = []
    async with provider.open(HELLO, route) as source:
        while (some := await source.receive()) is not None:
            found += some
    return found


async def text(provider, route):
    return "".join(delta.text for delta in await deltas(provider, route) if isinstance(delta, TextDelta))


async def an_answer_has_text_and_ends_once_and_last(provider, route):
    found = await deltas(provider, route)
    assert [type(delta) for delta in found].count(Finished) == 1
    assert isinstance(found[-1], Finished)
    assert any(isinstance(delta, TextDelta) and delta.text for delta in found)


async def after_the_end_there_is_nothing(provider, route):
    async with provider.open(HELLO, route) as source:
        while await source.receive() is not None:
            pass
        assert await source.receive() is None


async def its_deltas_fit_together(provider, route):
    assembly = Assembly()
    for delta in await deltas(provider, route):
        assembly.add(delta)
    assert assembly.parts


async def one_piece_says_what_the_stream_says(provider, route):
    assert await text(provider, route.buffered) == await text(provider, route) != ""


async def answers_at_once_do_not_mix(provider, route):
    said = []

    async def ask():
        said.append(await text(provider, route))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
    assert len(set(said)) == 1
    assert all(said)


async def answers_after_one_another_are_alike(provider, route):
    assert len({await text(provider, route) for _ in range(3)}) == 1


async def who_leaves_early_is_not_held(provider, route):
    began = trio.current_time()
    async with provider.open(HELLO, route) as source:
        await source.receive()
    assert trio.current_time() - began < 1
    assert await text(provider, route)


async def a_cancel_passes_through_at_once(provider, route):
    began = trio.current_time()
    with trio.CancelScope() as scope:
        async with provider.open(HELLO, route) as source:
            scope.cancel()
            while await source.receive() is not None:
                pass
    assert scope.cancelled_caught
    assert trio.current_time() - began < 1


async def its_name_for_a_request_is_text(provider, route):
    async with provider.open(HELLO, route) as source:
        assert isinstance(source.request_id, str)


async def it_can_be_supervised(provider, route):
    providers = {route.provider: provider}
    async with open_streams(settings=Settings.read({}), providers=providers, brakes=NO_BRAKES) as streams:
        outcome = await streams.ask("hello", Ladder(route))
    assert outcome.completed
    assert outcome.text


CHECKS = (
    an_answer_has_text_and_ends_once_and_last,
    after_the_end_there_is_nothing,
    its_deltas_fit_together,
    one_piece_says_what_the_stream_says,
    answers_at_once_do_not_mix,
    answers_after_one_another_are_alike,
    who_leaves_early_is_not_held,
    a_cancel_passes_through_at_once,
    its_name_for_a_request_is_text,
    it_can_be_supervised,
)


async def failures(provider, route):
    """The names of the checks that a provider fails; one that takes a minute has failed too."""
    failed = []
    for check in CHECKS:
        try:
            with trio.fail_after(60):
                await check(provider, route)
        except Exception:  # noqa: BLE001 -- whatever a broken provider raises, the check has failed
            failed.append(check.__name__)
    return failed
