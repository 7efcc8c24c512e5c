"""The bodies we write are what the official clients' own types describe: an oracle that shares no code with the dialects."""

import json
from typing import get_type_hints

import pytest
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from google.genai import types as google
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import TypeAdapter

from actors.messages import Image, Message, Role, Text, Thinking, ToolCall, ToolResult, user
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Route
from actors.wire.anthropic import DIALECT as ANTHROPIC
from actors.wire.gemini import DIALECT as GEMINI
from actors.wire.openai_chat import DIALECT as CHAT
from actors.wire.openai_responses import DIALECT as RESPONSES

SEALS = {
    "anthropic": "anthropic:Ev==",
    "openai-chat": "",
    "openai": 'openai:{"id":"rs","encrypted_content":"gA=="}',
    "google": "gemini:QUI=",
}
DESCRIBED = {
    "anthropic": (ANTHROPIC, MessageCreateParamsStreaming),
    "openai-chat": (CHAT, CompletionCreateParamsStreaming),
    "openai": (RESPONSES, ResponseCreateParamsStreaming),
}


def everything(provider, choice):
    """A conversation with every kind of part, and every limit that all formats have."""
    png = Image("image/png", b"xx")
    said = (Thinking("Hm", SEALS[provider]), Text("so"), ToolCall("t", "look", {"at": 1}))
    return Request(
        (
            user("see", png, Image(url="https://example.org/a.png")),
            Message(Role.ASSISTANT, said),
            user(ToolResult("t", "sky"), "go on"),
        ),
        system="Be brief",
        tools=(Tool("look", "Look up", {"type": "object", "properties": {}}),),
        tool_choice=choice,
        limits=Limits(max_tokens=5000, thinking_tokens=2000, temperature=1.0, top_p=0.95),
        schema={"type": "object"},
    )


def body(dialect, provider, choice):
    return json.loads(dialect.encode(everything(provider, choice), Route(provider, "gpt-5-mini")))


@pytest.mark.parametrize("choice", [*ToolChoice, "look"])
@pytest.mark.parametrize("provider", DESCRIBED)
def test_a_body_fits_the_official_type_and_has_no_field_beyond_it(provider, choice):
    dialect, described = DESCRIBED[provider]
    written = body(dialect, provider, choice)
    TypeAdapter(described).validate_python(written)
    # Anthropic's client 2 no longer names the sampling fields; the API still takes them for the models that know them.
    sampling = {"temperature", "top_p"} if provider == "anthropic" else set()
    assert written.keys() - get_type_hints(described).keys() == sampling


@pytest.mark.parametrize("choice", [*ToolChoice, "look"])
def test_a_body_for_google_fits_the_official_models_which_forbid_other_fields(choice):
    written = body(GEMINI, "google", choice)
    for content in [*written.pop("contents"), written.pop("systemInstruction")]:
        google.Content.model_validate(content)
    for tool in written.pop("tools"):
        google.Tool.model_validate(tool)
    google.ToolConfig.model_validate(written.pop("toolConfig", {}))
    google.GenerationConfig.model_validate(written.pop("generationConfig"))
    assert written == {}
