"""The real Claude Code against the simulator on the loopback: it sees no other server, no account and no files of the person.

`make real-claude` fetches it; CLAUDE_CODE_PROGRAM may name another one.
"""

import os
import signal
from contextlib import asynccontextmanager

import pytest
import trio
from prepare_claude import program
from programs import children, groups, running, until

from actors import (
    AttemptAbandoned,
    Clocks,
    FailureKind,
    Ladder,
    Request,
    Restarted,
    Retry,
    Route,
    Status,
    Switch,
    TextDelta,
    ThinkingDelta,
    open_streams,
)
from actors.chaos import Answer, Pacing, Plan, Scripted, Simulator, Text, Thinking, ToolUse
from actors.messages import Foreign, ToolCall

MODEL = "claude-haiku-4-5"
ROUTE = f"claude-code:{MODEL}"
SAID = "The sky is blue because air scatters the short waves of light more than the long ones, “naïve” 水 or not."
TALKATIVE = {"CLAUDE_CODE_MAX_RETRIES": 2, "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": ""}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """The program under its usual name, in a home of its own, without anything this process knows."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "bin/claude").symlink_to(program())
    for name in os.environ.keys() - {"CLAUDE_CODE_PROGRAM", "PYTEST_CURRENT_TEST"}:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-fake-key")
    monkeypatch.chdir(tmp_path / "home")


class Loopback:
    """Streams, and the simulator that the program asks."""

    def __init__(self, simulator, streams):
        self.simulator = simulator
        self.streams = streams

    @property
    def asked(self):
        """The requests to the model: status and whether it streamed."""
        return [(entry.status, entry.streaming) for entry in self.simulator.journal.entries if entry.provider]

    async def consume(self, request="hello", *rungs, route=ROUTE):
        """The stream and its events."""
        async with self.streams.open(request, Ladder(route, *rungs)) as stream:
            events = [event async for event in stream]
        return stream.outcome, events


@pytest.fixture
def loopback(monkeypatch):
    @asynccontextmanager
    async def opened(plan="", answers=None, pacing=None, **options):
        simulator = Simulator(answers or Scripted(SAID), Plan.parse(plan), pacing or Pacing())
        async with trio.open_nursery() as nursery:
            monkeypatch.setenv("ANTHROPIC_BASE_URL", await nursery.start(simulator.listen))
            async with open_streams(seed=1, **options) as streams:
                yield Loopback(simulator, streams)
            assert children() == set()
            nursery.cancel_scope.cancel()

    return opened


def texts(events):
    """The text a consumer has who obeys every seam."""
    told = []
    for event in events:
        match event:
            case TextDelta(words):
                told.append(words)
            case AttemptAbandoned() | Restarted():
                told.clear()
            case _:
                pass
    return told


async def test_text_comes_in_pieces_and_is_whole(loopback):
    async with loopback() as world:
        outcome, events = await world.consume(Request("hello", system="Be brief."))
        assert "".join(texts(events)) == outcome.unwrap().text == SAID
        assert len(texts(events)) > 10
        assert outcome.usage.output_tokens > 10
        assert world.asked == [(200, True)]


async def test_thinking_comes_before_the_text(loopback):
    answers = Scripted(Answer([Thinking("Let me see.", "c2lnbmVk"), Text("Done.")]))
    async with loopback(answers=answers) as world:
        outcome, events = await world.consume()
        assert "".join(event.text for event in events if isinstance(event, ThinkingDelta)) == "Let me see."
        assert (outcome.thinking, outcome.unwrap().text) == ("Let me see.", "Done.")


async def test_a_buffered_route_has_the_same_text(loopback):
    async with loopback() as world:
        outcome, _ = await world.consume(route=Route.parse(ROUTE).buffered)
        assert outcome.unwrap().text == SAID


async def test_a_long_prompt_goes_through_standard_input(loopback):
    prompt = "Count the words. " * 20_000
    async with loopback() as world:
        outcome, _ = await world.consume(prompt)
        assert outcome.unwrap().text


async def test_the_program_runs_its_tools_itself(loopback):
    call = ToolUse("Bash", '{"command": "echo wire-ok", "description": "say it"}', "toolu_1")
    answers = Scripted(Answer([Text("I look."), call]), Answer([Text("It said wire-ok.")]))
    own = {"tools": "Bash", "allowed_tools": "Bash(echo:*)"}
    async with loopback(answers=answers) as world:
        outcome, _ = await world.consume(Request("run it", extras={"claude-code": own}))
        assert outcome.unwrap().text == "I look.It said wire-ok."
        assert outcome.tool_calls == ()
        _, made, told, _ = outcome.parts
        assert isinstance(made, ToolCall)
        assert (made.name, made.hosted, made.arguments["command"]) == ("Bash", True, "echo wire-ok")
        assert isinstance(told, Foreign)
        assert "wire-ok" in str(told.block)
        assert len(world.asked) == 2


FAULTS = [
    ("status529", FailureKind.OVERLOADED, [529, 200]),
    ("status429", FailureKind.RATE_LIMIT, [429, 200]),
    ("status500", FailureKind.SERVER, [500, 200]),
    ("status503", FailureKind.UNAVAILABLE, [503, 200]),
    ("cut:6", FailureKind.TRUNCATED, [200, 200]),
    ("truncate:6", FailureKind.TRUNCATED, [200, 200]),
    ("garble:6", FailureKind.MALFORMED, [200, 200]),
    ("error:overloaded:6", FailureKind.OVERLOADED, [200, 200]),
]


@pytest.mark.promise("P5")
@pytest.mark.promise("P6")
@pytest.mark.parametrize(("fault", "kind", "statuses"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_a_fault_ends_the_run_at_once_and_the_ladder_asks_again(loopback, fault, kind, statuses):
    async with loopback(f"{MODEL}#1={fault}") as world:
        outcome, events = await world.consume("hello", Retry(3))
        assert [attempt.failure and attempt.failure.kind for attempt in outcome.attempts] == [kind, None]
        assert "".join(texts(events)) == outcome.unwrap().text == SAID
        assert world.asked == [(status, True) for status in statuses]


@pytest.mark.parametrize("fault", ["status401", "status403"])
async def test_a_refused_key_is_not_tried_twice(loopback, fault):
    talkative = Request("hello", extras={"claude-code": {"environment": TALKATIVE}})
    async with loopback(f"{MODEL}#1={fault} {MODEL}#2={fault} {MODEL}#3={fault}") as world:
        outcome, _ = await world.consume(talkative, Retry(3))
        assert outcome.failure.kind is FailureKind.INVALID_KEY  # "authentication_failed", it says of both
        assert len(outcome.attempts) == 1


@pytest.mark.promise("P6")
@pytest.mark.parametrize("fault", ["cut:6", "truncate:6", "error:overloaded:6", "reset:6", "status529"])
async def test_what_the_program_recovers_on_its_own_is_told_and_stands_once(loopback, fault):
    talkative = Request("hello", extras={"claude-code": {"environment": TALKATIVE}})
    async with loopback(f"{MODEL}#1={fault}") as world:
        outcome, events = await world.consume(talkative)
        assert any(isinstance(event, Restarted) for event in events)
        assert "".join(texts(events)) == outcome.unwrap().text == SAID
        assert len(outcome.attempts) == 1
        assert len(world.asked) == 2


async def test_an_option_that_the_program_lacks_is_told_in_its_own_words(loopback):
    request = Request("hello", extras={"claude-code": {"arguments": ["--no-such-option"]}})
    async with loopback() as world:
        outcome, _ = await world.consume(request, Retry(3))
        assert outcome.failure.kind is FailureKind.PROGRAM
        assert "unknown option '--no-such-option'" in outcome.failure.message
        assert world.asked == []


@pytest.mark.parametrize("position", [0, 6])
@pytest.mark.promise("P12")
async def test_a_stalled_answer_is_given_up_long_before_the_program_would(loopback, position):
    hasty = Route("claude-code", MODEL, clocks=Clocks(first_event=20, first_content=3, gap=1.5))
    async with loopback(f"{MODEL}#1=stall:{position}") as world:
        outcome, events = await world.consume("hello", Retry(1), Switch(ROUTE), route=hasty)
        first, second = outcome.attempts
        assert first.failure.kind is (FailureKind.STALLED if position else FailureKind.FIRST_CONTENT_TIMEOUT)
        assert first.ended - first.started < 10  # it would wait for 300 s
        assert "".join(texts(events)) == outcome.unwrap().text == SAID
        assert second.failure is None


@pytest.mark.promise("P7")
@pytest.mark.parametrize(("number", "told"), [(signal.SIGTERM, "143"), (signal.SIGHUP, "129"), (signal.SIGKILL, "9")])
async def test_a_program_that_somebody_ends_is_an_answer_cut_short_and_asked_anew(loopback, number, told):
    async with loopback(f"{MODEL}#1=stall:8") as world:
        async with world.streams.open("hello", Ladder(ROUTE, Retry(2))) as stream:
            events, pids = [], set()
            async for event in stream:
                events.append(event)
                if isinstance(event, TextDelta) and not pids:
                    (pid,) = pids = children()
                    os.kill(pid, number)
        first, _ = stream.outcome.attempts
        assert first.failure.kind is FailureKind.TRUNCATED
        assert told in first.failure.message
        assert "".join(texts(events)) == stream.outcome.unwrap().text == SAID
        assert not running(pid)


@pytest.mark.row("C14")
async def test_a_run_of_the_real_program_is_recorded_and_replayed_without_it(loopback, tmp_path, monkeypatch):
    path = tmp_path / "tape.jsonl"
    async with loopback(f"{MODEL}#1=error:overloaded:6", record=path) as world:
        first, told = await world.consume("hello", Retry(3))
        assert "sk-fake-key" not in path.read_text()
    monkeypatch.setenv("PATH", str(tmp_path))
    ladder = Ladder(ROUTE, Retry(3))
    async with open_streams(seed=1, replay=path) as streams, streams.open("hello", ladder) as stream:
        again = [event async for event in stream]
    assert stream.outcome.unwrap().text == first.unwrap().text == SAID
    assert texts(again) == texts(told)
    kinds = [one.failure and one.failure.kind for one in first.attempts]
    assert (
        [one.failure and one.failure.kind for one in stream.outcome.attempts] == kinds == [FailureKind.OVERLOADED, None]
    )


@pytest.mark.promise("P1")
@pytest.mark.promise("P4")
@pytest.mark.row("H9")
@pytest.mark.parametrize("words", [0, 1, 5])
async def test_cancelled_the_program_is_gone_within_the_grace_and_the_partial_is_kept(loopback, words):
    async with loopback(pacing=Pacing(events_per_second=10)) as world:
        began = None
        before = groups()
        with trio.CancelScope() as scope:
            async with world.streams.open("hello", Ladder(ROUTE, Retry(3))) as stream:
                told = 0
                async for event in stream:
                    told += isinstance(event, TextDelta)
                    if told >= words:
                        began = trio.current_time()
                        scope.cancel()
        assert trio.current_time() - began < 2.0
        assert stream.outcome.status is Status.INTERRUPTED
        assert SAID.startswith(stream.outcome.text)
        assert bool(stream.outcome.text) is bool(words)
        await until(lambda: groups() <= before)
