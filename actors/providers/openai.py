"""OpenAI through the official client, at home and on Azure: Responses for `openai:` and `azure:`, chat completions for the `-chat` ones.

The one rule (P5): an attempt sends at most one request, and nothing is sent outside an attempt. A compatible server may
want no key; then no key header is sent, least of all another one that the environment holds for OpenAI.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import attrs
import httpx2

from actors.config import Endpoint
from actors.providers.connections import Connections, http_client
from actors.providers.keys import Keys, require_key
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
    "azure": Format("/responses", openai_responses.DIALECT),
    "azure-chat": Format("/chat/completions", openai_chat.DIALECT),
}
"""The format of each provider that this client serves."""


AZURE = frozenset({"azure", "azure-chat"})
"""The providers that are reached by Azure's variant of the client; there a route's model is a deployment's name."""


class OpenAIProvider:
    """Answers requests at an endpoint, in its provider's format. Making one imports the official client (about a second)."""

    def __init__(self, endpoint: Endpoint, connections: Connections) -> None:
        self._format = FORMATS[endpoint.provider]
        post = _post
        if endpoint.provider in AZURE:
            require_key(endpoint, "Azure OpenAI")
            post = _azure_post
        self._keys = Keys(endpoint, partial(post, endpoint, http_client(connections)))

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Send the request and give its answer.

        Raises `EncodingError` before anything is sent, `RefusedError` for a status of 300 or more, `MalformedError` for a
        compressed stream, and the exceptions of httpx2 for what happens on the way.
        """
        path, dialect = self._format.path, self._format.dialect
        content = dialect.encode(request, route)
        response = await self._keys.ask(lambda post: post(path, content, route, dialect))
        async with reading(response, dialect, route, response.headers.get("x-request-id", "")) as source:
            yield source


def _post(endpoint: Endpoint, http: httpx2.AsyncClient, key: str) -> Post:
    from openai import (  # noqa: PLC0415 -- takes a second, and many runs never need it
        APIConnectionError,
        APIStatusError,
        AsyncOpenAI,
        AsyncStream,
        Omit,
    )
    from openai._base_client import get_platform  # noqa: PLC0415 -- no public way to say it beforehand

    # An empty administrator's key, or the client would take the one that the environment may hold.
    client = AsyncOpenAI(
        api_key=key,
        admin_api_key="",
        base_url=endpoint.base_url,
        http_client=http,
        max_retries=0,
    )
    # Said afterwards: to a client that is told nothing the environment tells it.
    client.organization, client.project = endpoint.option("organization") or None, endpoint.option("project") or None
    client._platform = get_platform()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- the same
    headers: dict[str, Any] = {**CONTENT} if key else {**CONTENT, "Authorization": Omit()}
    return Post(client.post, AsyncStream, APIStatusError, APIConnectionError, headers)


def _azure_post(endpoint: Endpoint, http: httpx2.AsyncClient, key: str) -> Post:
    from openai import (  # noqa: PLC0415 -- the same
        APIConnectionError,
        APIStatusError,
        AsyncAzureOpenAI,
        AsyncStream,
    )
    from openai._base_client import get_platform  # noqa: PLC0415 -- the same

    token = key.startswith(TOKEN)
    client = AsyncAzureOpenAI(
        azure_endpoint=endpoint.base_url,
        api_version=endpoint.option("api_version"),
        api_key=None if token else key,
        azure_ad_token=key if token else None,
        admin_api_key="",
        http_client=http,
        max_retries=0,
    )
    client.organization = client.project = None
    client._platform = get_platform()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- the same
    return Post(client.post, AsyncStream, APIStatusError, APIConnectionError, opened=True)


TOKEN = "eyJ"  # noqa: S105 -- how a web token begins
"""Entra ID gives web tokens, which Azure takes for a key's place under another header; no key begins so."""
