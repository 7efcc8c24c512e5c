"""What is compared: one row for each way to receive a stream of a model's events.

A row opens its client once and reads one stream with it, calling `delivered` for each delta. To add one, write its
context manager and name it in `ROWS`. Imports are local, so that a process holds nothing but the client it measures.
"""

# ruff: noqa: PLC0415 -- a row imports the client it is about, and no other
# The official clients leave types open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import msgspec

Delivered: TypeAlias = Callable[[], None]
Read: TypeAlias = Callable[[str, Delivered], Awaitable[None]]
Open: TypeAlias = Callable[[str], AbstractAsyncContextManager[Read]]

PROMPT = "Say something."
LIMIT = 1024


class Delta(msgspec.Struct):
    """The part of a delta that is read."""

    text: str = ""


class Event(msgspec.Struct):
    """An event of the Anthropic wire, as far as a byte row looks at it."""

    type: str
    delta: Delta | None = None


decode = msgspec.json.Decoder(Event).decode


def deltas(octets: bytes, held: bytes, delivered: Delivered) -> bytes:
    """Deliver the deltas in some bytes of the Anthropic wire; returns what is not yet a whole event."""
    *events, held = (held + octets).split(b"\n\n")
    for event in events:
        if decode(event[event.index(b"data: ") + 6 :]).type == "content_block_delta":
            delivered()
    return held


def question(model: str) -> bytes:
    """The JSON body of a request on the Anthropic wire."""
    messages = [{"role": "user", "content": PROMPT}]
    return msgspec.json.encode({"model": model, "max_tokens": LIMIT, "stream": True, "messages": messages})


@asynccontextmanager
async def raw_socket(base_url: str) -> AsyncGenerator[Read]:
    """No HTTP client at all: the floor."""
    import trio

    async def read(model: str, delivered: Delivered) -> None:
        body, held = question(model), b""
        async with await trio.open_tcp_stream("127.0.0.1", int(base_url.rpartition(":")[2])) as stream:
            await stream.send_all(b"POST /v1/messages HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            held = (await stream.receive_some()).partition(b"\r\n\r\n")[2]
            while not held.startswith(b"0\r\n"):
                held = deltas((await stream.receive_some()).replace(b"\n\n\r\n", b"\n\n"), held, delivered)

    yield read


@asynccontextmanager
async def httpx2_bytes(base_url: str) -> AsyncGenerator[Read]:
    """The byte stream of httpx2: what everything else here is measured by."""
    import httpx2

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(base_url=base_url, limits=limits, timeout=600) as client:

        async def read(model: str, delivered: Delivered) -> None:
            async with client.stream("POST", "/v1/messages", content=question(model)) as response:
                held = b""
                async for octets in response.aiter_bytes():
                    held = deltas(octets, held, delivered)

        yield read


@asynccontextmanager
async def our_bodies(base_url: str) -> AsyncGenerator[Read]:
    """Our pool and our bodies, nothing above them."""
    import httpx2

    from actors.providers.bodies import Body
    from actors.providers.connections import Connections

    async with httpx2.AsyncClient(base_url=base_url, transport=Connections(), timeout=600) as client:

        async def read(model: str, delivered: Delivered) -> None:
            async with client.stream("POST", "/v1/messages", content=question(model)) as response:
                body, held = Body.of(response), b""
                while octets := await body.receive():
                    held = deltas(octets, held, delivered)

        yield read


@asynccontextmanager
async def supervised(base_url: str) -> AsyncGenerator[Read]:
    """The whole of it: `open_streams`, a supervised actor for each stream, decoded deltas, assembled answers."""
    from actors import Ladder, TextDelta, open_streams
    from actors.config import Settings

    settings = Settings.read({"ANTHROPIC_API_KEY": "bench", "ANTHROPIC_BASE_URL": base_url})
    async with open_streams(settings=settings) as streams:

        async def read(model: str, delivered: Delivered) -> None:
            async with streams.open(PROMPT, Ladder(f"anthropic:{model}")) as stream:
                async for event in stream:
                    if isinstance(event, TextDelta):
                        delivered()

        yield read


@asynccontextmanager
async def anthropic_client(base_url: str) -> AsyncGenerator[Read]:
    """The official anthropic client, raw events."""
    import anthropic

    async with anthropic.AsyncAnthropic(api_key="bench", base_url=base_url, max_retries=0, timeout=600) as client:

        async def read(model: str, delivered: Delivered) -> None:
            async for event in await client.messages.create(
                model=model, max_tokens=LIMIT, messages=[{"role": "user", "content": PROMPT}], stream=True
            ):
                if event.type == "content_block_delta":
                    delivered()

        yield read


@asynccontextmanager
async def openai_client(base_url: str) -> AsyncGenerator[Read]:
    """The official openai client, chat completions."""
    import openai

    async with openai.AsyncOpenAI(api_key="bench", base_url=f"{base_url}/v1", max_retries=0, timeout=600) as client:

        async def read(model: str, delivered: Delivered) -> None:
            async for part in await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": PROMPT}], stream=True
            ):
                if part.choices[0].delta.content:
                    delivered()

        yield read


@asynccontextmanager
async def google_client(base_url: str) -> AsyncGenerator[Read]:
    """The official google-genai client."""
    import httpx2
    from google import genai
    from google.genai import types

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(limits=limits, timeout=600) as http:
        options = types.HttpOptions(base_url=base_url, httpx_async_client=http)
        client = genai.Client(api_key="bench", http_options=options)

        async def read(model: str, delivered: Delivered) -> None:
            async for part in await client.aio.models.generate_content_stream(model=model, contents=PROMPT):
                if part.text:
                    delivered()

        yield read


ROWS: dict[str, Open] = {
    "raw socket": raw_socket,
    "httpx2 bytes": httpx2_bytes,
    "our bodies": our_bodies,
    "supervised": supervised,
    "anthropic client": anthropic_client,
    "openai client": openai_client,
    "google-genai client": google_client,
}
YARDSTICK = "httpx2 bytes"
