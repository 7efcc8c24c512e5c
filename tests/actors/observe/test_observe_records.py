"""Outcomes and reports on paper and as JSON."""

import io

import msgspec
import pytest
from rich.console import Console

from actors.deltas import Finish, FinishReason, Progress, Reach, Usage
from actors.failure import CIRCUIT_OPEN, Failure, FailureKind, Phase
from actors.messages import Text, Thinking, ToolCall
from actors.observe.printing import outcome_text, report_text
from actors.observe.records import outcome_record, report_record
from actors.observe.report import Tally
from actors.outcome import Attempt, IncompleteCall, Outcome, Status
from actors.route import Route

A, B = Route("anthropic", "claude-a"), Route("anthropic", "claude-b")
CUT = Failure(FailureKind.TRUNCATED, "it ended early", Phase.STREAMING, "anthropic", "claude-a", request_id="req_1")
REFUSED = Failure(FailureKind.INVALID_KEY, "bad key", provider="anthropic", model="claude-a", status=401, code="auth")
DONE = Outcome(
    Status.COMPLETED,
    (Thinking("hm"), Text("It scatters.")),
    (ToolCall("c1", "look", {"at": ["sky"]}),),
    (IncompleteCall("go", "c2", '{"a'),),
    Usage(10, 20),
    (
        Attempt(1, A, 100.0, 101.0, 100.5, Progress(Reach.TEXT, 2, 9), Usage(5, 3), CUT, "req_1"),
        Attempt(2, A.buffered, 102.0, 104.0, 103.0, Progress(Reach.TOOL_CALL, 3, 12), Usage(5, 17), None, "req_2"),
    ),
    Finish(FinishReason.TOOL_CALLS, "tool_use"),
    None,
    "claude-a-2025",
    "ab" * 16,
)
LOST = Outcome(
    Status.FAILED,
    (Text("half"),),
    attempts=(Attempt(1, A, 0.0, 1.0, failure=REFUSED),),
    failure=REFUSED,
    trace_id="cd" * 16,
)


def round_trip(record):
    return msgspec.json.decode(msgspec.json.encode(record))


def printed(renderable, width=100):
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(renderable)
    return console.file.getvalue()


def test_an_outcome_leaves_as_json_with_everything_it_carries():
    record = round_trip(outcome_record("q1", DONE))
    assert record["id"] == "q1"
    assert (record["status"], record["text"], record["thinking"]) == ("completed", "It scatters.", "hm")
    assert record["tool_calls"] == [{"id": "c1", "name": "look", "arguments": {"at": ["sky"]}, "hosted": False}]
    assert record["incomplete_calls"] == [{"id": "c2", "name": "go", "fragment": '{"a'}]
    assert record["finish"] == {"reason": "tool_calls", "spelling": "tool_use", "detail": ""}
    assert record["usage"]["output_tokens"] == 20
    assert (record["failure"], record["trace_id"]) == (None, "ab" * 16)


def test_on_paper_calls_are_told_apart_from_those_that_were_cut_off():
    told = printed(outcome_text("q1", DONE))
    assert 'calls look({"at":["sky"]})' in told
    assert 'cut off while calling go: {"a' in told


def test_the_timeline_counts_from_the_first_attempt():
    first, second = round_trip(outcome_record("q1", DONE))["attempts"]
    assert (first["started"], first["first_content"], first["seconds"]) == (0.0, 0.5, 1.0)
    assert (second["started"], second["first_content"], second["seconds"]) == (2.0, 1.0, 2.0)
    assert (first["route"], first["mode"], second["mode"]) == ("anthropic:claude-a", "streaming", "buffered")
    assert (first["failure"]["kind"], second["failure"]) == ("truncated", None)


def test_a_failure_carries_its_advice():
    failure = round_trip(outcome_record("q2", LOST))["failure"]
    assert (failure["title"], failure["status"], failure["code"]) == ("Invalid credentials", 401, "auth")
    assert "ANTHROPIC_API_KEY" in failure["remedy"]


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("status", Status)
def test_every_outcome_can_be_written_and_printed(kind, status):
    failure = Failure(kind, "why")
    outcome = Outcome(status, failure=failure, attempts=(Attempt(1, A, 0.0, 1.0, failure=failure),))
    assert round_trip(outcome_record("1", outcome))["status"] == status.value
    assert status.value in printed(outcome_text("1", outcome))


@pytest.mark.promise("P14")
def test_a_failed_outcome_says_what_happened_what_was_tried_what_to_do_and_its_trace():
    text = printed(outcome_text("q2", LOST))
    for said in (
        "q2  failed",
        "half",
        "Invalid credentials",
        "bad key",
        "after 1 attempt",
        "Check ANTHROPIC_API_KEY",
        "cd" * 16,
    ):
        assert said in text


def test_an_answer_cannot_command_the_terminal():
    outcome = Outcome(Status.COMPLETED, (Text("a\x1b[2Jb\nc\td\x07"),))
    assert "\x1b" not in printed(outcome_text("\x1b]0;x\x07", outcome))
    assert "a\N{REPLACEMENT CHARACTER}[2Jb\nc" in printed(outcome_text("1", outcome))


def test_a_report_leaves_as_json_and_on_paper_with_the_same_figures():
    tally = Tally()
    for outcome in (DONE, LOST, LOST):
        tally.add(outcome)
    report = tally.report(10.0)
    record = round_trip(report_record(report))
    assert (record["streams"], record["completed"], record["failed"], record["interrupted"]) == (3, 1, 2, 0)
    assert (record["attempts"], record["retries"], record["switches"], record["degrades"]) == (4, 0, 0, 1)
    assert record["asked"] == {"anthropic:claude-a": 3, "anthropic:claude-a (buffered)": 1}
    assert record["total_seconds"]["p50"] == pytest.approx(4.0, rel=0.01)
    assert [failure["latest"]["kind"] for failure in record["failures"]] == ["invalid_key", "truncated"]
    text = printed(report_text(report, unasked=5))
    for said in (
        "3 streams in 10.0 s",
        "1 completed   0 interrupted   2 failed",
        "5 prompts not asked any more",
        "4 attempts: 0 retries, 0 switches of route, 1 degrade to buffered",
        "10 tokens in, 20 out, 2 a second",
        "  Invalid credentials at anthropic  2 attempts, ended 2 streams\n    anthropic does not accept the key: bad key.",
        "  Stream cut short at anthropic  1 attempt\n    the answer of anthropic ended",
    ):
        assert said in text


def test_an_empty_report_has_no_figures_and_no_complaints():
    report = Tally().report(0.0)
    assert "0 streams" in printed(report_text(report))
    assert "wrong" not in printed(report_text(report))
    assert round_trip(report_record(report))["first_content_seconds"] == {"p50": None, "p90": None, "p99": None}


def test_the_report_fits_a_narrow_terminal():
    tally = Tally()
    tally.add(LOST)
    assert all(len(line) <= 40 for line in printed(report_text(tally.report(1.0)), width=40).splitlines())


def test_a_circuit_that_opened_is_in_the_report_with_what_it_held_back_and_who_moved_on():
    tally = Tally()
    held = Failure(FailureKind.UNAVAILABLE, provider="anthropic", model="claude-a", code=CIRCUIT_OPEN)
    tally.add(Outcome(Status.COMPLETED, attempts=(Attempt(1, A, 0.0, 0.0, failure=held), Attempt(2, B, 0.0, 1.0))), A)
    tally.add(Outcome(Status.COMPLETED, attempts=(Attempt(1, B, 0.0, 1.0),)), A)
    report = tally.report(2.0)
    assert f"circuit of {A} opened: 1 attempt held back, 1 stream moved on" in printed(report_text(report))
    record = round_trip(report_record(report))
    assert (record["attempts"], record["asked"]) == (3, {str(B): 2})
    assert (record["held_back"], record["passed_over"], record["failures"]) == ({str(A): 1}, {str(A): 1}, [])
