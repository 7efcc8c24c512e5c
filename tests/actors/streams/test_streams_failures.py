"""What a stream that failed carries, and what is done when this machine, not the provider, is short of something."""

import traceback
from contextlib import asynccontextmanager

import httpx2
import pytest
import trio

from actors import (
    Buffered,
    Clocks,
    FailureKind,
    Ladder,
    Mode,
    Retry,
    RetryExhausted,
    Route,
    Status,
    StreamFailed,
    Switch,
    TextDelta,
    ToolCall,
    from_deltas,
    open_streams,
)
from actors.deltas import AttemptAbandoned, PartEnded
from actors.failure import Phase
from actors.lifecycle import AttemptEnded
from actors.policy.brakes import Brakes, Memory
from actors.policy.classify import classify
from actors.source import RefusedError

ONE, TWO = Route.parse("anthropic:claude-one"), Route.parse("anthropic:claude-two")
KEY = "sk-canary-1234567890"


@asynccontextmanager
async def mine(client, *, brakes=None, hook=None):
    """Streams over one client of one's own."""
    async with open_streams(providers={"mine": from_deltas(client)}, brakes=brakes or Brakes(), hook=hook) as streams:
        yield streams


# -- what it carries


@pytest.mark.row("G4", "L11", "J2")
async def test_the_failure_says_which_attempt_it_was_of_how_many_and_whose_trace(world, autojump_clock):
    async with world("claude-one#1=status503 claude-one#2=status503 claude-one#3=status503") as w:
        async with w.streams.open("hello", Ladder(ONE, Retry(3))) as stream:
            seams = [event async for event in stream if isinstance(event, AttemptAbandoned)]
        outcome = stream.outcome
    told = [record.failure for record in w.records if isinstance(record, AttemptEnded)]
    assert [(one.tries, one.limit) for one in told] == [(1, 3), (2, 3), (3, 3)]
    assert [seam.failure for seam in seams] == told[:2]
    assert [attempt.failure for attempt in outcome.attempts] == told
    assert outcome.failure is outcome.attempts[-1].failure
    assert {one.trace_id for one in told} == {outcome.trace_id}


@pytest.mark.row("D15", "A22")
async def test_an_unreachable_host_exhausts_its_attempts_and_says_what_lay_beneath(autojump_clock):
    async def unreachable(_request, _route):
        raise httpx2.ConnectError("all attempts failed") from ConnectionRefusedError(111, "refused")
        yield

    async with mine(unreachable) as streams:
        outcome = await streams.ask("hello", Ladder("mine:model", Retry(5)))
    with pytest.raises(RetryExhausted) as raised:
        outcome.unwrap()
    beneath = raised.value.__cause__
    assert isinstance(beneath, httpx2.ConnectError)
    assert outcome.failure.cause == "ConnectError from ConnectionRefusedError"
    assert outcome.failure.kind is FailureKind.REFUSED
    assert [outcome.failure.tries, outcome.failure.limit, len(outcome.attempts)] == [3, 3, 3]
    seen = beneath
    while seen is not None:
        assert seen.__traceback__ is None, "frames would keep alive what they hold"
        seen = seen.__cause__ or seen.__context__


@pytest.mark.row("G8")
@pytest.mark.promise("P13")
async def test_a_traceback_shows_no_key_that_a_provider_repeated(autojump_clock):
    async def echoing(_request, _route):
        yield TextDelta("so far")
        raise RefusedError(f"no such key: {KEY}", status=401, headers={"x-api-key": KEY})

    async with mine(echoing) as streams:
        outcome = await streams.ask("hello", "mine:model")
    with pytest.raises(StreamFailed) as raised:
        outcome.unwrap()
    assert isinstance(raised.value.__cause__, RefusedError)
    assert KEY not in "".join(traceback.format_exception(raised.value))


@pytest.mark.row("G8")
@pytest.mark.promise("P13")
async def test_a_traceback_shows_no_key_that_a_client_put_into_its_words(autojump_clock):
    async def talkative(_request, _route):
        raise httpx2.ReadError(f"broke with authorization: Bearer {KEY}") from ConnectionResetError(104, f"at {KEY}")
        yield

    async with mine(talkative) as streams:
        outcome = await streams.ask("hello", "mine:model")
    with pytest.raises(RetryExhausted) as raised:
        outcome.unwrap()
    told = "".join(traceback.format_exception(raised.value))
    assert "ReadError: broke with authorization" in told
    assert "[Errno 104] at ***" in told
    assert KEY not in told


@pytest.mark.row("G6", "F3")
async def test_a_cancellation_passes_through_as_it_is(autojump_clock):
    async def silent(_request, _route):
        yield TextDelta("so far")
        await trio.sleep_forever()

    seen = []
    async with mine(silent) as streams:
        with trio.move_on_after(5) as scope:
            try:
                async with streams.open("hello", "mine:model") as stream:
                    try:
                        async for _ in stream:
                            pass
                    except trio.Cancelled as error:
                        seen.append(error)
                        raise
            except trio.Cancelled as error:
                seen.append(error)
                raise
    assert scope.cancelled_caught
    assert len(seen) == 2
    assert seen[0] is seen[1]
    assert (seen[0].__cause__, seen[0].__context__) == (None, None)


@pytest.mark.row("A1", "B2")
@pytest.mark.parametrize(
    ("fault", "phase"),
    [("refuse", "connection"), ("status503", "connection"), ("truncate:0", "first event"), ("truncate:9", "streaming")],
)
async def test_the_phase_says_how_far_the_attempt_was(world, autojump_clock, fault, phase):
    async with world(f"claude-one#1={fault}") as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Switch(TWO)))
    assert outcome.attempts[0].failure.phase.value == phase


# -- who has left


@pytest.mark.row("B1", "A17", "A18", "X6")
@pytest.mark.parametrize("left", [FailureKind.CANCELLED, FailureKind.DEADLINE])
def test_who_has_left_is_told_nothing_of_the_weather(left):
    limited = RefusedError("slow down", status=429)
    assert classify(limited, Phase.CONNECTION, "anthropic", "m", left=left).kind is left
    assert classify(KeyError("bug"), Phase.CONNECTION, left=left) is None


@pytest.mark.row("O3", "B1")
def test_in_a_group_a_real_error_goes_before_what_was_cancelled_with_it():
    async def cancelled():
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.sleep_forever()
            except trio.Cancelled as error:
                return error

    error = trio.run(cancelled)
    for members in ([error, httpx2.ReadError("cut")], [httpx2.ReadError("cut"), error]):
        group = BaseExceptionGroup("several", members)
        assert classify(group, Phase.STREAMING).kind is FailureKind.RESET
    assert classify(BaseExceptionGroup("one", [error]), Phase.STREAMING).kind is FailureKind.CANCELLED
    assert classify(error, Phase.STREAMING).kind.disposition.value == "leave"


async def rude(_request, _route):
    """A client that breaks when it is left."""
    yield TextDelta("so far")
    try:
        await trio.sleep_forever()
    finally:
        raise httpx2.ReadError("broke while it was closed")


@pytest.mark.row("F3", "B1", "H10")
async def test_a_failure_met_while_the_stream_is_left_makes_it_no_failed_one(autojump_clock):
    async with mine(rude) as streams:
        with trio.move_on_after(5) as scope:
            async with streams.open("hello", Ladder("mine:model", Retry(5))) as stream:
                async for _ in stream:
                    pass
        assert scope.cancelled_caught
    assert (stream.outcome.status, stream.outcome.failure.kind) == (Status.INTERRUPTED, FailureKind.DEADLINE)
    assert (stream.outcome.text, len(stream.outcome.attempts)) == ("so far", 1)


async def test_what_breaks_as_an_attempt_is_given_up_does_not_hide_why(autojump_clock):
    route = Route("mine", "model", clocks=Clocks(gap=7.0))
    async with mine(rude) as streams:
        outcome = await streams.ask("hello", Ladder(route))
    assert outcome.failure.kind is FailureKind.STALLED


# -- memory


def saying(size, pieces):
    """A client that says so much, in so many pieces, or at once; and counts how it was asked."""
    asked = []

    async def client(_request, route):
        asked.append(route.mode)
        step = size // pieces if route.mode is Mode.STREAMING else size
        for _ in range(0, size, step):
            await trio.lowlevel.checkpoint()
            yield TextDelta("x" * step)

    return client, asked


MEBI = 1024 * 1024


@pytest.mark.row("E5", "A19", "E1", "X9")
async def test_an_answer_above_its_budget_is_asked_for_in_one_piece(autojump_clock):
    client, asked = saying(2 * MEBI, 64)
    limits = Memory(stream=MEBI, answer=4 * MEBI)
    async with mine(client, brakes=Brakes(memory=limits)) as streams:
        async with streams.open("hello", Ladder("mine:model", Retry(5), Buffered())) as stream:
            async for event in stream:
                if isinstance(event, AttemptAbandoned):
                    assert event.failure.title == "Memory exhausted"
                    assert streams.gauges()["buffered_bytes"] <= MEBI + 2 * MEBI // 64
        outcome = stream.outcome
        assert (outcome.completed, len(outcome.text), asked) == (True, 2 * MEBI, [Mode.STREAMING, Mode.BUFFERED])
        assert outcome.attempts[0].delivered.characters <= MEBI + 2 * MEBI // 64
        assert streams.gauges()["buffered_bytes"] == 0


@pytest.mark.row("E4", "E5", "X8")
async def test_an_answer_that_is_too_large_in_one_piece_too_ends_the_stream(autojump_clock):
    client, asked = saying(2 * MEBI, 64)
    limits = Memory(stream=MEBI, answer=MEBI + 1)
    async with mine(client, brakes=Brakes(memory=limits)) as streams:
        outcome = await streams.ask("hello", Ladder("mine:model", Retry(5), Buffered(), Retry(5)))
    assert (outcome.status, outcome.failure.kind) == (Status.FAILED, FailureKind.ANSWER_SIZE)
    assert asked == [Mode.STREAMING, Mode.BUFFERED]


@pytest.mark.row("E5", "L13")
async def test_many_answers_together_have_a_budget_too(autojump_clock):
    gate = trio.Event()
    grown = []

    async def client(_request, route):
        for _ in range(8):
            yield TextDelta("x" * 1000)
        if route.mode is Mode.STREAMING:
            grown.append(streams.gauges()["buffered_bytes"])
            await gate.wait()
            yield TextDelta("x" * 1000)

    outcomes = []
    async with mine(client, brakes=Brakes(memory=Memory(together=24_500))) as streams:

        async def ask():
            outcomes.append(await streams.ask("hello", Ladder("mine:model", Buffered())))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            assert max(grown) == streams.gauges()["buffered_bytes"] == 24_000
            gate.set()
        assert streams.gauges()["buffered_bytes"] == 0
    assert all(outcome.completed for outcome in outcomes)
    kinds = [cause.kind for outcome in outcomes for cause in outcome.causes]
    assert kinds
    assert set(kinds) == {FailureKind.MEMORY}


@pytest.mark.row("E5")
async def test_out_of_memory_before_an_answer_is_read_is_a_crash():
    def client(_request, _route):
        raise MemoryError

    async with mine(client) as streams:
        outcome = await streams.ask("hello", Ladder("mine:model", Buffered()))
    assert outcome.failure.kind is FailureKind.CRASH


# -- a machine too busy


@pytest.mark.row("A21")
async def test_an_alarm_that_rings_late_blames_this_machine_and_waits_twice_as_long(mock_clock):
    async def client(_request, _route):
        yield TextDelta("hello")
        if not asked:
            asked.append(trio.current_time())
            await trio.sleep_forever()

    asked, told = [], []
    route = Route("mine", "model", clocks=Clocks(gap=10.0))
    async with mine(client, hook=told.append) as streams, trio.open_nursery() as nursery:
        outcomes = []

        async def ask():
            outcomes.append(await streams.ask("hello", Ladder(route, Retry(5), Switch("mine:other"))))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(13)  # the loop stood still: nobody could read what came meanwhile
        await trio.testing.wait_all_tasks_blocked()
        (ended,) = (record for record in told if isinstance(record, AttemptEnded))
        assert ended.failure.kind is FailureKind.CPU
        assert ended.failure.message == "given up 13 s after the attempt began"
        assert ended.next_route == route
        assert 1.8 <= ended.after <= 2.2
        mock_clock.jump(3)
        await trio.testing.wait_all_tasks_blocked()
    assert outcomes[0].completed


# -- tools that ran


def acting(name):
    """A client whose program runs a tool and then loses its line."""
    ran = []

    async def client(_request, _route):
        ran.append(name)
        yield PartEnded(0, ToolCall("c1", name, {"command": "x"}, hosted=True))
        if len(ran) < 3:
            raise ConnectionResetError("mind the gap")
        yield TextDelta("done", 1)

    return client, ran


@pytest.mark.row("D17")
async def test_after_a_tool_that_acted_nothing_is_sent_again(autojump_clock):
    client, ran = acting("Bash")
    async with mine(client) as streams:
        outcome = await streams.ask("hello", Ladder("mine:model", Retry(5), Switch("mine:other"), Buffered()))
    assert ran == ["Bash"]
    assert (outcome.status, outcome.failure.kind, outcome.exhausted) == (Status.FAILED, FailureKind.RESET, False)
    with pytest.raises(StreamFailed, match="not retrying after 1 attempt"):
        outcome.unwrap()


@pytest.mark.row("D17")
@pytest.mark.parametrize(("tool", "repeat_tools"), [("Read", False), ("web_search", False), ("Bash", True)])
async def test_a_harmless_tool_or_a_word_of_the_caller_lets_it_run_again(autojump_clock, tool, repeat_tools):
    client, ran = acting(tool)
    async with mine(client) as streams:
        outcome = await streams.ask("hello", Ladder("mine:model", Retry(5)), repeat_tools=repeat_tools)
    assert outcome.completed
    assert ran == [tool] * 3
