"""Settings read from environment variables: each with its value and where it came from.

The environment is an argument, so reading is pure; `.env` files are not read.  The one rule: a wrong setting is found here, in one
sentence that names the variable, before any socket opens; and a secret has no way into a repr, a log line or an error.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar
from urllib.parse import urlsplit

import attrs

from actors.errors import SettingError
from actors.route import Mode, Route

_T = TypeVar("_T")


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


class Origin(Enum):
    """Where a value came from."""

    ENVIRONMENT = "environment"
    DEFAULT = "default"
    NOT_SET = "not set"


@attrs.frozen
class Setting:
    """One setting: the variable that sets it, its value (`None` where there is none) and where that came from."""

    name: str
    value: str | bool | Secret | None
    origin: Origin


def _text(_: str, raw: str) -> str:
    return raw.strip()


def _secret(name: str, raw: str) -> Secret:
    text = raw.strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        msg = f"{name} holds a character that no key has (a blank, a line break, a letter beyond ASCII); copy the key again"
        raise SettingError(msg)
    return Secret(text)


def _url(name: str, raw: str) -> str:
    text = raw.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        msg = f"{name} is {text!r}, which is no http:// or https:// address; correct it or unset it"
        raise SettingError(msg)
    return text


_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _switch(name: str, raw: str) -> bool:
    text = raw.strip().lower()
    if text not in _SWITCH:
        msg = f"{name} is {raw!r}; say true or false"
        raise SettingError(msg)
    return _SWITCH[text]


_LEVELS = ("debug", "info", "warning", "error", "critical")


def _level(name: str, raw: str) -> str:
    text = raw.strip().lower()
    if text not in _LEVELS:
        msg = f"{name} is {raw!r}; say one of {', '.join(_LEVELS)}"
        raise SettingError(msg)
    return text


@attrs.frozen
class Variable:
    """A row of the table: what a variable sets, how its text is read and what holds without it."""

    about: str
    read: Callable[[str, str], str | bool | Secret] = _text
    default: str | bool | None = None


VARIABLES: Mapping[str, Variable] = {
    "ANTHROPIC_API_KEY": Variable("key of the Anthropic API", _secret),
    "ANTHROPIC_BASE_URL": Variable("where the Anthropic API is", _url, "https://api.anthropic.com"),
    "ANTHROPIC_MODEL": Variable("model asked when no route is given"),
    "OPENAI_API_KEY": Variable("key of the OpenAI API; not needed with an OPENAI_BASE_URL of your own", _secret),
    "OPENAI_BASE_URL": Variable("where the OpenAI API or a compatible server is", _url, "https://api.openai.com/v1"),
    "OPENAI_MODEL": Variable("model asked when no route is given"),
    "OPENAI_DISABLE_STREAMING": Variable(
        "ask OpenAI routes in one piece, for servers that cannot stream", _switch, False
    ),
    "GEMINI_API_KEY": Variable("key of the Gemini API", _secret),
    "GEMINI_BASE_URL": Variable("where the Gemini API is", _url, "https://generativelanguage.googleapis.com"),
    "GEMINI_MODEL": Variable("model asked when no route is given"),
    "CLAUDE_CODE_MODEL": Variable("model the Claude Code program is asked for when no route is given"),
    "LOG_LEVEL": Variable("how much is logged", _level, "warning"),
}
"""Every variable that is read, and nothing else is; an empty one counts as not set."""


@attrs.frozen
class Account:
    """The variables a provider lives on; `keyless` providers need no key, or bring their own way to log in."""

    key: str = ""
    base_url: str = ""
    model: str = ""
    keyless: bool = False
    keyless_elsewhere: bool = False


PROVIDERS: Mapping[str, Account] = {
    "anthropic": Account("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL"),
    "openai": Account("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", keyless_elsewhere=True),
    "openai-chat": Account("OPENAI_API_KEY", "OPENAI_BASE_URL", keyless_elsewhere=True),
    "google": Account("GEMINI_API_KEY", "GEMINI_BASE_URL", "GEMINI_MODEL"),
    "claude-code": Account(model="CLAUDE_CODE_MODEL", keyless=True),
}
"""The providers that routes may name."""


@attrs.frozen
class Endpoint:
    """Where a provider is reached and the key for it; both are empty for a provider that is a program."""

    provider: str
    base_url: str
    key: Secret


def _setting(name: str, variable: Variable, environment: Mapping[str, str]) -> Setting:
    raw = environment.get(name, "")
    if raw.strip():
        return Setting(name, variable.read(name, raw), Origin.ENVIRONMENT)
    return Setting(name, variable.default, Origin.NOT_SET if variable.default is None else Origin.DEFAULT)


@attrs.frozen
class Settings:
    """Every setting by the name of its variable."""

    entries: Mapping[str, Setting]

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings an environment makes; raises `SettingError` naming the variable that cannot be read."""
        return cls({name: _setting(name, variable, environment) for name, variable in VARIABLES.items()})

    def endpoint(self, provider: str) -> Endpoint:
        """How to reach a provider; raises `SettingError` for an unknown provider and for a missing key."""
        account = PROVIDERS.get(provider)
        if account is None:
            msg = f"there is no provider {provider!r}; known are {', '.join(PROVIDERS)}"
            raise SettingError(msg)
        return Endpoint(provider, self._value(account.base_url, str) or "", self._key(provider, account))

    def admit(self, route: Route) -> Route:
        """The route as these settings have it; raises like `endpoint`."""
        self.endpoint(route.provider)
        return self.in_mode(route)

    def in_mode(self, route: Route) -> Route:
        """The route in the mode these settings ask for: OPENAI_DISABLE_STREAMING makes it buffered."""
        whole = route.provider.startswith("openai") and self._value("OPENAI_DISABLE_STREAMING", bool)
        return attrs.evolve(route, mode=Mode.BUFFERED) if whole else route

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts of all keys, for whoever has to keep them out of something."""
        values = [setting.value for setting in self.entries.values()]
        return tuple(value.reveal() for value in values if isinstance(value, Secret))

    @property
    def log_level(self) -> str:
        """How much is logged: debug, info, warning, error or critical."""
        return self._value("LOG_LEVEL", str) or "warning"

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes asked when none is given: every provider whose `*_MODEL` variable is set, in the table's order."""
        named = ((provider, self._value(account.model, str)) for provider, account in PROVIDERS.items())
        return tuple(Route(provider, model) for provider, model in named if model)

    def _value(self, name: str, kind: type[_T]) -> _T | None:
        value = self.entries[name].value if name else None
        return value if isinstance(value, kind) else None

    def _key(self, provider: str, account: Account) -> Secret:
        key = self._value(account.key, Secret)
        own_server = account.keyless_elsewhere and self.entries[account.base_url].origin is Origin.ENVIRONMENT
        if key is None and not (account.keyless or own_server):
            msg = f"{account.key} is not set, and routes of {provider} need it: export {account.key}=... and try again"
            raise SettingError(msg)
        return key or Secret("")
