"""The commands, called as a person calls them, against the simulated provider."""

import json
import os
import re

import pytest

from actors.chaos import expected_text
from actors.cli import main
from actors.cli.app import BUG

ROUTE = ("--route", "anthropic:claude-a")
pytestmark = pytest.mark.usefixtures("bare_environment")


def lines(text):
    return {record["id"]: record for record in map(json.loads, text.splitlines())}


def test_prompts_given_as_words_are_answered_as_json_lines_and_reported(provide, capfd):
    provide()
    assert main(["run", "Why?", "How?", *ROUTE]) == 0
    out, err = capfd.readouterr()
    answers = lines(out)
    assert {name: answer["text"] for name, answer in answers.items()} == {
        "1": expected_text("Why?", tokens=8),
        "2": expected_text("How?", tokens=8),
    }
    assert all(answer["status"] == "completed" and len(answer["trace_id"]) == 32 for answer in answers.values())
    assert "2 completed" in err
    assert "2 attempts: 0 retries" in err


def test_a_text_file_is_asked_line_by_line_and_named_by_line_number(provide, capfd, tmp_path):
    simulator = provide()
    (tmp_path / "p.txt").write_text("Why?\n\nHow?\n")
    assert main(["run", "--from", str(tmp_path / "p.txt"), *ROUTE, "--system", "be brief", "--max-tokens", "3"]) == 0
    answers = lines(capfd.readouterr().out)
    assert set(answers) == {"1", "3"}
    assert answers["1"]["finish"]["reason"] == "length"
    assert simulator.journal.totals().requests == 2


def test_json_lines_name_themselves_and_choose_their_routes(provide, capfd, tmp_path):
    provide()
    file = tmp_path / "p.jsonl"
    file.write_text(
        '{"prompt": "Why?", "id": "a", "route": "anthropic:claude-z"}\n{"messages": [{"role": "user", "content": "How?"}], "id": "b"}'
    )
    assert main(["run", "-f", str(file), *ROUTE]) == 0
    answers = lines(capfd.readouterr().out)
    assert {name: answer["attempts"][0]["route"] for name, answer in answers.items()} == {
        "a": "anthropic:claude-z",
        "b": "anthropic:claude-a",
    }


def test_with_a_file_for_the_outcomes_the_report_goes_to_standard_output(provide, capfd, tmp_path):
    provide()
    assert main(["run", "Why?", *ROUTE, "--out", str(tmp_path / "o.jsonl"), "--json"]) == 0
    out, err = capfd.readouterr()
    report = json.loads(out)
    assert (report["streams"], report["completed"], report["exit_status"]) == (1, 1, 0)
    assert err == ""
    assert lines((tmp_path / "o.jsonl").read_text())["1"]["status"] == "completed"


def test_a_failure_climbs_the_routes_in_order_and_the_outcome_tells_it(provide, capfd):
    simulator = provide("claude-a#1=status404")
    assert main(["run", "Why?", *ROUTE, "-r", "anthropic:claude-b"]) == 0
    out, err = capfd.readouterr()
    first, second = lines(out)["1"]["attempts"]
    assert (first["failure"]["kind"], second["route"]) == ("model_unavailable", "anthropic:claude-b")
    assert "1 switch of route" in err
    assert simulator.journal.totals().requests == 2


@pytest.mark.promise("P14")
def test_a_refused_key_fails_with_advice_and_a_status_of_its_own_and_shows_no_key(provide, capfd):
    provide("status401=1")
    assert main(["run", "Why?", *ROUTE]) == 11
    out, err = capfd.readouterr()
    failure = lines(out)["1"]["failure"]
    assert (failure["title"], failure["status"]) == ("Invalid credentials", 401)
    assert "Check ANTHROPIC_API_KEY" in re.sub(r"\s+", " ", err)
    assert "sk-canary-77" not in out + err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "Why?", "-r", "claude:"], "route 'claude:' must be provider:model"),
        (
            ["run", "Why?", "-r", "mistral:m"],
            "no provider is known for 'mistral:m': say provider:model with one of anthropic, openai",
        ),
        (["run", "Why?", "-r", "google:g"], "GEMINI_API_KEY is not set"),
        (["run", "Why?", " ", *ROUTE], "prompt 2 of the command line is empty"),
        (["run", "pyproject.toml", *ROUTE], "'pyproject.toml' is a file: say --from pyproject.toml"),
        (["run", "Why?", "--from", "x.txt", *ROUTE], "prompts are given in more than one way"),
        (["run", "Why?", "-", *ROUTE], "prompts are given in more than one way"),
        (["run", "- why?", *ROUTE], "A prompt that begins with - goes after --."),
        (["run", "--from", "absent.txt", *ROUTE], "cannot read absent.txt: no such file or directory"),
        (["run", "--from", "tests", *ROUTE], "cannot read tests: is a directory"),
        (["run", "Why?", *ROUTE, "--out", "pyproject.toml"], "pyproject.toml is there already and not empty"),
        (
            ["run", "Why?", *ROUTE, "--out", "absent/o.jsonl"],
            "cannot write to absent/o.jsonl: no such file or directory",
        ),
        (["run", "Why?", *ROUTE, "--tools", "absent.json"], "cannot read absent.json: no such file or directory"),
        (["run", "Why?", *ROUTE, "--tools", "pyproject.toml"], "pyproject.toml is no JSON"),
        (["run", "Why?", *ROUTE, "--seam", "again"], "--seam"),
        (["run", "Why?", *ROUTE, "-c", "0"], "give a number from 1"),
        (["run", "Why?", *ROUTE, "--attempts", "33"], "give a number from 1 to 32"),
        (["run", "Why?", *ROUTE, "--max-tokens", "many"], "--max-tokens"),
        (["run", "Why?", *ROUTE, "--bogus"], "--bogus"),
        (["rum"], "rum"),
        (["demo", "--faults", "cutt=1"], "--faults: bad plan term 'cutt=1'"),
    ],
)
def test_what_a_person_did_wrong_is_one_sentence_before_any_request(provide, capfd, monkeypatch, request, words, told):
    monkeypatch.chdir(request.config.rootpath)
    simulator = provide()
    assert main(words) == 2
    out, err = capfd.readouterr()
    assert told in err
    assert err.startswith("trio-supervisor: ")
    assert (out, err.count("\n"), err.count("Traceback")) == ("", 1, 0)
    assert simulator.journal.entries == ()


def test_debug_shows_where_it_went_wrong(capfd):
    assert main(["run", "Why?", "-r", "mistral:m", "--debug"]) == 2
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["p.jsonl", "p.txt"])
def test_a_bad_last_line_of_a_file_is_named_before_the_first_is_asked(provide, capfd, tmp_path, name):
    simulator = provide()
    good, bad = (b'{"prompt": "Why?"}', b'{"promt": "How?"}') if name == "p.jsonl" else (b"Why?", b"\xff\xfe")
    (tmp_path / name).write_bytes(good + b"\n" + bad + b"\n")
    assert main(["run", "--from", str(tmp_path / name), *ROUTE]) == 2
    assert f"{name}, line 2" in capfd.readouterr().err
    assert simulator.journal.entries == ()


def test_an_empty_file_holds_no_prompt(provide, capfd, tmp_path):
    provide()
    (tmp_path / "p.txt").write_text("\n \n")
    assert main(["run", "--from", str(tmp_path / "p.txt"), *ROUTE]) == 2
    assert "p.txt holds no prompt" in capfd.readouterr().err


def test_models_of_the_environment_are_the_routes_where_none_is_given(provide, capfd, monkeypatch):
    provide()
    monkeypatch.setenv("ANTHROPIC_MODEL", "claude-m")
    assert main(["run", "Why?"]) == 0
    assert lines(capfd.readouterr().out)["1"]["attempts"][0]["route"] == "anthropic:claude-m"


def test_a_wrong_variable_is_named(capfd, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "localhost")
    assert main(["run", "Why?", *ROUTE]) == 2
    assert "ANTHROPIC_BASE_URL is 'localhost'" in capfd.readouterr().err


def test_a_bug_is_called_one_and_has_its_own_status(capfd, monkeypatch):
    def broken(**_):
        raise ExceptionGroup("nursery", [ZeroDivisionError("by zero")])

    monkeypatch.setattr("actors.cli.configuration.show_config", broken)
    assert main(["config"]) == BUG
    assert (
        capfd.readouterr().err
        == "trio-supervisor: this is a bug, please report it: ZeroDivisionError: by zero (--debug shows where)\n"
    )


def test_a_bug_in_an_actor_fails_its_stream_and_debug_tells_where(provide, capfd, monkeypatch):
    provide()

    def broken(*_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("actors.providers.anthropic.AnthropicProvider.open", broken)
    assert main(["run", "Why?", *ROUTE, "--debug"]) == 17
    out, err = capfd.readouterr()
    attempts = lines(out)["1"]["attempts"]
    assert {attempt["failure"]["title"] for attempt in attempts} == {"Internal error"}
    assert err.count("crash of root/streams/service/stream-1: ZeroDivisionError: by zero") == len(attempts)
    assert re.search(r"test_cli_commands\.py:\d+ in .*broken", err)


def test_ctrl_c_before_anything_runs_is_quiet(capfd, monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("actors.cli.configuration.show_config", interrupted)
    assert main(["config"]) == 130
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "words", [["--help"], ["run", "--help"], ["demo", "--help"], ["config", "--help"], ["--version"], []]
)
def test_help_is_given_and_is_no_failure(capfd, words):
    assert main(words) == 0
    assert capfd.readouterr().out


def test_the_demonstration_needs_no_key_and_agrees_with_its_provider_to_the_number(capfd, tmp_path):
    out = tmp_path / "o.jsonl"
    assert main(["demo", "--prompts", "40", "--concurrency", "40", "--json", "--out", str(out)]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["agreement"].pop("holds") is True
    assert all(row["report"] == row["journal"] for row in report["agreement"].values())
    assert (report["streams"], report["completed"]) == (40, 40)
    assert report["agreement"]["exact to the letter"] == {"report": 40, "journal": 40}
    assert min(report["retries"], report["switches"], report["degrades"]) >= 1
    assert {route.partition(":")[0] for route in report["asked"]} == {"anthropic", "openai", "google"}
    assert report["held_back"]["anthropic:claude-sonnet-4-5"] >= 1
    assert report["attempts"] == sum(report["asked"].values()) + sum(report["held_back"].values())
    assert len(lines(out.read_text())) == 40


def test_a_demonstration_without_faults_has_none(capfd):
    assert main(["demo", "--prompts", "3", "--faults", "cut=0"]) == 0
    out, err = capfd.readouterr()
    assert "3 attempts: 0 retries, 0 switches of route, 0 degrades" in out
    assert "The providers' own journal agrees: 3 requests" in out
    assert "went wrong" not in out
    assert "3 of 3 ended" in err or "live" in err


def test_a_prompt_may_begin_with_a_dash_after_two(provide, capfd):
    provide()
    assert main(["run", *ROUTE, "--", "- why?"]) == 0
    assert lines(capfd.readouterr().out)["1"]["text"] == expected_text("- why?", tokens=8)


def test_no_command_changes_the_environment(provide, capfd):
    provide()
    before = dict(os.environ)
    main(["run", "Why?", *ROUTE])
    assert dict(os.environ) == before
