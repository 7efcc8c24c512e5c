"""The live picture: what a board holds, and what of it a terminal of a given size shows."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from actors.deltas import (
    AttemptAbandoned,
    AttemptStarted,
    Progress,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from actors.failure import CIRCUIT_OPEN, Failure, FailureKind
from actors.observe.board import LATEST, Board, State
from actors.observe.figures import clean, counted, seconds
from actors.observe.report import Step
from actors.observe.view import progress_line, render
from actors.outcome import Attempt, Outcome, Status
from actors.route import Route

A, B = Route("anthropic", "claude-a"), Route("anthropic", "claude-b")
HELD = Failure(FailureKind.UNAVAILABLE, provider="anthropic", model="claude-a", code=CIRCUIT_OPEN)
OVERLOADED = Failure(FailureKind.OVERLOADED, "Overloaded", provider="anthropic", model="claude-a")


def abandoned(route, after=2.0, failure=OVERLOADED):
    return AttemptAbandoned(failure, Progress(), 1, after, route)


def begun(board, name, now=0.0, route=A, number=1, first=None):
    track = board.begin(name, now, first)
    board.see(track, AttemptStarted(number, route), now)
    return track


def drawn(board, width=100, height=24, now=10.0):
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=False)
    console.print(render(board, width, height, now))
    return console.file.getvalue().splitlines()


def test_a_stream_goes_from_asking_over_thinking_to_writing():
    board = Board("run", 0.0)
    track = begun(board, "1")
    states = [track.state]
    events = [ThinkingDelta("hm"), TextDelta("so"), ToolCallStarted("f", "id"), ToolCallDelta("{}"), abandoned(A)]
    for event in events:
        board.see(track, event, 1.0)
        states.append(track.state)
    assert states == [State.ASKING, State.THINKING, State.WRITING, State.CALLING, State.CALLING, State.WAITING]


def test_tokens_are_estimated_until_the_provider_counts_them():
    board = Board("run", 0.0)
    track = begun(board, "1")
    board.see(track, TextDelta("x" * 41), 1.0)
    assert track.tokens == 11
    board.see(track, UsageDelta(Usage(output_tokens=30)), 2.0)
    assert track.tokens == 30
    assert track.rate(4.0) == 10
    assert track.rate(1.0) is None


def test_what_an_abandoned_attempt_delivered_is_discarded():
    board = Board("run", 0.0)
    track = begun(board, "1")
    board.see(track, TextDelta("x" * 40), 1.0)
    board.see(track, abandoned(A, after=2.5), 3.0)
    assert (track.tokens, track.first_content, track.until) == (0, None, 5.5)


def test_steps_are_counted_and_only_changes_of_rung_are_told():
    board = Board("run", 0.0)
    track = begun(board, "q")
    for now, (route, number) in enumerate([(A, 2), (B, 3), (B.buffered, 4)], 1):
        board.see(track, abandoned(route), now)
        board.see(track, AttemptStarted(number, route), now)
    assert board.steps == {Step.RETRY: 1, Step.SWITCH: 1, Step.DEGRADE: 1}
    assert [turn.told for turn in board.turns] == [
        "Service overloaded: switched to anthropic:claude-b",
        "Service overloaded: fetched in one piece from anthropic:claude-b",
    ]


def test_a_circuit_that_opened_is_told_once_and_shown_until_its_route_serves_again():
    board = Board("run", 0.0)
    early, waits = begun(board, "early", first=A), begun(board, "waits", first=A)
    board.see(waits, abandoned(B, failure=HELD), 1.0)
    begun(board, "late", now=2.0, route=B, first=A)
    assert [turn.told for turn in board.turns] == [f"circuit of {A} opened", f"Circuit open: switched to {B}"]
    board.end(early, Outcome(Status.COMPLETED, attempts=(Attempt(1, A, 0.0, 3.0),)), 3.0)
    assert drawn(board)[3] == f"circuit open: {A}"
    board.end(
        begun(board, "new", 20.0, first=A), Outcome(Status.COMPLETED, attempts=(Attempt(1, A, 20.0, 21.0),)), 21.0
    )
    assert not board.avoided
    assert drawn(board)[3].startswith("streams")


def test_a_stream_that_begins_elsewhere_shows_that_a_circuit_is_open():
    board = Board("run", 0.0)
    track = begun(board, "1", route=B, first=A)
    assert list(board.avoided) == [A.name]
    board.see(track, AttemptStarted(2, A), 1.0)
    begun(board, "2", route=A.buffered, first=A)
    begun(board, "3", route=B)
    assert board.turned == 1


def test_what_ended_is_summed_up_and_forgotten():
    board = Board("run", 0.0, expected=2)
    done, lost = begun(board, "1"), begun(board, "2")
    board.see(done, TextDelta("x"), 1.0)
    board.end(done, Outcome(Status.COMPLETED, usage=Usage(output_tokens=7)), 2.0)
    board.end(lost, Outcome(Status.FAILED, failure=OVERLOADED), 2.0)
    assert not board.live
    assert board.tokens == 7
    assert board.turns[-1].told == "failed: Service overloaded at anthropic:claude-a (Overloaded)"


def test_turns_are_told_once_and_only_the_latest_are_kept():
    board = Board("run", 0.0)
    track = begun(board, "1")
    board.see(track, abandoned(B), 1.0)
    assert len(board.since(0)) == 1
    assert board.since(board.turned) == ()
    for _ in range(3 * LATEST):
        board.see(track, abandoned(B), 1.0)
    assert len(board.since(1)) == LATEST


def test_the_picture_shows_route_attempt_tokens_rate_and_first_content():
    board = Board("run", 0.0, expected=10)
    track = begun(board, "question-1", route=B, number=3)
    board.see(track, TextDelta("x" * 400), 2.0)
    title, bar, sums, root, row = drawn(board)
    assert title.startswith("run")
    assert title.endswith("10.0 s")
    assert "0 of 10" in bar
    assert "100 tokens" in sums
    assert root == "streams  1 live  1 writing"
    for shown in ("└─ question-1", "writing", "attempt 3", "anthropic:claude-b", "100 tok", "12/s", "first 2.00 s"):
        assert shown in row


def test_the_number_of_an_attempt_is_whole_also_from_ten_on():
    board = Board("run", 0.0)
    begun(board, "1", number=32)
    assert "attempt 32  anthropic:claude-a" in drawn(board)[4]


def test_before_the_first_stream_it_says_that_it_gets_ready():
    board = Board("run", 0.0)
    assert drawn(board)[3] == "streams  getting ready"
    begun(board, "1")
    assert drawn(board)[3].startswith("streams  1 live")


def test_who_waits_shows_the_countdown_and_why():
    board = Board("run", 0.0)
    board.see(begun(board, "1"), abandoned(A, after=4.0), 7.5)
    row = drawn(board)[4]
    assert "retry in 1.5 s" in row
    assert "Service overloaded" in row


def test_who_is_fetched_in_one_piece_says_so():
    board = Board("run", 0.0)
    begun(board, "1", route=B.buffered)
    row = drawn(board)[4]
    assert "in one piece" in row
    assert "anthropic:claude-b " in row


def test_the_most_interesting_come_first_and_the_others_are_a_number():
    board = Board("run", 0.0)
    for number in range(50):
        begun(board, f"calm-{number}", now=number / 100)
    moved, waits = begun(board, "moved"), begun(board, "waits")
    board.see(moved, abandoned(B), 1.0)
    board.see(moved, AttemptStarted(2, B), 1.0)
    board.see(waits, abandoned(A), 1.0)
    lines = drawn(board, height=14)
    rows = [line for line in lines if line.startswith(("├─", "└─"))]
    assert [row.split()[1] for row in rows[:3]] == ["waits", "moved", "calm-0"]
    assert rows[-1] == f"└─ and {52 - (len(rows) - 1)} more"


@given(st.integers(10, 200), st.integers(3, 80), st.integers(0, 60), st.integers(0, 10), st.text(max_size=30))
def test_the_picture_never_exceeds_the_terminal(width, height, streams, turns, name):
    board = Board(name, 0.0, expected=100)
    for number in range(streams):
        board.see(begun(board, f"{name}{number}"), TextDelta("x" * number), 1.0)
    for _ in range(turns):
        board.see(begun(board, name), abandoned(B), 1.0)
    lines = drawn(board, width, height)
    assert len(lines) <= max(height - 1, 3)
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x07", "a\nb", "\x9b31m", "\r"])
def test_names_and_messages_cannot_command_the_terminal(hostile):
    board = Board("run", 0.0)
    track = begun(board, f"q{hostile}")
    board.see(track, abandoned(Route("anthropic", f"m{hostile}")), 1.0)
    board.end(track, Outcome(Status.FAILED, failure=Failure(FailureKind.SERVER, hostile)), 1.0)
    begun(board, f"q{hostile}", route=Route("anthropic", f"m{hostile}"))
    assert not [letter for line in drawn(board) for letter in line if not letter.isprintable()]


def test_a_log_line_says_where_the_run_stands():
    board = Board("run", 0.0, expected=3)
    track = begun(board, "1")
    board.see(track, abandoned(A), 1.0)
    board.end(begun(board, "2"), Outcome(Status.FAILED, usage=Usage(output_tokens=1200), failure=OVERLOADED), 1.0)
    assert progress_line(board, 65.0) == "  65.0 s  1 of 3 ended, 1 live, 1 failed, 1 retry, 1,200 tokens"


@pytest.mark.parametrize(
    ("length", "text"),
    [(None, "-"), (0.414, "0.41 s"), (12.34, "12.3 s"), (185.0, "3 min 05 s"), (3600.0, "60 min 00 s")],
)
def test_times_are_as_exact_as_a_person_wants_them(length, text):
    assert seconds(length) == text


def test_words_agree_with_their_number():
    assert [counted(number, "stream") for number in (0, 1, 2000)] == ["0 streams", "1 stream", "2,000 streams"]


@given(st.text())
def test_cleaning_leaves_what_is_printable_and_what_is_to_stay(text):
    cleaned = clean(text, keep="\n")
    assert len(cleaned) == len(text)
    assert all(new == old or not (old.isprintable() or old == "\n") for new, old in zip(cleaned, text, strict=True))
    assert all(letter.isprintable() or letter == "\n" for letter in cleaned)
