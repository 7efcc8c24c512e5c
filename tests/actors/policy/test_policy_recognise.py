"""What a text is taken for: exceptions, bodies, statuses, and everything that only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.cli.scenes import SCENES
from actors.failure import FailureKind, Phase
from actors.policy.recognise import answered, recognise

K = FailureKind
CHAINED = """Traceback (most recent call last):
  File "/app/a.py", line 503, in connect
    sock.connect(address)
ConnectionRefusedError: [Errno 111] Connection refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/b.py", line 429, in send
    raise APIConnectionError(request=request) from err
openai.APIConnectionError: Connection error.
"""

UNWRAPPED = """Traceback (most recent call last):
  File "/app/a.py", line 503, in ask
    outcome.unwrap()
  File "/app/outcome.py", line 130, in unwrap
    raise (RetryExhausted if self.exhausted else StreamFailed)(self) from self.cause
actors.outcome.RetryExhausted: [first event] Rate limited at a:m (slow down): a asks for fewer requests
attempts exhausted after 2 attempts: 1 on a:m (rate_limit); 2 on a:m (rate_limit)
Lower --concurrency, or raise the limit at https://console.anthropic.com
trace 9b810e766ec9d28663ca828dd5f4b3b2
"""

TEXTS = [
    ("HTTP 429", K.RATE_LIMIT),
    ("HTTP/1.1 503 Service Unavailable", K.UNAVAILABLE),
    ("status: 529", K.OVERLOADED),
    ("429", K.RATE_LIMIT),
    ("error 429", K.RATE_LIMIT),
    ("error 503 from upstream", K.UNAVAILABLE),
    ("Error: 503 Service Unavailable", K.UNAVAILABLE),
    ("status 503, try again", K.UNAVAILABLE),
    ("status=503 provider=x", K.UNAVAILABLE),
    ("HTTP Error 404: Not Found", K.MODEL_UNAVAILABLE),
    ("504 Gateway Timeout", K.TIMEOUT),
    ("Error code: 401 - {'error': {'type': 'authentication_error', 'message': 'invalid x-api-key'}}", K.INVALID_KEY),
    (
        "anthropic.RateLimitError: Error code: 429 - {'error': {'type': 'rate_limit_error', 'message': 'x'}}",
        K.RATE_LIMIT,
    ),
    ("openai.RateLimitError: Error code: 429 - {'error': {'message': 'x', 'code': 'insufficient_quota'}}", K.QUOTA),
    (
        "google.genai.errors.ClientError: 400 INVALID_ARGUMENT. {'error': {'code': 400, 'message': 'API key not valid.'}}",
        K.INVALID_KEY,
    ),
    ("httpx.HTTPStatusError: Client error '404 Not Found' for url 'https://x/v1'", K.MODEL_UNAVAILABLE),
    ('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', K.OVERLOADED),
    ('{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}', K.UNAVAILABLE),
    ("ConnectionResetError: [Errno 104] Connection reset by peer", K.RESET),
    ("ConnectionRefusedError(111, 'Connection refused')", K.REFUSED),
    ("socket.gaierror: [Errno -3] Temporary failure in name resolution", K.DNS_TEMPORARY),
    ("socket.gaierror: [Errno -2] Name or service not known", K.DNS_PERMANENT),
    ("httpx.ReadTimeout", K.TIMEOUT),
    ("httpcore2.ConnectTimeout: no connection within 10 s", K.CONNECT_TIMEOUT),
    ("ssl.SSLCertVerificationError: certificate verify failed", K.TLS),
    ("OSError: [Errno 24] Too many open files", K.FILES),
    ("MemoryError", K.MEMORY),
    ("KeyboardInterrupt", K.CANCELLED),
    ("trio.Cancelled: cancelled", K.CANCELLED),
    ("ZeroDivisionError: division by zero", K.CRASH),
    ("prompt is too long: 200021 tokens > 200000 maximum", K.CONTEXT_WINDOW),
    ("RESOURCE_EXHAUSTED", K.RATE_LIMIT),
    ("overloaded_error", K.OVERLOADED),
    ("ECONNRESET", K.RESET),
    ("Connection refused", K.REFUSED),
    ("too many open files", K.FILES),
    ("rate_limit", K.RATE_LIMIT),
    ("Memory exhausted", K.MEMORY),
    ("[streaming] Stream cut short at google:gemini (gone): the answer ended", K.TRUNCATED),
    (
        "actors.outcome.RetryExhausted: [connection] Rate limited at a:m (slow down): a asks for fewer requests",
        K.RATE_LIMIT,
    ),
    (
        "  | actors.outcome.StreamFailed: [streaming] Stopped\n  | actors.outcome.StreamFailed: [connection] Quota used up at a:m: x",
        K.QUOTA,
    ),
    ("openai.AuthenticationError: the key is wrong", K.INVALID_KEY),
    ("RateLimitError: Rate limit reached for gpt-5-mini", K.RATE_LIMIT),
    ("anthropic.InternalServerError", K.SERVER),
    ("elasticsearch.NotFoundError: no such index", K.UNKNOWN),
    (
        "1  failed\nInvalid credentials, first event: invalid x-api-key\nanthropic does not accept the key",
        K.INVALID_KEY,
    ),
    ("Operation timeout, streaming", K.DEADLINE),
    ('{"id":"1","status":"failed","failure":{"kind":"invalid_key","provider":"a","phase":"streaming"}}', K.INVALID_KEY),
    ('{"id":"1","failure":{"kind":"stalled"}}\n{"id":"2","status":"completed","failure":null}', K.STALLED),
    (CHAINED, K.REFUSED),
    (UNWRAPPED, K.RATE_LIMIT),
]

NOTHING = [
    "cost 0.0429",
    "req_503abc",
    "request req_429 took 503 ms",
    "The answer was 429 bytes long",
    "404 pages were printed",
    "at line 503 of the file",
    "ERROR 503 records processed",
    "error: 429 lines were skipped",
    "status 503 of 900 pages",
    "status=429.5",
    "503 rows_processed",
    "I paid 429 dollars",
    "timeout is set to 30 seconds",
    "not found in the index: 500 items",
    "a 503abc b",
    "hello",
    "",
    "{}",
    "{'a': 1}",
    '{"id":"1","status":"completed","failure":null}',
    '{"failure":{"kind":"plague"}}',
    '{"failure":3}',
    '{"type":"message","status":"in_progress"}',
    "{" * 5_000,
    "\x00\xff{{{{",
]


@pytest.mark.row("B9", "A32")
@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_a_text_that_tells_of_a_failure_is_recognised(text, kind):
    assert recognise(text).kind is kind


@pytest.mark.row("A32")
@pytest.mark.parametrize("text", NOTHING)
def test_a_text_that_only_looks_like_one_is_not(text):
    assert recognise(text) is None


@given(st.from_regex(r"[a-z_$]{1,8} ?[0-9]*\.?0?(429|503|401|500)[a-z0-9]{0,4}", fullmatch=True))
def test_a_number_that_something_else_stands_before_is_no_status(text):
    failure = recognise(text)
    called = text.lower().startswith(("http", "status", "error", "http status", "http_status"))
    assert failure is None or called or failure.status is None


@given(st.text(max_size=300))
def test_no_text_whatever_is_too_much(text):
    failure = recognise(text)
    assert failure is None or failure.kind in K


@pytest.mark.parametrize("kind", [kind for kind, scene in SCENES.items() if scene.text and scene.error is None])
def test_what_a_scene_raises_is_what_its_text_is_recognised_as(kind):
    assert recognise(SCENES[kind].text, "anthropic").kind is kind


def test_the_provider_and_the_phase_that_are_given_stand_in_the_failure():
    failure = recognise("HTTP 429", "openai", Phase.STREAMING)
    assert (failure.provider, failure.phase, failure.status) == ("openai", Phase.STREAMING, 429)


def test_an_answer_is_judged_by_status_body_and_headers():
    failure = answered(429, '{"error": {"message": "slow", "type": "tokens"}}', {"Retry-After": "7"})
    assert (failure.kind, failure.retry_after, failure.message) == (K.RATE_LIMIT, 7.0, "slow")
    assert answered(502, "<html>Bad Gateway</html>", {}).kind is K.UNAVAILABLE
    assert answered(418, "", {}).kind is K.INVALID_REQUEST


@pytest.mark.parametrize("status", [0, 99, 200, 204, 600, -1])
def test_a_status_that_is_no_refusal_is_refused(status):
    with pytest.raises(ValueError, match="is no refusal"):
        answered(status, "", {})
