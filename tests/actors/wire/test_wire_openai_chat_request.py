"""Chat completions: what is sent, and what is refused before it is sent."""

import json

import pytest

from actors.messages import Foreign, Image, Message, Role, Text, Thinking, ToolCall, ToolResult, assistant, user
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Mode, Route
from actors.source import EncodingError
from actors.wire.openai_chat import DIALECT

ROUTE = Route("openai-chat", "gpt-5-mini")
LOOK = Tool("look", "Look up", {"type": "object"})


def body(request, route=ROUTE):
    return json.loads(DIALECT.encode(request, route))


def test_a_prompt_is_the_smallest_body():
    assert body(Request("Hello")) == {
        "model": "gpt-5-mini",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert body(Request("Hello"), Route("openai-chat", "gpt-5-mini", Mode.BUFFERED)).keys() == {
        "model",
        "messages",
        "stream",
    }


def test_limits_system_tools_and_schema_take_their_fields():
    request = Request(
        "Hello",
        system="Be brief",
        tools=(LOOK,),
        tool_choice=ToolChoice.ANY,
        limits=Limits(max_tokens=50, thinking_tokens=4000, temperature=0.5, top_p=0.9, stop=("END",)),
        schema={"type": "object"},
        extras={"openai-chat": {"seed": 1, "response_format": {"json_schema": {"strict": True}}}},
    )
    asked = body(request)
    assert asked.pop("messages")[0] == {"role": "system", "content": "Be brief"}
    assert asked == {
        "model": "gpt-5-mini",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 50,
        "reasoning_effort": "medium",
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "tools": [
            {
                "type": "function",
                "function": {"name": "look", "description": "Look up", "parameters": {"type": "object"}},
            }
        ],
        "tool_choice": "required",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        "seed": 1,
    }
    elsewhere = body(request, Route("openai-chat", "llama-3"))
    assert elsewhere["max_tokens"] == 50
    assert "max_completion_tokens" not in elsewhere
    assert elsewhere["reasoning_effort"] == "medium"


def test_one_tool_by_name_is_asked_for():
    assert body(Request("a", tools=(LOOK,), tool_choice="look"))["tool_choice"] == {
        "type": "function",
        "function": {"name": "look"},
    }


def test_results_follow_their_calls_before_anything_else_the_user_says():
    png = Image("image/png", b"xx")
    parts = (
        Thinking("hm", "anthropic:E"),
        Text("so"),
        ToolCall("t", "look", {"at": 1}),
        Foreign("anthropic", "x", {}),
        ToolCall("s", "web", {}, hosted=True),
    )
    said = Message(Role.ASSISTANT, parts)
    asked = body(
        Request(
            (
                user("a"),
                said,
                Message(Role.USER, (Text("b"), ToolResult("t", (Text("sky"),)), png)),
                user(Image(url="http://x")),
            )
        )
    )
    assert asked["messages"] == [
        {"role": "user", "content": "a"},
        {
            "role": "assistant",
            "content": "so",
            "tool_calls": [{"id": "t", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}],
        },
        {"role": "tool", "tool_call_id": "t", "content": "sky"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "b"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,eHg="}},
                {"type": "image_url", "image_url": {"url": "http://x"}},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("messages", "told_"),
    [
        ((), "no message"),
        (user(ToolResult("t", (Image(url="http://x"),))), "a tool's result has an image"),
        (assistant(Image(url="http://x")), "the assistant has an image"),
        (user(Image(content=b"x")), "no media_type"),
    ],
)
def test_what_the_format_does_not_have_is_refused_in_a_sentence(messages, told_):
    with pytest.raises(EncodingError, match=told_):
        DIALECT.encode(Request(messages), ROUTE)
