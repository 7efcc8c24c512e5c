"""The log of a run: how loud, where to, in which form; never over the live tree, never with a key."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from test_cli_process import on_a_terminal

from actors.cli import main
from actors.cli.logbook import memory_mb

COMMAND = (sys.executable, "-m", "actors")
ROUTE = ("--route", "anthropic:claude-a")
KEY = "sk-canary-77"
LIMITED = "claude-a#1=status429:0"

pytestmark = pytest.mark.usefixtures("bare_environment", "elsewhere")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """No `.env` of this checkout is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOG_LEVEL", raising=False)


def in_a_process(*words, **environment):
    """A command as a process: its exit status, and what it wrote to standard output and standard error."""
    process = subprocess.run(
        [*COMMAND, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, **environment},
        text=True,
        timeout=60,
        check=False,
    )
    return process.returncode, process.stdout, process.stderr


@pytest.fixture
def ran(capfd, monkeypatch):
    """The same without a process."""

    def run(*words, **environment):
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            status = main(list(words))
        return (status, *capfd.readouterr())

    return run


def levels(text):
    return set(re.findall(r"\[(debug|info|warning|error) *\]", text))


# -- how loud


@pytest.mark.row("J8", "L7")
def test_debug_lines_appear_when_the_variable_or_the_flag_says_so_and_only_then(provide, ran):
    provide()
    assert levels(in_a_process("run", "Why?", *ROUTE)[2]) == set()
    assert levels(in_a_process("run", "Why?", *ROUTE, LOG_LEVEL="debug")[2]) == {"debug", "info"}
    assert levels(ran("run", "Why?", *ROUTE, "--log-level", "debug")[2]) == {"debug", "info"}
    assert levels(ran("run", "Why?", *ROUTE, "--log-level", "info", LOG_LEVEL="debug")[2]) == {"info"}


@pytest.mark.row("J7")
def test_nothing_is_logged_of_success_at_the_default_level(provide, capfd, tmp_path):
    provide()
    assert main(["run", "Why?", "How?", *ROUTE, "--log-file", str(tmp_path / "r.log")]) == 0
    assert (tmp_path / "r.log").read_text() == ""


@pytest.mark.row("J2", "L3", "M8")
def test_a_retry_is_told_by_default_and_every_line_has_its_ids(provide, ran):
    provide(LIMITED)
    status, out, err = ran("run", "Why?", *ROUTE)
    assert status == 0
    line = next(line for line in err.splitlines() if "attempt 1/5 failed" in line)
    assert levels(err) == {"warning"}
    assert f"trace_id={json.loads(out)['trace_id']}" in line
    assert re.search(r"span_id=[0-9a-f]{16}\b", line)
    for field in ("phase=", "provider=anthropic", "error_type=rate_limit", "connections=", "status=429"):
        assert field in line


@pytest.mark.row("K1", "L1", "L4")
def test_a_refused_key_is_told_in_the_words_of_the_catalogue_with_its_own_status(provide, ran):
    provide("status401=1")
    status, out, err = ran("run", "Why?", *ROUTE)
    assert status == 11
    assert json.loads(out)["status"] == "failed"
    assert "Invalid credentials" in err
    assert "Check ANTHROPIC_API_KEY" in err
    assert "not retrying" in err
    assert not re.search(r"attempt \d+/\d+", err)
    assert "Traceback" not in err
    assert KEY not in out + err


def test_an_unknown_level_is_refused_before_anything_is_asked(provide, capfd):
    simulator = provide()
    assert main(["run", "Why?", *ROUTE, "--log-level", "loud"]) == 2
    assert "log level 'loud' must be one of debug, info, warning, error" in capfd.readouterr().err
    assert simulator.journal.entries == ()


# -- where to


@pytest.mark.row("L2")
def test_a_file_gets_the_lines_its_folder_is_made_and_standard_error_stays_free(provide, tmp_path, ran):
    provide(LIMITED)
    log = tmp_path / "logs" / "deep" / "run.log"
    _, out, err = ran("run", "Why?", *ROUTE, "--log-file", str(log))
    assert "attempt 1/5" in log.read_text()
    assert levels(err) == set()
    _, out, _ = ran("run", "How?", *ROUTE, "--log-file", str(log), "--log-level", "info")
    found = subprocess.run(
        ["grep", "-r", json.loads(out)["trace_id"], "logs"], capture_output=True, text=True, check=True
    )
    assert "stream completed" in found.stdout
    assert "attempt 1/5" in log.read_text(), "lines are added"


@pytest.mark.row("J1", "L2")
def test_two_streams_at_once_do_not_mix_under_grep(provide, tmp_path, ran):
    provide("seed=2 status429:0=0.5")
    quick = {"TRIO_SUPERVISOR_BACKOFF_INITIAL": "0.01", "TRIO_SUPERVISOR_BACKOFF_CAP": "0.02"}
    words = ("--log-file", "r.log", "--log-level", "debug", "--attempts", "9")
    _, out, _ = ran("run", *"abcdefgh", *ROUTE, *words, **quick)
    lines = (tmp_path / "r.log").read_text().splitlines()
    assert len(lines) > 8
    for outcome in map(json.loads, out.splitlines()):
        mine = [line for line in lines if outcome["trace_id"] in line]
        named = [line for line in mine if "stream=" in line]
        assert len({re.search(r"stream=(\S+)", line)[1] for line in named}) == 1
        assert len([line for line in named if "attempt=" in line]) >= len(outcome["attempts"])


@pytest.mark.row("J6")
def test_lines_as_json_are_one_object_each(provide, tmp_path, ran):
    provide(LIMITED)
    ran("run", "Why?", *ROUTE, "--log-file", "r.jsonl", "--log-json", "--log-level", "info")
    first, last = map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())
    assert {"timestamp", "level", "event", "trace_id", "span_id", "phase", "provider", "error_type"} <= first.keys()
    assert (first["event"], last["event"]) == ("attempt 1/5 failed", "stream completed")


@pytest.mark.parametrize("path", ["/dev/full/x.log", "/proc/none/x.log", "."])
def test_a_log_that_cannot_be_written_is_told_before_anything_is_asked(provide, capfd, path):
    simulator = provide()
    assert main(["run", "Why?", *ROUTE, "--log-file", path]) == 2
    assert "cannot write the log to" in capfd.readouterr().err
    assert simulator.journal.entries == ()


def test_a_log_on_a_full_disk_costs_no_answer(provide, ran):
    provide(LIMITED)
    status, out, _ = ran("run", "Why?", *ROUTE, "--log-file", "/dev/full")
    assert (status, json.loads(out)["status"]) == (0, "completed")


def test_a_reader_of_the_log_that_is_gone_costs_no_answer(provide):
    provide(LIMITED)
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(
        [*COMMAND, "run", "Why?", *ROUTE], stdout=subprocess.PIPE, stderr=writer, stdin=subprocess.DEVNULL
    )
    os.close(writer)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, json.loads(out)["status"]) == (0, "completed")


def test_a_program_that_wants_json_gets_no_log_unless_it_asks(provide, ran):
    provide(LIMITED)
    assert ran("run", "Why?", *ROUTE, "--json")[2].count("\n") == 1
    assert "attempt" in ran("demo", "--prompts", "3", "--faults", "cut=0.8", "--json", "--log-level", "warning")[2]


def test_lines_of_the_log_stand_above_the_live_tree_and_spoil_it_not(provide):
    provide(LIMITED)
    status, drawn = on_a_terminal("run", "Why?", *ROUTE, "--log-level", "info", size=(24, 120))
    assert status == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)
    assert "attempt 1/5 failed" in plain
    assert "stream completed" in plain
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1
    line = next(line for line in plain.splitlines() if "attempt 1/5 failed" in line)
    assert line.lstrip("\r").startswith("20")


def test_on_a_live_tree_nobody_is_told_twice(provide):
    provide(LIMITED)
    _, drawn = on_a_terminal("run", "Why?", *ROUTE, size=(24, 120))
    assert "attempt 1/5 failed" not in drawn
    assert "retry in" in drawn or "Rate limited" in drawn


# -- what never stands in it


@pytest.mark.row("J11")
@pytest.mark.promise("P13")
def test_at_debug_the_bodies_of_a_failed_attempt_are_there_without_a_key(provide, tmp_path, ran):
    provide(LIMITED)
    prompt = f"my key is {KEY} and sk-ant-api03-another-0123456789"
    ran("run", prompt, *ROUTE, "--log-file", "r.jsonl", "--log-json", "--log-level", "debug")
    text = (tmp_path / "r.jsonl").read_text()
    bodies = [line for line in map(json.loads, text.splitlines()) if line["event"] == "attempt bodies"]
    assert len(bodies) == 1
    assert "my key is" in bodies[0]["request_body"]
    assert "rate_limit_error" in bodies[0]["response_body"]
    assert (bodies[0]["status"], bodies[0]["level"]) == (429, "debug")
    assert not re.search(f"{KEY}|another-0123", text)


@pytest.mark.row("J11")
def test_bodies_are_bounded(provide, tmp_path, ran):
    provide(LIMITED)
    (tmp_path / "p.txt").write_text("x" * 600_000)
    ran("run", "--from", "p.txt", *ROUTE, "--log-file", "r.jsonl", "--log-json", "--log-level", "debug")
    text = (tmp_path / "r.jsonl").read_text()
    (body,) = [line for line in map(json.loads, text.splitlines()) if line["event"] == "attempt bodies"]
    assert len(body["request_body"].encode()) <= 256 * 1024
    assert body["request_bytes"] > 600_000


def test_at_info_no_body_is_there(provide, tmp_path, ran):
    provide(LIMITED)
    ran("run", "a secret diary", *ROUTE, "--log-file", "r.log", "--log-level", "info")
    assert "diary" not in (tmp_path / "r.log").read_text()


@pytest.mark.row("K9")
@pytest.mark.parametrize(
    "words", [["run"], ["demo", "--list"], ["doctor", "--offline"], ["config"], ["classify"], ["triage"], ["metrics"], ["trace", "abcd"]]
)  # fmt: skip
def test_without_anybody_to_answer_every_command_comes_back(words):
    status, _, err = in_a_process(*words)
    assert status in {0, 1, 2}
    assert "Traceback" not in err


@pytest.mark.row("L13")
def test_the_memory_of_this_process_is_told():
    assert memory_mb() is None or 10 < memory_mb() < 10_000


@pytest.mark.row("K1")
@pytest.mark.parametrize(
    "words", [["classify", "--status", "429"], ["classify", "--status", "429", "--json"], ["demo", "--list"]]
)
def test_a_page_that_nobody_reads_or_that_finds_no_room_is_no_bug(words):
    process = subprocess.Popen(
        [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=30) in {0, 128 + signal.SIGPIPE}
    with open("/dev/full", "wb") as full:  # noqa: PTH123 -- a device
        ended = subprocess.run(
            [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ended.stderr == b"trio-supervisor: this cannot be written: no space left on device\n"
    assert ended.returncode == 1
