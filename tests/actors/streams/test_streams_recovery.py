"""The whole path on the mock clock: supervised attempt, official client, pool, decoder, simulator."""

import pytest
import trio

from actors import (
    AttemptAbandoned,
    AttemptStarted,
    Buffered,
    FailureKind,
    Finished,
    Ladder,
    Mode,
    Retry,
    Route,
    Seam,
    SettingError,
    Status,
    StreamFailed,
    Switch,
    TextDelta,
)
from actors.chaos.sources import expected_text

ONE, TWO = Route.parse("anthropic:claude-one"), Route.parse("anthropic:claude-two")


async def consumed(stream):
    """The text a consumer has who obeys the seams, and the seams."""
    text, seams = [], []
    async for event in stream:
        match event:
            case TextDelta(piece):
                text.append(piece)
            case AttemptAbandoned():
                text.clear()
                seams.append(event)
            case AttemptStarted():
                seams.append(event)
            case _:
                pass
    return "".join(text), seams


async def test_a_stream_in_fair_weather_is_told_once(world, autojump_clock):
    async with world() as w:
        async with w.streams.open("Why is the sky blue?", Ladder(ONE)) as stream:
            text, seams = await consumed(stream)
        outcome = stream.outcome
        assert text == outcome.text == expected_text("Why is the sky blue?", tokens=24)
        assert outcome.status is Status.COMPLETED
        assert seams == [AttemptStarted(1, ONE)]
        assert outcome.usage.output_tokens > 0
        assert len(w.entries) == len(outcome.attempts) == 1


async def test_ask_gives_the_outcome(world, autojump_clock):
    async with world() as w:
        outcome = await w.streams.ask("hello", "anthropic:claude-one")
        assert outcome.unwrap().text == expected_text("hello", tokens=24)


@pytest.mark.promise("P6")
async def test_a_cut_stream_begins_anew_after_a_second_and_has_nothing_twice(world, autojump_clock):
    async with world("claude-one#1=cut:5") as w:
        began = trio.current_time()
        async with w.streams.open("hello", Ladder(ONE, Retry(3))) as stream:
            text, seams = await consumed(stream)
        assert text == stream.outcome.text == expected_text("hello", tokens=24)
        started, abandoned, again = seams
        assert (started, again) == (AttemptStarted(1, ONE), AttemptStarted(2, ONE))
        assert abandoned.failure.kind is FailureKind.TRUNCATED
        assert abandoned.delivered.characters > 0
        assert abandoned.next_route == ONE
        assert 0.9 <= trio.current_time() - began <= 1.2


STREAM_FAULTS = [
    ("cut:4", FailureKind.TRUNCATED),
    ("reset:4", FailureKind.RESET),
    ("truncate:4", FailureKind.TRUNCATED),
    ("garble:4", FailureKind.MALFORMED),
    ("tear:4", FailureKind.TRUNCATED),
    ("error:overloaded:4", FailureKind.OVERLOADED),
    ("stall:4", FailureKind.STALLED),
    ("pings:5", FailureKind.FIRST_CONTENT_TIMEOUT),
    ("slow:70", FailureKind.FIRST_CONTENT_TIMEOUT),
    ("stall:0", FailureKind.FIRST_EVENT_TIMEOUT),
    ("refuse", FailureKind.RESET),
    ("status429", FailureKind.RATE_LIMIT),
    ("status500", FailureKind.SERVER),
    ("status503", FailureKind.UNAVAILABLE),
    ("status504", FailureKind.TIMEOUT),
    ("status529", FailureKind.OVERLOADED),
    ("status403", FailureKind.PERMISSION),
    ("status404", FailureKind.MODEL_UNAVAILABLE),
]


@pytest.mark.parametrize(("fault", "kind"), STREAM_FAULTS, ids=[fault for fault, _ in STREAM_FAULTS])
async def test_each_fault_is_named_and_survived_on_a_second_route(world, autojump_clock, fault, kind):
    async with world(f"claude-one#1={fault}") as w:
        async with w.streams.open("hello", Ladder(ONE, Switch(TWO))) as stream:
            text, _ = await consumed(stream)
        outcome = stream.outcome
        assert text == outcome.text == expected_text("hello", tokens=24)
        assert [(a.route, a.failure and a.failure.kind) for a in outcome.attempts] == [(ONE, kind), (TWO, None)]
        assert [entry.model for entry in w.entries] == ["claude-one", "claude-two"]


@pytest.mark.parametrize("fault", ["status400", "status401", "status413"])
async def test_a_refused_request_is_sent_once_whatever_the_ladder(world, autojump_clock, fault):
    async with world(f"claude-one#1={fault}") as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(5), Switch(TWO), Buffered()))
        assert outcome.status is Status.FAILED
        assert len(w.entries) == 1
        with pytest.raises(StreamFailed) as failed:
            outcome.unwrap()
        assert failed.value.outcome is outcome


async def test_degrading_to_buffered_is_marked_and_gives_the_same_text(world, autojump_clock):
    async with world("claude-one#1=truncate:3 claude-one#2=truncate:3 claude-one#3=truncate:3") as w:
        async with w.streams.open("hello", Ladder(ONE, Retry(5), Buffered())) as stream:
            text, seams = await consumed(stream)
        assert text == stream.outcome.text == expected_text("hello", tokens=24)
        assert seams[-1] == AttemptStarted(4, ONE.buffered)
        assert [entry.streaming for entry in w.entries] == [True, True, True, False]
        assert stream.outcome.attempts[-1].route.mode is Mode.BUFFERED


@pytest.mark.row("C17")
async def test_retry_after_is_waited_for(world, autojump_clock):
    async with world("claude-one#1=status429:7") as w:
        began = trio.current_time()
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(2)))
        assert outcome.completed
        assert 7.0 <= trio.current_time() - began < 7.5


@pytest.mark.promise("P9")
@pytest.mark.row("F7")
async def test_an_exhausted_ladder_hands_over_the_partial(world, autojump_clock):
    async with world("claude-one#1=cut:6 claude-one#2=status529") as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(2)))
        assert outcome.status is Status.FAILED
        assert outcome.failure.kind is FailureKind.OVERLOADED
        assert outcome.text
        assert expected_text("hello", tokens=24).startswith(outcome.text)


async def test_seam_fail_stops_after_content_and_only_then(world, autojump_clock):
    async with world("claude-one#1=status529 claude-one#2=cut:5") as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(5)), seam=Seam.FAIL)
        assert outcome.status is Status.FAILED
        assert len(outcome.attempts) == 2
        assert outcome.text


@pytest.mark.promise("P4")
@pytest.mark.row("F1", "F3")
async def test_cancelled_in_the_middle_the_partial_is_there_and_nothing_is_left(world, autojump_clock):
    async with world("claude-one#1=stall:6") as w:
        with trio.move_on_after(3) as scope:
            async with w.streams.open("hello", Ladder(ONE, Retry(5))) as stream:
                async for _ in stream:
                    pass
        assert scope.cancelled_caught
        outcome = stream.outcome
        assert outcome.status is Status.INTERRUPTED
        assert outcome.failure.kind is FailureKind.DEADLINE
        assert outcome.text
        assert len(w.entries) == 1


async def test_leaving_the_block_early_interrupts(world, autojump_clock):
    async with world("claude-one#1=stall:6") as w:
        async with w.streams.open("hello", Ladder(ONE)) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    break
        assert stream.outcome.status is Status.INTERRUPTED
        assert stream.outcome.failure.kind is FailureKind.CANCELLED


async def test_an_unknown_provider_and_a_missing_key_are_said_before_anything_is_sent(world, autojump_clock):
    async with world() as w:
        with pytest.raises(SettingError, match="no provider is known for 'nobody:model'"):
            await w.streams.ask("hello", "nobody:model")
        with pytest.raises(SettingError, match="GEMINI_API_KEY is not set"):
            await w.streams.ask("hello", Ladder(ONE, Switch("google:gemini-2.5-flash")))
        assert w.entries == ()
        assert w.network.open_connections == 0


@pytest.mark.promise("P16")
@pytest.mark.row("N1")
async def test_the_success_path_never_asks_the_classifier(world, autojump_clock, monkeypatch):
    asked = []
    monkeypatch.setattr("actors.runtime.attempt.classify", lambda *facts: asked.append(facts))
    async with world() as w:
        assert (await w.streams.ask("hello", Ladder(ONE, Retry(5)))).completed
    assert asked == []


async def test_the_finish_and_the_terminal_event_are_told(world, autojump_clock):
    async with world() as w:
        async with w.streams.open("hello", Ladder(ONE)) as stream:
            events = [event async for event in stream]
        assert sum(isinstance(event, Finished) for event in events) == 1
        assert stream.outcome.finish.spelling == "end_turn"
