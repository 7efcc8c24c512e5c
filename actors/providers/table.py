"""Every provider by name: the one line that adding a provider takes.

A provider is made when a stream that may need it is admitted: a client nobody asks for is never imported, and the import, which takes
a second and stops the loop, is over before any clock runs.  All providers send through one connection pool.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from actors.config import Endpoint, Settings
from actors.providers.foreign import CallingProvider
from actors.route import Route
from actors.source import Provider

if TYPE_CHECKING:
    import httpcore2

    from actors.providers.connections import Connections

Network: TypeAlias = "httpcore2.AsyncNetworkBackend"
"""What opens connections: trio's sockets, or a network in memory."""

TABLE: Mapping[str, str] = {
    "anthropic": "actors.providers.anthropic:AnthropicProvider",
    "openai": "actors.providers.openai:OpenAIProvider",
    "openai-chat": "actors.providers.openai:OpenAIProvider",
    "google": "actors.providers.google:GoogleProvider",
    "claude-code": "actors.providers.claude_code:ClaudeCodeProvider",
}
"""A provider's name in routes, and the module and class that make it out of an endpoint and the pool."""


class Providers:
    """Providers by name, over one pool."""

    def __init__(self, settings: Settings, own: Mapping[str, Provider], pool: "Connections") -> None:
        self._settings = settings
        self._own = own
        self._made = dict(own)
        self._pool = pool

    def __getitem__(self, name: str) -> Provider:
        provider = self._made.get(name)
        if provider is None:
            provider = self._made[name] = _load(TABLE[name])(self._settings.endpoint(name), self._pool)
        return provider

    def admit(self, route: Route) -> Route:
        """The route as it can be asked; raises `SettingError` where it names an unknown provider or one without credentials.

        The settings have no say in what the caller brought; what is one call there has a buffered route.
        """
        own = self._own.get(route.provider)
        if own is None:
            route = self._settings.admit(route)
            _ = self[route.provider]
            return route
        return route.buffered if isinstance(own, CallingProvider) else route


def _load(where: str) -> Callable[[Endpoint, "Connections"], Provider]:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


@asynccontextmanager
async def open_providers(
    settings: Settings, own: Mapping[str, Provider], network: "Network | None"
) -> AsyncGenerator[Providers]:
    """The providers over a pool that is closed with the block."""
    from actors.providers.connections import Connections  # noqa: PLC0415 -- whoever opens nothing waits for no HTTP client

    pool = Connections(network)
    try:
        yield Providers(settings, own, pool)
    finally:
        await pool.aclose()
