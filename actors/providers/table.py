"""Every provider by name: the one line that adding a provider takes.

A provider is made when a stream that may need it is admitted: a client nobody asks for is never imported, and the import, which takes
a second and stops the loop, is over before any clock runs.  All providers send through one connection pool.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from actors.config import Refresh, Settings, checked
from actors.errors import SettingError
from actors.features import check_features
from actors.providers.foreign import CallingProvider
from actors.providers.replay import Replay
from actors.request import Request
from actors.route import Route
from actors.source import Provider

if TYPE_CHECKING:
    import httpcore2

    from actors.providers.capture import Capture, Tell
    from actors.providers.connections import Connections
    from actors.providers.record import Recorder

Network: TypeAlias = "httpcore2.AsyncNetworkBackend"
"""What opens connections: trio's sockets, or a network in memory."""

TABLE: Mapping[str, str] = {
    "anthropic": "actors.providers.anthropic:AnthropicProvider",
    "openai": "actors.providers.openai:OpenAIProvider",
    "openai-chat": "actors.providers.openai:OpenAIProvider",
    "google": "actors.providers.google:GoogleProvider",
    "azure": "actors.providers.openai:OpenAIProvider",
    "azure-chat": "actors.providers.openai:OpenAIProvider",
    "vertex": "actors.providers.google:GoogleProvider",
    "anthropic-vertex": "actors.providers.anthropic_vertex:AnthropicVertexProvider",
    "bedrock": "actors.providers.bedrock:BedrockProvider",
    "claude-code": "actors.providers.claude_code:ClaudeCodeProvider",
}
"""A provider's name in routes, and the module and class that make it out of an endpoint and the pool."""


class Providers:
    """Providers by name, over one pool."""

    def __init__(
        self,
        settings: Settings,
        own: Mapping[str, Provider],
        pool: "Connections",
        *,
        tap: "Recorder | Capture | None" = None,
        replay: Provider | None = None,
        refresh: Mapping[str, Refresh] | None = None,
    ) -> None:
        self._settings = settings
        self._refresh = checked(refresh)
        self._own = own
        self._replay = replay
        self._pool = pool
        self._tap = tap
        self._made: dict[str, Provider] = {} if replay is None else dict.fromkeys(TABLE, replay)
        for name, provider in own.items():
            self._made[name] = tap.over_own(provider) if tap is not None else provider
        if isinstance(replay, Replay):
            self._made.update(dict.fromkeys(replay.recorded, replay))

    def __getitem__(self, name: str) -> Provider:
        provider = self._made.get(name)
        if provider is None:
            tell = None if self._tap is None else self._tap.keep_out
            endpoint = attrs.evolve(self._settings.endpoint(name, self._refresh.get(name)), tell=tell)
            provider = _load(TABLE[name])(endpoint, self._pool)
            if self._tap is not None:
                provider = self._tap.over(provider)
            self._made[name] = provider
        return provider

    def gauges(self) -> Mapping[str, int]:
        """What the pool holds: connections lent to answers, connections that lie idle, requests that wait for room."""
        held = self._pool.statistics()
        return {"connections": held.in_use, "idle_connections": held.idle, "waiting_requests": held.waiting}

    def admit(self, route: Route, request: Request | None = None) -> Route:
        """The route as it can be asked, its name resolved; raises `SettingError` where nobody is known by it, or has no credentials.

        So it does where the provider has not all that the `request` asks for.

        The settings have no say in what the caller brought; what is one call there has a buffered route. A replay needs no credentials.
        """
        route = self._settings.resolve(route, self._made)
        if self._replay is not None and self._made.get(route.provider) is self._replay:
            if isinstance(self._replay, Replay) and route.provider not in TABLE:
                return self._replay.admit(route)
            return self._settings.in_mode(route)
        own = self._own.get(route.provider)
        if own is not None:
            return route.buffered if isinstance(own, CallingProvider) else route
        if request is not None:
            check_features(request, route)
        route = self._settings.admit(route, refresh=self._refresh.get(route.provider))
        _ = self[route.provider]
        return route


CHECKS: Mapping[str, str] = {
    "vertex": "actors.providers.google_login:check",
    "anthropic-vertex": "actors.providers.google_login:check",
    "bedrock": "actors.providers.bedrock:check",
    "claude-code": "actors.providers.claude_code:check",
}
"""What tells, without a client, whether a provider has all that it brings its own ways to get."""


def complaint(name: str, settings: Settings) -> str:
    """What a provider lacks, in one sentence; empty where it is ready.  Nothing is sent."""
    try:
        endpoint = settings.endpoint(name)
        if name in CHECKS:
            _load(CHECKS[name])(endpoint)
    except SettingError as error:
        return str(error)
    return ""


def _load(where: str) -> Callable[..., Any]:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


@asynccontextmanager
async def open_providers(  # noqa: PLR0913 -- a name for each thing that a service may be given
    settings: Settings,
    own: Mapping[str, Provider],
    network: "Network | None",
    *,
    record: str | Path | None = None,
    replay: Provider | None = None,
    capture: "Tell | None" = None,
    refresh: Mapping[str, Refresh] | None = None,
) -> AsyncGenerator[Providers]:
    """The providers over a pool that is closed with the block.

    With `record` every attempt is added to that file; with `replay` that provider answers for every one of the table; without either
    `capture` is told what attempts that fail sent and got.  `refresh` gives new keys, by the provider's name.
    """
    from actors.providers.connections import Connections  # noqa: PLC0415 -- whoever opens nothing waits for no HTTP client

    if record is None and (capture is None or replay is not None):
        pool, tap = Connections(network), None
    else:
        from actors.providers.capture import Capture  # noqa: PLC0415 -- the same
        from actors.providers.record import Recorder, TapedConnections  # noqa: PLC0415 -- the same

        pool = TapedConnections(network)
        tap = (
            Recorder(record, settings.secrets) if record is not None else capture and Capture(capture, settings.secrets)
        )
    try:
        yield Providers(settings, own, pool, tap=tap, replay=replay, refresh=refresh)
    finally:
        await pool.aclose()
        if tap is not None:
            tap.close()
