"""Settings: what the environment and a `.env` file make of the table of variables, each with its value and where it came from.

Both are arguments, so reading is pure, and no file is read unasked.  The one rule: a wrong setting is found here, in one sentence that names
the variable, before any socket opens; and a secret has no way into a repr, a log line or an error.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import inf
from typing import TypeAlias, TypeVar
from urllib.parse import urlsplit

import attrs

from actors.accounts import PROVIDERS, Account
from actors.dotenv import parse_dotenv
from actors.entries import Origin, Setting, read_setting
from actors.errors import SettingError
from actors.ladder import Ladder
from actors.preferred import NO_ROUTE, preferred
from actors.route import Mode, Route
from actors.routing import Names, read_aliases
from actors.variables import VARIABLES, Secret
from supervisor import Backoff, Retry

__all__ = [
    "PROVIDERS",
    "VARIABLES",
    "Endpoint",
    "Expiring",
    "Origin",
    "Refresh",
    "Secret",
    "Setting",
    "Settings",
    "checked",
]

_T = TypeVar("_T")


@attrs.frozen
class Expiring:
    """A key that is good for so many seconds."""

    key: str = attrs.field(repr=False)
    seconds: float = inf


Refresh: TypeAlias = Callable[[], Awaitable[str | Expiring]]
"""Gives a new key for a provider whose key was refused, or that has none yet."""


def checked(refresh: Mapping[str, Refresh] | None) -> Mapping[str, Refresh]:
    """The same; raises `SettingError` for a provider that has no key."""
    for name in refresh or {}:
        if not (name in PROVIDERS and PROVIDERS[name].key):
            having = ", ".join(provider for provider, account in PROVIDERS.items() if account.key)
            raise SettingError(f"refresh names {name!r}, which has no key to renew; those that have one are {having}")
    return refresh or {}


@attrs.frozen
class Endpoint:
    """Where a provider is reached, the keys for it and what else it is told; all are empty for a provider that is a program.

    `refresh` gives a new key once the last of `keys` is refused; `tell` is told every key that is new, to be kept out of what is kept.
    """

    provider: str
    base_url: str
    keys: Sequence[Secret] = ()
    options: Mapping[str, str | Secret] = attrs.field(factory=dict[str, str | Secret])
    refresh: Refresh | None = None
    tell: Callable[[str], object] | None = None

    def option(self, name: str) -> str:
        """What the provider is told under this name; empty for nothing."""
        value = self.options.get(name, "")
        return value.reveal() if isinstance(value, Secret) else value


@attrs.frozen
class Settings:
    """Every setting by the name of its variable."""

    entries: Mapping[str, Setting]

    @classmethod
    def read(cls, environment: Mapping[str, str], *, dotenv: str = "") -> "Settings":
        """The settings that an environment makes, and the text of a `.env` file where it leaves something open.

        Raises `SettingError` naming the variable, or the line of the file, that cannot be read.
        """
        settings = cls.survey(environment, dotenv=dotenv)
        if settings.problems:
            raise SettingError(settings.problems[0])
        return settings

    @classmethod
    def survey(cls, environment: Mapping[str, str], *, dotenv: str = "") -> "Settings":
        """The same, and every setting that cannot be read has its `problem` in it; raises for a line that is none."""
        given = parse_dotenv(dotenv)
        return cls({name: read_setting(name, variable, environment, given) for name, variable in VARIABLES.items()})

    @property
    def problems(self) -> tuple[str, ...]:
        """What cannot be read, a sentence each."""
        told = [setting.problem for setting in self.entries.values() if setting.problem]
        for check in (lambda: self.names, lambda: self.retry):
            try:
                check()
            except ValueError as error:
                told.append(str(error))
        return tuple(told)

    def endpoint(self, provider: str, refresh: Refresh | None = None) -> Endpoint:
        """How to reach a provider; raises `SettingError` for an unknown provider and for what it lacks.

        With `refresh` it lacks no key.
        """
        account = PROVIDERS.get(provider)
        if account is None:
            msg = f"there is no provider {provider!r}; known are {', '.join(PROVIDERS)}"
            raise SettingError(msg)
        keys = self._keys(provider, account, needed=refresh is None)
        self._keep_key_home(account)
        self._keep_files_home(account, needed=not keys)
        options = {option: self._option(names) for option, names in account.options.items()}
        endpoint = Endpoint(provider, self._text(account.base_url), keys, options, refresh)
        for need in account.needs:
            if not (endpoint.base_url if need == "base_url" else options[need]):
                name = account.base_url if need == "base_url" else account.options[need][0]
                raise SettingError(
                    f"{name} is not set, and routes of {provider} need it: export {name}=... and try again"
                )
        return endpoint

    def admit(self, route: Route, own: Mapping[str, object] | None = None, refresh: Refresh | None = None) -> Route:
        """The route as these settings have it, its name resolved; raises like `endpoint`.

        `own` are providers besides the known ones; the settings have no say in them.
        """
        route = self.resolve(route, own)
        if own and route.provider in own:
            return route
        self.endpoint(route.provider, refresh)
        return self.in_mode(route)

    def resolve(self, route: Route, own: Mapping[str, object] | None = None) -> Route:
        """The route with its provider: a name alone is looked up (see `actors.routing`); raises `SettingError` for an unknown one."""
        return attrs.evolve(self.names, own=own or ()).resolve(route)

    def in_mode(self, route: Route) -> Route:
        """The route in the mode these settings ask for: OPENAI_DISABLE_STREAMING makes it buffered."""
        account = PROVIDERS.get(route.provider)
        whole = account is not None and account.buffers and self._value("OPENAI_DISABLE_STREAMING", bool)
        return attrs.evolve(route, mode=Mode.BUFFERED) if whole else route

    @property
    def names(self) -> Names:
        """What decides about names here: own aliases, and where a name goes that nobody knows."""
        return Names(
            read_aliases("TRIO_SUPERVISOR_ALIASES", self._text("TRIO_SUPERVISOR_ALIASES")),
            elsewhere="openai-chat" if self.entries["OPENAI_BASE_URL"].given else "",
            code_model=self._text("CLAUDE_CODE_MODEL") or PROVIDERS["claude-code"].usual,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts of all keys, for whoever has to keep them out of something."""
        values = [setting.value for setting in self.entries.values()]
        several = [value if isinstance(value, tuple) else (value,) for value in values]
        return tuple(one.reveal() for some in several for one in some if isinstance(one, Secret))

    @property
    def log_level(self) -> str:
        """How much is logged: debug, info, warning, error or critical."""
        return self._text("LOG_LEVEL")

    @property
    def retry(self) -> Retry:
        """How often, and how soon, a failing route is asked again; raises `SettingError` where two variables contradict each other."""
        initial, cap = self._number("BACKOFF_INITIAL"), self._number("BACKOFF_CAP")
        if cap < initial:
            raise SettingError(
                f"TRIO_SUPERVISOR_BACKOFF_CAP is {cap:g}, below TRIO_SUPERVISOR_BACKOFF_INITIAL, {initial:g}; "
                "make the longest wait the longer one"
            )
        backoff = Backoff(
            initial=initial,
            multiplier=self._number("BACKOFF_MULTIPLIER"),
            cap=cap,
            jitter=self._number("BACKOFF_JITTER"),
        )
        return Retry(int(self._number("ATTEMPTS")), backoff=backoff, within=self._number("RETRY_WITHIN"))

    def ladder(self, *routes: str | Route) -> Ladder:
        """The usual ladder over these routes, or over the default ones, with the retries of these settings.

        Raises `SettingError` where there is no route.
        """
        asked = routes or self.routes
        if not asked:
            raise SettingError(NO_ROUTE)
        return Ladder.over(asked, retry=self.retry)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes asked when none is given: those of `*_MODEL`, or else the usual model of the first provider that has a key."""
        return preferred(self.entries)

    def _option(self, names: Sequence[str]) -> str | Secret:
        values = (self.entries[name].value for name in names)
        return next((value for value in values if isinstance(value, str | Secret)), "")

    def _text(self, name: str) -> str:
        return self._value(name, str) or ""

    def _number(self, name: str) -> float:
        variable = f"TRIO_SUPERVISOR_{name}"
        value = self.entries[variable].value
        usual = VARIABLES[variable].default
        return float(value if isinstance(value, int | float) else usual or 0)

    def _value(self, name: str, kind: type[_T]) -> _T | None:
        value = self.entries[name].value if name else None
        return value if isinstance(value, kind) else None

    def _keys(self, provider: str, account: Account, *, needed: bool) -> tuple[Secret, ...]:
        given = (self.entries[name].value for name in (account.key, account.or_key) if name)
        keys = next((value for value in given if isinstance(value, tuple)), ())
        own_server = account.keyless_elsewhere and self.entries[account.base_url].given
        if needed and not (keys or account.keyless or own_server):
            msg = f"{account.key} is not set, and routes of {provider} need it: export {account.key}=... and try again"
            raise SettingError(msg)
        return keys

    def _keep_files_home(self, account: Account, *, needed: bool) -> None:
        """Refuse a file of credentials that the `.env` file of some directory names: it may have any other file sent anywhere."""
        for name in account.options.get("credentials", ()):
            if needed and self.entries[name].origin is Origin.DOTENV:
                raise SettingError(
                    f"{name} comes from {self.entries[name].source}, and a file of this directory is not trusted to say who is "
                    f"logged in, and where: export it"
                )

    def _keep_key_home(self, account: Account) -> None:
        """Refuse an address that the `.env` file of some directory gives, for a key or a login of the person's own."""
        address = self.entries[account.base_url] if account.base_url else None
        if address is None or address.origin is not Origin.DOTENV or urlsplit(str(address.value)).hostname in _LOOPBACK:
            return
        names = [name for name in (account.key, account.or_key, *_secret_names(account)) if name]
        strays = [name for name in names if self.entries[name].origin is Origin.ENVIRONMENT]
        if strays:
            raise SettingError(
                f"{address.name} comes from {address.source} and {strays[0]} from the environment: a key is not sent to an "
                f"address that a file of this directory names; set both in one place"
            )
        if account.keyless and not any(self.entries[name].given for name in names):
            # Files and profiles that the same file names may be the person's own too.
            raise SettingError(
                f"{address.name} comes from {address.source} and would get what this machine is logged in with; set it in the "
                f"environment, or {account.key} beside it"
            )


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _secret_names(account: Account) -> tuple[str, ...]:
    return tuple(name for names in account.options.values() for name in names if "KEY" in name or "TOKEN" in name)
