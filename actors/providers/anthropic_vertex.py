"""Claude on Vertex AI through the official client's own variant: it addresses and sends; the bytes are ours, both ways.

The one rule (P5): an attempt sends at most one request to the provider.  The client is made with a token that is good, so it never asks for
one itself; whoever has the keys does.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import attrs
import httpx2

from actors.config import Endpoint
from actors.providers.anthropic import PATH
from actors.providers.connections import Connections, http_client
from actors.providers.google_login import address, logged_in
from actors.providers.keys import Keys
from actors.providers.sources import reading
from actors.providers.stainless import Post
from actors.request import Request
from actors.route import Route
from actors.source import RefusedError, Source
from actors.wire.anthropic import DIALECT as ANTHROPIC
from actors.wire.gemini import DIALECT as GEMINI


def _read_error(status: int, headers: Mapping[str, str], body: bytes) -> RefusedError:
    """Google's own gate stands before the model, and speaks Google's words, which are in capitals."""
    read = ANTHROPIC.read_error(status, headers, body)
    return read if read.kind.islower() else GEMINI.read_error(status, headers, body)


DIALECT = attrs.evolve(ANTHROPIC, read_error=_read_error)
"""Anthropic's, and what Google says before it."""


class AnthropicVertexProvider:
    """Answers requests at an endpoint over our connections. Making one imports the official client (about a second).

    Raises `SettingError` where there is no way to get a token.
    """

    def __init__(self, endpoint: Endpoint, connections: Connections) -> None:
        endpoint = logged_in(endpoint, connections)
        self._keys = Keys(endpoint, partial(_post, endpoint, http_client(connections)))

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Send the request and give its answer; raises as `AnthropicProvider.open` does."""
        content = DIALECT.encode(request, route)
        response = await self._keys.ask(lambda post: post(PATH, content, route, DIALECT))
        async with reading(response, DIALECT, route, response.headers.get("request-id", "")) as source:
            yield source


def _post(endpoint: Endpoint, http: httpx2.AsyncClient, token: str) -> Post:
    from anthropic import (  # noqa: PLC0415 -- takes a second, and many runs never need it
        APIConnectionError,
        APIStatusError,
        AsyncStream,
    )
    from anthropic._base_client import get_platform  # noqa: PLC0415 -- no public way to say it beforehand
    from anthropic.lib.vertex import AsyncAnthropicVertex  # noqa: PLC0415 -- the same

    client = AsyncAnthropicVertex(
        region=endpoint.option("location"),
        project_id=endpoint.option("project"),
        access_token=token,
        base_url=endpoint.base_url or f"{address(endpoint.option('location'))}/v1",
        http_client=http,
        max_retries=0,
        open_telemetry=False,
    )
    client._platform = get_platform()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- the same
    return Post(client.post, AsyncStream, APIStatusError, APIConnectionError, opened=True)
