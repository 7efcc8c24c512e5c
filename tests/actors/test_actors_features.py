"""A feature that a route lacks is refused when the stream is opened, not dropped and not found out later."""

import json

import pytest
from wire_dialects import DIALECTS, PROVIDERS

from actors import (
    Image,
    Limits,
    Message,
    Request,
    Role,
    Settings,
    Tool,
    ToolCall,
    ToolResult,
    from_deltas,
    open_streams,
    user,
)
from actors.errors import SettingError
from actors.features import LACKS, Feature, check_features, wanted
from actors.ladder import Ladder, Switch
from actors.providers.table import TABLE
from actors.route import Route
from actors.source import EncodingError

PNG = Image("image/png", b"xx")
CALLED = (user("look"), Message(Role.ASSISTANT, ToolCall("t", "look", {})))

ASKING = {
    Feature.TOOLS: Request("hi", tools=(Tool("look"),)),
    Feature.SCHEMA: Request("hi", schema={"type": "object"}),
    Feature.TEMPERATURE: Request("hi", limits=Limits(temperature=0.0)),
    Feature.TOP_P: Request("hi", limits=Limits(top_p=0.5)),
    Feature.THINKING: Request("hi", limits=Limits(thinking_tokens=2048)),
    Feature.STOP: Request("hi", limits=Limits(stop=("end",))),
    Feature.IMAGES: Request(user("see", PNG)),
    Feature.IMAGES_IN_RESULTS: Request((*CALLED, user(ToolResult("t", (PNG,), name="look")))),
    Feature.IMAGES_OF_THE_MODEL: Request((user("draw"), Message(Role.ASSISTANT, PNG), user("again"))),
}


@pytest.mark.parametrize("feature", Feature)
def test_a_request_asks_for_what_it_has_and_nothing_else(feature):
    assert wanted(ASKING[feature]) == {feature}
    assert wanted(Request("hi")) == frozenset()


def test_of_every_provider_it_is_known_what_it_lacks():
    assert LACKS.keys() == TABLE.keys()


@pytest.mark.parametrize("feature", Feature)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_table_says_what_the_dialect_can_write(dialect, feature):
    route = Route(PROVIDERS[dialect], "m")
    try:
        DIALECTS[dialect].encode(ASKING[feature], route)
    except EncodingError:
        with pytest.raises(SettingError, match=feature.value):
            check_features(ASKING[feature], route)
    else:
        check_features(ASKING[feature], route)


@pytest.mark.parametrize("provider", ["openai", "openai-chat", "azure", "azure-chat"])
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "gpt-5-chat-latest", "chatgpt-4o-latest"])
def test_a_model_known_not_to_think_gets_no_budget_for_it(provider, model):
    route = Route(provider, model)
    with pytest.raises(SettingError, match=rf"{model} has no limits\.thinking_tokens: leave that out"):
        check_features(ASKING[Feature.THINKING], route)
    dialect = DIALECTS["openai_chat" if provider.endswith("-chat") else "openai_responses"]
    with pytest.raises(EncodingError, match=f"{model} does not think"):
        dialect.encode(ASKING[Feature.THINKING], route)
    check_features(Request("hi"), route)


@pytest.mark.parametrize("model", ["gpt-5-mini", "o3", "mine", "openai/gpt-4o", "deepseek-r1"])
def test_a_model_that_thinks_or_is_not_known_is_told_how_hard_to_think(model):
    asked = ASKING[Feature.THINKING]
    check_features(asked, Route("openai", model))
    assert json.loads(DIALECTS["openai_chat"].encode(asked, Route("openai-chat", model)))["reasoning_effort"] == "low"
    body = json.loads(DIALECTS["openai_responses"].encode(asked, Route("openai", model)))
    assert (body["reasoning"], body["include"]) == ({"effort": "low"}, ["reasoning.encrypted_content"])


def test_of_what_is_no_model_of_openai_no_name_says_that_it_cannot_think():
    for provider in ("anthropic", "google", "claude-code", "somebody"):
        check_features(ASKING[Feature.THINKING], Route(provider, "gpt-4o"))


async def nothing(request, route):
    yield "hi"


async def test_the_incapable_route_of_a_ladder_is_named_before_anything_is_sent():
    settings = Settings.read({"OPENAI_API_KEY": "sk-of-nobody-1234567"})
    ladder = Ladder("mine:m", Switch("openai:gpt-5"))
    async with open_streams(settings=settings, providers={"mine": from_deltas(nothing)}) as streams:
        with pytest.raises(SettingError, match=r"openai:gpt-5 has no limits\.stop: leave that out"):
            await streams.ask(ASKING[Feature.STOP], ladder)
        assert (await streams.ask(ASKING[Feature.STOP], "mine:m")).text == "hi"


async def test_a_provider_of_the_callers_own_is_asked_for_anything():
    async with open_streams(settings=Settings.read({}), providers={"openai": from_deltas(nothing)}) as streams:
        assert (await streams.ask(ASKING[Feature.STOP], "openai:m")).text == "hi"
