"""When a broken stream is tried again, after how long, and when no more: on a clock that jumps, so to the millisecond."""

import errno
from random import Random

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from rows_world import DONE, ONE, ROUTES, TWO, Played, a_world, always
from stream_world import read

from actors import (
    Clocks,
    FailureKind,
    Ladder,
    Retry,
    Route,
    Status,
    Switch,
    TextDelta,
    ToolCallReady,
)
from actors.chaos import Answer, Finish, Scripted, Text, ToolUse, expected_text
from actors.source import RefusedError
from supervisor import Backoff

EVEN = Backoff(jitter=0)
UNBOUNDED = float("inf")


@pytest.mark.row("D1", "D4", "X1", "X2", "X3")
async def test_waits_begin_at_one_second_and_double_to_thirty(world, autojump_clock):
    async with world(always("status503")) as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(UNBOUNDED, backoff=EVEN)))
        assert w.waits == [1, 2, 4, 8, 16, 30, 30]
    assert outcome.status is Status.FAILED


@pytest.mark.row("D3", "D7", "X1")
async def test_a_wait_that_would_end_after_two_minutes_is_not_begun(world, autojump_clock):
    async with world(always("status503")) as w:
        began = trio.current_time()
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(UNBOUNDED, backoff=EVEN)))
        assert trio.current_time() - began == pytest.approx(91, abs=0.01)
        assert len(outcome.attempts) == 8


@pytest.mark.row("D3", "X1")
@pytest.mark.parametrize("seed", range(10))
async def test_no_attempt_begins_two_minutes_after_the_first_failure_however_long_they_take(
    world, autojump_clock, seed
):
    dice, begun, failed = Random(seed), [], []

    def fail():
        failed.append(trio.current_time())
        raise RefusedError("down", status=503)

    slow = Played(*([lambda: begun.append(trio.current_time()), dice.uniform(0, 20), fail] for _ in range(20)))
    async with world(providers={"slow": slow}) as w:
        await w.streams.ask("hello", Ladder("slow:model", Retry(UNBOUNDED)))
    assert len(begun) > 3
    assert max(begun) - failed[0] <= 120
    assert failed[-1] - failed[0] + 30 > 120 - 20  # it did not stop long before either


@pytest.mark.row("D6", "X1")
@pytest.mark.parametrize(
    ("fault", "attempts"),
    [("status503", 5), ("status529", 5), ("status500", 5), ("status504", 3), ("reset:3", 3), ("truncate:3", 3)],
)
async def test_a_route_has_five_attempts_or_as_few_as_the_kind_has(world, autojump_clock, fault, attempts):
    async with world(always(fault)) as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(backoff=EVEN)))
        assert len(w.entries) == len(outcome.attempts) == attempts
        assert w.waits[:2] == pytest.approx([1, 2], abs=1e-3)


@pytest.mark.row("D6")
@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (OSError(errno.EMFILE, "too many"), 2),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), 3),
        (TimeoutError(), 3),
    ],
)
async def test_what_fails_on_our_side_of_the_line_has_limits_of_its_own(world, autojump_clock, error, attempts):
    broken = Played([error])
    async with world(providers={"broken": broken}) as w:
        await w.streams.ask("hello", Ladder("broken:model", Retry(5)))
    assert broken.opened == attempts


@pytest.mark.row("D2", "N4")
@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_no_wait_is_longer_than_thirty_seconds_nor_shorter_than_nine_tenths_of_one(attempt, roll):
    assert 0.9 <= Backoff().delay(attempt, roll) <= 30


@pytest.mark.row("D5", "X3")
@pytest.mark.parametrize(("attempt", "middle"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16)])
def test_waits_spread_evenly_over_a_tenth_either_way(attempt, middle):
    dice = Random(1)
    shares = [Backoff().delay(attempt, dice.random()) / middle for _ in range(10_000)]
    assert 0.9 <= min(shares) < 0.901
    assert 1.099 < max(shares) <= 1.1
    assert sum(shares) / len(shares) == pytest.approx(1, abs=0.005)


@pytest.mark.row("D5")
async def test_fifty_streams_that_fail_together_come_back_one_by_one(world, autojump_clock):
    async with world(always("status503", times=50)) as w:
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(w.streams.ask, f"prompt {number}", Ladder(ONE, Retry(5)))
        begun = [entry.started - w.entries[0].started for entry in w.entries]
    first, second = begun[:50], sorted(begun[50:])
    assert max(first) < 0.01
    assert len(second) == len(set(second)) == 50
    assert second[-1] - second[0] > 0.1
    assert 0.9 <= second[0] < second[-1] <= 1.11


@pytest.mark.row("D8")
async def test_every_request_has_a_budget_of_its_own(world, autojump_clock):
    async with world(always("status503", times=1) + " model-one#3=status503") as w:
        for _ in range(2):
            assert (await w.streams.ask("hello", Ladder(ONE, Retry(2, backoff=EVEN)))).completed
        assert w.waits == pytest.approx([1, 0, 1], abs=1e-3)


@pytest.mark.row("D10", "O1")
async def test_each_route_has_the_limits_of_its_own_rung(world, autojump_clock):
    ladder = Ladder(ONE, Retry(2, backoff=EVEN), Switch(TWO), Retry(4, backoff=Backoff(initial=3, jitter=0)))
    async with world(f"{always('status503')} {always('status503', 'model-two')}") as w:
        await w.streams.ask("hello", ladder)
        assert [entry.model for entry in w.entries] == ["model-one"] * 2 + ["model-two"] * 4
        assert w.waits == pytest.approx([1, 0, 3, 6, 12], abs=1e-3)


@pytest.mark.row("D11", "M1")
async def test_fair_weather_asks_neither_the_judgement_nor_the_dice(world, autojump_clock, monkeypatch):
    asked = []
    monkeypatch.setattr("actors.policy.directive.direct", lambda *_: asked.append("judgement"))
    monkeypatch.setattr(Backoff, "delay", lambda *_: asked.append("wait"))
    async with world() as w:
        began = trio.current_time()
        assert (await w.streams.ask("hello", Ladder(ONE, Retry(5), Switch(TWO)))).completed
        assert trio.current_time() - began < 0.01
        assert len(w.entries) == 1
    assert asked == []


@pytest.mark.row("D12", "A17", "F9")
async def test_left_while_it_waits_a_stream_ends_at_once_and_keeps_what_it_waited_for(world, autojump_clock):
    async with world(always("status503")) as w:
        began = trio.current_time()
        with trio.move_on_after(0.5):
            async with w.streams.open("hello", Ladder(ONE, Retry(5))) as stream:
                await stream.wait()
        assert trio.current_time() - began == pytest.approx(0.5, abs=1e-3)
        outcome = stream.outcome
        await trio.sleep(60)
        assert len(w.entries) == 1
    assert outcome.status is Status.INTERRUPTED
    assert [attempt.failure.kind for attempt in outcome.attempts] == [FailureKind.UNAVAILABLE]


@pytest.mark.row("D13", "A30")
@pytest.mark.parametrize("finish", [Finish.END, Finish.LENGTH, Finish.STOP_SEQUENCE, Finish.REFUSAL])
@pytest.mark.parametrize("route", ROUTES)
async def test_a_model_that_finished_is_not_asked_again(world, autojump_clock, route, finish):
    async with world(answers=Scripted(Answer((Text("so it is"),), finish=finish))) as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(5), Switch(TWO)))
        assert len(w.entries) == 1
    assert outcome.text == "so it is"
    assert outcome.completed == (finish is not Finish.REFUSAL)


@pytest.mark.row("D16", "C6")
@pytest.mark.parametrize("fault", ["status429", "status500", "status503", "status529", "reset:0", "hang"])
@pytest.mark.parametrize("route", ROUTES)
async def test_what_is_sent_is_sent_by_an_attempt(world, autojump_clock, route, fault):
    async with world(always(fault)) as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(3)))
        assert len(w.entries) == len(outcome.attempts) == 3
        assert {entry.headers.get("x-stainless-retry-count", "0") for entry in w.entries} == {"0"}


@pytest.mark.row("D17")
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("fault", ["cut:4", "cut:8", "truncate:99", "error:overloaded:99"])
async def test_a_tool_runs_once_however_often_the_answer_breaks(world, autojump_clock, route, fault):
    answers = Scripted(Answer((Text("let me look"), ToolUse("weather", '{"city": "Bern"}'))))
    async with world(always(fault, times=2), answers=answers) as w:
        async with w.streams.open("hello", Ladder(route, Retry(5))) as stream:
            ran = [(event.call.name, stream.attempt) async for event in stream if isinstance(event, ToolCallReady)]
        assert len(w.entries) == 3
    assert ran == [("weather", 3)]
    assert [call.name for call in stream.outcome.tool_calls] == ["weather"]


@pytest.mark.row("D14", "E11", "A26", "C7", "B7")
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("fault", ["cut:6", "truncate:6", "garble:6", "tear:6", "reset:6"])
async def test_what_was_delivered_is_discarded_and_the_whole_request_repeated(world, autojump_clock, route, fault):
    async with world(always(fault, times=1)) as w:
        async with w.streams.open("hello", Ladder(route, Retry(2))) as stream:
            text = await read(stream)
        first, second = w.entries
        assert first.key == second.key
    assert text == stream.outcome.text == expected_text("hello", tokens=24)
    assert stream.outcome.attempts[0].delivered.characters > 0


@pytest.mark.row("D18", "A3")
@pytest.mark.parametrize(
    ("fault", "kind", "after"),
    [
        ("hang", FailureKind.FIRST_EVENT_TIMEOUT, 3),
        ("pings:1", FailureKind.FIRST_CONTENT_TIMEOUT, 7),
        ("stall:6", FailureKind.STALLED, 5),
    ],
)
async def test_silence_is_ended_by_the_clock_it_belongs_to(world, autojump_clock, fault, kind, after):
    clocks = Clocks(first_event=3, first_content=7, gap=5)
    async with world(always(fault)) as w:
        outcome = await w.streams.ask("hello", Ladder(Route("anthropic", "model-one", clocks=clocks), Switch(TWO)))
    silent, well = outcome.attempts
    assert (silent.failure.kind, well.failure) == (kind, None)
    assert silent.seconds == pytest.approx(after, abs=0.01)


@pytest.mark.row("A3")
async def test_two_timeouts_and_then_an_answer_are_three_requests(world, autojump_clock):
    async with world(always("status504", times=2)) as w:
        assert (await w.streams.ask("hello", Ladder(ONE, Retry(5)))).completed
        assert len(w.entries) == 3


@pytest.mark.row("N4")
async def test_ninety_one_seconds_of_waiting_take_no_turns_of_the_loop(autojump_clock):
    class Turns(trio.abc.Instrument):
        count = 0

        def before_task_step(self, _task):
            self.count += 1

    turns = Turns()
    async with a_world(always("status503")) as w:
        trio.lowlevel.add_instrument(turns)
        await w.streams.ask("hello", Ladder(ONE, Retry(UNBOUNDED, backoff=EVEN)))
        trio.lowlevel.remove_instrument(turns)
        assert sum(w.waits) == pytest.approx(91, abs=0.01)
    assert turns.count < 100 * 8  # what eight refused requests take, and nothing by the second


async def test_a_played_provider_plays_what_it_was_given(world, autojump_clock):
    async with world(providers={"mine": Played([[TextDelta("a")], 1.0, [TextDelta("b")], DONE])}) as w:
        assert (await w.streams.ask("hello", "mine:model")).text == "ab"
