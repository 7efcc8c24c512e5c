"""What is told of streams by default and with debugging on, and that the figures of the benchmarks can be had by a program."""

import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import structlog
import trio
from rows_world import DONE, ONE, ROUTES, Played, always

from actors import FailureKind, Ladder, Retry, Switch, TextDelta
from actors.chaos import Pacing
from actors.telemetry import StreamLogs, configure_logs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def written():
    """Sets the level and gives what is written then, as JSON."""
    file = io.StringIO()

    def at(level):
        configure_logs(level, json=True, file=file)
        return lambda: [json.loads(line) for line in file.getvalue().splitlines()]

    yield at
    structlog.reset_defaults()


def levels(lines):
    return Counter((line["level"], line["event"]) for line in lines)


@pytest.mark.row("X11", "J5", "J10")
async def test_a_stream_that_was_left_is_one_line_at_info_and_the_rest_is_for_debugging(world, autojump_clock, written):
    read = written("debug")
    async with world(pacing=Pacing(1.0, 2.0), hook=StreamLogs()) as w:
        with trio.move_on_after(3):
            await w.streams.ask("hello", Ladder(ONE, Retry(5)))
    told = [line for line in read() if "stream" in line]
    assert levels(told) == {("debug", "attempt left"): 1, ("info", "stream interrupted"): 1}
    assert told[-1]["error_type"] == "deadline"


@pytest.mark.row("X12", "J2", "J7")
@pytest.mark.parametrize("route", ROUTES)
async def test_by_default_retries_are_told_and_success_is_not(world, autojump_clock, written, route):
    read = written("warning")
    async with world(always("status503", times=2), hook=StreamLogs()) as w:
        await w.streams.ask("hello", Ladder(route, Retry(5)))
        assert [line["event"] for line in read()] == ["attempt 1/5 failed", "attempt 2/5 failed"]
        for number in range(10):
            assert (await w.streams.ask(f"prompt {number}", Ladder(route, Retry(5)))).completed
        assert len(read()) == 2


@pytest.mark.row("J10", "X12")
async def test_at_info_a_stream_is_summed_up_in_one_line_with_its_attempts(world, autojump_clock, written):
    read = written("info")
    async with world(always("status503", times=2), hook=StreamLogs()) as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(5)))
    (summary,) = [line for line in read() if line["level"] == "info" and line.get("trace_id") == outcome.trace_id]
    assert (summary["event"], summary["attempts"]) == ("stream completed", 3)
    assert summary["output_tokens"] == outcome.usage.output_tokens


@pytest.mark.row("J1", "L2", "B8")
async def test_every_line_of_a_stream_has_its_trace_id_and_every_failure_its_names(world, autojump_clock, written):
    read, ends = written("debug"), []

    async def ask(streams, number):
        ends.append(await streams.ask(f"prompt {number}", Ladder(ONE, Retry(2), Switch("broken:model"))))

    broken = Played([[TextDelta("half")], ConnectionResetError()], [[TextDelta("well")], DONE])
    down = world(always("status503", times=3), providers={"broken": broken}, hook=StreamLogs())
    async with down as w, trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(ask, w.streams, number)
    told = [line for line in read() if "stream" in line]
    for outcome in ends:
        mine = [line for line in told if line["trace_id"] == outcome.trace_id]
        assert len({line["stream"] for line in mine}) == 1
        assert sum(line["event"].startswith("stream ") for line in mine) == 1
    assert {line["trace_id"] for line in told} == {outcome.trace_id for outcome in ends}
    assert len({outcome.trace_id for outcome in ends}) == 3
    failed = [line for line in told if "error_type" in line]
    kinds = {kind.label: kind for kind in FailureKind}
    assert failed
    assert all(line["category"] == kinds[line["error_type"]].category.value for line in failed)
    assert all(line["disposition"] and line["phase"] for line in failed)


@pytest.mark.row("N3", "N4", "N5", "N6", "E3")
def test_the_figures_can_be_had_by_a_program_and_the_waits_are_within_their_bounds():
    command = [sys.executable, "-m", "benchmarks.overhead", "--pairs", "1", "--json"]
    report = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    names = " ".join(row["name"] for row in report["rows"])
    for measured in ("bare iterator", "logs at the default level", "without an SDK", "in one piece / streamed"):
        assert measured in names
    for row in report["rows"]:
        assert 0 < row["low"] <= row["ratio"] <= row["high"]
        assert min(row["without"], row["beside"]) > 0
    assert len(report["waiting"]["waits"]) in {7, 8}  # with luck an eighth fits into two minutes
    assert all(0.9 <= wait <= 30.1 for wait in report["waiting"]["waits"])
