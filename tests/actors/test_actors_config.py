"""Settings: what an environment makes of them, and that no secret gets out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import Backoff, Buffered, Ladder, Retry, Switch
from actors.config import PROVIDERS, VARIABLES, Origin, Secret, Settings
from actors.errors import SettingError
from actors.preferred import reason
from actors.route import Mode, Route
from actors.routing import ALIASES

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
    (key,) = endpoint.keys
    assert key.reveal() == CANARY
    for shown in (repr(settings), str(settings), repr(endpoint), f"{key}", repr([key])):
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
    with pytest.raises(
        SettingError, match="no provider is known for 'mistral:x': say provider:model with one of anthropic, openai,"
    ):
        Settings.read({}).admit(Route("mistral", "x"))
    with pytest.raises(SettingError, match="no provider 'mistral'; known are anthropic, openai, openai-chat, google"):
        Settings.read({}).endpoint("mistral")


def test_several_keys_are_kept_apart_and_one_that_comes_twice_counts_once():
    settings = Settings.read({"ANTHROPIC_API_KEY": "key-of-one, key-of-two,key-of-one"})
    assert [key.reveal() for key in settings.endpoint("anthropic").keys] == ["key-of-one", "key-of-two"]
    assert settings.secrets == ("key-of-one", "key-of-two")


@pytest.mark.parametrize("text", [",", "key-of-one,", ",key-of-one", "key-of-one,,key-of-two"])
def test_a_comma_without_a_key_is_refused_and_shows_none(text):
    with pytest.raises(SettingError, match="ANTHROPIC_API_KEY has nothing before or after a comma") as caught:
        Settings.read({"ANTHROPIC_API_KEY": text})
    assert "key-of" not in str(caught.value)


@pytest.mark.row("A13")
def test_whoever_can_have_a_key_made_needs_none():
    async def refresh():
        return CANARY

    settings = Settings.read({})
    assert settings.admit(Route("anthropic", "m"), refresh=refresh) == Route("anthropic", "m")
    assert settings.endpoint("anthropic", refresh).refresh is refresh


def test_a_server_of_ones_own_needs_no_openai_key():
    endpoint = Settings.read({"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1/"}).endpoint("openai-chat")
    assert (endpoint.base_url, endpoint.keys) == ("http://127.0.0.1:8080/v1", ())


def test_a_provider_that_is_a_program_needs_neither_key_nor_address():
    endpoint = Settings.read({}).endpoint("claude-code")
    assert (endpoint.base_url, endpoint.keys) == ("", ())


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "http://", "http://[", "http://x:99999", "https://x:0"])
def test_an_address_that_is_none_is_named_with_its_variable(url):
    with pytest.raises(SettingError, match="GEMINI_BASE_URL is "):
        Settings.read({"GEMINI_BASE_URL": url})


@pytest.mark.row("K3")
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("true", True),
        ("1", True),
        ("TRUE", True),
        (" yes ", True),
        ("On", True),
        ("false", False),
        ("0", False),
        ("FALSE", False),
        ("no", False),
        ("off", False),
        ("", False),
    ],
)
def test_a_switch_is_read_in_every_usual_spelling(text, meant):
    keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY"), CANARY)
    settings = Settings.read({"OPENAI_DISABLE_STREAMING": text, "AZURE_OPENAI_ENDPOINT": "https://a.test", **keys})
    for provider in ("openai", "openai-chat", "azure", "azure-chat"):
        assert settings.admit(Route(provider, "m")).mode is (Mode.BUFFERED if meant else Mode.STREAMING)
    assert settings.admit(Route("anthropic", "m")).mode is Mode.STREAMING


@pytest.mark.row("K3")
@pytest.mark.parametrize("variable", ["OPENAI_DISABLE_STREAMING", "LOG_LEVEL"])
def test_a_word_out_of_the_set_is_refused_with_the_variable(variable):
    with pytest.raises(SettingError, match=f"{variable} is 'perhaps'; say"):
        Settings.read({variable: "perhaps"})


def test_models_named_in_the_environment_become_the_routes():
    settings = Settings.read({"GEMINI_MODEL": "g", "ANTHROPIC_MODEL": "a", "LOG_LEVEL": "DEBUG"})
    assert settings.routes == (Route("anthropic", "a"), Route("google", "g"))
    assert settings.log_level == "debug"


@pytest.mark.row("C16")
@pytest.mark.parametrize(
    ("environment", "routes"),
    [
        ({"OPENAI_MODEL": "o", "ANTHROPIC_MODEL": "a", "GEMINI_MODEL": "g"}, ["openai:o", "anthropic:a", "google:g"]),
        ({"GEMINI_MODEL": "g", "OPENAI_API_KEY": "k"}, ["google:g"]),
        ({"ANTHROPIC_MODEL": "opus"}, [ALIASES["opus"]]),
        ({"ANTHROPIC_MODEL": "gpt"}, ["anthropic:gpt"]),
        ({"OPENAI_MODEL": "openai-chat:m"}, ["openai-chat:m"]),
        ({"OPENAI_MODEL": "llama3.2:1b"}, ["openai:llama3.2:1b"]),
        ({"OPENAI_MODEL": "llama3.2:1b", "OPENAI_BASE_URL": "http://x/v1"}, ["openai-chat:llama3.2:1b"]),
        ({"CLAUDE_CODE_MODEL": "opus"}, ["claude-code:opus"]),
        ({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GEMINI_API_KEY": "k"}, ["openai:gpt-5.5"]),
        ({"ANTHROPIC_API_KEY": "k", "GEMINI_API_KEY": "k"}, ["anthropic:claude-sonnet-5-5"]),
        ({"ANTHROPIC_API_KEY": "k", "OPENAI_BASE_URL": "http://x/v1"}, ["anthropic:claude-sonnet-5-5"]),
        ({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://x/v1"}, ["openai-chat:llama3.2"]),
        ({"GEMINI_API_KEY": "k", "OPENAI_BASE_URL": "http://x/v1"}, ["openai-chat:llama3.2"]),
        ({"GEMINI_API_KEY": "k"}, ["google:gemini-2.5-flash"]),
        ({}, []),
    ],
)
def test_who_is_asked_when_nobody_is_named(environment, routes):
    settings = Settings.read(environment)
    assert [route.name for route in settings.routes] == routes
    assert reason(settings.entries)


@pytest.mark.row("C16")
def test_where_nobody_is_named_and_nobody_can_be_guessed_one_sentence_names_the_variables():
    with pytest.raises(
        SettingError, match=r"no route: give --route .* OPENAI_MODEL, ANTHROPIC_MODEL or GEMINI_MODEL, or a key"
    ):
        Settings.read({}).ladder()


@pytest.mark.row("K6")
def test_the_knobs_of_retrying_are_variables_too():
    knobs = {
        "ATTEMPTS": "7",
        "RETRY_WITHIN": "60.5",
        "BACKOFF_INITIAL": "0.5",
        "BACKOFF_MULTIPLIER": "3",
        "BACKOFF_CAP": "20",
        "BACKOFF_JITTER": "0",
    }
    settings = Settings.read({f"TRIO_SUPERVISOR_{name}": text for name, text in knobs.items()})
    retry = Retry(7, backoff=Backoff(initial=0.5, multiplier=3.0, cap=20.0, jitter=0.0), within=60.5)
    assert settings.retry == retry
    assert settings.ladder("a:b", "c:d") == Ladder("a:b", retry, Switch("c:d"), retry, Buffered())
    assert Settings.read({}).retry == Retry()


@pytest.mark.row("K6")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ATTEMPTS", "0"),
        ("ATTEMPTS", "33"),
        ("ATTEMPTS", "9" * 5000),
        ("ATTEMPTS", "2.5"),
        ("ATTEMPTS", "five"),
        ("RETRY_WITHIN", "-1"),
        ("RETRY_WITHIN", "inf"),
        ("BACKOFF_INITIAL", "nan"),
        ("BACKOFF_INITIAL", "31"),
        ("BACKOFF_MULTIPLIER", "0.9"),
        ("BACKOFF_CAP", "0.5"),
        ("BACKOFF_JITTER", "1.5"),
    ],
)
def test_a_knob_that_makes_no_sense_is_named(name, text):
    with pytest.raises(SettingError, match=f"TRIO_SUPERVISOR_{'BACKOFF_CAP' if text in {'31', '0.5'} else name} is "):
        Settings.read({f"TRIO_SUPERVISOR_{name}": text})


def test_every_wrong_setting_is_told_and_the_rest_still_stands():
    settings = Settings.survey({"OPENAI_DISABLE_STREAMING": "x", "LOG_LEVEL": "y", "ANTHROPIC_API_KEY": "k"})
    assert [problem.split()[0] for problem in settings.problems] == ["OPENAI_DISABLE_STREAMING", "LOG_LEVEL"]
    assert settings.endpoint("anthropic").keys == (Secret("k"),)


@pytest.mark.row("A13")
@pytest.mark.parametrize(
    ("provider", "environment", "missing"),
    [
        ("azure", {}, "AZURE_OPENAI_API_KEY"),
        ("azure-chat", {"AZURE_OPENAI_API_KEY": "k"}, "AZURE_OPENAI_ENDPOINT"),
        ("azure-chat", {"AZURE_OPENAI_ENDPOINT": "https://a.test"}, "AZURE_OPENAI_API_KEY"),
        ("vertex", {"GOOGLE_OAUTH_ACCESS_TOKEN": "t"}, "GOOGLE_CLOUD_PROJECT"),
        ("anthropic-vertex", {"GOOGLE_OAUTH_ACCESS_TOKEN": "t"}, "ANTHROPIC_VERTEX_PROJECT_ID"),
        ("bedrock", {"AWS_BEARER_TOKEN_BEDROCK": "t"}, "AWS_REGION"),
    ],
)
def test_what_a_cloud_lacks_is_named(provider, environment, missing):
    with pytest.raises(SettingError, match=f"{missing} is not set, and routes of {provider} need it"):
        Settings.read(environment).endpoint(provider)


def test_what_a_cloud_is_told_is_the_first_variable_that_is_set():
    places = {"GOOGLE_CLOUD_PROJECT": "p", "CLOUD_ML_REGION": "eu", "AWS_DEFAULT_REGION": "us-east-1"}
    settings = Settings.read({**places, "AWS_ACCESS_KEY_ID": CANARY})
    claude, gemini, bedrock = (settings.endpoint(name) for name in ("anthropic-vertex", "vertex", "bedrock"))
    assert (claude.option("project"), claude.option("location")) == ("p", "eu")
    assert (gemini.option("project"), gemini.option("location")) == ("p", "global")
    assert (bedrock.option("region"), bedrock.option("access_key")) == ("us-east-1", CANARY)
    assert CANARY not in repr(bedrock)


@pytest.mark.parametrize(
    "name", ["AWS_REGION", "AWS_DEFAULT_REGION", "GOOGLE_CLOUD_LOCATION", "CLOUD_ML_REGION", "GOOGLE_CLOUD_PROJECT"]
)
@pytest.mark.parametrize(
    "text", ["stranger.test/", "stranger.test#", "a@stranger.test", "../x", "a b", "x?y", "a\\b", "-"]
)
def test_a_region_or_project_cannot_lead_to_another_host(name, text):
    with pytest.raises(SettingError, match=f"{name} is "):
        Settings.read({name: text})


def test_an_address_with_a_password_in_it_is_not_repeated():
    with pytest.raises(SettingError, match="OPENAI_BASE_URL is 'ftp://") as caught:
        Settings.read({"OPENAI_BASE_URL": f"ftp://me:{CANARY}@host"})
    assert CANARY not in str(caught.value)


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
    single = {
        getattr(account, name) for account in PROVIDERS.values() for name in ("key", "base_url", "model", "or_key")
    }
    options = {name for account in PROVIDERS.values() for names in account.options.values() for name in names}
    named = (single | options) - {""}
    assert named <= set(VARIABLES)
