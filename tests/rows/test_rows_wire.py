"""What providers say with a status, an event or a header, and what may be said to them afterwards."""

import pytest
import trio
from rows_world import ONE, ROUTES, Played, always

from actors import FailureKind, Ladder, Message, Request, Retry, Role, Route, Status, TextDelta
from actors.chaos import Answer, Pacing, Scripted, Text, ToolUse, expected_text
from actors.deltas import Finish, Finished, FinishReason, PartEnded, ToolCallDelta, ToolCallStarted
from actors.failure import Category
from supervisor import Backoff

HELLO = expected_text("hello", tokens=24)


@pytest.mark.row("A7", "A4", "A5", "C2")
@pytest.mark.parametrize("code", [408, 409, 429, 500, 502, 503, 504, 529])
@pytest.mark.parametrize("route", ROUTES)
async def test_what_may_pass_is_asked_for_again(world, autojump_clock, route, code):
    async with world(always(f"status{code}", times=1)) as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(2)))
        assert [entry.status for entry in w.entries] == [code, 200]
    assert outcome.unwrap().text == HELLO


@pytest.mark.row("C3", "A6", "C7", "D14")
@pytest.mark.parametrize("fault", ["error:overloaded:6", "error:internal:6", "reset:6"])
@pytest.mark.parametrize("route", ROUTES)
async def test_an_error_in_the_middle_of_a_good_answer_is_a_failure_and_the_request_is_repeated(
    world, autojump_clock, route, fault
):
    async with world(always(fault, times=1)) as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(2)))
        assert len(w.entries) == 2
    broken = outcome.attempts[0]
    assert broken.delivered.characters > 0
    assert broken.failure.kind in {
        FailureKind.OVERLOADED,
        FailureKind.SERVER,
        FailureKind.UNAVAILABLE,
        FailureKind.RESET,
    }
    assert outcome.unwrap().text == HELLO


@pytest.mark.row("C17")
@pytest.mark.parametrize("route", ROUTES)
async def test_the_wait_a_provider_asks_for_is_waited_and_no_longer(world, autojump_clock, route):
    async with world(always("status429:7", times=1)) as w:
        await w.streams.ask("hello", Ladder(route, Retry(2, backoff=Backoff(jitter=0))))
        assert w.waits == [pytest.approx(7, abs=0.01)]


@pytest.mark.row("C17", "D7")
async def test_a_wait_that_is_longer_than_the_budget_is_not_begun(world, autojump_clock):
    async with world(always("status429:500")) as w:
        began = trio.current_time()
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(5)))
        assert trio.current_time() - began < 0.001
        assert len(w.entries) == 1
    assert outcome.failure.retry_after == 500


@pytest.mark.row("A28")
async def test_arguments_that_are_no_json_fail_the_stream_with_the_call_and_are_not_asked_for_again(
    world, autojump_clock
):
    garbled = [ToolCallStarted("weather", "call-7"), ToolCallDelta('{"city": Bern}'), PartEnded(0)]
    played = Played([[*garbled, Finished(Finish(FinishReason.TOOL_CALLS, releases=True))]])
    async with world(providers={"mine": played}) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:model", Retry(5)))
    assert (outcome.failure.kind, outcome.failure.category) == (FailureKind.TOOL_JSON, Category.CONTENT)
    assert all(word in outcome.failure.message for word in ("weather", "call-7", "Bern"))
    assert (played.opened, outcome.tool_calls) == (1, ())


@pytest.mark.row("F4")
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("seconds", [2.2, 4.2, 6.2])
async def test_a_conversation_with_a_cut_answer_in_it_is_taken_by_every_provider(world, autojump_clock, route, seconds):
    answers = Scripted(Answer((Text("let me look at it"), ToolUse("weather", '{"city": "Bern"}'))))
    async with world(pacing=Pacing(1.0, 2.0), answers=answers) as w:
        with trio.move_on_after(seconds):
            async with w.streams.open("hello", Ladder(ONE)) as stream:
                await stream.wait()
        cut = stream.outcome
        assert cut.status is Status.INTERRUPTED
        turns = (Message(Role.USER, "hello"), cut.message, Message(Role.USER, "go on"))
        outcome = await w.streams.ask(Request(turns), Route.parse(route))
        assert [entry.status for entry in w.entries] == [200, 200]
    assert outcome.completed


@pytest.mark.row("A6")
@pytest.mark.parametrize("error", [ConnectionResetError(), ConnectionAbortedError(), BrokenPipeError()])
async def test_a_lost_connection_is_tried_three_times(world, autojump_clock, error):
    lost = Played([[TextDelta("half")], error])
    async with world(providers={"mine": lost}) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:model", Retry(5)))
    assert lost.opened == 3
    assert {attempt.failure.kind for attempt in outcome.attempts} == {FailureKind.RESET}
