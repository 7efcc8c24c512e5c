"""`config`: every setting, where it came from, what is missing; and that each of them takes effect in a program that is started."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise

import pytest

from actors.accounts import PROVIDERS
from actors.chaos import Generated, Plan, Simulator
from actors.cli import main
from actors.config import VARIABLES

pytestmark = [pytest.mark.usefixtures("bare_environment"), pytest.mark.row("K2")]

CANARY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def told(capfd, *, status=0):
    assert main(["config", "--json"]) == status
    out, err = capfd.readouterr()
    assert err == ""
    assert "canary" not in out
    return json.loads(out)


def test_every_variable_is_a_line_with_its_value_and_its_source(capfd, monkeypatch, directory):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    (directory / ".env").write_text(f"# mine\nGEMINI_API_KEY={CANARY},{CANARY}-two\n")
    assert main(["config"]) == 0
    out = capfd.readouterr().out
    assert re.search(r"(?m)^OPENAI_API_KEY +set, 20 characters +environment +key of the OpenAI API", out)
    assert re.search(r"(?m)^OPENAI_BASE_URL +http://127.0.0.1:1 +environment +where", out)
    assert re.search(r"(?m)^GEMINI_API_KEY +2 keys, 20 and 24 characters +\.env:2 +key", out)
    assert re.search(r"(?m)^ANTHROPIC_BASE_URL +https://api.anthropic.com +default +where", out)
    assert re.search(r"(?m)^ANTHROPIC_API_KEY +not set +key", out)
    for name in VARIABLES:
        assert re.search(rf"(?m)^{name} ", out), name
    assert "Asked when no route is given: openai-chat:llama3.2 (no *_MODEL is set, and OPENAI_BASE_URL is)" in out
    assert re.search(r"(?m)^openai-chat +yes *$", out)
    assert re.search(r"(?m)^anthropic +no +ANTHROPIC_API_KEY is not set", out)
    assert "canary" not in out


def test_the_same_for_programs(capfd, monkeypatch, directory):
    monkeypatch.setenv("ANTHROPIC_API_KEY", CANARY)
    monkeypatch.setenv("OPENAI_DISABLE_STREAMING", "1")
    monkeypatch.setenv("OPENAI_MODEL", "gpt-x")
    (directory / ".env").write_text("TRIO_SUPERVISOR_ALIASES=fast=opus\n")
    record = told(capfd)
    assert list(record["settings"]) == list(VARIABLES)
    key = record["settings"]["ANTHROPIC_API_KEY"]
    assert (key["value"], key["from"]) == ("set, 20 characters", "environment")
    assert record["settings"]["OPENAI_DISABLE_STREAMING"]["value"] is True
    assert record["settings"]["LOG_LEVEL"] | {"sets": ""} == {"value": "warning", "from": "default", "sets": ""}
    alias = record["settings"]["TRIO_SUPERVISOR_ALIASES"]
    assert (alias["from"], alias["line"], record["aliases"]["fast"]) == (".env", 1, "opus")
    assert (record["routes"], record["why"]) == (["openai:gpt-x"], "as OPENAI_MODEL says")
    assert list(record["providers"]) == list(PROVIDERS)
    assert record["providers"]["anthropic"] == {"ready": True}
    assert record["providers"]["openai"]["missing"].startswith("OPENAI_API_KEY is not set")
    assert record["problems"] == []


def test_one_wrong_variable_hides_no_other(capfd, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"ftp://me:{CANARY}@host")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("GEMINI_API_KEY", CANARY)
    monkeypatch.setenv("TRIO_SUPERVISOR_ALIASES", "fast")
    monkeypatch.setenv("TRIO_SUPERVISOR_BACKOFF_CAP", "0")
    record = told(capfd, status=2)
    assert [problem.split()[0] for problem in record["problems"]] == [
        "ANTHROPIC_BASE_URL",
        "LOG_LEVEL",
        "TRIO_SUPERVISOR_ALIASES",
        "TRIO_SUPERVISOR_BACKOFF_CAP",
    ]
    assert record["settings"]["LOG_LEVEL"]["problem"].startswith("LOG_LEVEL is 'loud'")
    assert record["providers"]["google"]["ready"]
    assert main(["config"]) == 2
    assert "wrong: LOG_LEVEL is 'loud'; say one of" in capfd.readouterr().out


@pytest.mark.row("K4")
def test_a_file_with_a_wrong_line_is_told_beside_the_environment(capfd, monkeypatch, directory):
    monkeypatch.setenv("GEMINI_API_KEY", CANARY)
    (directory / ".env").write_text(f"A=1\n{CANARY}\n")
    record = told(capfd, status=2)
    assert record["problems"] == [".env, line 2 is no NAME=value; correct it or make it a comment with #"]
    assert record["providers"]["google"]["ready"]


@pytest.mark.row("K4")
@pytest.mark.parametrize(
    ("octets", "sentence"), [(b"A=\xff", ".env is not UTF-8 text"), (b"oops", ".env, line 1 is no NAME=value")]
)
def test_a_run_stops_at_a_file_that_cannot_be_read(capfd, directory, octets, sentence):
    (directory / ".env").write_bytes(octets)
    assert main(["run", "Why?", "-r", "anthropic:m"]) == 2
    assert sentence in capfd.readouterr().err


@pytest.mark.row("K4")
def test_a_pipe_of_that_name_is_not_waited_for(capfd, directory):
    os.mkfifo(directory / ".env")
    assert told(capfd)["problems"] == []


@pytest.mark.row("K4")
def test_a_folder_of_that_name_is_no_file_of_settings(capfd, directory):
    (directory / ".env").mkdir()
    assert told(capfd)["problems"] == []


# -- each of them takes effect: a program is started, and a provider on the loopback says what it saw


def program(*words, dotenv="", cwd, **environment):
    """Run the command line in a process of its own that has these variables and no others."""
    (cwd / ".env").write_text(dotenv)
    command = [sys.executable, "-m", "actors", *words, "--plain"]
    base = {"PATH": "/usr/bin:/bin", "HOME": str(cwd)}
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, env=base | environment)


class Seeing(Simulator):
    """A provider that remembers the headers of every request."""

    def __init__(self, weather="seed=1"):
        super().__init__(Generated(tokens=4), Plan.parse(weather))
        self.seen = []

    def _reply(self, request):
        self.seen.append(request.headers)
        return super()._reply(request)


@pytest.fixture
def asked(directory, serving):
    """Run the program against a provider of this weather; gives its outcomes, the provider and the process."""

    def ask(*words, weather="seed=1", dotenv="", **environment):
        simulator = Seeing(weather)
        with serving(simulator) as url:
            here = {name: value.replace("HERE", url) for name, value in environment.items()}
            done = program("run", "Why?", *words, dotenv=dotenv.replace("HERE", url), cwd=directory, **here)
        assert CANARY not in done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], simulator, done

    return ask


ANTHROPIC = {"ANTHROPIC_API_KEY": CANARY, "ANTHROPIC_BASE_URL": "HERE"}
OPENAI = {"OPENAI_API_KEY": CANARY, "OPENAI_BASE_URL": "HERE/v1"}
GEMINI = {"GEMINI_API_KEY": CANARY, "GEMINI_BASE_URL": "HERE"}


@pytest.mark.row("K5")
@pytest.mark.parametrize(
    ("route", "environment", "header", "path"),
    [
        ("anthropic:m", ANTHROPIC, ("authorization", f"Bearer {CANARY}"), "/v1/messages"),
        ("openai:m", OPENAI, ("authorization", f"Bearer {CANARY}"), "/v1/responses"),
        ("openai-chat:m", OPENAI, ("authorization", f"Bearer {CANARY}"), "/v1/chat/completions"),
        ("google:m", GEMINI, ("x-goog-api-key", CANARY), "/v1beta/models/m:streamGenerateContent"),
        (
            "azure:m",
            {"AZURE_OPENAI_ENDPOINT": "HERE", "AZURE_OPENAI_API_KEY": CANARY},
            ("api-key", CANARY),
            "/openai/responses",
        ),
        (
            "azure-chat:m",
            {"AZURE_OPENAI_ENDPOINT": "HERE", "AZURE_OPENAI_AD_TOKEN": f"eyJ{CANARY}"},
            ("authorization", f"Bearer eyJ{CANARY}"),
            "/openai/deployments/m/chat/completions",
        ),
        (
            "vertex:m",
            {
                "GOOGLE_VERTEX_BASE_URL": "HERE",
                "GOOGLE_OAUTH_ACCESS_TOKEN": CANARY,
                "GOOGLE_CLOUD_PROJECT": "p",
                "GOOGLE_CLOUD_LOCATION": "eu",
            },
            ("authorization", f"Bearer {CANARY}"),
            "/v1beta1/projects/p/locations/eu/publishers/google/models/m:streamGenerateContent",
        ),
        (
            "anthropic-vertex:m",
            {
                "ANTHROPIC_VERTEX_BASE_URL": "HERE/v1",
                "GOOGLE_OAUTH_ACCESS_TOKEN": CANARY,
                "ANTHROPIC_VERTEX_PROJECT_ID": "p",
                "CLOUD_ML_REGION": "eu",
            },
            ("authorization", f"Bearer {CANARY}"),
            "/v1/projects/p/locations/eu/publishers/anthropic/models/m:streamRawPredict",
        ),
        (
            "bedrock:m",
            {"ANTHROPIC_BEDROCK_BASE_URL": "HERE", "AWS_BEARER_TOKEN_BEDROCK": CANARY, "AWS_REGION": "eu-west-1"},
            ("authorization", f"Bearer {CANARY}"),
            "/model/m/invoke-with-response-stream",
        ),
    ],
)
def test_keys_and_addresses_reach_the_wire(asked, route, environment, header, path):
    (outcome,), simulator, _ = asked("-r", route, **environment)
    (entry,) = simulator.journal.entries
    assert outcome["status"] == "completed"
    assert (entry.path.partition("?")[0], entry.model) == (path, "m")
    assert simulator.seen[0][header[0]] == header[1]


@pytest.mark.row("K4")
def test_a_file_of_this_directory_is_read_and_the_environment_goes_before_it(asked):
    dotenv = "\n".join("=".join(pair) for pair in (ANTHROPIC | {"ANTHROPIC_MODEL": "of-the-file"}).items())
    (outcome,), simulator, _ = asked(dotenv=dotenv)
    assert (outcome["status"], simulator.journal.entries[0].model) == ("completed", "of-the-file")
    assert simulator.seen[0]["authorization"] == f"Bearer {CANARY}"
    _, simulator, _ = asked(dotenv=dotenv, ANTHROPIC_MODEL="of-the-environment")
    assert simulator.journal.entries[0].model == "of-the-environment"


@pytest.mark.parametrize(
    ("environment", "asked_for"),
    [
        (ANTHROPIC | {"ANTHROPIC_MODEL": "a"}, ("anthropic", "a")),
        (OPENAI | {"OPENAI_MODEL": "o"}, ("openai-chat", "o")),
        (GEMINI | {"GEMINI_MODEL": "g"}, ("google", "g")),
        (GEMINI | ANTHROPIC | {"GEMINI_MODEL": "g", "ANTHROPIC_MODEL": "a"}, ("anthropic", "a")),
        (ANTHROPIC, ("anthropic", "claude-sonnet-5-5")),
    ],
)
@pytest.mark.row("C16")
def test_the_model_of_a_variable_is_asked_where_no_route_is_given(asked, environment, asked_for):
    (outcome,), _, _ = asked(**environment)
    assert outcome["attempts"][0]["route"] == ":".join(asked_for)


def test_a_name_alone_is_a_route_and_an_alias_of_ones_own_too(asked):
    (outcome,), simulator, _ = asked("-r", "best", **ANTHROPIC, TRIO_SUPERVISOR_ALIASES="best=claude-opus-5-5")
    assert outcome["attempts"][0]["route"] == "anthropic:claude-opus-5-5"
    assert simulator.journal.entries[0].model == "claude-opus-5-5"


def test_the_organisation_and_the_project_are_told(asked):
    _, simulator, _ = asked("-r", "openai:m", **OPENAI, OPENAI_ORG_ID="org-1", OPENAI_PROJECT_ID="proj-1")
    assert simulator.seen[0]["openai-organization"] == "org-1"
    assert simulator.seen[0]["openai-project"] == "proj-1"


@pytest.mark.row("C8")
@pytest.mark.parametrize("route", ["openai:m", "azure-chat:m"])
def test_streaming_is_switched_off(asked, route):
    azure = {"AZURE_OPENAI_ENDPOINT": "HERE", "AZURE_OPENAI_API_KEY": CANARY}
    (outcome,), simulator, _ = asked("-r", route, **OPENAI, **azure, OPENAI_DISABLE_STREAMING="true")
    assert outcome["status"] == "completed"
    assert [entry.streaming for entry in simulator.journal.entries] == [False]


@pytest.mark.row("C13")
def test_the_model_of_claude_code_stands_on_its_command_line(directory):
    (directory / "bin").mkdir()
    claude = directory / "bin" / "claude"
    claude.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {directory}/argv\nexit 1\n')
    claude.chmod(0o755)
    for words, model in ((("-r", "claude-code"), "opus"), (("-r", "claude-code-haiku"), "haiku"), ((), "opus")):
        done = program(
            "run", "Why?", *words, cwd=directory, PATH=f"{directory}/bin:/usr/bin:/bin", CLAUDE_CODE_MODEL="opus"
        )
        argv = (directory / "argv").read_text().splitlines()
        assert argv[argv.index("--model") + 1] == model
        assert done.returncode > 0


@pytest.mark.row("K6")
def test_attempts_and_waits_are_those_of_the_variables(asked):
    quick = {"TRIO_SUPERVISOR_BACKOFF_INITIAL": "0.02", "TRIO_SUPERVISOR_BACKOFF_JITTER": "0"}
    (outcome,), simulator, _ = asked(
        "-r",
        "anthropic:m",
        weather="status529=1",
        **ANTHROPIC,
        **quick,
        TRIO_SUPERVISOR_ATTEMPTS="4",
        TRIO_SUPERVISOR_BACKOFF_MULTIPLIER="3",
        TRIO_SUPERVISOR_BACKOFF_CAP="0.1",
    )
    attempts = [attempt for attempt in outcome["attempts"] if attempt["mode"] == "streaming"]
    assert len(attempts) == 4
    starts = [entry.started for entry in simulator.journal.entries if entry.streaming]
    gaps = [after - before for before, after in pairwise(starts)]
    assert all(gap >= wait for gap, wait in zip(gaps, (0.02, 0.06, 0.1), strict=True))
    assert sum(gaps) < 5, "the usual waits are 1, 2 and 4 seconds"


@pytest.mark.row("K6")
def test_no_time_to_retry_within_is_no_retry_and_the_option_goes_before_the_variable(asked):
    (outcome,), _, _ = asked("-r", "anthropic:m", weather="status529=1", **ANTHROPIC, TRIO_SUPERVISOR_RETRY_WITHIN="0")
    assert [attempt["mode"] for attempt in outcome["attempts"]].count("streaming") == 1
    (outcome,), _, _ = asked(
        "-r",
        "anthropic:m",
        "--attempts",
        "2",
        weather="status529=1",
        **ANTHROPIC,
        TRIO_SUPERVISOR_ATTEMPTS="3",
        TRIO_SUPERVISOR_BACKOFF_INITIAL="0.01",
    )
    assert [attempt["mode"] for attempt in outcome["attempts"]].count("streaming") == 2


@pytest.mark.row("A13")
@pytest.mark.parametrize(
    ("route", "missing"),
    [
        ("anthropic:m", "ANTHROPIC_API_KEY"),
        ("azure:m", "AZURE_OPENAI_API_KEY"),
        ("vertex:m", "GOOGLE_CLOUD_PROJECT"),
        ("bedrock:m", "AWS_REGION"),
    ],
)
def test_what_is_missing_is_said_before_any_request(asked, route, missing):
    urls = ("ANTHROPIC_BASE_URL", "AZURE_OPENAI_ENDPOINT", "GOOGLE_VERTEX_BASE_URL", "ANTHROPIC_BEDROCK_BASE_URL")
    outcomes, simulator, done = asked("-r", route, **dict.fromkeys(urls, "HERE"))
    assert (outcomes, done.returncode, simulator.seen) == ([], 2, [])
    assert f"{missing} is not set" in done.stderr


@pytest.mark.row("C16")
def test_nobody_to_ask_is_one_sentence(asked):
    _, _, done = asked()
    assert done.returncode == 2
    assert done.stderr.startswith("trio-supervisor: no route: give --route provider:model")
    assert "OPENAI_MODEL, ANTHROPIC_MODEL or GEMINI_MODEL, or a key" in done.stderr
