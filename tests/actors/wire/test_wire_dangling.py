"""A call that an interrupted turn left open is answered in the next request, which providers would refuse otherwise."""

import json

import pytest
from wire_dialects import DIALECTS, PROVIDERS

from actors.messages import Message, Role, Text, Thinking, ToolCall, ToolResult, user
from actors.request import Request
from actors.route import Route
from actors.wire.pieces import NOT_RUN, turns

SAID = Message(Role.ASSISTANT, (Text("ok"), ToolCall("a", "look", {}), ToolCall("b", "look", {})))


def results(*messages):
    return [[part.call_id for part in parts if isinstance(part, ToolResult)] for _, parts in turns(messages)]


@pytest.mark.row("F4")
def test_calls_without_results_are_answered_before_what_the_user_says():
    assert results(user("go"), SAID, user("forget it")) == [[], [], ["a", "b"]]
    assert results(user("go"), SAID, user(ToolResult("b", "sky"))) == [[], [], ["a", "b"]]
    assert results(user("go"), SAID) == [[], [], ["a", "b"]]
    assert results(user("go"), SAID, user(ToolResult("b", "1"), ToolResult("a", "2"))) == [[], [], ["b", "a"]]


def test_calls_that_the_provider_ran_want_no_result():
    hosted = Message(Role.ASSISTANT, ToolCall("a", "search", {}, hosted=True))
    assert results(user("go"), hosted, user("on")) == [[], [], []]


@pytest.mark.row("F4")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_writes_the_closing_results(dialect):
    body = DIALECTS[dialect].encode(Request((user("go"), SAID, user("forget it"))), Route(PROVIDERS[dialect], "m"))
    text = body.decode() if dialect == "claude_code" else json.dumps(json.loads(body))
    assert text.count(NOT_RUN) == 2
    assert text.index(NOT_RUN) < text.index("forget it")


@pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
@pytest.mark.parametrize("silent", [(), (Thinking("Hm", "of-nobody:x"),)], ids=["empty", "unreadable"])
def test_turns_around_one_that_says_nothing_are_one_turn(dialect, silent):
    said = Request((user("see"), Message(Role.ASSISTANT, silent), user("go on")))
    body = json.loads(DIALECTS[dialect].encode(said, Route(PROVIDERS[dialect], "m")))
    (turn,) = body.get("messages") or body["contents"]
    assert turn["role"] == "user"
    assert [piece["text"] for piece in turn.get("content") or turn["parts"]] == ["see", "go on"]
