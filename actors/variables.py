"""Every variable that is read: what it sets, how its text is read and what holds without it.

A table and its readers, pure.  The one rule: a text is taken as it is meant or refused in one sentence that names the variable and says what
to write instead; a sentence never repeats what may be a secret.
"""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import TypeAlias
from urllib.parse import urlsplit

import attrs

from actors.errors import SettingError
from actors.redaction import shown

SHOWN_BYTES = 200
"""What is repeated of a wrong value."""


@attrs.frozen(repr=False)
class Secret:
    """A text that shows itself only to who asks for it by `reveal`."""

    _text: str

    def reveal(self) -> str:
        """The text itself, for the request header that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


Value: TypeAlias = str | bool | int | float | Secret | tuple[Secret, ...]


def _text(_: str, raw: str) -> str:
    return raw.strip()


def read_key(name: str, raw: str) -> Secret:
    """One key; raises `SettingError` where no header could carry it."""
    text = raw.strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        msg = f"{name} holds a character that no key has (a blank, a line break, a letter beyond ASCII); copy the key again"
        raise SettingError(msg)
    return Secret(text)


def _keys(name: str, raw: str) -> tuple[Secret, ...]:
    """One key or several with commas between them; a key given twice counts once."""
    texts = [text.strip() for text in raw.strip().split(",")]
    if not all(texts):
        raise SettingError(f"{name} has nothing before or after a comma; write key,key or one key alone")
    return tuple(read_key(name, text) for text in dict.fromkeys(texts))


def _url(name: str, raw: str) -> str:
    text = raw.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        msg = f"{name} is {shown(text, SHOWN_BYTES)!r}, which is no http:// or https:// address; correct it or unset it"
        raise SettingError(msg)
    return text


_PLACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_PROJECT = re.compile(r"(?:[A-Za-z0-9.-]+:)?[A-Za-z0-9][A-Za-z0-9-]*")


def _place(name: str, raw: str) -> str:
    """A region: it becomes a part of a host's name, so it must not be able to end that and begin another."""
    text = raw.strip()
    if not _PLACE.fullmatch(text):
        raise SettingError(f"{name} is {shown(text, SHOWN_BYTES)!r}; give a region such as europe-west1 or us-east-1")
    return text


def _project(name: str, raw: str) -> str:
    text = raw.strip()
    if not _PROJECT.fullmatch(text):
        raise SettingError(
            f"{name} is {shown(text, SHOWN_BYTES)!r}; give a project's id, of letters, digits and hyphens"
        )
    return text


_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _switch(name: str, raw: str) -> bool:
    text = raw.strip().lower()
    if text not in _SWITCH:
        raise SettingError(f"{name} is {shown(raw, SHOWN_BYTES)!r}; say true or false")
    return _SWITCH[text]


_LEVELS = ("debug", "info", "warning", "error", "critical")


def _level(name: str, raw: str) -> str:
    text = raw.strip().lower()
    if text not in _LEVELS:
        raise SettingError(f"{name} is {shown(raw, SHOWN_BYTES)!r}; say one of {', '.join(_LEVELS)}")
    return text


MOST_ATTEMPTS = 32
"""Attempts on one route that a stream's history can hold."""


def _attempts(name: str, raw: str) -> int:
    text = raw.strip()
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_ATTEMPTS):
        raise SettingError(f"{name} is {shown(raw, SHOWN_BYTES)!r}; give a whole number from 1 to {MOST_ATTEMPTS}")
    return int(text)


def _between(low: float, high: float, what: str) -> Callable[[str, str], float]:
    def read(name: str, raw: str) -> float:
        try:
            number = float(raw)
        except ValueError:
            number = float("nan")
        if not (isfinite(number) and low <= number <= high):
            raise SettingError(f"{name} is {shown(raw, SHOWN_BYTES)!r}; give {what}")
        return number

    return read


_DAY = 86_400.0
_seconds = _between(0, _DAY, "seconds, from 0 to 86400")
_factor = _between(1, 100, "a number from 1 to 100")
_share = _between(0, 1, "a share from 0 to 1")


@attrs.frozen
class Variable:
    """A row of the table: what a variable sets, how its text is read and what holds without it."""

    about: str
    read: Callable[[str, str], Value] = _text
    default: str | bool | int | float | None = None


_ASKED = "model asked when no route is given"
_KEY = "key of the {}, or several with commas"

_VENDORS: Mapping[str, Variable] = {
    "ANTHROPIC_API_KEY": Variable(_KEY.format("Anthropic API"), _keys),
    "ANTHROPIC_BASE_URL": Variable("where the Anthropic API is", _url, "https://api.anthropic.com"),
    "ANTHROPIC_MODEL": Variable(_ASKED),
    "OPENAI_API_KEY": Variable(f"{_KEY.format('OpenAI API')}; not needed with an OPENAI_BASE_URL of your own", _keys),
    "OPENAI_BASE_URL": Variable("where the OpenAI API or a compatible server is", _url, "https://api.openai.com/v1"),
    "OPENAI_MODEL": Variable(_ASKED),
    "OPENAI_ORG_ID": Variable("organisation that OpenAI bills"),
    "OPENAI_PROJECT_ID": Variable("project that OpenAI bills"),
    "OPENAI_DISABLE_STREAMING": Variable(
        "ask OpenAI and Azure routes in one piece, for servers that cannot stream", _switch, False
    ),
    "GEMINI_API_KEY": Variable(_KEY.format("Gemini API"), _keys),
    "GEMINI_BASE_URL": Variable("where the Gemini API is", _url, "https://generativelanguage.googleapis.com"),
    "GEMINI_MODEL": Variable(_ASKED),
    "CLAUDE_CODE_MODEL": Variable(
        "model of the Claude Code program, for the name claude-code and when no route is given"
    ),
}

_CLOUDS: Mapping[str, Variable] = {
    "AZURE_OPENAI_ENDPOINT": Variable("where the Azure OpenAI resource is: https://NAME.openai.azure.com", _url),
    "AZURE_OPENAI_API_KEY": Variable(_KEY.format("Azure OpenAI resource"), _keys),
    "AZURE_OPENAI_AD_TOKEN": Variable("Entra ID token for Azure OpenAI, where no key is set", _keys),
    "OPENAI_API_VERSION": Variable("version of the Azure OpenAI API", _text, "2025-04-01-preview"),
    "GOOGLE_CLOUD_PROJECT": Variable("project of Vertex AI", _project),
    "GOOGLE_CLOUD_LOCATION": Variable("region of Vertex AI", _place, "global"),
    "GOOGLE_APPLICATION_CREDENTIALS": Variable("file of Google credentials; else those of gcloud or of the machine"),
    "GOOGLE_OAUTH_ACCESS_TOKEN": Variable("access token for Vertex AI, instead of credentials", _keys),
    "GOOGLE_VERTEX_BASE_URL": Variable("where Vertex AI is, for Gemini; else the region's address", _url),
    "ANTHROPIC_VERTEX_PROJECT_ID": Variable("project of Claude on Vertex AI; else GOOGLE_CLOUD_PROJECT", _project),
    "CLOUD_ML_REGION": Variable("region of Claude on Vertex AI; else GOOGLE_CLOUD_LOCATION", _place),
    "ANTHROPIC_VERTEX_BASE_URL": Variable("where Vertex AI is, for Claude; else the region's address", _url),
    "AWS_BEARER_TOKEN_BEDROCK": Variable(_KEY.format("Bedrock API"), _keys),
    "AWS_ACCESS_KEY_ID": Variable("AWS access key, where no Bedrock key is set", read_key),
    "AWS_SECRET_ACCESS_KEY": Variable("its secret", read_key),
    "AWS_SESSION_TOKEN": Variable("its session token, where it is a temporary one", read_key),
    "AWS_PROFILE": Variable("profile of the AWS configuration files, where no AWS key is set"),
    "AWS_REGION": Variable("region of Bedrock", _place),
    "AWS_DEFAULT_REGION": Variable("the same, where AWS_REGION is not set", _place),
    "ANTHROPIC_BEDROCK_BASE_URL": Variable("where Bedrock is; else the region's address", _url),
}

_OURS: Mapping[str, Variable] = {
    "TRIO_SUPERVISOR_ALIASES": Variable("names of your own for routes: fast=openai:gpt-5-mini,best=claude-opus-5-5"),
    "TRIO_SUPERVISOR_ATTEMPTS": Variable("attempts on each route", _attempts, 5),
    "TRIO_SUPERVISOR_RETRY_WITHIN": Variable("seconds in which a failing route may be asked again", _seconds, 120.0),
    "TRIO_SUPERVISOR_BACKOFF_INITIAL": Variable("seconds before the first repetition", _seconds, 1.0),
    "TRIO_SUPERVISOR_BACKOFF_MULTIPLIER": Variable("how much longer each wait is than the one before", _factor, 2.0),
    "TRIO_SUPERVISOR_BACKOFF_CAP": Variable("seconds of the longest wait", _seconds, 30.0),
    "TRIO_SUPERVISOR_BACKOFF_JITTER": Variable("share by which waits are spread", _share, 0.1),
    "LOG_LEVEL": Variable("how much is logged", _level, "warning"),
}

VARIABLES: Mapping[str, Variable] = {**_VENDORS, **_CLOUDS, **_OURS}
"""Every variable that is read, and nothing else is; an empty one counts as not set."""
