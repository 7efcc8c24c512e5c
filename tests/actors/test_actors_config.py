"""Settings: what an environment makes of them, and that no secret gets out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.config import PROVIDERS, VARIABLES, Origin, Secret, Settings
from actors.errors import SettingError
from actors.route import Mode, Route

CANARY = "sk-canary-0123456789"


def test_nothing_set_leaves_defaults_and_says_where_they_come_from():
    settings = Settings.read({})
    assert settings.entries["ANTHROPIC_BASE_URL"].value == "https://api.anthropic.com"
    assert settings.entries["ANTHROPIC_BASE_URL"].origin is Origin.DEFAULT
    assert settings.entries["ANTHROPIC_API_KEY"].origin is Origin.NOT_SET
    assert settings.log_level == "warning"
    assert settings.routes == ()


@pytest.mark.parametrize("name", VARIABLES)
def test_an_empty_variable_counts_as_not_set(name):
    assert Settings.read({name: "  "}) == Settings.read({})


def test_a_key_is_given_to_who_asks_and_shown_to_nobody():
    settings = Settings.read({"ANTHROPIC_API_KEY": f" {CANARY}\n"})
    endpoint = settings.endpoint("anthropic")
    assert endpoint.key.reveal() == CANARY
    for shown in (repr(settings), str(settings), repr(endpoint), f"{endpoint.key}", repr([endpoint.key])):
        assert CANARY not in shown


@pytest.mark.parametrize("key", [f"{CANARY} x", f"{CANARY}\nx", f"{CANARY}é", f"{CANARY}\x00"])
def test_a_key_no_header_can_carry_is_refused_without_being_shown(key):
    with pytest.raises(SettingError, match="OPENAI_API_KEY holds a character") as caught:
        Settings.read({"OPENAI_API_KEY": key})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("openai", "OPENAI_API_KEY"),
        ("openai-chat", "OPENAI_API_KEY"),
        ("google", "GEMINI_API_KEY"),
    ],
)
def test_a_missing_key_is_named(provider, variable):
    with pytest.raises(SettingError, match=f"{variable} is not set"):
        Settings.read({}).endpoint(provider)


def test_an_unknown_provider_names_the_known_ones():
    with pytest.raises(SettingError, match="no provider 'mistral'; known are anthropic, openai, openai-chat, google"):
        Settings.read({}).admit(Route("mistral", "x"))


def test_a_server_of_ones_own_needs_no_openai_key():
    endpoint = Settings.read({"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1/"}).endpoint("openai-chat")
    assert (endpoint.base_url, endpoint.key) == ("http://127.0.0.1:8080/v1", Secret(""))


def test_a_provider_that_is_a_program_needs_neither_key_nor_address():
    endpoint = Settings.read({}).endpoint("claude-code")
    assert (endpoint.base_url, endpoint.key) == ("", Secret(""))


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "http://", "http://[", "http://x:99999", "https://x:0"])
def test_an_address_that_is_none_is_named_with_its_variable(url):
    with pytest.raises(SettingError, match="GEMINI_BASE_URL is "):
        Settings.read({"GEMINI_BASE_URL": url})


@pytest.mark.parametrize(
    ("text", "meant"),
    [("true", True), ("1", True), ("TRUE", True), ("false", False), ("0", False), ("FALSE", False), ("", False)],
)
def test_a_switch_is_read_in_every_usual_spelling(text, meant):
    settings = Settings.read({"OPENAI_DISABLE_STREAMING": text, "OPENAI_API_KEY": CANARY, "ANTHROPIC_API_KEY": CANARY})
    assert settings.admit(Route("openai", "m")).mode is (Mode.BUFFERED if meant else Mode.STREAMING)
    assert settings.admit(Route("anthropic", "m")).mode is Mode.STREAMING


@pytest.mark.parametrize("variable", ["OPENAI_DISABLE_STREAMING", "LOG_LEVEL"])
def test_a_word_out_of_the_set_is_refused_with_the_variable(variable):
    with pytest.raises(SettingError, match=f"{variable} is 'perhaps'; say"):
        Settings.read({variable: "perhaps"})


def test_models_named_in_the_environment_become_the_routes():
    settings = Settings.read({"GEMINI_MODEL": "g", "ANTHROPIC_MODEL": "a", "LOG_LEVEL": "DEBUG"})
    assert settings.routes == (Route("anthropic", "a"), Route("google", "g"))
    assert settings.log_level == "debug"


@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(max_size=40)))
def test_any_environment_is_read_or_refused_in_one_sentence_that_names_a_variable(environment):
    sentence = ""
    try:
        Settings.read(environment)
    except SettingError as error:
        sentence = str(error)
    assert not sentence or any(name in sentence for name in environment)
    assert "\n" not in sentence


def test_every_variable_of_a_provider_is_in_the_table():
    named = {name for account in PROVIDERS.values() for name in (account.key, account.base_url, account.model) if name}
    assert named <= set(VARIABLES)
