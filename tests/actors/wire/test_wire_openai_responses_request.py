"""Responses: what is sent, and what is refused before it is sent."""

import json

import pytest

from actors.messages import Foreign, Image, Message, Role, Text, Thinking, ToolCall, ToolResult, assistant, user
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Mode, Route
from actors.source import EncodingError
from actors.wire.openai_responses import DIALECT

ROUTE = Route("openai", "gpt-5-mini")
SEARCH = {"id": "ws", "type": "web_search_call", "status": "completed", "action": {"query": "sky"}}
LOOK = Tool("look", "Look up", {"type": "object"})


def body(request, route=ROUTE):
    return json.loads(DIALECT.encode(request, route))


def test_a_prompt_is_the_smallest_body():
    assert body(Request("Hello"), Route("openai", "gpt-4.1", Mode.BUFFERED)) == {
        "model": "gpt-4.1",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
        "stream": False,
        "store": False,
    }


def test_limits_system_tools_and_schema_take_their_fields():
    request = Request(
        "Hello",
        system="Be brief",
        tools=(LOOK,),
        tool_choice="look",
        limits=Limits(max_tokens=50, thinking_tokens=20000, temperature=0.5, top_p=0.9),
        schema={"type": "object"},
        extras={"openai": {"store": True, "tools": [{"type": "web_search"}], "reasoning": {"summary": "auto"}}},
    )
    asked = body(request)
    del asked["input"]
    assert asked == {
        "model": "gpt-5-mini",
        "stream": True,
        "store": True,
        "instructions": "Be brief",
        "include": ["reasoning.encrypted_content"],
        "max_output_tokens": 50,
        "reasoning": {"effort": "high", "summary": "auto"},
        "temperature": 0.5,
        "top_p": 0.9,
        "tools": [
            {
                "type": "function",
                "name": "look",
                "description": "Look up",
                "parameters": {"type": "object"},
                "strict": False,
            },
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "function", "name": "look"},
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": {"type": "object"}, "strict": False}},
    }
    assert body(Request("a", tools=(LOOK,), tool_choice=ToolChoice.ANY))["tool_choice"] == "required"


def test_what_was_said_goes_back_under_its_own_seals_only():
    parts = (
        Thinking("Hm", 'openai:{"id":"rs","encrypted_content":"gA=="}'),
        Thinking("else", "anthropic:E"),
        Text("so"),
        ToolCall("a", "look", {"at": 1}, 'openai:{"namespace":"n"}'),
        ToolCall("s", "web", {}, "anthropic:{}", hosted=True),
        Foreign("openai", "web_search_call", SEARCH),
        Foreign("anthropic", "x", {}),
        Thinking("cut", 'openai:{"id":"r2"}'),
    )
    results = user(
        ToolResult("a", "sky"), ToolResult("b", (Text("see"), Image("image/png", b"xx"))), "and", Image(url="http://x")
    )
    assert body(Request((user("?"), Message(Role.ASSISTANT, parts), results)))["input"][1:] == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm"}],
            "id": "rs",
            "encrypted_content": "gA==",
        },
        {"role": "assistant", "content": "so"},
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": '{"at":1}', "namespace": "n"},
        SEARCH,
        {"type": "function_call_output", "call_id": "a", "output": "sky"},
        {
            "type": "function_call_output",
            "call_id": "b",
            "output": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "data:image/png;base64,eHg=", "detail": "auto"},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "and"},
                {"type": "input_image", "image_url": "http://x", "detail": "auto"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Request(()), "no message"),
        (Request("a", limits=Limits(stop=("END",))), "no stop texts"),
        (Request(assistant(Image(url="http://x"))), "the assistant has an image"),
    ],
)
def test_what_the_api_does_not_have_is_refused_in_a_sentence(request_, told):
    with pytest.raises(EncodingError, match=told):
        DIALECT.encode(request_, ROUTE)
