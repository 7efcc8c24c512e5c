"""Anthropic Messages through the official client: it authenticates, addresses and sends; the bytes are ours, both ways.

The one rule (P5): an attempt sends at most one request, and nothing is sent outside an attempt; so the client exchanges no credentials.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import httpx2

from actors.config import Endpoint
from actors.providers.connections import Connections, http_client
from actors.providers.keys import Keys, require_key
from actors.providers.sources import reading
from actors.providers.stainless import Post
from actors.request import Request
from actors.route import Route
from actors.source import Source
from actors.wire.anthropic import DIALECT

PATH = "/v1/messages"


class AnthropicProvider:
    """Answers requests at an endpoint over our connections. Making one imports the official client (about a second).

    Raises `SettingError` where the endpoint has no key.
    """

    def __init__(self, endpoint: Endpoint, connections: Connections) -> None:
        require_key(endpoint, "the Anthropic API")
        self._keys = Keys(endpoint, partial(_post, endpoint.base_url, http_client(connections)))

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Send the request and give its answer.

        Raises `EncodingError` before anything is sent, `RefusedError` for a status of 300 or more, `MalformedError` for a
        compressed stream, and the exceptions of httpx2 for what happens on the way.
        """
        content = DIALECT.encode(request, route)
        response = await self._keys.ask(lambda post: post(PATH, content, route, DIALECT))
        async with reading(response, DIALECT, route, response.headers.get("request-id", "")) as source:
            yield source


def _post(base_url: str, http: httpx2.AsyncClient, key: str) -> Post:
    from anthropic import (  # noqa: PLC0415 -- takes a second, and many runs never need it
        APIConnectionError,
        APIStatusError,
        AsyncAnthropic,
        AsyncStream,
    )
    from anthropic._base_client import get_platform  # noqa: PLC0415 -- no public way to say it beforehand

    client = AsyncAnthropic(api_key=key, base_url=base_url, http_client=http, max_retries=0, open_telemetry=False)
    client._platform = get_platform()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- the same
    return Post(client.post, AsyncStream, APIStatusError, APIConnectionError)
