"""OpenAI through the official client, in both formats: Responses for `openai:`, chat completions for `openai-chat:`.

The one rule (P5): an attempt sends at most one request, and nothing is sent outside an attempt. A compatible server may
want no key; then no key header is sent, least of all another one that the environment holds for OpenAI.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx2

from actors.config import Endpoint
from actors.providers.connections import Connections, http_client
from actors.providers.sources import reading
from actors.providers.stainless import CONTENT, Post
from actors.request import Request
from actors.route import Route
from actors.source import Source
from actors.wire import openai_chat, openai_responses
from actors.wire.dialect import Dialect


@attrs.frozen
class Format:
    """One of OpenAI's two: where requests go, behind the base address, and how they and their answers are spelled."""

    path: str
    dialect: Dialect


FORMATS = {
    "openai": Format("/responses", openai_responses.DIALECT),
    "openai-chat": Format("/chat/completions", openai_chat.DIALECT),
}
"""The format of each provider that this client serves."""


class OpenAIProvider:
    """Answers requests at an endpoint, in its provider's format. Making one imports the official client (about a second)."""

    def __init__(self, endpoint: Endpoint, connections: Connections) -> None:
        self._format = FORMATS[endpoint.provider]
        self._post = _post(endpoint, http_client(connections))

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Send the request and give its answer.

        Raises `EncodingError` before anything is sent, `RefusedError` for a status of 300 or more, `MalformedError` for a
        compressed stream, and the exceptions of httpx2 for what happens on the way.
        """
        path, dialect = self._format.path, self._format.dialect
        response = await self._post(path, dialect.encode(request, route), route, dialect)
        async with reading(response, dialect, route, response.headers.get("x-request-id", "")) as source:
            yield source


def _post(endpoint: Endpoint, http: httpx2.AsyncClient) -> Post:
    from openai import (  # noqa: PLC0415 -- takes a second, and many runs never need it
        APIConnectionError,
        APIStatusError,
        AsyncOpenAI,
        AsyncStream,
        Omit,
    )
    from openai._base_client import get_platform  # noqa: PLC0415 -- no public way to say it beforehand

    key = endpoint.key.reveal()
    # An empty administrator's key, or the client would take the one that the environment may hold.
    client = AsyncOpenAI(api_key=key, admin_api_key="", base_url=endpoint.base_url, http_client=http, max_retries=0)
    client._platform = get_platform()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- the same
    headers: dict[str, Any] = {**CONTENT} if key else {**CONTENT, "Authorization": Omit()}
    return Post(client.post, AsyncStream, APIStatusError, APIConnectionError, headers)
