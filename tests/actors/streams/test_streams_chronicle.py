"""What a tree's hook is told of streams."""

import subprocess
import sys

import pytest
import trio
from opentelemetry import trace

from actors import Buffered, FailureKind, Ladder, Retry, Route, Seam, Status, Switch, from_call, open_streams
from actors.lifecycle import AttemptEnded, StreamEnded, Trace
from supervisor import line, open_supervisor

ONE, TWO = Route.parse("anthropic:claude-one"), Route.parse("anthropic:claude-two")
PATH = ("root", "streams", "service")


def always(fault):
    return " ".join(f"claude-one#{attempt}={fault}" for attempt in range(1, 9))


def attempts(w):
    return [record for record in w.records if isinstance(record, AttemptEnded)]


def ends(w):
    return [record for record in w.records if isinstance(record, StreamEnded)]


def told(w):
    """Of every attempt: its number, N/M, and the route of the next one."""
    return [(r.attempt.number, f"{r.tries}/{r.limit:g}", r.next_route) for r in attempts(w)]


async def test_a_stream_in_fair_weather_is_told_of_twice(world, autojump_clock):
    async with world() as w:
        async with w.streams.open("hello", Ladder(ONE), name="mine") as stream:
            outcome = await stream.wait()
        assert attempts(w)[0].attempt == outcome.attempts[0]
        assert attempts(w)[0].failure is None
        assert [record.outcome for record in ends(w)] == [outcome]
        assert {record.path for record in attempts(w) + ends(w)} == {(*PATH, "mine")}
        assert {record.trace.trace_id for record in attempts(w) + ends(w)} == {outcome.trace_id}


async def test_every_attempt_is_told_once_with_what_follows(world, autojump_clock):
    plan = "claude-one#1=status503 claude-one#2=cut:3 claude-one#3=status503 claude-two#1=truncate:3"
    async with world(plan) as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(3), Switch(TWO), Buffered()))
        assert outcome.completed
        assert [record.attempt for record in attempts(w)] == list(outcome.attempts)
        assert told(w) == [
            (1, "1/3", ONE),
            (2, "2/3", ONE),
            (3, "3/3", TWO),
            (4, "1/1", TWO.buffered),
            (5, "1/1", None),
        ]
        assert [record.after > 0 for record in attempts(w)] == [True, True, False, False, False]
        assert len(ends(w)) == 1


async def test_a_kind_with_a_cap_of_its_own_has_a_smaller_ration(world, autojump_clock):
    async with world(always("reset:2")) as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(5)))
        assert outcome.status is Status.FAILED
        assert told(w) == [(1, "1/3", ONE), (2, "2/3", ONE), (3, "3/3", None)]


async def test_a_stream_left_in_the_middle_is_told_as_interrupted(world, autojump_clock):
    async with world(always("stall:3")) as w:
        async with w.streams.open("hello", Ladder(ONE)) as stream:
            await trio.sleep(1)
        (attempt,), (end,) = attempts(w), ends(w)
        assert end.left
        assert end.outcome is stream.outcome
        assert attempt.failure.kind is FailureKind.CANCELLED
        assert attempt.attempt.failure is None


async def test_a_stream_left_while_it_waits_has_told_its_attempt_before(world, autojump_clock):
    async with world(always("status429:30")) as w:
        with trio.move_on_after(5):
            await w.streams.ask("hello", Ladder(ONE, Retry(5)))
        assert told(w) == [(1, "1/5", ONE)]
        assert [record.outcome.failure.kind for record in ends(w)] == [FailureKind.DEADLINE]


async def test_a_seam_that_forbids_another_attempt_leaves_no_ration(world, autojump_clock):
    async with world(always("cut:5")) as w:
        await w.streams.ask("hello", Ladder(ONE, Retry(5)), seam=Seam.FAIL)
        assert told(w) == [(1, "1/1", None)]


async def test_without_a_hook_nothing_is_told_and_a_hook_that_raises_harms_no_stream(world, autojump_clock):
    def broken(record):
        if isinstance(record, (AttemptEnded, StreamEnded)):
            raise TypeError

    async def give(request, route):
        return "hello"

    for hook in (None, broken):
        async with open_streams(providers={"mine": from_call(give)}, hook=hook) as streams:
            outcome = await streams.ask("hello", "mine:a")
            assert outcome.completed


async def test_a_tree_gives_its_hook_only_where_there_is_one():
    heard = []
    async with open_supervisor() as deaf, open_supervisor(hook=heard.append) as tree:
        assert deaf.hook is None
        tree.hook("mine")
        assert heard[-1] == "mine"


async def test_a_stream_belongs_to_the_trace_in_which_it_was_opened(world, autojump_clock):
    span = trace.NonRecordingSpan(trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(1)))
    async with world() as w:
        with trace.use_span(span):
            outcome = await w.streams.ask("hello", Ladder(ONE))
        other = await w.streams.ask("hello", Ladder(ONE))
        assert outcome.trace_id == f"{0xABC:032x}"
        assert ends(w)[0].trace.parent == f"00-{0xABC:032x}-{0xDEF:016x}-01"
        assert ends(w)[1].trace.parent == ""
        assert other.trace_id != outcome.trace_id


@pytest.mark.parametrize("number", range(1, 6))
def test_the_spans_of_attempts_have_names_of_their_own(number):
    stream = Trace("ab" * 16, "f" * 16)
    names = {stream.span_id, *(stream.span_of(other) for other in range(1, 6))}
    assert len(names) == 6
    assert len(stream.span_of(number)) == 16


async def test_as_a_line_of_text_a_record_says_nothing_of_the_answer(world, autojump_clock):
    async with world("claude-one#1=status503") as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(2)), name="mine")
    broken, _, end = (line(record) for record in w.records if isinstance(record, (AttemptEnded, StreamEnded)))
    path, told = "root/streams/service/mine", f"trace={outcome.trace_id}"
    assert f"{path} AttemptEnded {told} attempt=1 on anthropic:claude-one (unavailable) failure=Service" in broken
    assert broken.split(" tries=")[1].startswith("1 limit=2 next_route=anthropic:claude-one after=")
    assert end.endswith(f"{path} StreamEnded {told} outcome=completed, {outcome.usage.output_tokens} tokens out")


def test_whoever_wants_neither_logs_nor_metrics_imports_neither():
    code = "import sys, actors; print({'structlog', 'opentelemetry'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
