"""Every option of `run`, and every field of a line that goes before it, reaches the stream it is meant for."""

import json

import pytest

from actors.chaos import Answer, ByPrompt, Pacing, Text, ToolUse, expected_text
from actors.cli import main
from actors.messages import assistant, user
from actors.providers.anthropic import AnthropicProvider
from actors.request import Limits, Tool

ROUTE = ("--route", "anthropic:claude-a")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
pytestmark = pytest.mark.usefixtures("bare_environment")


@pytest.fixture
def asked(monkeypatch):
    """The requests and routes that the provider is asked with, by the words of the last turn."""
    found = {}
    original = AnthropicProvider.open

    def spying(self, request, route):
        found.setdefault(request.messages[-1].text, []).append((request, route))
        return original(self, request, route)

    monkeypatch.setattr(AnthropicProvider, "open", spying)
    return found


@pytest.fixture
def run(capfd, tmp_path):
    """Run prompts, given as words or as records of a file; gives exit status and outcomes by their id."""

    def carry_out(*prompts, options=()):
        if isinstance(prompts[0], dict):
            (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, prompts)))
            prompts = ("--from", str(tmp_path / "p.jsonl"))
        status = main(["run", *prompts, *ROUTE, *map(str, options)])
        records = map(json.loads, capfd.readouterr().out.splitlines())
        return status, {record["id"]: record for record in records}

    return carry_out


def test_what_holds_for_all_prompts_reaches_each_request(provide, asked, run):
    provide()
    status, outcomes = run("Why?", "How?", options=["--system", "be brief", "--max-tokens", "3"])
    assert status == 0
    for prompt, name in (("Why?", "1"), ("How?", "2")):
        ((request, route),) = asked[prompt]
        assert (request.system, request.limits, request.tools) == ("be brief", Limits(max_tokens=3), ())
        assert str(route) == "anthropic:claude-a"
        assert outcomes[name]["finish"]["reason"] == "length"


def test_what_a_line_says_goes_before_the_options(provide, asked, run):
    provide()
    line = {"id": "x", "system": "be long", "max_tokens": 5, "route": "anthropic:claude-z"}
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    status, outcomes = run({**line, "messages": turns}, {"prompt": "d"}, options=["-s", "be brief", "--max-tokens", 3])
    assert (status, set(outcomes)) == (0, {"x", "2"})
    ((request, route),) = asked["c"]
    assert request.messages == (user("a"), assistant("b"), user("c"))
    assert (request.system, request.limits.max_tokens, route.model) == ("be long", 5, "claude-z")
    ((other, route),) = asked["d"]
    assert (other.system, other.limits.max_tokens, route.model) == ("be brief", 3, "claude-a")


def test_routes_are_climbed_in_order_those_of_a_line_instead_of_those_of_the_command(provide, run):
    provide("claude-a#1=status404 claude-x#1=status404")
    routes = ["anthropic:claude-x", "anthropic:claude-y"]
    _, outcomes = run(
        {"id": "1", "prompt": "Why?", "routes": routes},
        {"id": "2", "prompt": "How?"},
        options=["-r", "anthropic:claude-b"],
    )
    taken = {name: [attempt["route"] for attempt in outcome["attempts"]] for name, outcome in outcomes.items()}
    assert taken == {"1": routes, "2": ["anthropic:claude-a", "anthropic:claude-b"]}


@pytest.mark.parametrize("attempts", [1, 2])
def test_so_many_attempts_are_made_on_a_route_and_then_one_in_one_piece(provide, run, attempts):
    provide("garble:3=1")
    status, outcomes = run("Why?", options=["--attempts", attempts])
    assert status == 14
    assert [attempt["mode"] for attempt in outcomes["1"]["attempts"]] == ["streaming"] * attempts + ["buffered"]


def test_so_many_streams_run_at_the_same_time_and_no_more(provide, run):
    simulator = provide(pacing=Pacing(first_token=0.1))
    assert run(*map(str, range(9)), options=["--concurrency", 3])[0] == 0
    moments = [(entry.started, 1) for entry in simulator.journal.entries]
    moments += [(entry.ended, -1) for entry in simulator.journal.entries]
    live, most = 0, 0
    for _, step in sorted(moments):
        live += step
        most = max(most, live)
    assert most == 3


@pytest.mark.parametrize(
    ("seam", "status", "attempts"), [(None, "completed", 2), ("restart", "completed", 2), ("fail", "failed", 1)]
)
def test_the_seam_says_what_follows_an_answer_that_broke_off(provide, run, seam, status, attempts):
    provide("claude-a#1=cut:6")
    _, outcomes = run("Why?", options=[] if seam is None else ["--seam", seam])
    outcome = outcomes["1"]
    assert (outcome["status"], len(outcome["attempts"])) == (status, attempts)
    whole = expected_text("Why?", tokens=8)
    assert outcome["text"] == whole if seam != "fail" else whole.startswith(outcome["text"]) and outcome["text"]


@pytest.mark.parametrize("seam", ["resume", "continue"])
def test_every_seam_brings_the_answer_home(provide, run, seam):
    provide("claude-a#1=cut:6")
    assert run("Why?", options=["--seam", seam])[1]["1"]["status"] == "completed"


CALL = ToolUse("look", '{"city": "Paris"}', "call-1")


@pytest.fixture
def offered(tmp_path):
    (tmp_path / "tools.json").write_text(json.dumps([{"name": "look", "input_schema": SCHEMA}]))
    return ["--tools", str(tmp_path / "tools.json")]


def test_tools_are_offered_and_their_calls_told_not_run(provide, asked, run, offered):
    simulator = provide(answers=ByPrompt({"Where?": Answer([Text("Let me see."), CALL])}))
    status, outcomes = run("Where?", "Why?", options=offered)
    assert status == 0
    assert [request.tools for request, _ in asked["Where?"] + asked["Why?"]] == [(Tool("look", "", SCHEMA),)] * 2
    (call,) = outcomes["1"]["tool_calls"]
    assert (call["name"], call["arguments"]) == ("look", {"city": "Paris"})
    assert (outcomes["1"]["text"], outcomes["1"]["incomplete_calls"]) == ("Let me see.", [])
    assert outcomes["1"]["finish"]["reason"] == "tool_calls"
    assert outcomes["2"]["tool_calls"] == []
    assert simulator.journal.totals().requests == 2


def test_a_line_may_offer_tools_of_its_own_in_any_spelling(provide, asked, run, offered):
    provide()
    own = [{"type": "function", "function": {"name": "go", "parameters": SCHEMA}}]
    run({"prompt": "a", "tools": own}, {"prompt": "b", "tools": []}, {"prompt": "c"}, options=offered)
    names = {prompt: [tool.name for tool in request.tools] for prompt, [(request, _)] in asked.items()}
    assert names == {"a": ["go"], "b": [], "c": ["look"]}


def test_a_call_that_was_cut_off_is_told_apart_from_one_to_be_run(provide, run, offered):
    provide("claude-a#1=cut:4", answers=ByPrompt({"Where?": Answer([CALL])}))
    status, outcomes = run("Where?", options=[*offered, "--seam", "fail"])
    assert (status, outcomes["1"]["status"], outcomes["1"]["tool_calls"]) == (14, "failed", [])
    (cut,) = outcomes["1"]["incomplete_calls"]
    assert cut["name"] == "look"
    assert '{"city": "Paris"}'.startswith(cut["fragment"])


def test_a_file_that_holds_no_tools_is_told_before_anything_is_asked(provide, capfd, tmp_path):
    simulator = provide()
    file = tmp_path / "tools.json"
    file.write_text('[{"name": "look"}, {"name": "go", "parameters": []}]')
    assert main(["run", "Why?", *ROUTE, "--tools", str(file)]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"{file}, tool 2 (go): expected `object | null`, got `array`" in " ".join(err.split())
    assert simulator.journal.entries == ()
