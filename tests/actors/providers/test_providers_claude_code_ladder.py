"""Claude Code on a ladder beside providers over HTTP: retried, switched away from and to, cancelled at any moment."""

from random import Random

import pytest
import trio
from fake_claude import ROUTE, answer, claude, lines, opened, quick
from programs import files
from wire_claude_code_lines import INIT, block, result, start, streamed, text, whole_message

from actors import (
    AttemptAbandoned,
    AttemptStarted,
    Clocks,
    FailureKind,
    Finished,
    Ladder,
    Retry,
    Route,
    Status,
    Switch,
    TextDelta,
)
from actors.chaos import Plan, expected_text

__all__ = ["claude", "quick"]

HTTP = Route.parse("anthropic:claude-one")
OVERLOADED = f"listen(); {lines(INIT, *streamed(['half']), result('529', is_error=True, api_error_status=529))}"
ENDLESS = f"""
listen(); {lines(INIT, start(), block(text=""))}
while True: {lines(text("lo"))}; time.sleep(0.001)
"""


async def consumed(stream):
    """The text a consumer has who obeys the seams, and how many seams there were."""
    told, seams = [], []
    async for event in stream:
        match event:
            case TextDelta(words):
                told.append(words)
            case AttemptAbandoned():
                told.clear()
                seams.append(event.failure.kind)
            case _:
                pass
    return "".join(told), seams


@pytest.mark.promise("P5")
@pytest.mark.promise("P6")
async def test_a_run_that_failed_is_retried_by_the_ladder_alone(claude):
    claude.does(OVERLOADED, answer("Hello", " there"))
    async with opened(seed=1) as streams, streams.open("hi", Ladder(ROUTE, Retry(3))) as stream:
        began = trio.current_time()
        told, seams = await consumed(stream)
        assert trio.current_time() - began > 0.85
    assert told == stream.outcome.unwrap().text == "Hello there"
    assert seams == [FailureKind.OVERLOADED]
    assert len(claude.runs) == len(stream.outcome.attempts) == 2
    await claude.gone()


async def test_a_stream_leaves_a_silent_program_for_an_http_route(claude):
    claude.does("deaf(2); wait()")
    silent = Route("claude-code", "claude-a", clocks=Clocks(first_event=0.3))
    async with opened() as streams, streams.open("hi", Ladder(silent, Switch(HTTP))) as stream:
        told, seams = await consumed(stream)
    assert told == stream.outcome.unwrap().text == expected_text("hi", tokens=24)
    assert seams == [FailureKind.FIRST_EVENT_TIMEOUT]
    await claude.gone()


async def test_a_stream_comes_from_an_http_route_to_the_program(claude):
    claude.does(answer("Hello", " there"))
    plan = Plan.parse("claude-one#1=status403")
    async with opened(plan) as streams, streams.open("hi", Ladder(HTTP, Switch(ROUTE))) as stream:
        told, seams = await consumed(stream)
    assert told == stream.outcome.unwrap().text == "Hello there"
    assert seams == [FailureKind.PERMISSION]


@pytest.mark.promise("P4")
@pytest.mark.promise("P9")
async def test_cancelled_in_the_middle_the_partial_is_kept_and_the_program_is_gone(claude):
    claude.does(lines(INIT, *streamed(["Hel", "lo"])) + "; wait()")
    async with opened() as streams:
        with trio.CancelScope() as scope:
            async with streams.open("hi", Ladder(ROUTE, Retry(5))) as stream:
                async for event in stream:
                    if event == TextDelta("lo"):
                        scope.cancel()
        assert scope.cancelled_caught
        assert (stream.outcome.status, stream.outcome.text) == (Status.INTERRUPTED, "Hello")
        assert len(stream.outcome.attempts) == 1
        await claude.gone()


@pytest.mark.promise("P1")
@pytest.mark.promise("P4")
async def test_streams_cancelled_at_a_hundred_moments_leave_no_program_and_no_file(claude):
    claude.does(f"if os.fork() == 0: wait()\n{ENDLESS}")
    dice, outcomes = Random(11), []

    async def one(streams, number):
        with trio.move_on_after(dice.random() * 0.2):
            async with streams.open(f"prompt {number}", Ladder(ROUTE, Retry(5))) as stream:
                started = AttemptStarted(1, Route.parse(ROUTE))
                assert [event async for event in stream] == [started, "an endless answer does not end"]
        outcomes.append(stream.outcome)

    async with opened() as streams:
        before = files()
        for round_ in range(20):
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(one, streams, f"{round_}.{number}")
        assert files() == before
        await claude.gone()
    assert len(outcomes) == 100
    assert {outcome.status for outcome in outcomes} == {Status.INTERRUPTED}
    assert len({outcome.text for outcome in outcomes}) > 1  # cut before the first word, and at later ones


async def test_many_programs_at_once_are_told_apart(claude):
    heard = "json.loads(json.dumps(heard.decode()))"
    says = f'eval(repr({whole_message(["ECHO"])!r}).replace("ECHO", {heard}))'
    told = f"listen()\nfor line in [{INIT!r}, *{says}, {result()!r}]: say(json.dumps(line).encode() + b'\\n')"
    claude.does("import json\n" + told)
    outcomes = {}

    async def one(streams, prompt):
        async with streams.open(prompt, Ladder(ROUTE)) as stream:
            events = [event async for event in stream]
        assert isinstance(events[-1], Finished)
        outcomes[prompt] = stream.outcome.text

    async with opened() as streams, trio.open_nursery() as nursery:
        for number in range(12):
            nursery.start_soon(one, streams, f"prompt {number}")
    assert outcomes == {f"prompt {number}": f"prompt {number}" for number in range(12)}
    await claude.gone()
