"""What is left of a stream that did not come to its end: to the letter, and never more than may be used."""

import json

import pytest
import trio
from rows_world import DONE, ONE, ROUTES, TWO, Played, always

from actors import (
    Backoff,
    Clocks,
    FailureKind,
    Ladder,
    Retry,
    Route,
    Status,
    StreamFailed,
    TextDelta,
    ToolCallReady,
)
from actors.chaos import Answer, Pacing, Scripted, Text, ToolUse, expected_text
from actors.deltas import PartEnded, ToolCallDelta, ToolCallStarted, Usage, UsageDelta
from actors.messages import Text as TextPart
from actors.runtime.stream import GRACE
from supervisor import cleanup

PACED = Pacing(first_token=1.0, events_per_second=2.0)


@pytest.mark.row("F1", "M5", "A17")
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("route", ROUTES)
async def test_left_after_some_deltas_a_stream_has_the_text_of_these_deltas(world, autojump_clock, route, count):
    async with world(pacing=PACED) as w:
        pieces = []
        async with w.streams.open("hello", Ladder(route, Retry(5))) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    pieces.append(event.text)
                if len(pieces) == count:
                    break
        assert len(w.entries) == 1
    outcome = stream.outcome
    assert outcome.text == "".join(pieces)
    assert expected_text("hello", tokens=24).startswith(outcome.text)
    assert (outcome.status, outcome.failure.kind) == (Status.INTERRUPTED, FailureKind.CANCELLED)


@pytest.mark.row("F1", "F3", "F6", "A18", "X6")
@pytest.mark.parametrize("route", ROUTES)
async def test_out_of_time_a_stream_is_interrupted_by_its_deadline_and_the_cancellation_passes(
    world, autojump_clock, route
):
    async with world(pacing=PACED) as w:
        with trio.move_on_after(4.2) as scope:
            async with w.streams.open("hello", Ladder(route, Retry(5))) as stream:
                await stream.wait()
        assert scope.cancelled_caught
        assert len(w.entries) == 1
    outcome = stream.outcome
    assert (outcome.status, outcome.failure.kind) == (Status.INTERRUPTED, FailureKind.DEADLINE)
    assert outcome.text
    assert outcome.attempts[0].seconds == pytest.approx(4.2, abs=0.01)
    assert outcome.failure.message == f"left after 4.2 s with {len(outcome.text)} characters and 0 tool calls"


@pytest.mark.row("F6", "G5")
async def test_out_of_time_while_it_waits_a_stream_says_how_long_it_took_and_what_it_keeps(world, autojump_clock):
    half = [[TextDelta("look")], [PartEnded(0)], call("done", "{}", 1), [PartEnded(1)], call("cut", '{"b"', 2)]
    async with world(providers={"mine": Played([*half, ConnectionResetError()])}) as w:
        with trio.move_on_after(30):
            async with w.streams.open(
                "hello", Ladder("mine:model", Retry(2, Backoff(initial=60, cap=60), within=600))
            ) as stream:
                await stream.wait()
    told = str(StreamFailed(stream.outcome)).splitlines()
    assert "Operation timeout" in told[0]
    assert "left after 30.0 s with 10 characters and 2 tool calls" in told[0]
    assert stream.outcome.attempts[0].seconds < 1


@pytest.mark.row("X6", "A3")
async def test_a_timeout_of_the_connection_is_not_the_deadline_of_the_caller(world, autojump_clock):
    waited = Played([TimeoutError()], [DONE])
    async with world(providers={"slow": waited}) as w:
        outcome = await w.streams.ask("hello", Ladder("slow:model", Retry(3)))
    assert outcome.completed
    assert outcome.attempts[0].failure.kind is FailureKind.TIMEOUT


def call(name, fragment, index):
    return [ToolCallStarted(name, f"id-{name}", index), ToolCallDelta(fragment, index)]


@pytest.mark.row("F2", "F5")
async def test_calls_of_a_cut_answer_stay_as_far_as_they_came_and_none_is_handed_over(world, autojump_clock):
    half = [[TextDelta("look")], [PartEnded(0)], call("done", '{"a": 1}', 1), [PartEnded(1)], call("cut", '{"b"', 2)]
    async with world(providers={"mine": Played([*half, 1000.0])}) as w:
        with trio.move_on_after(5):
            async with w.streams.open("hello", Ladder("mine:model")) as stream:
                async for event in stream:
                    assert not isinstance(event, ToolCallReady)
    outcome = stream.outcome
    assert (outcome.parts, outcome.tool_calls) == ((TextPart("look"),), ())
    cut = [
        (one.name, one.id, json.loads(one.fragment) if one.name == "done" else one.fragment)
        for one in outcome.incomplete_calls
    ]
    assert cut == [("done", "id-done", {"a": 1}), ("cut", "id-cut", '{"b"')]


@pytest.mark.row("F2")
async def test_calls_of_a_whole_answer_are_handed_over_with_it(world, autojump_clock):
    whole = [*call("done", '{"a": 1}', 0), PartEnded(0), *DONE]
    async with world(providers={"mine": Played([whole])}) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:model"))
    assert [(one.name, one.arguments) for one in outcome.tool_calls] == [("done", {"a": 1})]


@pytest.mark.row("F2")
@pytest.mark.parametrize("route", ROUTES[:3])
async def test_a_call_that_was_cut_on_the_wire_is_never_run(world, autojump_clock, route):
    answer = Answer((Text("let me look"), ToolUse("weather", '{"city": "Bern", "days": [1, 2, 3, 4, 5, 6, 7]}')))
    async with world(pacing=PACED, answers=Scripted(answer)) as w, w.streams.open("hello", Ladder(route)) as stream:
        async for event in stream:
            assert not isinstance(event, ToolCallReady)
            if isinstance(event, ToolCallDelta) and event.fragment:
                break
    assert stream.outcome.tool_calls == ()
    assert [cut.name for cut in stream.outcome.incomplete_calls] == ["weather"]


@pytest.mark.row("F5")
async def test_what_there_is_can_be_read_before_the_end_and_after(world, autojump_clock):
    answer = [[TextDelta("one ")], [UsageDelta(Usage(7, 3))], 1.0, [TextDelta("two")], DONE]
    async with world(providers={"mine": Played(answer)}) as w:
        async with w.streams.open("hello", Ladder("mine:model")) as stream:
            async for event in stream:
                if isinstance(event, TextDelta) and event.text == "one ":
                    await trio.sleep(0.5)
                    before = stream.partial
        outcome = stream.outcome
    assert (before.status, before.text, before.usage.input_tokens) == (Status.INTERRUPTED, "one ", 7)
    assert (len(before.attempts), before.attempts[0].seconds) == (1, pytest.approx(0.5, abs=1e-6))
    assert (outcome.text, outcome.usage, outcome.message.parts) == ("one two", Usage(7, 3), (TextPart("one two"),))
    assert stream.partial is outcome


@pytest.mark.row("F7", "G4")
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("fault", ["cut:6", "error:overloaded:6"])
async def test_a_failed_stream_carries_its_partial_answer(world, autojump_clock, route, fault):
    async with world(always(fault)) as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(2)))
    with pytest.raises(StreamFailed) as failed:
        outcome.unwrap()
    carried = failed.value.outcome
    assert carried.status is Status.FAILED
    assert carried.text
    assert expected_text("hello", tokens=24).startswith(carried.text)
    assert len(carried.attempts) == 2


PLACES = {
    "connecting": (always("hang"), {}),
    "streaming": ("", {"pacing": PACED}),
    "stalled": (always("stall:5"), {}),
    "waiting": (always("status429:100"), {}),
}


@pytest.mark.row("F9", "A17", "D12")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("route", ROUTES)
async def test_leaving_takes_no_time_whatever_the_stream_does(world, autojump_clock, route, place):
    plan, options = PLACES[place]
    async with world(plan, **options) as w:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(w.streams.ask, "hello", Ladder(route, Retry(5)))
                await trio.sleep(3.3)
                left = trio.current_time()
                scope.cancel()
        assert trio.current_time() - left < 0.001
        await trio.sleep(200)
        assert len(w.entries) == 1


async def stubborn():
    with cleanup(1e9):
        await trio.sleep_forever()


@pytest.mark.row("F8", "H10")
@pytest.mark.parametrize("closing", [[stubborn], [OSError("gone")], [RuntimeError("a bug in closing")]])
async def test_a_source_that_does_not_close_well_holds_nobody_up_and_costs_no_text(world, autojump_clock, closing):
    played = Played([[TextDelta("so far")], 1e9], closing=closing)
    async with world(providers={"mine": played}) as w:
        began = trio.current_time()
        with trio.move_on_after(3):
            async with w.streams.open("hello", Ladder("mine:model")) as stream:
                await stream.wait()
        assert trio.current_time() - began == pytest.approx(3 + (GRACE if stubborn in closing else 0), abs=0.01)
    assert (stream.outcome.status, stream.outcome.text) == (Status.INTERRUPTED, "so far")
    assert stream.outcome.failure.kind is FailureKind.DEADLINE
    assert played.opened == played.closed == 1


@pytest.mark.row("A18")
async def test_a_clock_of_the_route_is_no_deadline_of_the_caller(world, autojump_clock):
    route = Route("anthropic", "model-one", clocks=Clocks(total=2))
    async with world(pacing=PACED) as w:
        outcome = await w.streams.ask("hello", Ladder(route))
    assert (outcome.status, outcome.failure.kind) == (Status.FAILED, FailureKind.TOTAL_TIMEOUT)
    assert outcome.text


@pytest.mark.row("F1", "A17")
async def test_a_stream_that_was_left_is_asked_nowhere_else(world, autojump_clock):
    async with world(always("stall:5")) as w:
        with trio.move_on_after(2):
            await w.streams.ask("hello", Ladder(ONE, Retry(5)))
        await trio.sleep(500)
        assert [entry.model for entry in w.entries] == [Route.parse(ONE).model]
        assert TWO not in {str(record) for record in w.records}
