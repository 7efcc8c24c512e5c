"""A `.env` file: what it says, what it may not say, and what goes before it."""

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.config import PROVIDERS, Origin, Settings
from actors.dotenv import MOST_BYTES, parse_dotenv
from actors.errors import SettingError
from actors.route import Route

CANARY = "sk-canary-0123456789"


def values(text):
    return {name: given.value for name, given in parse_dotenv(text).items()}


@pytest.mark.row("K4")
@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A = b  ", "b"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=#nothing", ""),
        ("A=b # why", "b"),
        ("A=b#c", "b#c"),
        ("A=b c", "b c"),
        ("A='b # c'", "b # c"),
        ("A='b\\n'", "b\\n"),
        ('A="b\\n\\"c\\" $D"', 'b\n"c" $D'),
        ('A="b" # why', "b"),
        ('A="b\nc"', "b\nc"),
        ("A='b\nc'", "b\nc"),
        ("A=b=c==", "b=c=="),
        ("A=b\r\n", "b"),
        ("\ufeffA=b", "b"),
        ("A=x\nA=b", "b"),
        ("# A=x\n\n   \nA=b", "b"),
        ("A=$(rm -rf /)`x`${Y}", "$(rm -rf /)`x`${Y}"),
    ],
)
def test_a_line_says_what_it_says(line, value):
    assert values(line) == {"A": value}


def test_each_value_knows_its_line():
    text = '# first\nA=1\n\nB="two\nlines"\nC=3'
    assert {name: given.line for name, given in parse_dotenv(text).items()} == {"A": 2, "B": 4, "C": 6}


@pytest.mark.row("K4")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"A=1\n{CANARY}", 2),
        (f'A="{CANARY}', 1),
        (f"A='{CANARY}", 1),
        (f'\n\nA="{CANARY}" x', 3),
        (f"1A={CANARY}", 1),
        (f"A-B={CANARY}", 1),
        (f"A: {CANARY}", 1),
        (f"A={CANARY}\x00", 1),
        (f'A="x\ny"\n= {CANARY}', 3),
    ],
)
def test_a_line_that_is_none_is_named_and_not_shown(text, line):
    with pytest.raises(SettingError, match=rf"^\.env, line {line}(:| )") as caught:
        parse_dotenv(text)
    assert "canary" not in str(caught.value) + repr(caught.value)


def test_a_file_that_is_something_else_is_refused_by_its_size():
    with pytest.raises(SettingError, match="longer than 1 MiB"):
        parse_dotenv("#" * (MOST_BYTES + 1))


@pytest.mark.parametrize("line", ["A=x" + " " * 10**6 + "y", "A=" + " #" * 10**5, 'A="' + "\\" * 10**5, " " * 10**6])
def test_a_line_without_end_is_read_in_time(line):
    assert len(line) <= MOST_BYTES
    start = perf_counter()
    with suppress(SettingError):
        parse_dotenv(line)
    assert perf_counter() - start < 5, "a quadratic reading takes hours"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_sentence_with_its_line(text):
    sentence = ".env, line "
    try:
        parse_dotenv(text)
    except SettingError as error:
        sentence = str(error)
    assert sentence.startswith(".env, line ")


@given(
    st.dictionaries(st.from_regex(r"[A-Z_]{1,8}", fullmatch=True), st.text(st.characters(exclude_characters="\x00\r")))
)
def test_whatever_is_quoted_comes_back(variables):
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in variables.items()}
    assert values("\n".join(f'{name}="{value}"' for name, value in quoted.items())) == variables


@pytest.mark.row("K4")
def test_the_environment_goes_before_the_file_and_each_says_where_it_is_from():
    dotenv = "ANTHROPIC_MODEL=from-file\n\nGEMINI_MODEL=g\nLOG_LEVEL=debug\nUNKNOWN=1"
    settings = Settings.read({"ANTHROPIC_MODEL": "from-environment", "GEMINI_MODEL": " "}, dotenv=dotenv)
    assert settings.routes == (Route("anthropic", "from-environment"), Route("google", "g"))
    assert settings.entries["GEMINI_MODEL"].source == ".env:3"
    assert settings.entries["ANTHROPIC_MODEL"].origin is Origin.ENVIRONMENT
    assert "UNKNOWN" not in settings.entries


@pytest.mark.row("K4")
def test_a_wrong_value_in_the_file_is_told_with_its_line():
    with pytest.raises(SettingError, match=r"^\.env, line 2: LOG_LEVEL is 'loud'"):
        Settings.read({}, dotenv="\nLOG_LEVEL=loud")


@pytest.mark.parametrize("address", ["https://stranger.test", "http://10.0.0.1:8080"])
@pytest.mark.parametrize(
    ("provider", "key", "url"),
    [
        ("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        ("openai-chat", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
        ("google", "GEMINI_API_KEY", "GEMINI_BASE_URL"),
        ("azure", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"),
        ("bedrock", "AWS_SECRET_ACCESS_KEY", "ANTHROPIC_BEDROCK_BASE_URL"),
    ],
)
def test_a_file_of_some_directory_sends_no_key_of_ones_own_to_an_address_of_its_own(provider, key, url, address):
    base = {"AWS_REGION": "eu-west-1"}
    with pytest.raises(SettingError, match=f"{url} comes from .env:1 and {key} from the environment"):
        Settings.read({key: CANARY, **base}, dotenv=f"{url}={address}").admit(Route(provider, "m"))
    for settings in (
        Settings.read(base, dotenv=f"{url}={address}\n{key}=k"),
        Settings.read({key: CANARY, url: address, **base}),
        Settings.read({key: CANARY, **base}, dotenv=f"{url}=http://localhost:8080"),
    ):
        assert settings.admit(Route(provider, "m")) == Route(provider, "m")


@pytest.mark.parametrize(
    ("provider", "url", "named"),
    [
        ("vertex", "GOOGLE_VERTEX_BASE_URL", "GOOGLE_APPLICATION_CREDENTIALS=/home/me/mine.json"),
        ("anthropic-vertex", "ANTHROPIC_VERTEX_BASE_URL", "GOOGLE_APPLICATION_CREDENTIALS=/home/me/mine.json"),
        ("bedrock", "ANTHROPIC_BEDROCK_BASE_URL", "AWS_PROFILE=default"),
    ],
)
def test_nor_does_such_a_file_get_what_this_machine_is_logged_in_with(provider, url, named):
    base = {"AWS_REGION": "eu-west-1", "GOOGLE_CLOUD_PROJECT": "p"}
    name, _, value = named.partition("=")
    route, address = Route(provider, "m"), f"{url}=https://stranger.test"
    for environment, dotenv in (
        (base, address),
        (base, f"{address}\n{named}"),  # it may name the person's own
        ({**base, name: value}, address),
    ):
        with pytest.raises(SettingError, match=f"{url} comes from .env:1 .* what this machine is logged in with"):
            Settings.read(environment, dotenv=dotenv).admit(route)
    key = PROVIDERS[provider].key
    for settings in (
        Settings.read(base, dotenv=f"{address}\n{key}={CANARY}"),
        Settings.read({**base, url: "https://stranger.test"}),
        Settings.read(base, dotenv=f"{url}=http://localhost:8080"),
    ):
        assert settings.admit(route) == route


@pytest.mark.parametrize("provider", ["vertex", "anthropic-vertex"])
def test_such_a_file_names_no_file_of_credentials_since_that_may_have_any_other_file_sent_anywhere(provider):
    named, project = "GOOGLE_APPLICATION_CREDENTIALS=theirs.json", {"GOOGLE_CLOUD_PROJECT": "p"}
    with pytest.raises(SettingError, match=r"^GOOGLE_APPLICATION_CREDENTIALS comes from \.env:1, .*: export it"):
        Settings.read(project, dotenv=named).admit(Route(provider, "m"))
    name, _, value = named.partition("=")
    for settings in (
        Settings.read({**project, name: value}),
        Settings.read(project, dotenv=f"{named}\nGOOGLE_OAUTH_ACCESS_TOKEN={CANARY}"),
    ):
        assert settings.admit(Route(provider, "m")) == Route(provider, "m")
