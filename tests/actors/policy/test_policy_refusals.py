"""What a provider's refusal means: its own words, its status, and the beginning of its message, in this order."""

import pickle

import anthropic
import httpx
import httpx2
import openai
import pytest
from google.genai import errors as genai
from hypothesis import given
from hypothesis import strategies as st

from actors.failure import FailureKind, Phase
from actors.policy.classify import classify
from actors.policy.meanings import BY_CODE, BY_STATUS
from actors.source import RefusedError

K = FailureKind
REQUEST = httpx2.Request("POST", "https://api.example.com/v1/messages")


def kind(error, phase=Phase.STREAMING):
    failure = classify(error, phase, "anthropic", "m")
    return None if failure is None else failure.kind


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
    # limits that no wait of ours outlives
    (429, "RESOURCE_EXHAUSTED", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "You exceeded", K.QUOTA),
    (429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED,GenerateRequestsPerDayPerProject", "Quota exceeded", K.QUOTA),
    (429, "RESOURCE_EXHAUSTED", "GenerateRequestsPerMinutePerProject=0", "Quota exceeded", K.QUOTA),
    (429, "RESOURCE_EXHAUSTED", "GenerateRequestsPerMinutePerProject", "Quota exceeded", K.RATE_LIMIT),
    (429, "rate_limit_error", "", "You have reached your specified API usage limits.", K.QUOTA),
    (429, "too_many_requests_error", "request_quota_exceeded", "Requests per second limit exceeded", K.RATE_LIMIT),
    # other servers' words
    (400, "", "", "Prompt contains 150004 tokens and 0 draft tokens, too large for model with 9", K.CONTEXT_WINDOW),
    (400, "", "", "Prompt contains language that is not allowed", K.INVALID_REQUEST),
    (400, "", "", "Token limit reached", K.CONTEXT_WINDOW),
    (400, "invalid_model", "", "Invalid model 'x'", K.MODEL_UNAVAILABLE),
    (401, "", "", "No auth credentials found", K.MISSING_KEY),
    (403, "PERMISSION_DENIED", "", "Method doesn't allow unregistered callers (callers without", K.MISSING_KEY),
    (429, "", "1305", "The service may be temporarily overloaded, please try again later", K.OVERLOADED),
    (302, "", "", "Found", K.PROTOCOL),
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
@pytest.mark.row("C2")
def test_a_refusal_is_read_by_code_kind_status_and_then_its_first_words(status, kind_, code, message, expected):
    assert kind(RefusedError(message, status=status, kind=kind_, code=code)) is expected


@pytest.mark.parametrize("message", ["cost 0.0429", "req_503abc", "HTTP 401", "overloaded_error", "connection reset"])
def test_text_of_an_unknown_error_never_makes_it_weather(message):
    assert kind(RuntimeError(message)) is None


# What a person may write, or an id may hold, that an eager reader would take for a status or a word of a provider.
TRAPS = st.sampled_from(
    "429 503 401 404 500 529 0.0429 cost $0.0429 req_503abc id-429-x 429: :503 HTTP/1.1 status=401 rate_limit_error overloaded_error "
    "overloaded rate_limit insufficient_quota invalid_api_key not_found timeout timed_out connection_reset context_length_exceeded "
    "out_of_memory memory allocation_failed ECONNREFUSED too_many_open_files quota PerDay =0 deadline_exceeded cancelled".split()
)
WORDS = st.lists(st.one_of(TRAPS, st.text(max_size=8)), max_size=12).map(" ".join)


@pytest.mark.row("A32")
@given(WORDS, st.sampled_from([RuntimeError, ValueError, Exception, OSError, KeyError]))
def test_no_text_makes_an_unknown_error_weather(words, cls):
    assert kind(cls(f"x {words}")) is None


@pytest.mark.row("A32")
@given(WORDS, st.sampled_from(sorted(BY_STATUS)))
def test_no_number_or_word_in_a_message_is_taken_for_a_status(words, status):
    assert kind(RefusedError(f"see: {words}", status=status)) is BY_STATUS[status]


@pytest.mark.row("A32")
@given(WORDS, st.sampled_from(sorted(BY_STATUS)))
def test_no_text_is_taken_for_a_wait_or_for_a_veto(words, status):
    plain = classify(RefusedError("see", status=status), Phase.CONNECTION)
    told = classify(RefusedError(f"see: {words}", status=status), Phase.CONNECTION)
    assert (told.retry_after, told.final, told.code) == (plain.retry_after, plain.final, plain.code)


@pytest.mark.row("A32")
@pytest.mark.parametrize("id_", ["req_503abc", "msg_429", "resp_401_500", "0.0429"])
def test_an_id_is_not_read(id_):
    headers = {"request-id": id_, "x-request-id": id_, "cf-ray": id_}
    failure = classify(RefusedError("no", status=400, headers=headers), Phase.CONNECTION)
    assert (failure.kind, failure.request_id, failure.status) == (K.INVALID_REQUEST, id_, 400)


@pytest.mark.row("A32")
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
