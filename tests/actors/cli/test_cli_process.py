"""The commands as processes: signals, pipes and terminals, as a shell and a person meet them."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from actors.chaos import Pacing, expected_text, prompt_key

SLOW = Pacing(first_token=0.05, events_per_second=40)
ROUTE = ("--route", "anthropic:claude-a")
COMMAND = (sys.executable, "-m", "actors")


def started(*words, **pipes):
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes}
    return subprocess.Popen([*COMMAND, *words], **pipes)


def wait_for(condition, seconds=15.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def records(raw):
    return [json.loads(line) for line in raw.decode().split("\n") if line]


def in_the_middle(simulator):
    """Whether an answer has begun that has far to go."""
    return any(entry.ending is None and 5 <= entry.events <= 15 for entry in simulator.journal.entries)


@pytest.fixture
def prompts(tmp_path):
    file = tmp_path / "prompts.txt"
    file.write_text("".join(f"question {number}\n" for number in range(1, 41)))
    return file


@pytest.mark.promise("P9")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_keeps_what_is_finished_and_writes_every_partial(
    provide, prompts, tmp_path, number, status
):
    simulator = provide(tokens=30, pacing=SLOW)
    out = tmp_path / "o.jsonl"
    process = started("run", "--from", str(prompts), *ROUTE, "-c", "5", "--out", str(out))
    wait_for(lambda: out.exists() and out.read_bytes().count(b"\n") >= 7 and in_the_middle(simulator))
    process.send_signal(number)
    report, err = process.communicate(timeout=10)
    assert process.returncode == status
    written = records(out.read_bytes())
    completed = [one for one in written if one["status"] == "completed"]
    cut = [one for one in written if one["status"] == "interrupted"]
    assert len(completed) >= 7
    assert 1 <= len(cut) <= 5
    assert len(written) == len(completed) + len(cut) == len({one["id"] for one in written})
    assert {entry.key for entry in simulator.journal.entries} <= {
        prompt_key(f"question {one['id']}") for one in written
    }
    assert {one["failure"]["kind"] for one in cut} == {"cancelled"}
    assert any(one["text"] for one in cut)
    assert f"{40 - len(written)} prompts not asked any more".encode() in report
    assert b"Traceback" not in err


@pytest.mark.promise("P9")
def test_ctrl_c_in_a_crowd_loses_no_outcome_and_tears_no_line(provide, tmp_path):
    simulator = provide(
        "seed=3 cut=0.05 truncate=0.03", tokens=20, pacing=Pacing(first_token=0.1, events_per_second=20)
    )
    asked = {str(number): f"question {number}" for number in range(1, 601)}
    file, out = tmp_path / "prompts.txt", tmp_path / "o.jsonl"
    file.write_text("\n".join(asked.values()))
    process = started("run", "--from", str(file), *ROUTE, "-c", "100", "--out", str(out), "--json")
    wait_for(lambda: out.exists() and out.read_bytes().count(b"\n") >= 150 and in_the_middle(simulator), 60)
    ended = {one["id"] for one in records(out.read_bytes().rpartition(b"\n")[0])}
    process.send_signal(signal.SIGINT)
    told, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")
    raw = out.read_bytes()
    written = {one["id"]: one for one in records(raw)}
    assert raw.count(b"\n") == len(written)
    assert ended <= written.keys()
    report = json.loads(told)
    statuses = Counter(one["status"] for one in written.values())
    assert {status: report[status] for status in ("completed", "interrupted", "failed")} == {"failed": 0, **statuses}
    assert report["not_asked"] == 600 - len(written) > 0
    assert {entry.key for entry in simulator.journal.entries} <= {prompt_key(asked[name]) for name in written}
    for name, one in written.items():
        whole = expected_text(asked[name], tokens=20)
        assert whole == one["text"] if one["status"] == "completed" else whole.startswith(one["text"])
    assert any(one["text"] for one in written.values() if one["status"] == "interrupted")


def test_so_many_streams_as_wished_run_at_once_from_the_start(provide, prompts):
    simulator = provide(pacing=Pacing(first_token=2.0))
    process = started("run", "--from", str(prompts), *ROUTE, "-c", "40")
    assert process.communicate(timeout=30)[0].count(b"\n") == 40
    entries = simulator.journal.entries
    assert max(entry.started for entry in entries) < min(entry.ended for entry in entries)


def test_a_second_ctrl_c_is_obeyed_at_once(provide, prompts):
    simulator = provide(tokens=400)
    reader, writer = os.pipe()
    process = started("run", "--from", str(prompts), *ROUTE, "-c", "40", stdout=writer)
    os.close(writer)
    # Nobody reads: outcomes fill the pipe, and the first Ctrl-C waits for them to be taken.
    wait_for(lambda: simulator.journal.totals().endings.get("complete") == 40)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=2) == -signal.SIGINT
    os.close(reader)
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_a_reader_that_has_enough_stops_the_run_quietly(provide, prompts):
    simulator = provide(tokens=20, pacing=SLOW)
    process = started("run", "--from", str(prompts), *ROUTE, "-c", "4")
    first = process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=15) == 128 + signal.SIGPIPE
    assert json.loads(first)["status"] == "completed"
    assert process.stderr.read() == b""
    process.stderr.close()
    assert len(simulator.journal.entries) < 40


def test_a_report_nobody_reads_is_no_complaint(provide):
    provide()
    reader, writer = os.pipe()
    os.close(reader)
    process = started("run", "Why?", *ROUTE, stderr=writer)
    os.close(writer)
    out, _ = process.communicate(timeout=15)
    assert process.returncode == 0
    assert records(out)[0]["status"] == "completed"


def test_standard_input_is_answered_as_it_comes(provide):
    provide()
    process = started("run", *ROUTE, stdin=subprocess.PIPE)
    process.stdin.write(b"Why?\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == "1"
    out, err = process.communicate(b"How?\n", timeout=15)
    assert [one["id"] for one in records(out)] == ["2"]
    assert process.returncode == 0
    assert b"2 completed" in err


def test_a_bad_line_on_standard_input_ends_it_after_what_was_asked(provide):
    provide()
    process = started("run", "-", *ROUTE, "-c", "1", stdin=subprocess.PIPE)
    out, err = process.communicate(
        b'{"prompt": "Why?"}\n{"prompt": "How?"}\n{"promt": 1}\n{"prompt": "When?"}\n', timeout=15
    )
    assert process.returncode == 2
    assert [one["status"] for one in records(out)] == ["completed", "completed"]
    assert b"2 completed" in err
    assert err.endswith(b"extras, route, routes\n")
    assert b"trio-supervisor: standard input, line 3: object contains unknown field `promt`" in err


def test_an_empty_standard_input_is_told_and_nothing_else(provide):
    provide()
    process = started("run", "-", *ROUTE, stdin=subprocess.DEVNULL)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out) == (2, b"")
    assert err == b"trio-supervisor: standard input holds no prompt; write one a line\n"


def test_a_full_disk_stops_the_run_and_is_told(provide, prompts):
    provide()
    process = started("run", "--from", str(prompts), *ROUTE, "-c", "2", "--out", "/dev/full")
    _, err = process.communicate(timeout=15)
    assert process.returncode == 1
    assert b"the outcomes cannot be written: No space left on device" in err


def on_a_terminal(*words, size=(24, 100)):
    """Run a command on a terminal of its own; gives its exit status and all it drew."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [*COMMAND, *words])
    import fcntl  # noqa: PLC0415 -- the child must not reach this
    import struct  # noqa: PLC0415 -- the same
    import termios  # noqa: PLC0415 -- the same

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    drawn = b""
    try:
        while chunk := os.read(terminal, 65536):
            drawn += chunk
    except OSError:
        pass  # the terminal's other side is closed
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), drawn.decode()


def test_on_a_terminal_the_tree_is_live_and_answers_are_text(provide):
    provide("claude-a#1=status529", tokens=20, pacing=SLOW)
    status, drawn = on_a_terminal("run", "Why?", "How?", *ROUTE)
    assert status == 0
    for shown in ("streams", "1 waiting", "retry in", "Service overloaded", "attempt 2", "2 streams in"):
        assert shown in drawn
    assert re.search(r"1\x1b\[0m  \x1b\[32mcompleted", drawn)
    assert '{"id"' not in drawn
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1


def test_plain_on_a_terminal_draws_nothing_that_moves(provide):
    provide()
    status, drawn = on_a_terminal("run", "Why?", *ROUTE, "--plain")
    assert status == 0
    assert "\x1b[" not in drawn


def test_json_on_a_terminal_is_nothing_but_json(provide):
    provide()
    status, drawn = on_a_terminal("run", "Why?", *ROUTE, "--json")
    assert status == 0
    outcome, report = map(json.loads, drawn.splitlines())
    assert (outcome["status"], report["completed"]) == ("completed", 1)


def test_on_a_terminal_without_prompts_it_does_not_wait_for_any(provide):
    provide()
    status, drawn = on_a_terminal("run", *ROUTE)
    assert status == 2
    assert "nothing to ask: give prompts" in drawn


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_stream_that_the_caller_closed_is_no_reason_to_fail(closed):
    line = f"{sys.executable} -m actors demo --prompts 1 --faults cut=0 --plain {closed}"
    done = subprocess.run(line, shell=True, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0
    assert (b"1 completed" in done.stdout) is (closed != ">&-")
    assert b"bug" not in done.stdout + done.stderr


def loaded(code):
    """The modules that are there after this code."""
    code = f"import sys; {code}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=30)
    return set(done.stderr.decode().split())


@pytest.mark.parametrize("code", ["import actors", "from actors.cli import main; main(['run', '--help'])"])
def test_the_door_and_help_load_no_http_no_simulator_and_nothing_to_draw_markdown(code):
    heavy = {"anthropic", "openai", "google.genai", "httpcore2", "httpx2", "h11", "actors.chaos", "markdown_it"}
    assert not heavy & loaded(code)


def test_a_run_in_earnest_loads_no_simulator():
    assert not {"h11", "actors.chaos"} & loaded("import actors.cli.commands")


def test_a_foreign_supervisor_is_told_apart_in_one_sentence(tmp_path):
    (tmp_path / "supervisor").mkdir()
    (tmp_path / "supervisor" / "__init__.py").write_text("")
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, timeout=15, cwd=tmp_path, check=False)
    assert done.returncode != 0
    assert b"supervisord installs the same name" in done.stderr.splitlines()[-1]
