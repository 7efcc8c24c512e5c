"""Whatever is asked, what we write is what the official clients' own types describe, or is refused."""

import json
from itertools import pairwise

import attrs
import pytest
from google.genai import types as google
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from test_wire_official_types import DESCRIBED

from actors.errors import SettingError
from actors.features import check_features
from actors.messages import Image, Message, Role, Text, Thinking, ToolCall, ToolResult, user
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Route
from actors.source import EncodingError
from actors.wire.gemini import DIALECT as GEMINI

NAMES = ("look", "hear")
MODELS = {
    "anthropic": ("claude-sonnet-5",),
    "openai-chat": ("gpt-4o", "gpt-5-mini", "llama-3"),
    "openai": ("gpt-4o", "gpt-5-mini"),
    "google": ("gemini-2.5-pro", "gemini-3-pro"),
}
SEALS = ("", "anthropic:Ev==", 'openai:{"id":"rs","encrypted_content":"gA=="}', "gemini:QUI=")
ADAPTERS = {provider: TypeAdapter(described) for provider, (_, described) in DESCRIBED.items()}


def rarely(strategy):
    """Something in one case of four, for what some providers do not have."""
    return st.none() | st.none() | st.none() | strategy


def answerable(request):
    """The request, its choice one that its tools allow."""
    choice, names = request.tool_choice, {tool.name for tool in request.tools}
    wrong = choice not in names if isinstance(choice, str) else choice is ToolChoice.ANY and not names
    return attrs.evolve(request, tool_choice=ToolChoice.AUTO) if wrong else request


words = st.text(max_size=8)
objects = st.dictionaries(
    words, st.none() | st.booleans() | st.integers(-9, 9) | words | st.lists(words, max_size=2), max_size=3
)
images = st.sampled_from((Image("image/png", b"xx"), Image("image/jpeg", b"y"), Image(url="https://example.org/a.png")))
texts = st.builds(Text, words)
calls = st.builds(ToolCall, st.sampled_from("abc"), st.sampled_from(NAMES), objects, hosted=st.booleans())
results = st.builds(
    ToolResult,
    st.sampled_from("abc"),
    words | st.lists(texts | images, max_size=2).map(tuple),
    st.booleans(),
    st.sampled_from(NAMES),
)
thoughts = st.builds(Thinking, words, st.sampled_from(SEALS), st.booleans())
spoken = st.lists(texts | images | results, max_size=3).map(lambda parts: Message(Role.USER, tuple(parts)))
answers = st.lists(texts | thoughts | calls, max_size=4).map(lambda parts: Message(Role.ASSISTANT, tuple(parts)))
tools = st.builds(Tool, st.sampled_from(NAMES), words)
limits = st.builds(
    Limits,
    max_tokens=st.none() | st.integers(1, 9000),
    thinking_tokens=rarely(st.integers(1, 9000)) | st.none(),
    temperature=st.none() | st.floats(0, 1),
    top_p=st.none() | st.floats(0, 1),
    stop=rarely(st.lists(st.text(min_size=1, max_size=3), max_size=2)).map(lambda stop: stop or ()),
)
asked = st.builds(
    Request,
    st.lists(spoken | answers, max_size=5).map(lambda messages: (user("see"), *messages)),
    system=words,
    tools=st.lists(tools, max_size=2, unique_by=lambda tool: tool.name),
    tool_choice=st.sampled_from((*ToolChoice, *NAMES)),
    limits=limits,
    schema=st.none() | st.just({"type": "object", "properties": {}}),
)
requests = asked.map(answerable)


def encoded(dialect, request, route):
    """The body, or `None` where it was refused."""
    try:
        check_features(request, route)
        octets = dialect.encode(request, route)
    except (SettingError, EncodingError) as refused:
        event(type(refused).__name__)
        return None
    event("written")
    return json.loads(octets)


BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("provider", DESCRIBED)
@given(request=requests, streams=st.booleans(), model=st.integers(0, 2))
@BOUNDED
def test_any_body_fits_the_official_type(provider, request, streams, model):
    models = MODELS[provider]
    route = Route(provider, models[model % len(models)])
    body = encoded(DESCRIBED[provider][0], request, route if streams else route.buffered)
    if body is not None:
        assert body.pop("stream") is streams
        ADAPTERS[provider].validate_python({**body, "stream": True})


@given(request=requests, model=st.sampled_from(MODELS["google"]))
@BOUNDED
def test_any_body_for_google_fits_the_official_models_which_forbid_other_fields(request, model):
    body = encoded(GEMINI, request, Route("google", model))
    if body is None:
        return
    for content in [*body.pop("contents"), *filter(None, [body.pop("systemInstruction", None)])]:
        assert content["parts"]
        google.Content.model_validate(content)
    for tool in body.pop("tools", []):
        google.Tool.model_validate(tool)
    google.ToolConfig.model_validate(body.pop("toolConfig", {}))
    google.GenerationConfig.model_validate(body.pop("generationConfig", {}))
    assert body == {}


@pytest.mark.parametrize("provider", ["anthropic", "google"])
@given(messages=st.lists(spoken | answers, min_size=1, max_size=6).map(tuple))
@BOUNDED
def test_in_any_body_turns_alternate_and_none_is_empty(provider, messages):
    dialect = GEMINI if provider == "google" else DESCRIBED[provider][0]
    body = encoded(dialect, Request(messages), Route(provider, MODELS[provider][0]))
    told = [] if body is None else body.get("contents") or body["messages"]
    roles = [turn["role"] for turn in told]
    assert all(one != other for one, other in pairwise(roles))
    assert all(turn.get("parts") or turn.get("content") for turn in told)


@pytest.mark.parametrize("provider", MODELS)
def test_the_requests_of_these_tests_are_written_more_often_than_not(provider):
    written = []

    @given(request=requests, model=st.sampled_from(MODELS[provider]))
    @settings(BOUNDED, database=None)
    def count(request, model):
        dialect = GEMINI if provider == "google" else DESCRIBED[provider][0]
        written.append(encoded(dialect, request, Route(provider, model)) is not None)

    count()
    assert sum(written) * 2 > len(written)
