"""What is sent to Anthropic Messages, and what is refused before it is sent."""

import json

import pytest

from actors.messages import Foreign, Image, Message, Role, Text, Thinking, ToolCall, ToolResult, assistant, user
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Mode, Route
from actors.source import EncodingError
from actors.wire.anthropic import DIALECT

ROUTE = Route("anthropic", "claude-x")
LOOK = Tool("look", "Look up", {"type": "object", "properties": {"at": {"type": "string"}}})


def body(request, route=ROUTE):
    return json.loads(DIALECT.encode(request, route))


def content(*messages):
    return [(turn["role"], turn["content"]) for turn in body(Request(messages))["messages"]]


def refused(request):
    with pytest.raises(EncodingError) as caught:
        DIALECT.encode(request, ROUTE)
    return str(caught.value)


def test_a_prompt_is_the_smallest_body():
    assert body(Request("Hello")) == {
        "model": "claude-x",
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        "stream": True,
    }


def test_a_buffered_route_asks_for_one_piece():
    assert body(Request("Hello"), Route("anthropic", "claude-x", Mode.BUFFERED))["stream"] is False


def test_limits_system_tools_and_schema_take_their_fields():
    asked = body(
        Request(
            "Hello",
            system="Be brief",
            tools=(LOOK,),
            tool_choice="look",
            limits=Limits(max_tokens=5000, thinking_tokens=2000, temperature=1.0, top_p=0.95, stop=("END",)),
            schema={"type": "object"},
        )
    )
    del asked["messages"]
    assert asked == {
        "model": "claude-x",
        "max_tokens": 5000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "temperature": 1.0,
        "top_p": 0.95,
        "stop_sequences": ["END"],
        "stream": True,
        "system": "Be brief",
        "tools": [{"name": "look", "description": "Look up", "input_schema": LOOK.parameters}],
        "tool_choice": {"type": "tool", "name": "look"},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
    }


def test_thinking_without_a_limit_leaves_room_for_the_answer():
    assert body(Request("Hello", limits=Limits(thinking_tokens=2000)))["max_tokens"] == 8192 + 2000


@pytest.mark.parametrize(("choice", "sent"), [(ToolChoice.ANY, {"type": "any"}), (ToolChoice.NONE, {"type": "none"})])
def test_a_tool_choice_other_than_auto_is_said(choice, sent):
    assert body(Request("Hello", tools=(LOOK,), tool_choice=choice))["tool_choice"] == sent


def test_without_tools_neither_tools_nor_choice_are_sent():
    assert not {"tools", "tool_choice"} & body(Request("Hello", tool_choice=ToolChoice.NONE)).keys()


@pytest.mark.row("C5")
def test_turns_of_one_role_are_joined_and_results_stand_first():
    asked = content(
        user("a"),
        user("b"),
        assistant("c", ToolCall("t", "look", {"at": 1})),
        Message(Role.USER, (Text("so"), ToolResult("t", "sky"))),
        user(ToolResult("u", "", is_error=True)),
    )
    assert asked == [
        ("user", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        (
            "assistant",
            [{"type": "text", "text": "c"}, {"type": "tool_use", "id": "t", "name": "look", "input": {"at": 1}}],
        ),
        (
            "user",
            [
                {"type": "tool_result", "tool_use_id": "t", "content": "sky"},
                {"type": "tool_result", "tool_use_id": "u", "content": "", "is_error": True},
                {"type": "text", "text": "so"},
            ],
        ),
    ]


@pytest.mark.row("C4")
def test_an_empty_text_is_sent_as_a_space():
    assert content(user("")) == [("user", [{"type": "text", "text": " "}])]


def test_a_prefill_has_no_blanks_at_its_end():
    assert content(user("a"), assistant("b \n"), user("c"), assistant("d", " e \n"))[1::2] == [
        ("assistant", [{"type": "text", "text": "b \n"}]),
        ("assistant", [{"type": "text", "text": "d"}, {"type": "text", "text": " e"}]),
    ]


def test_images_are_sent_by_content_or_by_url_also_within_results():
    inline = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "eHg="}}
    linked = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    png, link = Image("image/png", b"xx"), Image(url="https://example.org/a.png")
    assert content(user("see", png, link)) == [("user", [{"type": "text", "text": "see"}, inline, linked])]
    assert content(user(ToolResult("t", (Text("see"), png))))[0][1][0]["content"] == [
        {"type": "text", "text": "see"},
        inline,
    ]


def test_thinking_goes_back_under_its_own_seal_only():
    parts = (
        Thinking("a", "anthropic:Ev=="),
        Thinking("b", "Raw=="),
        Thinking("blob", "anthropic:", redacted=True),
        Thinking("c"),
        Thinking("d", "gemini:Xy=="),
        Thinking("blob", "openai:", redacted=True),
        Text("so"),
    )
    [_, (_, sent)] = content(user("?"), Message(Role.ASSISTANT, parts))
    assert sent == [
        {"type": "thinking", "thinking": "a", "signature": "Ev=="},
        {"type": "thinking", "thinking": "b", "signature": "Raw=="},
        {"type": "redacted_thinking", "data": "blob"},
        {"type": "text", "text": "so"},
    ]


def test_blocks_of_our_own_go_back_unread_and_those_of_others_stay_here():
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
    parts = (
        ToolCall("s", "web_search", {"query": "sky"}, 'anthropic:{"type":"server_tool_use"}', hosted=True),
        Foreign("anthropic", "web_search_tool_result", result),
        ToolCall("w", "web_search", {}, "openai:ws_1", hosted=True),
        Foreign("openai", "web_search_call", {"type": "web_search_call"}),
        ToolCall("t", "look", {}, "gemini:Xy=="),
    )
    [_, (_, sent), _] = content(user("?"), Message(Role.ASSISTANT, parts))
    assert sent == [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "sky"}},
        result,
        {"type": "tool_use", "id": "t", "name": "look", "input": {}},
    ]


def test_a_turn_with_nothing_to_say_is_left_out_and_its_neighbours_are_one():
    foreign = Message(Role.ASSISTANT, Foreign("openai", "x", {}))
    assert content(user("a"), foreign, user("b")) == [
        ("user", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
    ]


def test_only_citations_that_anthropic_knows_are_sent_back():
    known = {"type": "char_location", "cited_text": "x"}
    [_, (_, sent)] = content(user("?"), Message(Role.ASSISTANT, Text("so", (known, {"uri": "y"}))))
    assert sent == [{"type": "text", "text": "so", "citations": [known]}]


def test_extras_are_merged_into_the_body():
    extras = {
        "anthropic": {
            "tools": [{"type": "web_search_20250305", "name": "web_search"}],
            "metadata": {"user_id": "u"},
            "top_k": 5,
        },
        "openai": {"seed": 1},
    }
    asked = body(Request("Hello", tools=(LOOK,), extras=extras))
    assert [tool["name"] for tool in asked["tools"]] == ["look", "web_search"]
    assert (asked["metadata"], asked["top_k"], "seed" in asked) == ({"user_id": "u"}, 5, False)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Request(()), "no message"),
        (Request(user()), "no message"),
        (Request("a", tools=(LOOK,), tool_choice="hear"), "'hear'"),
        (Request("a", tool_choice=ToolChoice.ANY), "no tools"),
        (Request("a", limits=Limits(thinking_tokens=100)), "at least 1024"),
        (Request("a", limits=Limits(thinking_tokens=2000, max_tokens=2000)), "make it larger"),
        (Request(user(Image())), "neither content nor url"),
        (Request(user(Image(content=b"x"))), "no media_type"),
        (Request(user(Image("image/svg+xml", b"x"))), "image/svg+xml"),
        (Request(user(ToolCall("t", "look", {}))), "ToolCall stands in a turn of the user"),
        (Request(assistant(Image(url="http://x"))), "the assistant has an image"),
        (Request(assistant(ToolResult("t", ""))), "ToolResult stands in a turn of the assistant"),
        (Request("a", extras={"anthropic": {"metadata": {1j}}}), "JSON cannot carry"),
    ],
)
def test_what_the_api_does_not_have_is_refused_in_a_sentence(request_, told):
    assert told in refused(request_)
