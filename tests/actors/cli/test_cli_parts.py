"""The parts between words and streams: inlets, sheets, screens, endings."""

import io
import json
import os
import signal
import tracemalloc

import pytest
import trio
import trio.testing

from actors.cli.demo import LADDER, Agreement, questions, weather
from actors.cli.inlet import from_file, from_prompts, from_stdin
from actors.cli.interrupts import Interrupts
from actors.cli.jobs import Wishes
from actors.cli.run import Ending
from actors.cli.screen import Paper, show_live, show_nothing, show_plain
from actors.cli.sheet import Sheet, as_json_lines, as_text, deserted, to_nobody
from actors.config import Settings
from actors.deltas import AttemptAbandoned, AttemptStarted, Progress
from actors.errors import SettingError
from actors.failure import Failure, FailureKind
from actors.messages import Text
from actors.observe.board import Board
from actors.observe.report import Tally
from actors.outcome import Outcome, Status
from actors.route import Route

A = Route("anthropic", "a")
WISHES = Wishes(Settings.read({"ANTHROPIC_API_KEY": "k"}), (A,))
DONE = Outcome(Status.COMPLETED, (Text("line\u2028separator\x85 and more"),))


async def poured(inlet):
    jobs = []

    async def take(job):
        await trio.lowlevel.checkpoint()
        jobs.append(job)

    await inlet.pour(take)
    return jobs


# -- inlets


async def test_words_are_counted_and_poured_in_order():
    inlet = from_prompts(("Why?", "How?"), WISHES)
    assert inlet.count == 2
    assert [job.name for job in await poured(inlet)] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.txt", '{"x": 1}\nb\n'),
        ("p", "a\nb"),
        ("p", '{"prompt": "a"}\n{"prompt": "b"}'),
        ("p.ndjson", '{"prompt": "a"}\n\n{"prompt": "b"}'),
    ],
)
async def test_a_file_is_counted_first_and_its_form_is_told_by_name_or_first_line(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    inlet = from_file(tmp_path / name, None, WISHES)
    assert inlet.count == 2
    assert [len(job.request.messages) for job in await poured(inlet)] == [1, 1]


@pytest.mark.promise("P10")
async def test_a_long_file_takes_no_more_memory_than_a_short_one(tmp_path):
    (tmp_path / "p.txt").write_text("".join(f"question {number} {'x' * 2000}\n" for number in range(5_000)))
    taken = []

    async def take(job):
        await trio.lowlevel.checkpoint()
        taken[:] = [job.name]

    tracemalloc.start()
    try:
        inlet = from_file(tmp_path / "p.txt", None, WISHES)
        await inlet.pour(take)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (inlet.count, taken) == (5_000, ["5000"])
    assert peak < 1_000_000


async def test_nothing_is_read_ahead_of_who_takes_the_jobs(tmp_path):
    (tmp_path / "p.txt").write_text("a\n" * 100)
    inlet = from_file(tmp_path / "p.txt", None, WISHES)
    taken = []

    async def take(job):
        taken.append(job)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(inlet.pour, take)
        await trio.testing.wait_all_tasks_blocked()
        assert len(taken) == 1
        nursery.cancel_scope.cancel()


async def test_a_pipe_with_a_name_is_read_as_it_comes(tmp_path):
    fifo = tmp_path / "p.jsonl"
    os.mkfifo(fifo)
    keep_open = os.open(fifo, os.O_RDWR)
    inlet = from_file(fifo, None, WISHES)
    assert inlet.count is None
    jobs = []

    async def take(job):
        await trio.lowlevel.checkpoint()
        jobs.append(job.name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(inlet.pour, take)
        for number in range(3):
            os.write(keep_open, b'{"prompt": "a", "id": "%d"}\n' % number)
            while len(jobs) <= number:
                await trio.lowlevel.checkpoint()
        os.close(keep_open)
    assert jobs == ["0", "1", "2"]


async def test_waiting_for_standard_input_ends_when_cancelled(monkeypatch):
    reader, writer = os.pipe()
    kept = os.dup(0)
    os.dup2(reader, 0)
    try:
        with trio.move_on_after(0.01) as scope:
            await poured(from_stdin(None, WISHES))
    finally:
        os.dup2(kept, 0)
        for fd in (reader, writer, kept):
            os.close(fd)
    assert scope.cancelled_caught


async def test_a_file_that_turned_bad_after_it_was_checked_is_told_when_it_is_met(tmp_path):
    (tmp_path / "p.txt").write_text("a\n")
    inlet = from_file(tmp_path / "p.txt", None, WISHES)
    (tmp_path / "p.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(SettingError, match="line 2 is not UTF-8"):
        await poured(inlet)


# -- sheets


async def test_outcomes_are_written_as_lines_that_every_reader_splits_alike(tmp_path):
    with (tmp_path / "o.jsonl").open("wb") as file:
        async with trio.open_nursery() as nursery:
            sheet = Sheet(as_json_lines(file.fileno()), nursery.cancel_scope.cancel)
            nursery.start_soon(sheet.run)
            await sheet.keep("1", DONE).wait()
            assert (tmp_path / "o.jsonl").read_bytes().endswith(b"\n")
            sheet.keep("2", DONE)
            await sheet.finish()
    texts = [json.loads(line)["text"] for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert texts == [DONE.text, DONE.text]


async def test_a_slow_reader_delays_only_who_waits_for_it():
    reader, writer = os.pipe()
    long = Outcome(Status.COMPLETED, (Text("x" * 300_000),))
    async with trio.open_nursery() as nursery:
        sheet = Sheet(as_json_lines(writer), nursery.cancel_scope.cancel)
        nursery.start_soon(sheet.run)
        written = sheet.keep("1", long)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert not written.is_set()
        received = b""
        while not received.endswith(b"\n"):
            await trio.lowlevel.wait_readable(reader)
            received += os.read(reader, 65536)
        await written.wait()
        await sheet.finish()
    os.close(reader)
    os.close(writer)
    assert json.loads(received)["text"] == long.text


async def test_a_reader_that_is_gone_stops_the_run_once_and_nobody_waits_for_ever():
    reader, writer = os.pipe()
    os.close(reader)
    stops = []
    async with trio.open_nursery() as nursery:
        sheet = Sheet(as_json_lines(writer), lambda: stops.append(True))
        nursery.start_soon(sheet.run)
        await sheet.keep("1", DONE).wait()
        await sheet.keep("2", DONE).wait()
        await sheet.finish()
    os.close(writer)
    assert stops == [True]
    assert deserted(sheet.error)
    assert not deserted(None)


async def test_a_person_gets_text_and_nobody_gets_nothing():
    paper = Paper(file=io.StringIO(), width=80)
    await as_text(paper)("q1", DONE)
    await to_nobody("q1", DONE)
    assert paper.file.getvalue().startswith("q1  completed\nline")


# -- screens


def abandoned(route):
    return AttemptAbandoned(Failure(FailureKind.STALLED), Progress(), 1, 1.0, route)


async def test_plain_lines_tell_where_it_stands_and_what_happened_since(autojump_clock):
    board, paper = Board("run", trio.current_time(), 2), Paper(file=io.StringIO(), width=100)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(show_plain, board, paper, 5.0)
        track = board.begin("q1", trio.current_time())
        board.see(track, AttemptStarted(1, A), trio.current_time())
        await trio.sleep(7)
        board.see(track, abandoned(Route("anthropic", "b")), trio.current_time())
        await trio.sleep(4)
        board.end(track, Outcome(Status.FAILED, failure=Failure(FailureKind.STALLED)), trio.current_time())
        nursery.cancel_scope.cancel()
    assert paper.file.getvalue().splitlines() == [
        "  5.00 s  0 of 2 ended, 1 live, 0 tokens",
        "  7.00 s  q1  Stream stalled: switched to anthropic:b",
        "  10.0 s  0 of 2 ended, 1 live, 1 switch, 0 tokens",
        "  11.0 s  q1  failed: Stream stalled",
    ]


async def test_a_flood_of_turns_is_told_as_a_number(autojump_clock):
    board, paper = Board("run", trio.current_time()), Paper(file=io.StringIO(), width=100)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(show_plain, board, paper, 5.0)
        track = board.begin("q1", trio.current_time())
        board.see(track, AttemptStarted(1, A), trio.current_time())
        for _ in range(500):
            board.see(track, abandoned(Route("anthropic", "b")), trio.current_time())
        await trio.sleep(6)
        nursery.cancel_scope.cancel()
    told = paper.file.getvalue().splitlines()
    assert len(told) == 22
    assert told[20] == "          and 480 more like these"


async def test_the_live_tree_is_drawn_from_one_task_and_leaves_nothing_behind(autojump_clock):
    board = Board("a run", trio.current_time(), 1)
    paper = Paper(file=io.StringIO(), width=80, height=20, force_terminal=True, _environ={"TERM": "xterm"})
    with trio.move_on_after(1):
        await show_live(board, paper)
    drawn = paper.file.getvalue()
    assert drawn.count("a run") >= 8
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1
    assert drawn.endswith("\x1b[2K")


async def test_showing_nothing_ends_at_once():
    await show_nothing(Board("run", 0.0))


def test_a_paper_whose_reader_is_gone_goes_on_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as file:  # noqa: PTH123 -- a descriptor, no path
        paper = Paper(file=file, width=80)
        paper.print("nobody")
        paper.print("reads")
    assert paper.quiet


# -- interrupts and endings


async def test_the_first_signal_cancels_the_scope_and_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        with interrupts.scope:
            os.kill(os.getpid(), signal.SIGTERM)
            await trio.sleep_forever()
        assert interrupts.received == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def report(*statuses):
    tally = Tally()
    for status in statuses:
        tally.add(Outcome(status))
    return tally.report(1.0)


C, F, I = Status.COMPLETED, Status.FAILED, Status.INTERRUPTED  # noqa: E741 -- the three ends


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (Ending(report(C, C)), 0),
        (Ending(report()), 0),
        (Ending(report(C, F)), 1),
        (Ending(report(C, I)), 1),
        (Ending(report(C), complaint="bad line"), 2),
        (Ending(report(C, I), signal=signal.SIGINT), 130),
        (Ending(report(C), signal=signal.SIGPIPE), 141),
        (Ending(report(C), error=OSError(28, "full")), 1),
    ],
)
def test_the_exit_status_says_how_it_ended(ending, status):
    assert ending.status == status


def test_what_was_never_asked_is_counted_where_that_is_known():
    assert Ending(report(C, I), expected=5).unasked == 3
    assert Ending(report(C, I)).unasked == 0


# -- the demonstration


def test_questions_are_many_different_and_always_the_same():
    assert len(set(questions(700))) == 700
    assert questions(700)[:20] == questions(20)


def test_the_weather_of_a_seed_is_one_plan_with_every_rung_in_it():
    prompts = questions(200)
    assert weather("", prompts, 7) == weather("", prompts, 7) != weather("", prompts, 8)
    outage, *garbled = weather("", prompts, 7).schedule
    assert str(outage) == "down:anthropic=67..266"
    assert {str(entry).rpartition("=")[2] for entry in garbled} == {"garble:3'"}
    assert str(weather("cut=0.5", prompts, 7)) == "seed=7 cut=0.5"
    assert [route.provider for route in LADDER.routes] == ["anthropic", "openai", "google"]


def test_an_agreement_that_does_not_hold_names_both_numbers():
    apart = Agreement((("requests", 3, 4), ("whole answers", 2, 2)))
    assert not apart.holds
    assert str(apart) == "The providers' own journal DIFFERS: requests: 3 here, 4 there."
    assert apart.record == {
        "holds": False,
        "requests": {"report": 3, "journal": 4},
        "whole answers": {"report": 2, "journal": 2},
    }
