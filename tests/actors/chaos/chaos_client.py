"""An independent reader of what the simulator sends: plain httpx over sockets, httpx2 over the in-memory network."""

import json
from contextlib import asynccontextmanager

import h11
import httpcore2
import httpx
import httpx2
import pytest
import trio

from actors.chaos import Plan, Simulator, open_network

ANTHROPIC_HEADERS = {"x-api-key": "sk-ant-secret-of-nobody", "anthropic-version": "2023-06-01"}


def messages(prompt, *, model="claude-sonnet-4-5", stream=True, **more):
    body = {"model": model, "max_tokens": 4096, "stream": stream, "messages": [{"role": "user", "content": prompt}]}
    return body | more


@asynccontextmanager
async def socket_client(simulator, **options):
    """A client of the simulator over a loopback socket."""
    async with trio.open_nursery() as nursery:
        url = await nursery.start(simulator.listen)
        async with httpx.AsyncClient(base_url=url, headers=ANTHROPIC_HEADERS, **options) as client:
            yield client
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def memory_client(simulator, buffer=65536, **options):
    """A client of the simulator over the in-memory network; `client.network` is the network."""
    async with open_network(simulator, buffer) as network, on_network(network, **options) as client:
        client.network = network
        yield client


@asynccontextmanager
async def on_network(network, most=100, **options):
    transport = httpx2.AsyncHTTPTransport()
    transport._pool = httpcore2.AsyncConnectionPool(network_backend=network, max_connections=most)
    async with httpx2.AsyncClient(
        transport=transport, headers=ANTHROPIC_HEADERS, base_url="https://api.example", **options
    ) as client:
        yield client


def request_bytes(body, path="/v1/messages"):
    """A whole request as it stands on the wire, for a client without a pool."""
    content = json.dumps(body).encode()
    fields = {"host": "api.example", "connection": "close", "content-length": len(content)} | ANTHROPIC_HEADERS
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + content


async def read_plainly(stream, body):
    """The body of one streamed answer over a bare stream."""
    async with stream:
        await stream.send_all(request_bytes(body))
        http = h11.Connection(h11.CLIENT)
        http.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("connection", "close")]))
        http.send(h11.EndOfMessage())
        received = bytearray()
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                http.receive_data(await stream.receive_some())
            elif isinstance(event, h11.Data):
                received += event.data
        return bytes(received)


def events_of(body):
    """The events of an SSE body as (name, data) pairs; data is None where it is no JSON."""
    events = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line and line[:1] != b":")
        if b"data" in fields:
            try:
                data = json.loads(fields[b"data"])
            except ValueError:
                data = None
            events.append((fields.get(b"event", b"").decode(), data))
    return events


def text_of(body):
    """What an Anthropic stream says to its reader."""
    return "".join(data["delta"].get("text", "") for name, data in events_of(body) if name == "content_block_delta")


async def read_stream(client, path, body, **options):
    """Status, headers, all bytes that came, and the exception that ended them (or None)."""
    received = bytearray()
    try:
        async with client.stream("POST", path, json=body, **options) as response:
            async for chunk in response.aiter_raw():
                received += chunk
            return response, bytes(received), None
    except (httpx.TransportError, httpx2.TransportError) as error:
        return None, bytes(received), error


PATH = "/v1/messages"


NETWORKS = pytest.mark.parametrize("connect", [socket_client, memory_client])


def only(simulator):
    (entry,) = simulator.journal.entries
    return entry


async def plain_stream(client):
    """A bare connection to where this client connects."""
    if hasattr(client, "network"):
        return await client.network.connect()
    return await trio.open_tcp_stream(client.base_url.host, client.base_url.port)


async def stream_once(connect, plan, prompt="why", **options):
    simulator = Simulator(plan=Plan.parse(plan))
    async with connect(simulator, **options) as client:
        result = await read_stream(client, PATH, messages(prompt))
        with trio.fail_after(10):
            await simulator.quiet()
    return simulator, result


CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"

GEMINI = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"

BEARER = {"authorization": "Bearer sk-of-nobody"}

ASKED = [{"role": "user", "content": "why"}]

PATHS = {
    "openai-chat": (CHAT, {"model": "gpt-4.1", "messages": ASKED, "stream": True}),
    "openai": (RESPONSES, {"model": "gpt-5-mini", "input": ASKED, "stream": True}),
    "google": (GEMINI, {"contents": [{"role": "user", "parts": [{"text": "why"}]}]}),
}

PROVIDERS = pytest.mark.parametrize("provider", list(PATHS))


async def ask(simulator, provider, **changes):
    path, body = PATHS[provider]
    async with memory_client(simulator, timeout=5) as client:
        return await read_stream(client, path, body | changes, headers=BEARER)
