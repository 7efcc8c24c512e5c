"""Several keys at work: they share the load, one that is limited rests, one that is refused is set aside."""

from collections import Counter

import pytest
import trio
from key_world import NEW, OLD, ROUTES, THIRD, Gate, served

from actors import (
    FailureKind,
    Ladder,
    Retry,
    Status,
)

K = FailureKind
EACH = pytest.mark.parametrize("provider", ROUTES)


@EACH
async def test_several_keys_share_the_requests_evenly(autojump_clock, provider):
    gate = Gate()
    async with served(gate, (OLD, NEW, THIRD), provider) as streams:
        for number in range(9):
            assert (await streams.ask(f"q{number}", ROUTES[provider])).completed
    assert Counter(gate.seen) == {OLD: 3, NEW: 3, THIRD: 3}


async def test_a_limited_key_rests_and_the_next_one_is_asked_at_once(autojump_clock):
    gate = Gate({OLD: 429}, retry_after=40.0)
    async with served(gate, (OLD, NEW)) as streams:
        start = trio.current_time()
        outcome = await streams.ask("q", "anthropic:m")
        assert (outcome.status, trio.current_time() - start) == (Status.COMPLETED, 0.0)
        assert [attempt.failure and attempt.failure.kind for attempt in outcome.attempts] == [K.RATE_LIMIT, None]
        assert "(key 1 of 2)" in outcome.attempts[0].failure.message
        assert gate.seen == [OLD, NEW]
        gate.seen.clear()
        gate.verdicts.clear()
        for _ in range(3):
            await streams.ask("q", "anthropic:m")
        assert gate.seen == [NEW] * 3
        await trio.sleep(40)
        for _ in range(2):
            await streams.ask("q", "anthropic:m")
        assert set(gate.seen[3:]) == {OLD, NEW}


async def test_where_every_key_is_limited_the_shortest_wait_is_kept(autojump_clock):
    gate = Gate({"*": 429}, retry_after=20.0)
    async with served(gate, (OLD, NEW)) as streams:
        start = trio.current_time()
        with trio.move_on_after(19.9):
            await streams.ask("q", Ladder("anthropic:m", Retry(5)))
        assert gate.seen == [OLD, NEW]
        gate.verdicts.clear()
        outcome = await streams.ask("q", Ladder("anthropic:m", Retry(5)))
        assert outcome.completed
        assert trio.current_time() - start < 21


@pytest.mark.parametrize("status", [401, 403])
@EACH
async def test_a_refused_key_is_set_aside_for_good_and_told_by_its_number(autojump_clock, provider, status):
    gate = Gate({OLD: status})
    async with served(gate, (OLD, NEW), provider) as streams:
        outcomes = [await streams.ask(f"q{number}", Ladder(ROUTES[provider])) for number in range(5)]
        assert all(outcome.completed for outcome in outcomes)
    assert Counter(gate.seen) == {OLD: 1, NEW: 5}
    refused = outcomes[0].attempts[0].failure
    assert "(key 1 of 2)" in refused.message
    for shown in (repr(outcomes), str(refused), refused.message):
        assert OLD not in shown
        assert NEW not in shown


@EACH
async def test_where_every_key_is_refused_each_is_asked_once_and_the_stream_fails(autojump_clock, provider):
    gate = Gate({"*": 401})
    async with served(gate, (OLD, NEW, THIRD), provider) as streams:
        outcome = await streams.ask("q", Ladder(ROUTES[provider], Retry(5)))
        assert outcome.status is Status.FAILED
        assert outcome.failure.kind is K.INVALID_KEY
        assert sorted(gate.seen) == sorted([OLD, NEW, THIRD])
        gate.verdicts = {OLD: 401}
        assert (await streams.ask("q", Ladder(ROUTES[provider]))).status is Status.FAILED  # the one refused longest ago
        assert (await streams.ask("q", Ladder(ROUTES[provider]))).completed  # found good again
        gate.seen.clear()
        assert (await streams.ask("q", Ladder(ROUTES[provider]))).completed
        assert gate.seen == [NEW]


async def test_one_key_alone_is_waited_for_and_refused_as_ever(autojump_clock):
    gate = Gate({OLD: 429}, retry_after=7.0)
    async with served(gate) as streams:
        start = trio.current_time()
        await streams.ask("q", Ladder("anthropic:m", Retry(2)))
        assert trio.current_time() - start == 7.0
        gate.verdicts = {OLD: 401}
        outcome = await streams.ask("q", Ladder("anthropic:m", Retry(2)))
        assert (len(outcome.attempts), "key 1" in outcome.failure.message) == (1, False)
