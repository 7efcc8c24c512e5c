"""generateContent: what is sent, and what is refused before it is sent."""

import json

import pytest

from actors.messages import Foreign, Image, Message, Role, Text, Thinking, ToolCall, ToolResult, assistant, user
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Route
from actors.source import EncodingError
from actors.wire.gemini import DIALECT

ROUTE = Route("google", "gemini-2.5-flash")
LOOK = Tool("look", "Look up", {"type": "object"})


def body(request, route=ROUTE):
    return json.loads(DIALECT.encode(request, route))


@pytest.mark.row("C10")
def test_a_prompt_is_the_smallest_body():
    assert body(Request("Hello")) == {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


def test_limits_system_tools_and_schema_take_their_fields():
    request = Request(
        "Hello",
        system="Be brief",
        tools=(LOOK,),
        tool_choice="look",
        limits=Limits(max_tokens=50, thinking_tokens=100, temperature=0.5, top_p=0.9, stop=("END",)),
        schema={"type": "object"},
        extras={"google": {"generationConfig": {"seed": 1}, "tools": [{"googleSearch": {}}]}},
    )
    asked = body(request)
    del asked["contents"]
    assert asked == {
        "systemInstruction": {"parts": [{"text": "Be brief"}]},
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "look", "description": "Look up", "parametersJsonSchema": {"type": "object"}}
                ]
            },
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
        "generationConfig": {
            "maxOutputTokens": 50,
            "thinkingConfig": {"thinkingBudget": 100, "includeThoughts": True},
            "temperature": 0.5,
            "topP": 0.9,
            "stopSequences": ["END"],
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object"},
            "seed": 1,
        },
    }
    assert body(Request("a", tools=(LOOK,), tool_choice=ToolChoice.NONE))["toolConfig"] == {
        "functionCallingConfig": {"mode": "NONE"}
    }


def test_what_was_said_goes_back_under_its_own_seals_only():
    parts = (
        Thinking("Hm", "gemini:Ab=="),
        Thinking("", "gemini:Cd=="),
        Thinking("else", "anthropic:E"),
        Text(""),
        ToolCall("a", "look", {"at": 1}, "gemini:Ef=="),
        ToolCall("b", "hear", {}),
        ToolCall("s", "web", {}, "anthropic:{}", hosted=True),
        Foreign("gemini", "executableCode", {"executableCode": {"code": "1"}}),
        Foreign("anthropic", "x", {}),
        Image("image/png", b"xx"),
    )
    png = Image("image/png", b"xx")
    results = user(
        "and",
        ToolResult("a", "sky"),
        ToolResult("b", (Text("see"), png), is_error=True),
        Image("image/png", url="http://x"),
    )
    inline = {"inlineData": {"data": "eHg=", "mimeType": "image/png"}}
    assert body(Request((user("?"), Message(Role.ASSISTANT, parts), results)))["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Hm", "thought": True, "thoughtSignature": "Ab=="},
                {"text": "", "thoughtSignature": "Cd=="},
                {"text": " "},
                {"functionCall": {"id": "a", "name": "look", "args": {"at": 1}}, "thoughtSignature": "Ef=="},
                {"functionCall": {"id": "b", "name": "hear", "args": {}}},
                {"executableCode": {"code": "1"}},
                inline,
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "a", "name": "look", "response": {"output": "sky"}}},
                {"functionResponse": {"id": "b", "name": "hear", "response": {"error": "see"}, "parts": [inline]}},
                {"text": "and"},
                {"fileData": {"fileUri": "http://x", "mimeType": "image/png"}},
            ],
        },
    ]


def test_calls_of_another_provider_get_the_seal_that_gemini_3_lets_pass():
    asked = Request((user("?"), assistant(ToolCall("a", "look", {}, "anthropic:{}"), ToolCall("b", "look", {}))))
    assert [part.get("thoughtSignature") for part in body(asked)["contents"][1]["parts"]] == [None, None]
    third = body(asked, Route("google", "gemini-3-pro"))["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in third] == ["skip_thought_signature_validator", None]


@pytest.mark.parametrize(
    ("messages", "told_"),
    [
        ((), "no message"),
        (user(ToolResult("a", "sky")), "needs its tool's name"),
        (user(Image(content=b"x")), "no media_type"),
    ],
)
def test_what_the_api_does_not_have_is_refused_in_a_sentence(messages, told_):
    with pytest.raises(EncodingError, match=told_):
        DIALECT.encode(Request(messages), ROUTE)
