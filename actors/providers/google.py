"""Gemini through the official client, at home and on Vertex AI: it authenticates and addresses; what it has written is ours to send.

That client sends only what it built from values of its own, and reads the answer itself. So it writes one request for
each model and mode to a network that leads nowhere, and every request of ours goes out under the address and the headers
of that one: public calls only, and no event loop asked for. The one rule (P5): an attempt sends at most one request, and
nothing is sent outside an attempt; the client's own sending, retrying and calling of functions never begin.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import httpx2

from actors.config import Endpoint
from actors.providers.connections import Connections, http_client
from actors.providers.google_login import address, logged_in
from actors.providers.keys import Keys, require_key
from actors.providers.sources import reading, refused
from actors.request import Request
from actors.route import Clocks, Route
from actors.source import Source
from actors.wire.gemini import DIALECT

if TYPE_CHECKING:
    from google.genai import Client as GeminiClient

VERSION = "v1beta"
"""The version of the API that has everything; the client's own default."""

VERTEX_VERSION = "v1beta1"
"""The same of Vertex AI; the client's own default."""

SOME_KEY = "the-key-whose-turn-it-is"
"""What the client is given for a key: making one takes 50 ms, in which nothing else happens, and keys change. Where it writes this the key goes."""

OF_THE_BODY = ("content-length", "host")
"""Headers that are written anew for another body."""


class GoogleProvider:
    """Answers requests at an endpoint over our connections. Making one imports the official client (about a second).

    Raises `SettingError` where the endpoint has no key, or on Vertex AI no way to get one.
    """

    def __init__(self, endpoint: Endpoint, connections: Connections) -> None:
        vertex = endpoint.provider == "vertex"
        if vertex:
            endpoint = logged_in(endpoint, connections)
        else:
            require_key(endpoint, "the Gemini API")
        self._http = http_client(connections)
        self._scribe = Scribe((_vertex_client if vertex else _client)(endpoint, SOME_KEY))
        self._keys = Keys(endpoint, str)

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Send the request and give its answer.

        Raises `EncodingError` before anything is sent, `RefusedError` for a status of 300 or more, `MalformedError` for a
        compressed stream, and the exceptions of httpx2 for what happens on the way.
        """
        content = DIALECT.encode(request, route)
        response = await self._keys.ask(lambda key: self._send(key, content, route))
        async with reading(response, DIALECT, route) as source:
            yield source

    async def _send(self, key: str, content: bytes, route: Route) -> httpx2.Response:
        """One request, the answer's body still unread."""
        envelope = await self._scribe.envelope(route.model, streams=route.streams)
        headers = [(name, value.replace(SOME_KEY, key)) for name, value in envelope.headers.multi_items()]
        timeout = httpx2.Timeout(None, connect=(route.clocks or Clocks()).connect)
        request = self._http.build_request(
            envelope.method, envelope.url, headers=headers, content=content, timeout=timeout
        )
        response = await self._http.send(request, stream=True)
        if response.is_success:
            return response
        await response.aread()
        raise refused(response, DIALECT)


class Scribe:
    """An official client that writes addresses and headers, once for each model and mode."""

    def __init__(self, client: "GeminiClient") -> None:
        self._client = client
        self._written: dict[tuple[str, bool], httpx2.Request] = {}

    async def envelope(self, model: str, *, streams: bool) -> httpx2.Request:
        """A request of the client's own to this model: its address and headers do for every other one."""
        if (model, streams) not in self._written:
            envelope = await _write(self._client, model, streams=streams)
            for name in OF_THE_BODY:
                del envelope.headers[name]
            self._written[model, streams] = envelope
        return self._written[model, streams]


async def _write(client: "GeminiClient", model: str, *, streams: bool) -> httpx2.Request:
    models: Any = client.aio.models  # it does not tell the types of its arguments whole
    try:
        if streams:
            async with aclosing(await models.generate_content_stream(model=model, contents=".")) as answer:
                await anext(answer)
        else:
            await models.generate_content(model=model, contents=".")
    except Written as written:
        return written.request
    raise AssertionError("the client has an answer that nobody gave")


class Written(Exception):
    """A request that the client wrote, on its way out."""

    def __init__(self, request: httpx2.Request) -> None:
        super().__init__(request)
        self.request = request


class Nowhere(httpx2.AsyncBaseTransport):
    """The network that the client sends to: whoever sends gets the request back."""

    async def handle_async_request(self, request: httpx2.Request) -> NoReturn:
        """Raises `Written`."""
        raise Written(request)


def _client(endpoint: Endpoint, key: str) -> "GeminiClient":
    from google.genai import Client as GeminiClient  # noqa: PLC0415 -- takes a second, and many runs never need it
    from google.genai.types import HttpOptions  # noqa: PLC0415 -- the same

    options = HttpOptions(base_url=endpoint.base_url, api_version=VERSION, httpx_async_client=http_client(Nowhere()))
    return GeminiClient(api_key=key, vertexai=False, http_options=options)


def _vertex_client(endpoint: Endpoint, token: str) -> "GeminiClient":
    """A client with a token that is good: it has no reason to ask for another, which it would do in asyncio."""
    from google.genai import Client as GeminiClient  # noqa: PLC0415 -- the same
    from google.genai.types import HttpOptions  # noqa: PLC0415 -- the same
    from google.oauth2.credentials import Credentials  # noqa: PLC0415 -- the same

    options = HttpOptions(
        base_url=endpoint.base_url or address(endpoint.option("location")),
        api_version=VERTEX_VERSION,
        httpx_async_client=http_client(Nowhere()),
    )
    made: Any = Credentials
    return GeminiClient(
        vertexai=True,
        credentials=made(token=token),
        project=endpoint.option("project"),
        location=endpoint.option("location"),
        http_options=options,
    )
