"""The stream service as a child: bugs are charged and escalate, and the reference survives what happens behind it."""

from contextlib import asynccontextmanager

import pytest
import trio

from actors import (
    Clocks,
    FailureKind,
    Finish,
    Finished,
    FinishReason,
    Ladder,
    Retry,
    Route,
    Status,
    StreamClosed,
    Streams,
    Switch,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
    open_streams,
)
from actors.chaos.sources import expected_text
from supervisor import ChildEnded, ChildRestarting, SupervisorGaveUp

ONE = Route.parse("anthropic:claude-one")


class Played:
    """A provider that plays a list of deliveries; an exception among them is raised."""

    def __init__(self, *deliveries, forever=False):
        self.deliveries = deliveries
        self.forever = forever
        self.opened = self.closed = 0

    @asynccontextmanager
    async def open(self, *_):
        self.opened += 1
        try:
            yield PlayedSource(iter(self.deliveries), self.forever)
        finally:
            self.closed += 1


class PlayedSource:
    request_id = "played"

    def __init__(self, deliveries, forever):
        self.deliveries = deliveries
        self.forever = forever

    async def receive(self):
        await trio.lowlevel.checkpoint()
        delivery = next(self.deliveries, None)
        if isinstance(delivery, Exception):
            raise delivery
        if delivery is None and self.forever:
            await trio.sleep_forever()
        return delivery


DONE = [Finished(Finish(FinishReason.STOP, "stop"))]
WELL = Played([TextDelta("well")], DONE)


@asynccontextmanager
async def streams_over(records=None, **providers):
    async with open_streams(providers=providers, hook=None if records is None else records.append, seed=1) as streams:
        yield streams


async def test_a_bug_is_a_crash_that_is_restarted_and_told(autojump_clock):
    records = []
    buggy = Played([TextDelta("half")], KeyError("no such thing"))
    async with streams_over(records, buggy=buggy, well=WELL) as streams:
        async with streams.open("hello", Ladder("buggy:model", Switch("well:model"))) as stream:
            events = [event async for event in stream]
        assert buggy.opened == buggy.closed == 4  # the first life and what intensity 3 allows
    failures = [event.failure for event in events if hasattr(event, "failure")]
    assert {failure.kind for failure in failures} == {FailureKind.CRASH}
    assert "KeyError" in failures[0].message
    assert stream.outcome.status is Status.FAILED
    assert stream.outcome.failure.kind is FailureKind.CRASH
    assert any(isinstance(record, SupervisorGaveUp) for record in records)


async def test_the_reference_survives_a_service_that_fell(autojump_clock):
    buggy = Played(KeyError("a bug"))
    async with streams_over(buggy=buggy, well=WELL) as streams:
        assert (await streams.ask("hello", "buggy:model")).failure.kind is FailureKind.CRASH
        assert (await streams.ask("hello", "well:model")).text == "well"


async def test_streams_of_a_service_that_falls_keep_their_partial(autojump_clock):
    buggy, slow = Played(KeyError("a bug")), Played([TextDelta("so far")], forever=True)
    async with streams_over(buggy=buggy, slow=slow) as streams:
        async with streams.open("hello", Ladder("slow:model")) as stream:
            await anext(stream)
            assert (await anext(stream)).text == "so far"
            await streams.ask("hello", "buggy:model")
            rest = [event async for event in stream]
        assert rest == []
        assert stream.outcome.status is Status.INTERRUPTED
        assert stream.outcome.text == "so far"
        assert slow.opened == slow.closed == 1


async def test_thousands_of_failing_streams_never_bring_the_tree_down(world, autojump_clock):
    records = []
    async with world("down:claude-one=1..100000@status429") as w:
        async with trio.open_nursery() as nursery:
            for number in range(1000):
                nursery.start_soon(w.streams.ask, f"prompt {number}", Ladder(ONE, Retry(3)))
        records = w.records
    assert not any(isinstance(record, SupervisorGaveUp) for record in records)
    assert sum(isinstance(record, ChildEnded) for record in records) >= 1000


@pytest.mark.promise("P4")
async def test_a_thousand_streams_see_a_cancel_at_once(autojump_clock):
    slow = Played([TextDelta("so far")], forever=True)
    outcomes = []
    async with streams_over(slow=slow) as streams:

        async def one():
            async with streams.open("hello", "slow:model") as stream:
                try:
                    async for _ in stream:
                        pass
                finally:
                    outcomes.append(stream)

        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                for _ in range(1000):
                    nursery.start_soon(one)
                await trio.testing.wait_all_tasks_blocked()
                began = trio.current_time()
                scope.cancel()
        assert trio.current_time() - began < 0.1
        assert {stream.outcome.status for stream in outcomes} == {Status.INTERRUPTED}
        assert {stream.outcome.text for stream in outcomes} == {"so far"}
        assert slow.opened == slow.closed == 1000


async def test_leaving_while_waiting_for_the_next_attempt_is_immediate(world, autojump_clock):
    async with world("claude-one#1=status429:100") as w:
        began = trio.current_time()
        async with w.streams.open("hello", Ladder(ONE, Retry(5))) as stream:
            async for event in stream:
                if type(event).__name__ == "AttemptAbandoned":
                    assert stream.resumes_at == pytest.approx(began + 100, abs=1)
                    break
        assert trio.current_time() - began < 1
        assert stream.outcome.status is Status.INTERRUPTED
        assert [attempt.failure.kind for attempt in stream.outcome.attempts] == [FailureKind.RATE_LIMIT]
        assert any(isinstance(record, ChildRestarting) for record in w.records)


async def test_a_second_stream_of_one_name_is_refused_and_the_name_is_free_again(world, autojump_clock):
    async with world() as w:
        async with w.streams.open("hello", Ladder(ONE), name="poet") as stream:
            assert stream.name == "poet"
            with pytest.raises(Exception, match="poet"):
                await w.streams.ask("hello", Ladder(ONE), name="poet")
            async for _ in stream:
                pass
        assert (await w.streams.ask("hello", Ladder(ONE), name="poet")).text == expected_text("hello", tokens=24)


async def test_a_stream_is_used_in_its_block_only(world, autojump_clock):
    async with world() as w:
        stream = w.streams.open("hello", Ladder(ONE))
        with pytest.raises(StreamClosed, match="inside its block"):
            await anext(stream)
        async with stream:
            with pytest.raises(StreamClosed, match="has not ended"):
                _ = stream.outcome
            async for _ in stream:
                pass
        assert stream.partial is stream.outcome
        assert "completed" in repr(stream)


async def test_streams_are_closed_with_the_block_that_opened_them(world, autojump_clock):
    async with world() as w:
        streams = w.streams
    with pytest.raises(StreamClosed, match="open new ones"):
        await streams.ask("hello", Ladder(ONE))


class Timed(Played):
    """Plays (seconds to wait, delivery) pairs."""

    @asynccontextmanager
    async def open(self, *_):
        self.opened += 1
        yield TimedSource(iter(self.deliveries), self.forever)
        self.closed += 1


class TimedSource(PlayedSource):
    async def receive(self):
        seconds, delivery = next(self.deliveries, (1e9, None))
        await trio.sleep(seconds)
        return delivery


async def test_a_stall_after_a_late_first_word_is_found_in_time(autojump_clock):
    """The first content can move the alarm nearer."""
    clocks = Clocks(first_event=100, first_content=300, gap=10)
    slow = Timed((65, [TextDelta("at last")]))
    began = trio.current_time()
    async with streams_over(slow=slow) as streams:
        outcome = await streams.ask("hello", Ladder(Route("slow", "model", clocks=clocks)))
    assert outcome.failure.kind is FailureKind.STALLED
    assert trio.current_time() - began == pytest.approx(75)


async def test_time_in_which_the_consumer_was_not_ready_counts_for_no_clock(autojump_clock):
    signs = [UsageDelta(Usage()) for _ in range(300)]  # life, no content, and more than an outlet holds
    slow = Timed((1, signs), (40, [TextDelta("well")]), (0, DONE))
    async with streams_over(slow=slow) as streams, streams.open("hello", "slow:model") as stream:
        await anext(stream)
        await trio.sleep(200)
        async for _ in stream:
            pass
    assert stream.outcome.completed


async def test_what_came_before_a_delta_that_fits_nowhere_is_told(autojump_clock):
    wrong = Played([TextDelta("before"), ToolCallDelta("{}", 7), TextDelta("after")])
    async with streams_over(wrong=wrong) as streams, streams.open("hello", Ladder("wrong:model")) as stream:
        events = [event async for event in stream]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["before"]
    assert stream.outcome.failure.kind is FailureKind.MALFORMED
    assert stream.outcome.text == "before"


@pytest.mark.promise("P8")
async def test_a_call_that_never_closed_is_not_released_whatever_the_finish_says(autojump_clock):
    finish = Finished(Finish(FinishReason.TOOL_CALLS, "tool_use", releases=True))
    cut = Played([ToolCallStarted("pay", "call-1"), ToolCallDelta('{"amount": 1'), finish])
    async with streams_over(cut=cut) as streams:
        outcome = await streams.ask("hello", Ladder("cut:model"))
    assert outcome.failure.kind is FailureKind.TRUNCATED
    assert outcome.tool_calls == ()
    assert [call.name for call in outcome.incomplete_calls] == ["pay"]


async def test_a_source_that_goes_on_after_the_terminal_event_is_not_listened_to(autojump_clock):
    talkative = Played([TextDelta("well")], DONE, [TextDelta(" and more")], forever=True)
    async with streams_over(talkative=talkative) as streams:
        outcome = await streams.ask("hello", "talkative:model")
    assert outcome.completed
    assert outcome.text == "well"
    assert talkative.opened == talkative.closed == 1


async def test_an_alarm_that_finds_a_complete_attempt_tidying_up_changes_nothing(autojump_clock):
    class Lingering(Played):
        @asynccontextmanager
        async def open(self, *_):
            yield PlayedSource(iter(self.deliveries), self.forever)
            await trio.sleep(100)

    route = Route("lingering", "model", clocks=Clocks(total=10))
    async with streams_over(lingering=Lingering([TextDelta("well")], DONE)) as streams:
        outcome = await streams.ask("hello", Ladder(route, Retry(5)))
    assert outcome.completed
    assert len(outcome.attempts) == 1


@pytest.mark.row("F3")
async def test_cancelled_before_the_service_is_back_the_outcome_is_readable():
    streams = Streams()
    stream = streams.open("hello", "anthropic:claude-one")
    with trio.move_on_after(0) as scope:
        async with stream:
            pytest.fail("there is no service to open it")
    assert scope.cancelled_caught
    assert stream.outcome.status is Status.INTERRUPTED
    assert stream.outcome.failure.kind is FailureKind.DEADLINE
    with pytest.raises(StreamClosed):
        await stream.__aenter__()


async def test_an_answer_whose_provider_names_no_model_is_told_by_its_route(autojump_clock):
    async with streams_over(well=WELL) as streams:
        assert (await streams.ask("hello", "well:model")).model == "model"
