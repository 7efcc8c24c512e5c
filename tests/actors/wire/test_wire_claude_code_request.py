"""What goes to Claude Code: the prompt for standard input, the command line, the environment, and what is refused before it starts."""

import pytest

from actors.messages import Image, Text, ToolCall, ToolResult, assistant, user
from actors.request import Limits, Request, Tool
from actors.route import Route
from actors.source import EncodingError
from actors.wire.claude_code import DIALECT, arguments, environment

ROUTE = Route("claude-code", "claude-a")


def own(**options):
    return Request("hi", extras={"claude-code": options})


def test_a_prompt_is_what_stands_on_standard_input():
    request = Request("Why is the sky blue?\n-- ☀️")
    assert DIALECT.encode(request, ROUTE) == "Why is the sky blue?\n-- ☀️".encode()
    assert not any("sky" in argument for argument in arguments(request, ROUTE))


def test_a_conversation_is_written_turn_by_turn():
    request = Request([user("one"), assistant("two"), user("three", "four")])
    assert DIALECT.encode(request, ROUTE).decode() == (
        "<user>\none\n</user>\n\n<assistant>\ntwo\n</assistant>\n\n<user>\nthree\n\nfour\n</user>"
    )


def test_a_prompt_that_looks_like_a_command_of_the_program_is_said_as_a_turn():
    assert DIALECT.encode(Request("/compact"), ROUTE) == b"<user>\n/compact\n</user>"


def test_calls_and_their_results_are_told_in_words():
    call = assistant("I look.", ToolCall("c1", "find", {"what": "x"}))
    told = DIALECT.encode(Request([user("go"), call, user(ToolResult("c1", "found"))]), ROUTE).decode()
    assert '[call c1 of find: {"what":"x"}]' in told
    assert "[result of call c1: found]" in told


def test_the_usual_command_line_has_no_tools_and_one_turn():
    assert arguments(Request("hi"), ROUTE) == (
        *("-p", "--output-format", "stream-json", "--verbose", "--include-partial-messages"),
        *("--model", "claude-a", "--strict-mcp-config", "--tools=", "--max-turns=1"),
    )


def test_a_buffered_route_asks_for_no_partial_messages():
    assert "--include-partial-messages" not in arguments(Request("hi"), ROUTE.buffered)


def test_a_system_prompt_is_one_argument_even_where_it_looks_like_a_flag():
    assert "--system-prompt=--help" in arguments(Request("hi", system="--help"), ROUTE)


def test_options_of_the_program_are_taken_from_the_extras():
    request = own(
        tools=["Bash", "Read"], allowed_tools="Bash(ls:*)", append_system_prompt="brief", arguments=["--effort", "low"]
    )
    assert arguments(request, ROUTE)[-5:] == (
        *("--tools=Bash,Read", "--allowedTools=Bash(ls:*)", "--append-system-prompt=brief"),
        *("--effort", "low"),
    )
    assert "--max-turns=3" in arguments(own(tools="default", max_turns=3), ROUTE)


@pytest.mark.promise("P5")
def test_the_program_is_told_to_repeat_nothing_on_its_own():
    told = environment(Request("hi"))
    assert told["CLAUDE_CODE_MAX_RETRIES"] == "0"
    assert told["CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK"] == "1"


def test_limits_and_variables_of_ones_own_are_set_for_the_program():
    request = Request(
        "hi",
        limits=Limits(max_tokens=9, thinking_tokens=2048),
        extras={"claude-code": {"environment": {"CLAUDE_CODE_MAX_RETRIES": 2, "HTTPS_PROXY": "http://p"}}},
    )
    told = environment(request)
    assert (told["CLAUDE_CODE_MAX_OUTPUT_TOKENS"], told["MAX_THINKING_TOKENS"]) == ("9", "2048")
    assert (told["CLAUDE_CODE_MAX_RETRIES"], told["HTTPS_PROXY"]) == ("2", "http://p")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("hi", tools=[Tool("find")]), "no tools"),
        (Request("hi", schema={"type": "object"}), "no schema"),
        (Request("hi", limits=Limits(stop=("x",), temperature=0.5)), r"no limits\.stop and no limits\.temperature"),
        (Request(user("look", Image("image/png", b"x"))), "image"),
        (Request([]), "no message"),
        (Request(user(Text(""))), "no message"),
        (own(tols="Bash"), "tols; known are tools,"),
        (own(tools={"Bash": True}), "tools in the extras"),
        (own(environment="A=1"), "environment in the extras"),
        (Request("hi", system="x" * 200_000), "--system-prompt is longer"),
        (Request("hi", system="a\0b"), "--system-prompt is longer than .* zero byte"),
    ],
)
def test_what_the_program_cannot_do_is_refused_before_it_starts(request_, message):
    with pytest.raises(EncodingError, match=message):
        (DIALECT.encode(request_, ROUTE), arguments(request_, ROUTE), environment(request_))
