"""Real exceptions of the system and of the clients, and what each means; a bug means nothing and is raised on."""

import errno
import gzip
import json
import pickle
import socket
import ssl
from pathlib import Path

import anthropic
import h11
import httpcore2
import httpx
import httpx2
import openai
import pytest
import trio
from google.genai import errors as genai
from hypothesis import given
from hypothesis import strategies as st

from actors.failure import FailureKind, Phase
from actors.policy.classify import classify
from actors.policy.meanings import BY_CODE, BY_STATUS
from actors.providers.exchange import exchange
from actors.providers.framing import Chunked, Sized
from actors.source import EncodingError, MalformedError, RefusedError, TruncatedError, WireError

K = FailureKind
RECORDED = Path(__file__).parents[3] / "../shared/wire/anthropic.jsonl.gz"
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


@pytest.mark.parametrize(("status", "expected"), BY_STATUS.items())
def test_a_status_without_words_means_what_the_table_says(status, expected):
    failure = classify(RefusedError("?", status=status), Phase.CONNECTION)
    assert (failure.kind, failure.status) == (expected, status)


@pytest.mark.parametrize(("status", "expected"), [(418, K.INVALID_REQUEST), (451, K.INVALID_REQUEST), (520, K.SERVER)])
def test_a_status_of_no_row_means_its_class(status, expected):
    assert kind(RefusedError("?", status=status)) is expected


@pytest.mark.parametrize("code", BY_CODE)
def test_a_word_of_the_provider_means_the_same_as_code_and_as_kind(code):
    as_code, as_kind = (RefusedError("?", status=200, in_stream=True, **{at: code}) for at in ("code", "kind"))
    assert kind(as_code) is kind(as_kind) is BY_CODE[code]


REFUSALS = [
    # status, kind, code, message, what it is
    (401, "api_error", "", "Unauthorized", K.INVALID_KEY),
    (401, "authentication_error", "invalid_request_error", "Authentication Fails", K.INVALID_KEY),
    (404, "invalid_request_error", "DeploymentNotFound", "does not exist", K.MODEL_UNAVAILABLE),
    (503, "server_error", "", "The engine is currently overloaded", K.UNAVAILABLE),
    (500, "internal_server_error", "1000", "Service unavailable.", K.SERVER),
    (400, "insufficient_quota", "insufficient_quota", "You exceeded your current quota", K.QUOTA),
    (429, "insufficient_quota", "", "You exceeded your current quota", K.QUOTA),
    (429, "rate_limit_error", "contract_spend_limit_reached", "spent", K.QUOTA),
    (429, "tokens", "rate_limit_exceeded", "Rate limit reached", K.RATE_LIMIT),
    (429, "billing_not_active", "billing_not_active", "not active", K.QUOTA),
    (400, "invalid_request_error", "context_length_exceeded", "too long", K.CONTEXT_WINDOW),
    (400, "invalid_request_error", "content_policy_violation", "no", K.POLICY),
    (400, "INVALID_ARGUMENT", "400", "API key not valid. Please pass a valid API key.", K.INVALID_KEY),
    (400, "INVALID_ARGUMENT", "API_KEY_INVALID", "API key expired. Please renew the API key.", K.EXPIRED_KEY),
    (400, "INVALID_ARGUMENT", "400", "The input token count (9) exceeds the maximum", K.CONTEXT_WINDOW),
    (400, "FAILED_PRECONDITION", "400", "User location is not supported for the API use.", K.PERMISSION),
    (429, "RESOURCE_EXHAUSTED", "429", "Resource has been exhausted", K.RATE_LIMIT),
    (400, "", "400", "This endpoint's maximum context length is 9 tokens.", K.CONTEXT_WINDOW),
    (400, "", "", "Incorrect API key provided: in***ey.", K.INVALID_KEY),
    # in a stream that began with 200
    (200, "overloaded_error", "", "Overloaded", K.OVERLOADED),
    (200, "server_error", "", "The server had an error", K.SERVER),
    (200, "invalid_request_error", "tool_use_failed", "Tool choice is required", K.TOOL_JSON),
    (200, "invalid_request_error", "", "no", K.INVALID_REQUEST),
    (200, "", "502", "Bad gateway", K.UNAVAILABLE),
    (200, "server_error", "500", "Context size has been exceeded.", K.CONTEXT_WINDOW),
    (200, "", "", "something new", K.SERVER),
    # numbers and words in the text decide nothing
    (400, "invalid_request_error", "", "cost 0.0429", K.INVALID_REQUEST),
    (400, "invalid_request_error", "", "see req_503abc", K.INVALID_REQUEST),
    (400, "invalid_request_error", "", "messages.0: 'prompt is too long' is no role", K.INVALID_REQUEST),
    (400, "invalid_request_error", "", "rate_limit_error overloaded_error 529", K.INVALID_REQUEST),
    (500, "api_error", "", "your credit balance is too low", K.SERVER),
    (503, "", "", "connection timeout 401", K.UNAVAILABLE),
]


@pytest.mark.parametrize(("status", "kind_", "code", "message", "expected"), REFUSALS)
def test_a_refusal_is_read_by_code_kind_status_and_then_its_first_words(status, kind_, code, message, expected):
    assert kind(RefusedError(message, status=status, kind=kind_, code=code)) is expected


@pytest.mark.parametrize("message", ["cost 0.0429", "req_503abc", "HTTP 401", "overloaded_error", "connection reset"])
def test_text_of_an_unknown_error_never_makes_it_weather(message):
    assert kind(RuntimeError(message)) is None


@given(st.text(), st.sampled_from(sorted(BY_STATUS)))
def test_a_message_changes_a_kind_only_within_its_status(message, status):
    assert kind(RefusedError("x" + message, status=status)) is BY_STATUS[status]


# -- the exceptions of the official clients


def answer(status, body=None, **headers):
    return httpx2.Response(status, request=REQUEST, json=body, headers={"request-id": "req_1", **headers})


def anthropic_error(cls, status, type_, message, code=None):
    error = {"type": type_, "message": message, **({"details": {"error_code": code}} if code else {})}
    body = {"type": "error", "error": error}
    return cls(f"Error code: {status} - {body}", response=answer(status, body, **{"retry-after": "7"}), body=body)


def openai_error(cls, status, type_, code, message="no"):
    body = {"type": type_, "code": code, "message": message}
    return cls(f"Error code: {status} - {body}", response=answer(status, body), body=body)


CLIENTS = [
    (anthropic_error(anthropic.RateLimitError, 429, "rate_limit_error", "slow"), K.RATE_LIMIT),
    (anthropic_error(anthropic.RateLimitError, 429, "rate_limit_error", "", "enforced_spend_limit_reached"), K.QUOTA),
    (anthropic_error(anthropic.OverloadedError, 529, "overloaded_error", "Overloaded"), K.OVERLOADED),
    (anthropic_error(anthropic.APIStatusError, 200, "overloaded_error", "Overloaded"), K.OVERLOADED),
    (
        anthropic_error(anthropic.BadRequestError, 400, "invalid_request_error", "prompt is too long: 9"),
        K.CONTEXT_WINDOW,
    ),
    (anthropic_error(anthropic.AuthenticationError, 401, "authentication_error", "invalid"), K.INVALID_KEY),
    (openai_error(openai.RateLimitError, 429, "insufficient_quota", "insufficient_quota"), K.QUOTA),
    (openai_error(openai.RateLimitError, 429, "requests", "rate_limit_exceeded"), K.RATE_LIMIT),
    (openai_error(openai.InternalServerError, 503, None, None), K.UNAVAILABLE),
    (openai_error(openai.NotFoundError, 404, "invalid_request_error", "model_not_found"), K.MODEL_UNAVAILABLE),
    (openai.APIError("in the stream", REQUEST, body={"type": "server_error", "code": None}), K.SERVER),
    (openai.APIResponseValidationError(answer(200), None), K.MALFORMED),
    (genai.ServerError(503, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "busy"}}), K.UNAVAILABLE),
    (genai.ClientError(429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"}}), K.RATE_LIMIT),
    (genai.ClientError(400, {"error": {"status": "INVALID_ARGUMENT", "message": "API key not valid."}}), K.INVALID_KEY),
    (httpx2.HTTPStatusError("no", request=REQUEST, response=answer(502)), K.UNAVAILABLE),
    (httpx.HTTPStatusError("no", request=httpx.Request("GET", "http://h"), response=httpx.Response(429)), K.RATE_LIMIT),
]


@pytest.mark.parametrize(("error", "expected"), CLIENTS, ids=lambda value: repr(value)[:60])
def test_a_refusal_told_by_a_client_is_read_like_our_own(error, expected):
    assert kind(error) is expected


def test_what_a_client_knows_of_a_refusal_is_kept():
    error = anthropic_error(anthropic.RateLimitError, 429, "rate_limit_error", "slow down")
    failure = classify(error, Phase.CONNECTION, "mine", "m")
    assert (failure.message, failure.status, failure.code) == ("slow down", 429, "rate_limit_error")
    assert (failure.retry_after, failure.request_id) == (7.0, "req_1")
    assert (failure.phase, failure.provider, failure.model) == (Phase.CONNECTION, "mine", "m")


@pytest.mark.parametrize("stated", ["soon", "-1", "inf", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wait_that_is_no_number_of_seconds_is_none(stated):
    error = anthropic.RateLimitError("", response=answer(429, **{"retry-after": stated}), body=None)
    assert classify(error, Phase.CONNECTION).retry_after is None


@pytest.mark.promise("P13")
def test_an_address_never_reaches_the_message():
    url = "https://h/v1?key=AIzaSecret"
    error = httpx2.HTTPStatusError(f"404 for {url}", request=httpx2.Request("GET", url), response=answer(404))
    assert "AIzaSecret" not in repr(classify(error, Phase.CONNECTION))


# -- the failure as a value


@pytest.mark.promise("P14")
def test_a_failure_stays_small_whatever_a_provider_says():
    headers = {"request-id": "r" * 5000}
    error = RefusedError("m" * 5000, status=500, kind="k" * 5000, code="c" * 5000, headers=headers)
    failure = classify(error, Phase.STREAMING, "anthropic", "claude-sonnet-4-5")
    assert len(pickle.dumps(failure)) < 1024
    assert pickle.loads(pickle.dumps(failure)) == failure


def test_a_silent_exception_is_told_by_what_wraps_it_or_by_its_name():
    assert classify(caused(httpx2.ReadTimeout("5 s over"), trio.TooSlowError()), Phase.STREAMING).message == "5 s over"
    assert classify(trio.BrokenResourceError(), Phase.STREAMING).message == "BrokenResourceError"


# -- recorded refusals

RECORDED_KINDS = {
    (400, "invalid_request_error"): K.INVALID_REQUEST,
    (401, "authentication_error"): K.INVALID_KEY,
    (404, "not_found_error"): K.MODEL_UNAVAILABLE,
    (404, ""): K.MODEL_UNAVAILABLE,
    (429, "rate_limit_error"): K.RATE_LIMIT,
    (500, "api_error"): K.SERVER,
    (529, "overloaded_error"): K.OVERLOADED,
}
RECORDED_WORDS = {"prompt is too long:": K.CONTEXT_WINDOW, "Your credit balance is too low": K.QUOTA}


def test_recorded_refusals_are_what_their_status_and_type_say():
    if not RECORDED.exists():
        pytest.skip("the recorded traffic is not part of the project and not here")
    seen = set()
    with gzip.open(RECORDED) as lines:
        errors = [record for line in lines if (record := json.loads(line))["kind"] == "error"]
    for record in errors:
        said = json.loads(record["response_body"]).get("error", {})
        refused = RefusedError(said.get("message", ""), status=record["status"], kind=said.get("type", ""))
        expected = RECORDED_KINDS[refused.status, refused.kind]
        if refused.status == 400:
            expected = next((RECORDED_WORDS[word] for word in RECORDED_WORDS if word in refused.message), expected)
        assert kind(refused) is expected, record["id"]
        seen.add(expected)
    assert seen == {*RECORDED_KINDS.values(), *RECORDED_WORDS.values()}
