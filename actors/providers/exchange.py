"""One HTTP/1.1 exchange on a connection that stands: the request goes out, the head of the answer comes in.

h11 spells the request and reads the head; where the body ends is told by `framing`. The one rule: whatever goes wrong
leaves as an exception of httpx2, whoever raised it first.
"""

from collections.abc import Generator
from contextlib import contextmanager

import attrs
import h11
import httpcore2
import httpx2

from actors.providers.framing import Chunked, Framing, Sized

READ_BYTES = 64 * 1024
HEAD_BYTES = 100 * 1024
"""The longest head of an answer that is read; the figure of httpcore2."""

ANSWERS_ONCE = frozenset({b"llama.cpp"})
"""Servers, by their `server` header, whose connections are not used again whatever the head promises. llama.cpp closes behind
every streamed answer, and a request that follows at once races with it (34 of 120 were lost on a loopback); behind a
buffered one it waits for 5 s with one of its few threads, for which other connections wait (50 requests took 35 s instead of 7)."""

TRANSLATIONS: dict[type[Exception], type[httpx2.TransportError]] = {
    h11.RemoteProtocolError: httpx2.RemoteProtocolError,
    h11.LocalProtocolError: httpx2.LocalProtocolError,
    httpcore2.ConnectError: httpx2.ConnectError,
    httpcore2.ConnectTimeout: httpx2.ConnectTimeout,
    httpcore2.ReadError: httpx2.ReadError,
    httpcore2.ReadTimeout: httpx2.ReadTimeout,
    httpcore2.WriteError: httpx2.WriteError,
    httpcore2.WriteTimeout: httpx2.WriteTimeout,
}
FOREIGN = tuple(TRANSLATIONS)


def translated(error: Exception) -> httpx2.TransportError:
    """The exception of httpx2 that says what one of `FOREIGN` said."""
    kind = next(TRANSLATIONS[kind] for kind in type(error).__mro__ if kind in TRANSLATIONS)
    return kind(str(error))


@contextmanager
def translating() -> Generator[None]:
    """Let whatever the network or h11 raises leave as an exception of httpx2."""
    try:
        yield
    except FOREIGN as error:
        raise translated(error) from error


@attrs.frozen
class Head:
    """The head of an answer: `first` is what came with it of the body, `reusable` whether the connection may go on after."""

    status: int
    reason: bytes
    version: bytes
    headers: list[tuple[bytes, bytes]]
    framing: Framing
    first: bytes
    reusable: bool


async def exchange(line: httpcore2.AsyncNetworkStream, request: httpx2.Request) -> Head:
    """Send the request and read the head of the answer, informational ones (1xx) passed over.

    The request's timeouts `write` and `read` hold for each of the network's operations (seconds; absent means none).
    """
    timeouts = request.extensions.get("timeout", {})
    wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    body = await request.aread()
    sent = True
    with translating():
        try:
            await line.write(_spelled(wire, request, body), timeouts.get("write"))
        except httpcore2.WriteError:
            sent = False  # a server may answer and close before it has read all: its answer tells more than this error
        while True:
            event = wire.next_event()
            if isinstance(event, h11.Response):
                return _head(wire, request.method, event, sent=sent)
            if event is h11.NEED_DATA:
                octets = await line.read(READ_BYTES, timeouts.get("read"))
                if not octets:
                    raise httpx2.RemoteProtocolError(_unanswered(wire.trailing_data[0]))
                wire.receive_data(octets)


def _unanswered(heard: bytes) -> str:
    """What a server said that closed before it gave an answer: nothing, the beginning of one, or something else than HTTP."""
    if not heard or heard.startswith(b"HTTP/"):
        return "the server disconnected without an answer"
    return f"illegal status line: {heard[:40]!r}"


def _spelled(wire: h11.Connection, request: httpx2.Request, body: bytes) -> bytes:
    """Head and body together, so that a small request is one segment."""
    head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
    events = (head, h11.Data(data=body), h11.EndOfMessage()) if body else (head, h11.EndOfMessage())
    return b"".join(wire.send(event) or b"" for event in events)


def _head(wire: h11.Connection, method: str, response: h11.Response, *, sent: bool) -> Head:
    """h11 has checked the headers by now: at most one length, and no transfer coding but `chunked`."""
    framing = _framing(method, response)
    return Head(
        response.status_code,
        response.reason,
        b"HTTP/" + response.http_version,
        response.headers.raw_items(),
        framing,
        first=framing.feed(wire.trailing_data[0]),
        reusable=sent and wire.our_state is h11.DONE and not _answers_once(response),
    )


def _answers_once(response: h11.Response) -> bool:
    return next((value for name, value in response.headers if name == b"server"), b"") in ANSWERS_ONCE


def _framing(method: str, response: h11.Response) -> Framing:
    """RFC 9112 §6.3, for the answers a client can get."""
    headers = dict(response.headers)
    if method == "HEAD" or response.status_code in {204, 304}:
        return Sized(0)
    if b"transfer-encoding" in headers:
        return Chunked()
    if b"content-length" in headers:
        return Sized(int(headers[b"content-length"]))
    return Framing()
