"""Real exceptions of the system and of the clients, and what each means; a bug means nothing and is raised on."""

import errno
import socket
import ssl

import anthropic
import h11
import httpcore2
import httpx
import httpx2
import openai
import pytest
import trio

from actors.failure import FailureKind, Phase
from actors.policy.classify import classify
from actors.providers.exchange import exchange
from actors.providers.framing import Chunked, Sized
from actors.source import EncodingError, MalformedError, RefusedError, TruncatedError, WireError

K = FailureKind
REQUEST = httpx2.Request("POST", "https://api.example.com/v1/messages")


def kind(error, phase=Phase.STREAMING):
    failure = classify(error, phase, "anthropic", "m")
    return None if failure is None else failure.kind


def caused(error, *causes):
    """The error raised `from` its causes, the nearest first."""
    last = error
    for cause in causes:
        last.__cause__ = cause
        last = cause
    return error


def group(*errors):
    return ExceptionGroup("several", errors)


# -- the network, as it is met while connecting and while streaming

TIMEOUT_ERRNO = OSError(errno.ETIMEDOUT, "Connection timed out")
BAD_CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
WRONG_VERSION = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
BAD_RECORD = ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]")

NETWORK = [
    # exception, while connecting, while streaming
    (httpx2.ConnectTimeout("late"), K.CONNECT_TIMEOUT, K.CONNECT_TIMEOUT),
    (httpx2.ReadTimeout("late"), K.TIMEOUT, K.TIMEOUT),
    (httpx2.WriteTimeout("late"), K.TIMEOUT, K.TIMEOUT),
    (httpx2.PoolTimeout("late"), K.TIMEOUT, K.TIMEOUT),
    (httpx2.ConnectError("no"), K.REFUSED, K.REFUSED),
    (httpx2.ReadError("cut"), K.RESET, K.RESET),
    (httpx2.WriteError("cut"), K.RESET, K.RESET),
    (httpx2.CloseError("cut"), K.RESET, K.RESET),
    (httpx2.ProxyError("403 Forbidden"), K.REFUSED, K.REFUSED),
    (httpx2.UnsupportedProtocol("ftp"), K.PROTOCOL, K.PROTOCOL),
    (httpx2.TooManyRedirects("20"), K.PROTOCOL, K.PROTOCOL),
    (httpx2.DecodingError("gzip"), K.MALFORMED, K.MALFORMED),
    (httpx2.RemoteProtocolError("illegal status line: b'SSH-2.0'"), K.PROTOCOL, K.TRUNCATED),
    (httpx2.RemoteProtocolError("Server disconnected without sending a response."), K.RESET, K.TRUNCATED),
    (httpx.ConnectTimeout("late"), K.CONNECT_TIMEOUT, K.CONNECT_TIMEOUT),
    (httpx.ReadTimeout("late"), K.TIMEOUT, K.TIMEOUT),
    (httpx.ConnectError("no"), K.REFUSED, K.REFUSED),
    (httpx.ReadError("cut"), K.RESET, K.RESET),
    (httpx.RemoteProtocolError("Server disconnected without sending a response."), K.RESET, K.TRUNCATED),
    (httpcore2.ConnectTimeout("late"), K.CONNECT_TIMEOUT, K.CONNECT_TIMEOUT),
    (httpcore2.ReadError("cut"), K.RESET, K.RESET),
    (httpcore2.RemoteProtocolError("illegal header line"), K.PROTOCOL, K.TRUNCATED),
    (trio.BrokenResourceError(), K.RESET, K.RESET),
    (trio.TooSlowError(), K.TIMEOUT, K.TIMEOUT),
    (TimeoutError(), K.TIMEOUT, K.TIMEOUT),
    (ConnectionResetError("by hand"), K.RESET, K.RESET),
    (ConnectionRefusedError("by hand"), K.REFUSED, K.REFUSED),
    (BrokenPipeError(), K.RESET, K.RESET),
    (OSError(errno.ECONNREFUSED, "refused"), K.REFUSED, K.REFUSED),
    (OSError(errno.ECONNRESET, "reset"), K.RESET, K.RESET),
    (OSError(errno.EPIPE, "pipe"), K.RESET, K.RESET),
    (TIMEOUT_ERRNO, K.TIMEOUT, K.TIMEOUT),
    (OSError(errno.EHOSTUNREACH, "no route"), K.REFUSED, K.REFUSED),
    (OSError(errno.ENETUNREACH, "no network"), K.REFUSED, K.REFUSED),
    (OSError(errno.EADDRNOTAVAIL, "no port left"), K.REFUSED, K.REFUSED),
    (OSError(errno.EMFILE, "too many open files"), K.FILES, K.FILES),
    (OSError(errno.ENFILE, "too many open files"), K.FILES, K.FILES),
    (OSError(errno.ENOMEM, "no memory"), K.MEMORY, K.MEMORY),
    (MemoryError(), K.MEMORY, K.MEMORY),
    (socket.gaierror(socket.EAI_AGAIN, "try again"), K.DNS_TEMPORARY, K.DNS_TEMPORARY),
    (socket.gaierror(socket.EAI_NONAME, "not known"), K.DNS_PERMANENT, K.DNS_PERMANENT),
    (socket.gaierror("no number"), K.DNS_PERMANENT, K.DNS_PERMANENT),
    (BAD_CERTIFICATE, K.TLS, K.TLS),
    (WRONG_VERSION, K.TLS, K.RESET),
    (BAD_RECORD, K.TLS, K.RESET),
    (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), K.RESET, K.RESET),
    (ssl.SSLZeroReturnError(6, "closed"), K.RESET, K.RESET),
    (anthropic.APIConnectionError(request=REQUEST), K.RESET, K.RESET),
    (anthropic.APITimeoutError(REQUEST), K.TIMEOUT, K.TIMEOUT),
    (openai.APIConnectionError(request=REQUEST), K.RESET, K.RESET),
    (openai.APITimeoutError(REQUEST), K.TIMEOUT, K.TIMEOUT),
]


@pytest.mark.parametrize(("error", "connecting", "streaming"), NETWORK, ids=lambda value: repr(value)[:60])
def test_a_network_error_is_known_by_number_or_name(error, connecting, streaming):
    assert kind(error, Phase.CONNECTION) is connecting
    assert kind(error, Phase.STREAMING) is streaming


CHAINS = [
    # exceptions, each raised from the next
    ((httpx2.ConnectError(""), httpcore2.ConnectError(""), OSError(errno.ECONNREFUSED, "no")), K.REFUSED),
    ((httpx2.ConnectError(""), httpcore2.ConnectError(""), OSError(errno.EMFILE, "files")), K.FILES),
    ((httpx2.ConnectError(""), httpcore2.ConnectError(""), socket.gaierror(-2, "unknown")), K.DNS_PERMANENT),
    ((httpx2.ConnectError(""), trio.BrokenResourceError(), BAD_CERTIFICATE), K.TLS),
    ((httpx2.ConnectError(""), OSError("all attempts failed"), OSError(errno.EHOSTUNREACH, "no")), K.REFUSED),
    ((httpx2.ConnectTimeout(""), httpcore2.ConnectTimeout(""), trio.TooSlowError()), K.CONNECT_TIMEOUT),
    ((anthropic.APITimeoutError(REQUEST), httpx2.ConnectTimeout(""), TimeoutError()), K.CONNECT_TIMEOUT),
    ((anthropic.APITimeoutError(REQUEST), httpx2.ReadTimeout(""), trio.TooSlowError()), K.TIMEOUT),
    ((anthropic.APIConnectionError(request=REQUEST), httpx2.ConnectError(""), ConnectionRefusedError()), K.REFUSED),
    ((openai.APIConnectionError(request=REQUEST), httpx2.ConnectError(""), socket.gaierror(-3, "")), K.DNS_TEMPORARY),
    ((openai.APIConnectionError(request=REQUEST), RuntimeError("own transport")), K.RESET),
    ((httpx2.ReadError(""), trio.BrokenResourceError(), OSError(errno.ECONNRESET, "reset")), K.RESET),
    ((httpx2.ReadError(""), trio.BrokenResourceError(), TIMEOUT_ERRNO), K.TIMEOUT),
    ((RuntimeError("the client of someone"), httpx2.ReadError("cut")), K.RESET),
    ((RuntimeError("the client of someone"), TruncatedError("cut"), KeyError("inside")), K.TRUNCATED),
]


@pytest.mark.parametrize(("chain", "expected"), CHAINS, ids=lambda value: repr(value)[:60])
def test_the_innermost_cause_says_what_it_is(chain, expected):
    assert kind(caused(*chain), Phase.CONNECTION) is expected


def test_a_cause_that_is_its_own_cause_ends():
    error = httpx2.ReadError("cut")
    assert kind(caused(error, error)) is K.RESET


GROUPS = [
    (group(httpx2.ReadError("cut")), K.RESET),
    (group(group(OSError(errno.EMFILE, "files"))), K.FILES),
    (group(httpx2.ReadError("cut"), RefusedError("busy", status=529)), K.OVERLOADED),
    (group(httpx2.ReadError("cut"), KeyError("bug")), None),
    (group(KeyError("bug"), httpx2.ReadError("cut")), None),
    (
        caused(httpx2.ConnectError(""), OSError("all failed"), group(ConnectionRefusedError(), OSError(99, ""))),
        K.REFUSED,
    ),
    (
        caused(httpx2.ConnectError(""), OSError("all failed"), group(ConnectionRefusedError(), OSError(9, ""))),
        K.REFUSED,
    ),
    (caused(RuntimeError("ours"), group(ConnectionResetError(), KeyError("bug"))), None),
]


@pytest.mark.parametrize(("error", "expected"), GROUPS, ids=repr)
def test_a_group_is_weather_only_where_all_of_it_is(error, expected):
    assert kind(error, Phase.CONNECTION) is expected


async def test_nothing_listening_is_refused_through_every_wrapping():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = anthropic.AsyncAnthropic(
            api_key="k", base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", max_retries=0
        )
        async with client:
            with pytest.raises(anthropic.APIConnectionError) as refused:
                await client.post("/v1/messages", body={}, cast_to=object)
    failure = classify(refused.value, Phase.CONNECTION)
    assert failure.kind is K.REFUSED
    assert failure.message


# -- a peer that closed is not one that speaks something else


def faults_of_our_framing():
    for framing, octets in ((Sized(10), b""), (Sized(10), b"abc"), (Chunked(), b""), (Chunked(), b"5\r\nhel")):
        framing.feed(octets)
        framing.close()
        yield framing.fault


def faults_of_h11():
    for head in (b"Content-Length: 10\r\n", b"Transfer-Encoding: chunked\r\n"):
        wire = h11.Connection(h11.CLIENT)
        wire.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
        wire.send(h11.EndOfMessage())
        wire.receive_data(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        wire.next_event()
        wire.receive_data(b"")
        with pytest.raises(h11.RemoteProtocolError) as cut:
            wire.next_event()
        yield httpx2.RemoteProtocolError(str(cut.value))


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.promise("P7")
def test_a_body_cut_short_is_truncation_in_every_phase(phase):
    kinds = [kind(fault, phase) for fault in (*faults_of_our_framing(), *faults_of_h11())]
    assert kinds == [K.TRUNCATED] * 6


class Silent(httpcore2.AsyncNetworkStream):
    """A peer that takes the request and closes."""

    async def read(self, *_):
        return b""

    async def write(self, *_):
        pass


async def test_a_connection_closed_without_an_answer_is_lost():
    with pytest.raises(httpx2.RemoteProtocolError) as closed:
        await exchange(Silent(), httpx2.Request("GET", "http://h/"))
    assert kind(closed.value, Phase.CONNECTION) is K.RESET


# -- bugs


def raised_while_treating(bug, weather):
    """The bug as Python leaves it when it is raised in an `except` clause: it has a context and no cause."""
    bug.__context__ = weather
    return bug


BUGS = [
    KeyError("choices"),
    AttributeError("'NoneType' object has no attribute 'text'"),
    AssertionError(),
    TypeError("429"),
    ValueError("429 Too Many Requests"),
    RecursionError(),
    RuntimeError("overloaded_error"),
    ZeroDivisionError(),
    FileNotFoundError(errno.ENOENT, "no such file"),
    PermissionError(errno.EACCES, "denied"),
    OSError(errno.EBADF, "bad descriptor"),
    trio.ClosedResourceError(),
    httpx2.LocalProtocolError("illegal header value"),
    httpx2.StreamConsumed(),
]


@pytest.mark.parametrize("bug", BUGS, ids=repr)
def test_a_bug_is_no_weather(bug):
    assert [classify(bug, phase) for phase in Phase] == [None] * 4


@pytest.mark.parametrize("bug", [KeyError("x"), AttributeError("x"), AssertionError(), TypeError("x")], ids=repr)
def test_a_bug_in_the_treatment_of_weather_is_a_bug(bug):
    assert kind(raised_while_treating(bug, httpx2.ReadError("cut"))) is None


# -- what the wire says

WIRE = [
    (MalformedError("what"), K.MALFORMED),
    (caused(MalformedError("what"), ConnectionResetError()), K.MALFORMED),
    (WireError("what"), K.MALFORMED),
    (TruncatedError("cut"), K.TRUNCATED),
    (EncodingError("no images"), K.INVALID_REQUEST),
]


@pytest.mark.parametrize(("error", "expected"), WIRE, ids=repr)
def test_a_wire_error_says_itself_what_it_is(error, expected):
    assert kind(error) is expected


def test_a_silent_exception_is_told_by_what_wraps_it_or_by_its_name():
    assert classify(caused(httpx2.ReadTimeout("5 s over"), trio.TooSlowError()), Phase.STREAMING).message == "5 s over"
    assert classify(trio.BrokenResourceError(), Phase.STREAMING).message == "BrokenResourceError"
