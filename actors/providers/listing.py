"""What models a provider offers to a key: one cheap authenticated request, which also tells whether the key is good.

A table of what differs between providers, and one way of asking.  The one rule: one request goes out, over the same pool and with the
same care for keys as every other one (P13), and it is over in time.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import attrs
import httpx2
import trio
from msgspec import DecodeError, json

from actors.config import Endpoint
from actors.failure import Failure, Phase
from actors.policy.classify import classify
from actors.providers.connections import Connections, http_client
from actors.providers.sources import refused
from actors.redaction import scrubbed, shown
from actors.source import MalformedError

if TYPE_CHECKING:
    import httpcore2

    from actors.wire.dialect import Dialect

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 20.0
MOST_BYTES = 8 * 1024 * 1024
"""The longest list that is read."""

NAME_BYTES = 128
"""Of a model's name that a server tells."""


def _bearer(key: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _anthropic(key: str) -> Mapping[str, str]:
    return {"x-api-key": key, "anthropic-version": "2023-06-01"}


def _google(key: str) -> Mapping[str, str]:
    return {"x-goog-api-key": key}


def _azure(key: str) -> Mapping[str, str]:
    return {"api-key": key}


@attrs.frozen
class Shelf:
    """Where a provider's models are listed: path behind the base address, key header, field of the list, field of a name in it.

    `wire` reads its errors.  `names_routes` says whether the listed names are those that routes have.
    """

    path: str
    header: Callable[[str], Mapping[str, str]]
    listed: str
    name: str
    wire: str
    names_routes: bool = True


SHELVES: Mapping[str, Shelf] = {
    "anthropic": Shelf("/v1/models?limit=1000", _anthropic, "data", "id", "anthropic"),
    "openai": Shelf("/models", _bearer, "data", "id", "openai_responses"),
    "openai-chat": Shelf("/models", _bearer, "data", "id", "openai_chat"),
    "google": Shelf("/v1beta/models?pageSize=1000", _google, "models", "name", "gemini"),
    "azure": Shelf(
        "/openai/models?api-version=2024-10-21", _azure, "data", "id", "openai_responses", names_routes=False
    ),
    "azure-chat": Shelf(
        "/openai/models?api-version=2024-10-21", _azure, "data", "id", "openai_chat", names_routes=False
    ),
}
"""The providers that list their models for a key; the others log in in ways of their own and are asked by a stream only."""


@attrs.frozen
class Offer:
    """What a provider said: its models by name, or why there are none; `seconds` it took."""

    models: tuple[str, ...] = ()
    failure: Failure | None = None
    seconds: float = 0.0


async def ask_models(endpoint: Endpoint, key: str, network: "httpcore2.AsyncNetworkBackend | None" = None) -> Offer:
    """Ask for the list with this key; weather comes back as a failure, never as an exception."""
    shelf, started = SHELVES[endpoint.provider], trio.current_time()
    connections = Connections(network)
    try:
        with trio.fail_after(TOTAL_SECONDS):
            models = await _models(endpoint, shelf, key, connections)
    except Exception as error:
        failure = classify(error, Phase.CONNECTION, endpoint.provider)
        if failure is None:
            raise
        return Offer((), failure, trio.current_time() - started)
    finally:
        await connections.aclose()
    return Offer(models, None, trio.current_time() - started)


async def _models(endpoint: Endpoint, shelf: Shelf, key: str, connections: Connections) -> tuple[str, ...]:
    url = endpoint.base_url + shelf.path
    client = http_client(connections)
    request = client.build_request(
        "GET", url, headers=shelf.header(key), timeout=httpx2.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    )
    response = await client.send(request, stream=True)
    try:
        if not response.is_success:
            await response.aread()
            dialect: Dialect = import_module(f"actors.wire.{shelf.wire}").DIALECT
            raise refused(response, dialect)
        content = await _content(response)
        return _read(scrubbed(content, [key]), shelf)  # a stranger may say the key again
    finally:
        await response.aclose()


async def _content(response: httpx2.Response) -> bytes:
    pieces, size = list[bytes](), 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > MOST_BYTES:
            raise MalformedError(f"the list of models is longer than {MOST_BYTES >> 20} MiB")
        pieces.append(piece)
    return b"".join(pieces)


def _read(content: bytes, shelf: Shelf) -> tuple[str, ...]:
    try:
        told: Any = json.decode(content)
        names = [str(model[shelf.name]).removeprefix("models/") for model in told[shelf.listed]]
    except (DecodeError, UnicodeError, KeyError, TypeError) as error:
        raise MalformedError(f"what answers is no list of models: {type(error).__name__}") from None
    return tuple(dict.fromkeys(shown(name, NAME_BYTES) for name in names))
