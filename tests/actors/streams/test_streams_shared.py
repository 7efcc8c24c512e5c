"""What streams share: a provider that is down is not asked N times over."""

import pytest
import trio

from actors import Buffered, FailureKind, Ladder, Retry, Route, Status, Switch
from actors.chaos.simulator import Pacing
from actors.chaos.sources import expected_text

ONE, TWO = Route.parse("anthropic:claude-one"), Route.parse("anthropic:claude-two")
CROWD = 100


async def crowd(w, ladder, outcomes):
    async def one(number):
        outcomes.append(await w.streams.ask(f"prompt {number}", ladder))

    async with trio.open_nursery() as nursery:
        for number in range(CROWD):
            nursery.start_soon(one, number)


@pytest.mark.promise("P11")
async def test_in_an_outage_the_dead_provider_sees_the_streams_the_budget_and_probes(world, autojump_clock):
    async with world("down:claude-one=0s..100000s@status503") as w:
        outcomes = []
        began = trio.current_time()
        await crowd(w, Ladder(ONE, Retry(5)), outcomes)
        assert {outcome.status for outcome in outcomes} == {Status.FAILED}
        probes = (trio.current_time() - began) / 15 + 1
        assert CROWD <= len(w.entries) <= CROWD + 20 + 0.2 * CROWD + probes


@pytest.mark.promise("P11")
async def test_a_provider_that_limits_everyone_is_asked_no_more_in_one_piece(world, autojump_clock):
    async with world("down:claude-one=0s..100000s@status429") as w:
        await crowd(w, Ladder(ONE, Retry(5), Buffered()), [])
        assert CROWD <= len(w.entries) <= (CROWD + 20) / (1 - 0.2)


async def test_in_an_outage_the_others_go_straight_to_the_second_route(world, autojump_clock):
    async with world("down:claude-one=0s..100000s@status503") as w:
        outcomes = []
        await crowd(w, Ladder(ONE, Retry(5), Switch(TWO)), outcomes)
        assert all(outcome.completed for outcome in outcomes)
        late = await w.streams.ask("late", Ladder(ONE, Retry(5), Switch(TWO)))
        assert late.text == expected_text("late", tokens=24)
        assert [attempt.route for attempt in late.attempts] == [TWO]


async def test_the_circuit_closes_again_when_the_provider_is_back(world, autojump_clock):
    async with world("down:claude-one=1..5@status503") as w:
        for number in range(5):
            assert not (await w.streams.ask(f"prompt {number}", Ladder(ONE))).completed
        refused = await w.streams.ask("while open", Ladder(ONE))
        assert refused.failure.kind is FailureKind.UNAVAILABLE
        assert refused.failure.code == "circuit_open"
        assert len(w.entries) == 5
        waited = await w.streams.ask("patient", Ladder(ONE, Retry(2)))
        assert waited.completed
        assert (await w.streams.ask("after", Ladder(ONE))).completed


async def test_refused_keys_open_no_circuit(world, autojump_clock):
    async with world("down:claude-one=1..20@status401") as w:
        for number in range(20):
            await w.streams.ask(f"prompt {number}", Ladder(ONE))
        assert len(w.entries) == 20


async def test_a_burst_with_a_few_refusals_opens_no_circuit(world, autojump_clock):
    """Refusals are heard first, in a row, though nearly all is well."""
    async with world("seed=1 status529=0.04 cut=0.02", pacing=Pacing(first_token=0.5, events_per_second=50)) as w:
        outcomes = []

        async def one(number):
            outcomes.append(await w.streams.ask(f"prompt {number}", Ladder(ONE, Retry(5))))

        async with trio.open_nursery() as nursery:
            for number in range(500):
                nursery.start_soon(one, number)
        assert sum(outcome.completed for outcome in outcomes) == 500
        assert all(not a.failure.held_back for outcome in outcomes for a in outcome.attempts if a.failure)


async def test_who_was_held_back_pays_nothing_and_is_served_when_the_circuit_closes(world, autojump_clock):
    async with world("down:claude-one=1..40@status503") as w:
        outcomes = []
        await crowd(w, Ladder(ONE, Retry(5)), outcomes)
        late = []
        await crowd(w, Ladder(ONE, Retry(5)), late)
        assert all(outcome.completed for outcome in late)
