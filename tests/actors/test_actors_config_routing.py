"""From a model's name to who is asked for it."""

from typing import get_args

import pytest
from anthropic.resources.messages import DEPRECATED_MODELS
from anthropic.types.model import Model as Claude
from hypothesis import given
from hypothesis import strategies as st
from openai.types.shared.chat_model import ChatModel

from actors.accounts import PROVIDERS
from actors.config import Settings
from actors.errors import SettingError
from actors.ladder import Ladder, Switch
from actors.route import Mode, Route
from actors.routing import ALIASES, Names, read_aliases


def resolved(name, names=None):
    return (names or Names()).resolve(Route.parse(name)).name


@pytest.mark.row("C15")
@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("anthropic:claude-x", "anthropic:claude-x"),
        ("openai-chat:claude-x", "openai-chat:claude-x"),
        ("anthropic:gpt-x", "anthropic:gpt-x"),
        ("claude-opus-4-8", "anthropic:claude-opus-4-8"),
        ("anthropic/claude-opus-4-8", "anthropic:claude-opus-4-8"),
        ("gpt-5.5", "openai:gpt-5.5"),
        ("gpt-5.5-2026-04-23", "openai:gpt-5.5-2026-04-23"),
        ("chatgpt-4o-latest", "openai:chatgpt-4o-latest"),
        ("codex-mini-latest", "openai:codex-mini-latest"),
        ("o3", "openai:o3"),
        ("o4-mini", "openai:o4-mini"),
        ("openai/gpt-5.5", "openai:gpt-5.5"),
        ("gemini-2.5-pro", "google:gemini-2.5-pro"),
        ("google/gemini-2.5-pro", "google:gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "google:gemini-2.5-pro"),
        ("claude-code", "claude-code:sonnet"),
        ("claude-code-opus", "claude-code:opus"),
        ("claude-code/opus", "claude-code:opus"),
        ("claude-code:opus", "claude-code:opus"),
        ("claude-sonnet-4-5@20250929", "anthropic-vertex:claude-sonnet-4-5@20250929"),
        ("publishers/anthropic/models/claude-x", "anthropic-vertex:claude-x"),
        ("publishers/google/models/gemini-x", "vertex:gemini-x"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "bedrock:anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", "bedrock:us.anthropic.claude-opus-4-1-20250805-v1:0"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/x", "bedrock:arn:aws:bedrock:us-east-1:1:inference-profile/x"),
        ("bedrock:anthropic.claude-v2:1", "bedrock:anthropic.claude-v2:1"),
        ("azure/my-deployment", "azure:my-deployment"),
        ("openai-chat:llama3.2:1b", "openai-chat:llama3.2:1b"),
    ],
)
def test_a_name_tells_who_is_asked(name, route):
    assert resolved(name) == route


@pytest.mark.row("C15")
@pytest.mark.parametrize("name", ["llama3.2", "llama3.2:1b", "mistral-large", "mistral:x", "gpt", "o33x", "claudette"])
def test_a_name_that_nobody_knows_goes_to_a_server_of_ones_own_where_there_is_one(name):
    elsewhere = Names(elsewhere="openai-chat")
    assert resolved(name, elsewhere) == (ALIASES.get(name) or f"openai-chat:{name}")


@pytest.mark.row("C15")
def test_without_one_the_error_names_what_is_known():
    with pytest.raises(SettingError, match=r"no provider is known for 'mistral-large': say provider:model") as told:
        resolved("mistral-large", Names({"fast": "x"}, own=("mine",)))
    for known in (*PROVIDERS, *ALIASES, "mine", "fast", "claude-…", "gemini-…"):
        assert known in str(told.value)


@pytest.mark.row("C16")
@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_a_model_that_the_official_client_knows(alias):
    known = {
        "anthropic": {name for one in get_args(Claude) for name in get_args(one)} - set(DEPRECATED_MODELS),
        "openai": set(get_args(ChatModel)),
        "google": {"gemini-2.5-flash"},
    }
    route = Names().resolve(Route.parse(alias))
    assert route.model in known[route.provider]
    assert route.name == ALIASES[alias]


@pytest.mark.row("C16")
def test_aliases_of_ones_own_go_first_and_may_stand_for_a_name_or_a_usual_alias():
    aliases = read_aliases(
        "X", "fast=openai:gpt-5-mini, good = opus ,claude=gemini-2.5-pro, home=llama3.2:1b,again=fast"
    )
    names = Names(aliases, elsewhere="openai-chat")
    assert [resolved(name, names) for name in ("fast", "good", "claude", "home")] == [
        "openai:gpt-5-mini",
        ALIASES["opus"],
        "google:gemini-2.5-pro",
        "openai-chat:llama3.2:1b",
    ]
    assert resolved("again", names) == "openai-chat:fast"


def test_aliases_that_stand_for_each_other_are_no_circle():
    names = Names({"a": "b", "b": "a", "sonnet": "sonnet"})
    with pytest.raises(SettingError, match="no provider is known for 'a'"):
        resolved("a", names)
    assert resolved("sonnet", names) == ALIASES["sonnet"]


@pytest.mark.parametrize("text", ["fast", "=x", "fast=", "anthropic=openai:x", "a b=x", "x=y,z"])
def test_an_alias_that_is_none_is_refused_with_its_variable(text):
    with pytest.raises(SettingError, match=r"TRIO_SUPERVISOR_ALIASES has '.*'; write name=provider:model"):
        Settings.read({"TRIO_SUPERVISOR_ALIASES": text})


def test_a_provider_of_the_callers_own_is_one_and_goes_before_the_usual_of_its_name():
    own = Names(own=("mine", "llama3.2"))
    assert resolved("mine:m", own) == "mine:m"
    assert resolved("llama3.2:1b", own) == "llama3.2:1b"
    assert own.resolve(Route("mine", "m")) == Route("mine", "m")


@pytest.mark.row("C13")
def test_the_model_of_claude_code_is_that_of_its_variable_unless_the_name_says_another():
    settings = Settings.read({"CLAUDE_CODE_MODEL": "opus"})
    assert settings.resolve(Route.parse("claude-code")).name == "claude-code:opus"
    assert settings.resolve(Route.parse("claude-code-haiku")).name == "claude-code:haiku"


def test_mode_and_clocks_of_a_route_stay_with_its_name():
    route = Route.parse("sonnet").buffered
    assert Names().resolve(route).mode is Mode.BUFFERED


def test_a_ladder_of_names_has_each_resolved():
    settings = Settings.read({"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"})
    ladder = Ladder("sonnet", Switch("o3")).with_routes(settings.admit)
    assert [route.name for route in ladder.routes] == [ALIASES["sonnet"], "openai:o3"]


@pytest.mark.parametrize("text", ["", "  ", ":", "a:", ":b"])
def test_what_is_no_route_is_refused(text):
    with pytest.raises(ValueError, match="must be provider:model or a model's name"):
        Route.parse(text)


@given(st.text(min_size=1, max_size=60))
def test_any_name_is_resolved_or_refused_in_one_sentence(name):
    sentence = ""
    try:
        route = Names().resolve(Route.parse(name))
        assert route.provider in PROVIDERS
    except ValueError as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert len(sentence) < 1500
