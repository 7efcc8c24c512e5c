"""The operator's commands, typed as a person types them: classify, trace, triage, metrics."""

import io
import json
import re
import sys
from types import SimpleNamespace

import pytest
from test_cli_process import on_a_terminal

from actors.cli import main
from actors.cli.classify import _WIRE
from actors.cli.failing import kind_of
from actors.config import PROVIDERS
from actors.kinds import FailureKind

SECRET = "sk-ant-api03-canarycanary"
ID, OTHER = "ab" * 16, "cd" * 16


@pytest.fixture
def pipe(monkeypatch):
    """Pipe this into the command."""

    def piped(text, *, tty=False):
        octets = text if isinstance(text, bytes) else text.encode()
        stdin = SimpleNamespace(buffer=io.BytesIO(octets), isatty=lambda: tty)
        monkeypatch.setattr(sys, "stdin", stdin)

    return piped


@pytest.fixture
def log(tmp_path, capfd):
    """A log of a few failures, one of them with a key in what was said."""
    for failure in ("rate_limit", "invalid_key", "memory"):
        main(["demo", "--failure", failure, "--log-file", str(tmp_path / f"{failure}.log")])
    capfd.readouterr()
    return tmp_path


def told(capfd, *words, status=0):
    assert main(list(words)) == status
    return capfd.readouterr().out


# -- classify


@pytest.mark.row("B9")
def test_a_status_is_explained_with_what_becomes_of_it_and_what_to_do(capfd):
    out = told(capfd, "classify", "--provider", "openai", "--status", "429")
    for said in ("Rate limited", "rate_limit", "retry", "openai asks for fewer requests", "up to 5 attempts"):
        assert said in out
    for said in (
        "after 1, 2, 4, 8 s",
        "https://status.openai.com",
        "https://platform.openai.com",
        "Lower --concurrency",
    ):
        assert said in out
    assert all(line == line.rstrip() for line in out.splitlines())


@pytest.mark.row("B9")
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["--provider", "anthropic", "--status", "400", "--body", '{"error": {"type": "x", "message": "prompt is too long: 2 > 1"}}'], "context_window"),
        (["--provider", "google", "--status", "400", "--body", '{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}'], "invalid_key"),
        (["--status", "529"], "overloaded"),
        (["ConnectionResetError:", "[Errno", "104]", "Connection", "reset"], "reset"),
        (["Rate limited"], "rate_limit"),
        (["--body", '{"error": {"type": "overloaded_error", "message": "x"}}'], "overloaded"),
    ],
)  # fmt: skip
def test_an_error_is_known_by_whatever_is_given_of_it(capfd, words, kind):
    record = json.loads(told(capfd, "classify", *words, "--json"))
    assert (record["known"], record["kind"]) == (True, kind)
    assert {"title", "category", "disposition", "happened", "remedy", "retry", "portal", "status_page"} <= record.keys()


def test_headers_and_a_file_are_heeded(capfd, tmp_path):
    (tmp_path / "body.json").write_text('{"error": {"type": "rate_limit_error", "message": "slow"}}')
    words = [
        "--provider",
        "anthropic",
        "--status",
        "429",
        "--body",
        str(tmp_path / "body.json"),
        "-H",
        "Retry-After: 7",
    ]
    record = json.loads(told(capfd, "classify", *words, "--json"))
    assert (record["message"], record["retry_after"], record["retry"]["waits"]) == ("slow", 7.0, [7.0, 7.0, 7.0, 8.0])


@pytest.mark.row("B9")
def test_a_log_line_is_explained_from_the_command_line_and_from_a_pipe(capfd, log, pipe):
    lines = (log / "invalid_key.log").read_text()
    assert "Invalid credentials" in told(capfd, "classify", lines.splitlines()[0])
    pipe(lines)
    record = json.loads(told(capfd, "classify", "--json"))
    assert (record["kind"], record["provider"], record["status"]) == ("invalid_key", "anthropic", 401)


@pytest.mark.row("A32")
@pytest.mark.parametrize("text", ["cost 0.0429", "req_503abc", "hello"])
def test_what_is_unknown_is_said_to_be_and_what_to_give(capfd, text):
    out = told(capfd, "classify", text, status=1)
    assert "no failure that is known here" in out
    assert "--status 429" in out
    record = json.loads(told(capfd, "classify", text, "--json", status=1))
    assert record["known"] is False


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--status", "200"], "--status: status 200 is no refusal"),
        (["--status", "429", "--provider", "mistral"], "there is no provider 'mistral'"),
        (["--status", "429", "--provider", "openai", "-H", "nonsense"], "--header 'nonsense' must be NAME: VALUE"),
        (["--status", "429", "--body", "answr.json"], "--body: there is no file answr.json"),
        (["--body", "/tmp/no/such"], "--body: there is no file /tmp/no/such"),
    ],
)
def test_what_cannot_be_classified_is_refused_in_one_sentence(capfd, words, complaint):
    assert main(["classify", *words]) == 2
    out, err = capfd.readouterr()
    assert complaint in err
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.row("K9")
@pytest.mark.parametrize("command", ["classify", "triage", "metrics"])
def test_a_terminal_is_never_waited_for(capfd, pipe, command):
    pipe("", tty=True)
    assert main([command]) == 2
    assert "nothing to classify" in (err := capfd.readouterr().err) or "no log" in err


@pytest.mark.parametrize("junk", [b"\x00\xff\xfe" * 10_000, b"{" * 50_000, b"\n" * 1_000, b"' \" \\ %s {}"])
def test_junk_is_unknown_and_no_traceback(capfd, pipe, junk):
    for command, status in (("classify", (1, 2)), ("triage", (0,)), ("metrics", (2,))):
        pipe(junk)
        assert main([command]) in status
        assert "Traceback" not in "".join(capfd.readouterr())


def test_every_provider_that_routes_may_name_has_a_reader_for_its_errors():
    assert set(_WIRE) == set(PROVIDERS)


# -- trace


@pytest.mark.row("L2", "L8")
def test_a_trace_is_told_from_several_files_in_order_and_without_keys(capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "plain-word-password")
    line = "2026-01-01T00:00:0{}Z [warning  ] attempt {}/5 failed  error_type=reset trace_id={} message={!r}\n"
    (tmp_path / "a.log").write_text(line.format(2, 2, ID, f"key {SECRET}") + line.format(1, 1, OTHER, "other"))
    (tmp_path / "b.log").write_text(line.format(1, 1, ID, "plain-word-password") + "torn li")
    out = told(capfd, "trace", ID[:8].upper(), "--log", str(tmp_path / "a.log"), "--log", str(tmp_path / "b.log"))
    first, second = out.splitlines()
    assert "attempt 1/5" in first
    assert "attempt 2/5" in second
    assert "other" not in out
    assert "canary" not in out
    assert "plain-word" not in out


@pytest.mark.row("L15", "L8")
def test_an_export_is_one_json_object_with_the_settings_masked(capfd, log, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    trace_id = next(word[9:] for word in (log / "invalid_key.log").read_text().split() if word.startswith("trace_id="))
    record = json.loads(told(capfd, "trace", trace_id, "--log", str(log), "--json"))
    assert list(record)[1:] == ["classification", "telemetry", "lifecycle", "resources", "configuration"]
    names = {setting["name"]: setting for setting in record["configuration"]["settings"]}
    assert names["ANTHROPIC_API_KEY"]["from"] == "environment"
    assert SECRET not in json.dumps(record)


def test_a_trace_that_is_not_there_is_said_to_be(capfd, log):
    assert main(["trace", "dddd", "--log", str(log)]) == 1
    assert "no line of" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["trace", "xyz", "--log", "{log}"], "'xyz' is no trace id"),
        (["trace", "abcd", "--log", "{log}/none.log"], "cannot read"),
        (["trace", "abcd", "--log", "{empty}"], "holds no file"),
        (["triage", "{log}/none.log"], "no such file"),
        (["metrics", "{log}/none.log"], "no such file"),
    ],
)
def test_a_wrong_file_or_id_is_named(capfd, log, tmp_path, words, complaint):
    (tmp_path / "empty").mkdir()
    assert main([word.format(log=log, empty=tmp_path / "empty") for word in words]) == 2
    assert complaint in capfd.readouterr().err


# -- triage and metrics


@pytest.mark.row("L14")
def test_triage_says_what_to_do_now_the_worst_first(capfd, log):
    # One seed, one trace id: as three runs they are three streams.
    logs = [log / f"{name}.log" for name in ("rate_limit", "memory", "invalid_key")]
    for number, path in enumerate(logs):
        path.write_text(path.read_text().replace("trace_id=", f"trace_id={number}"))
    logs = list(map(str, logs))
    out = told(capfd, "triage", *logs)
    order = [out.index(said) for said in ("1. Invalid credentials", "2. Memory exhausted", "3. Rate limited")]
    assert order == sorted(order)
    assert "a. Check ANTHROPIC_API_KEY" in out
    assert "trio-supervisor trace" in out
    record = json.loads(told(capfd, "triage", *logs, "--json"))
    assert [one["verdict"] for one in record["findings"]] == ["permanent", "buffered", "transient"]


def test_a_log_without_trouble_and_a_file_that_is_none_are_told_apart(capfd, pipe):
    pipe("2026-01-01T00:00:00Z [info     ] stream completed  trace_id=aa elapsed=1.0\n")
    assert "Nothing went wrong" in told(capfd, "triage")
    pipe("hello\n")
    assert "no log of trio-supervisor" in told(capfd, "triage")


GOLDEN = """\
2 streams: 1 completed, 0 interrupted, 1 failed
4 requests told of in 2 outcomes

llm.request.duration_ms  of whole answers: p50 2.02 s  p90 2.02 s  p99 2.02 s
   up: the network is slow, or the provider holds requests back (rate limit)

llm.request.retries  1: rate_limit 1
   up: transient trouble; its kind says whose. It costs time and money, and is over by itself

llm.streaming.errors  3: transient 1, permanent 1, context 0, resource 1
   permanent up: investigate, somebody has to act; transient up: the provider or the network;
   resource up: this machine

llm.fallback.triggered  1: memory_exhaustion 1, provider_switch 0
   memory_exhaustion up: this machine is short of memory; provider_switch up: the first provider
   needs a look

llm.input_tokens  12
   up without more streams: retries and longer prompts

llm.output_tokens  7
   what abandoned attempts said is counted too: it is paid for
"""


@pytest.mark.row("I7", "L9")
def test_the_figures_of_a_canned_run_read_so(capfd, tmp_path):
    def attempt(kind=None, mode="streaming"):
        return {"route": "a:m", "mode": mode, "started": 0, "seconds": 2, "failure": kind and {"kind": kind}}

    good = [attempt("rate_limit"), attempt("memory"), attempt(mode="buffered")]
    lines = [
        {
            "status": "completed",
            "attempts": good,
            "usage": {"input_tokens": 10, "cache_read_tokens": 2, "output_tokens": 7},
        },
        {"status": "failed", "attempts": [attempt("invalid_key")], "usage": {}},
    ]
    (tmp_path / "o.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert told(capfd, "metrics", str(tmp_path / "o.jsonl")) == GOLDEN
    record = json.loads(told(capfd, "metrics", str(tmp_path / "o.jsonl"), "--json"))
    assert record["metrics"]["llm.fallback.triggered"]["figures"]["memory_exhaustion"] == 1


@pytest.mark.row("I7")
def test_the_figures_of_a_run_are_the_same_from_its_report_and_its_outcomes(capfd, tmp_path):
    report = told(capfd, "demo", "--prompts", "20", "--json", "--out", str(tmp_path / "o.jsonl"))
    (tmp_path / "r.json").write_text(report)
    by_report, by_outcomes = (
        json.loads(told(capfd, "metrics", str(tmp_path / name), "--json")) for name in ("r.json", "o.jsonl")
    )
    assert by_report["streams"] == by_outcomes["streams"]
    sums = [sum(one["metrics"]["llm.request.retries"]["figures"].values()) for one in (by_report, by_outcomes)]
    assert sums[0] == sums[1]
    assert by_report["metrics"]["llm.output_tokens"] == by_outcomes["metrics"]["llm.output_tokens"]


# -- one failure without a key


def test_a_failure_is_known_by_its_label_and_its_title():
    assert kind_of("rate-limit") is kind_of("Rate limited") is kind_of(" RATE_LIMIT ") is FailureKind.RATE_LIMIT


@pytest.mark.row("B9")
def test_the_waits_that_are_told_are_those_that_are_configured(capfd, monkeypatch):
    monkeypatch.setenv("TRIO_SUPERVISOR_ATTEMPTS", "3")
    monkeypatch.setenv("TRIO_SUPERVISOR_BACKOFF_INITIAL", "2")
    record = json.loads(told(capfd, "classify", "HTTP 429", "--json"))
    assert (record["retry"]["attempts"], record["retry"]["waits"]) == (3, [2.0, 4.0])
    monkeypatch.setenv("TRIO_SUPERVISOR_ATTEMPTS", "many")
    assert json.loads(told(capfd, "classify", "HTTP 429", "--json"))["retry"]["attempts"] == 5


@pytest.mark.row("L13")
def test_what_was_held_at_most_is_told_with_the_figures(capfd, pipe):
    line = "2026-01-01T00:00:00Z [warning  ] attempt 1/5 failed  error_type=reset connections={} memory_mb={}\n"
    pipe(line.format(3, 80) + line.format(2, 90))
    assert "held at most  memory mb 90, connections 3" in told(capfd, "metrics")


@pytest.mark.row("L2")
def test_on_a_terminal_a_trace_is_a_timeline_and_still_without_keys(tmp_path):
    line = "2026-01-01T00:00:0{}.123456Z [warning  ] {}  trace_id={} provider=a model=m mode=buffered elapsed=1.5{}\n"
    more = f" error_type=reset title='Connection lost' message='gone {SECRET}' next_route=b:n after=2.0"
    (tmp_path / "a.log").write_text(
        line.format(1, "attempt 1/3 failed", ID, more) + line.format(2, "switched provider", ID, more)
    )
    (tmp_path / "b.log").write_text(f"nginx said {ID} {SECRET}\n")
    status, drawn = on_a_terminal("trace", ID[:6], "--log", str(tmp_path), size=(24, 140))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)
    assert status == 0
    for said in (
        f"trace {ID}",
        "00:00:01.123",
        "attempt 1/3 failed",
        "Connection lost: gone ***",
        "then b:n after 2.00 s",
    ):
        assert said in plain
    assert "a:m (buffered), 1.50 s" in plain
    assert "nginx said" in plain
    assert plain.count("Connection lost") == 1
    assert "canary" not in drawn


@pytest.mark.row("B9")
@pytest.mark.parametrize(
    ("text", "future"),
    [
        ("KeyboardInterrupt", "no: it is the caller's own wish"),
        ("HTTP 401", "no: the next route is asked at once, where there is one"),
        ("stalled", "not while another route is left: the next route is asked at once"),
        ("memory", "no, not in the same way; then in one piece"),
        ("content_filter", "no, not in the same way"),
        ("ECONNRESET", "yes, up to 3 attempts on a route, after 1, 2 s (±10 %): 3 s in all"),
    ],
)
def test_the_future_of_a_failure_is_told_in_a_sentence(capfd, text, future):
    assert future in " ".join(told(capfd, "classify", text).split())


def test_a_body_is_read_from_a_pipe_and_one_that_is_no_file_is_the_body_itself(capfd, pipe):
    pipe('{"error": {"type": "overloaded_error", "message": "busy"}}')
    assert json.loads(told(capfd, "classify", "--status", "500", "--body", "-", "--json"))["message"] == "busy"
    assert json.loads(told(capfd, "classify", "--status", "500", "--body", "x" * 9_000, "--json"))["kind"] == "server"
