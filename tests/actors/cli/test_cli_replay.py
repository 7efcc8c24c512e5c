"""What is recorded on the command line is replayed there: without a key, without a network, and no minute is waited for."""

import json
import socket
import time
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from actors import Ladder, Retry, Route, Settings, Switch, from_deltas, open_streams
from actors.chaos import Generated, Plan, Simulator, open_network
from actors.cli import main
from actors.cli.takes import takes_of
from actors.observe.records import outcome_record
from actors.providers.replay import read_recording

pytestmark = [pytest.mark.usefixtures("bare_environment"), pytest.mark.row("C14")]

ROUTE = ("--route", "anthropic:claude-a")
WEATHER = "claude-a#1=status529 claude-a#2=cut:4 claude-a#3=stall:0"


@pytest.fixture
def tape(tmp_path, monkeypatch):
    """A recording of three prompts on a bad day, made on a clock that jumps, and the outcomes of that day."""
    monkeypatch.chdir(tmp_path)

    async def record():
        environment = {"ANTHROPIC_API_KEY": "sk-canary-77", "ANTHROPIC_BASE_URL": "http://anthropic.test"}
        settings, ladder = Settings.read(environment), Ladder("anthropic:claude-a", Retry(5))
        async with (
            open_network(Simulator(Generated(tokens=8), Plan.parse(WEATHER))) as network,
            open_streams(settings=settings, network=network, record="t.jsonl") as streams,
        ):
            return [await streams.ask(prompt, ladder) for prompt in ("one", "two", "three")]

    made = trio.run(record, clock=MockClock(autojump_threshold=0))
    return [outcome_record(str(number), outcome) for number, outcome in enumerate(made, 1)]


@pytest.fixture
def offline(monkeypatch):
    """From here on nothing is reached."""

    def deny(*_):
        raise AssertionError("a replay opened a connection")

    def enter():
        for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(socket.socket, "connect", deny)

    return enter


def outcomes(capfd):
    return [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]


def told(outcome):
    return (
        outcome["status"],
        outcome["text"],
        [attempt["failure"] and attempt["failure"]["kind"] for attempt in outcome["attempts"]],
    )


def test_a_recording_is_asked_again_with_the_same_attempts_and_outcomes_in_no_time(tape, offline, capfd):
    offline()
    began = time.monotonic()
    assert main(["replay", "t.jsonl"]) == 0
    assert time.monotonic() - began < 10  # a minute of silence is in it
    assert list(map(told, outcomes(capfd))) == list(map(told, tape))
    assert "first_event_timeout" in told(tape[0])[2]


def test_a_run_is_answered_from_a_recording(tape, offline, capfd):
    offline()
    assert main(["run", *ROUTE, "--replay", "t.jsonl", "-c", "1", "one", "two", "three"]) == 0
    assert list(map(told, outcomes(capfd))) == list(map(told, tape))


def test_a_run_that_asks_something_else_is_told_in_one_sentence_where(tape, offline, capfd):
    offline()
    assert main(["run", *ROUTE, "--replay", "t.jsonl", "three", "fort"]) != 0
    out, err = capfd.readouterr()
    (failed,) = [one for one in map(json.loads, out.splitlines()) if one["status"] == "failed"]
    assert failed["failure"]["title"] == "Replay diverged"
    sentence = "messages[0].parts[0].text is 'fort', recorded is 'one'"
    assert failed["failure"]["message"].startswith("t.jsonl line 1 has another request")
    assert failed["failure"]["message"].endswith(sentence)
    assert sentence in " ".join(err.split())


def test_what_a_recording_holds_is_listed(tape, offline, capfd):
    offline()
    assert main(["replay", "t.jsonl", "--list"]) == 0
    listing = capfd.readouterr().out
    lines = [line.split() for line in listing.splitlines()]
    assert lines[1][:5] == ["stream-1", "1", "anthropic:claude-a", "refused", "529"]
    assert lines[3][2:5] == ["anthropic:claude-a", "gave", "up"]
    assert lines[-1] == ["3", "streams,", "6", "attempts"]
    assert main(["replay", "t.jsonl", "--list", "--json"]) == 0
    records = outcomes(capfd)
    assert [(one["stream"], one["attempt"], one["asked"]) for one in records][:2] == [
        ("stream-1", 1, "one"),
        ("stream-1", 2, "one"),
    ]


def test_a_listing_that_is_piped_cuts_no_route_short(tmp_path, offline, capfd):
    route = "anthropic:claude-sonnet-4-5-20250929"
    settings = Settings.read({"ANTHROPIC_API_KEY": "sk-canary-77", "ANTHROPIC_BASE_URL": "http://anthropic.test"})

    async def record():
        async with (
            open_network(Simulator(Generated(tokens=8))) as network,
            open_streams(settings=settings, network=network, record=tmp_path / "t") as streams,
        ):
            await streams.ask("Why is the sky blue, and the sea, and what of the mountains far away?", route)

    trio.run(record)
    offline()
    assert main(["replay", str(tmp_path / "t"), "--list"]) == 0
    _, row, last = capfd.readouterr().out.splitlines()
    assert row.split()[:5] == ["stream-1", "1", route, "complete", "200"]
    assert row.rstrip().endswith("  Why is the sky blue, and the sea, and what of the mountains")
    assert last == "1 stream, 1 attempt"


def test_what_a_run_records_is_asked_again_alike(provide, offline, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    provide("claude-a#1=status529")
    assert main(["run", *ROUTE, "--record", "t.jsonl", "-c", "1", "one", "two"]) == 0
    first = outcomes(capfd)
    offline()
    assert main(["replay", "t.jsonl"]) == 0
    assert list(map(told, outcomes(capfd))) == list(map(told, first))
    assert "sk-canary-77" not in Path("t.jsonl").read_text(encoding="utf-8")
    assert Path("t.jsonl").stat().st_mode & 0o077 == 0


def test_two_runs_into_one_file_are_told_apart(tape, provide, offline, capfd):
    provide(tokens=8)
    assert main(["run", *ROUTE, "--record", "t.jsonl", "one"]) == 0
    capfd.readouterr()
    offline()
    assert main(["replay", "t.jsonl", "--json"]) == 0
    out = outcomes(capfd)
    assert [one["id"] for one in out if "id" in one] == ["stream-1", "stream-2", "stream-3", "stream-1 (2)"]


# -- what is wrong

WRONG = {
    "no such file": (["replay", "none.jsonl"], "cannot replay none.jsonl: No such file or directory"),
    "a damaged file": (["replay", "bad.jsonl"], "cannot replay bad.jsonl: line 2 is no attempt that was recorded"),
    "a damaged file for a run": (["run", *ROUTE, "--replay", "bad.jsonl", "x"], "cannot replay bad.jsonl: line 2"),
    "an empty file": (["replay", "empty.jsonl"], "empty.jsonl holds no attempt that was over"),
    "a folder to record to": (["run", *ROUTE, "--record", ".", "x"], "cannot record to .: Is a directory"),
    "another's file to record to": (
        ["run", *ROUTE, "--record", "bad.jsonl", "x"],
        "cannot record to bad.jsonl: line 2",
    ),
    "both": (["run", *ROUTE, "--record", "a", "--replay", "t.jsonl", "x"], "exclude each other"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_will_not_do_is_named_in_one_sentence(tape, monkeypatch, capfd, case):
    words, sentence = WRONG[case]
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary-77")
    Path("bad.jsonl").write_bytes(Path("t.jsonl").read_bytes().splitlines(keepends=True)[0] + b"{}\n")
    Path("empty.jsonl").touch()
    assert main(words) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert sentence in line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_disk_that_is_full_is_told_once_and_every_prompt_is_answered(provide, capfd):
    simulator = provide(tokens=8)
    assert main(["run", *ROUTE, "--record", "/dev/full", "one", "two"]) == 1
    out, err = capfd.readouterr()
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["completed", "completed"]
    assert err.count("cannot go on recording to /dev/full") == 1
    assert len(simulator.journal.entries) == 2


# -- what no command recorded


def recorded(path, ladder, leave=None, **providers):
    async def run():
        async with open_streams(settings=Settings.read({}), providers=providers, record=path) as streams:
            with trio.move_on_after(leave or 60):
                await streams.ask("hello", ladder)

    trio.run(run)
    return takes_of(read_recording(path))


def test_clients_of_ones_own_are_asked_again_too(tmp_path, capfd):
    async def bad(_request, _route):
        yield "half"
        raise ConnectionResetError(104, "reset")

    async def good(_request, _route):
        yield "whole"

    path = tmp_path / "t.jsonl"
    ladder = Ladder("bad:one", Retry(2), Switch("good:one"))
    (take,) = recorded(path, ladder, bad=from_deltas(bad), good=from_deltas(good))
    assert [route.name for route in take.ladder.routes] == ["bad:one", "good:one"]
    assert main(["replay", str(path)]) == 0
    (one,) = outcomes(capfd)
    assert told(one) == ("completed", "whole", ["reset", "reset", None])


def test_a_stream_that_its_caller_left_is_interrupted_again(tmp_path, capfd):
    async def slow(_request, _route):
        yield "half"
        await trio.sleep_forever()

    path = tmp_path / "t.jsonl"
    (take,) = recorded(path, Ladder(Route("slow", "one")), leave=0.05, slow=from_deltas(slow))
    assert take.deserted
    assert main(["replay", str(path)]) != 0
    (one,) = outcomes(capfd)
    assert (one["status"], one["text"]) == ("interrupted", "half")
