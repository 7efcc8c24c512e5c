"""Anthropic Messages through the official client: it authenticates, addresses and sends; the bytes are ours, both ways.

The one rule (P5): an attempt sends at most one request, and nothing is sent outside an attempt. So the client never
retries, never exchanges credentials, and knows its platform before the first request instead of asking a thread for it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import httpx2

from actors.config import Endpoint
from actors.errors import SettingError
from actors.providers.connections import Connections, http_client
from actors.providers.sources import check_plain, reading
from actors.request import Request
from actors.route import Clocks, Route
from actors.source import Source
from actors.wire.anthropic import DIALECT

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

PATH = "/v1/messages"
HEADERS = {"Content-Type": "application/json"}


class AnthropicProvider:
    """Answers requests at an endpoint over our connections. Making one imports the official client (about a second).

    Raises `SettingError` where the endpoint has no key.
    """

    def __init__(self, endpoint: Endpoint, connections: Connections) -> None:
        self._client = _client(endpoint, http_client(connections))

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Send the request and give its answer.

        Raises `EncodingError` before anything is sent, `RefusedError` for a status of 300 or more, `MalformedError` for a
        compressed stream, and the exceptions of httpx2 for what happens on the way.
        """
        response = await self._send(DIALECT.encode(request, route), route)
        async with reading(response, DIALECT, route, response.headers.get("request-id", "")) as source:
            if route.streams:
                check_plain(response)
            yield source

    async def _send(self, content: bytes, route: Route) -> httpx2.Response:
        """One request, the answer's body still unread. An explicit timeout: the stream layer's clocks hold, not the client's."""
        from anthropic import APIConnectionError, APIStatusError, AsyncStream  # noqa: PLC0415 -- loaded by then

        connect = (route.clocks or Clocks()).connect
        try:
            answer = await self._client.post(
                PATH,
                cast_to=httpx2.Response,
                content=content,
                options={"headers": HEADERS, "timeout": httpx2.Timeout(None, connect=connect)},
                stream=True,
                stream_cls=AsyncStream[object],
            )
        except APIStatusError as error:
            refusal = error.response
            raise DIALECT.read_error(refusal.status_code, dict(refusal.headers), refusal.content) from None
        except APIConnectionError as error:
            wrapped = error.__cause__ or error  # what happened, a bug of ours too, without the client's wrapping
            raise wrapped from wrapped.__cause__
        return cast("httpx2.Response", answer)  # as `cast_to` asked for, whatever a stream's class is


def _client(endpoint: Endpoint, http: httpx2.AsyncClient) -> "AsyncAnthropic":
    key = endpoint.key.reveal()
    if not key:
        raise SettingError(
            "ANTHROPIC_API_KEY is not set, and the Anthropic API answers nobody without a key: export it"
        )
    from anthropic import AsyncAnthropic  # noqa: PLC0415 -- takes a second, and many runs never need it
    from anthropic._base_client import get_platform  # noqa: PLC0415 -- no public way to say it beforehand

    client = AsyncAnthropic(
        api_key=key, base_url=endpoint.base_url, http_client=http, max_retries=0, open_telemetry=False
    )
    # The first request would ask a thread; meanwhile a mock clock jumps and the order of events is left to chance.
    client._platform = get_platform()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- the same
    return client
