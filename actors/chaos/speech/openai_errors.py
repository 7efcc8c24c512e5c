"""What OpenAI says when it cannot answer, in both of its formats: statuses, codes, sentences and headers as recorded.

The bodies are pretty-printed as the service prints them, and a 502, 503 or 504 comes from the edge and is no JSON.
"""

from typing import Any

import msgspec
from attrs import frozen

from actors.chaos.faults import ErrorKind
from actors.chaos.speech.body import BadBody
from actors.chaos.speech.dialect import Complaint, Headers, Page, Refused, Request, Stamp


@frozen
class _Spelled:
    status: int
    type: str
    code: str | None
    message: str


_INVALID = "invalid_request_error"
_TABLE: dict[ErrorKind, _Spelled] = {
    ErrorKind.INVALID: _Spelled(400, _INVALID, "invalid_value", "Invalid value."),
    ErrorKind.CONTEXT: _Spelled(
        400,
        _INVALID,
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 200021 tokens. Please "
        "reduce the length of the messages.",
    ),
    ErrorKind.POLICY: _Spelled(
        400,
        _INVALID,
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
    ),
    ErrorKind.AUTHENTICATION: _Spelled(
        401,
        _INVALID,
        "invalid_api_key",
        "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
    ),
    ErrorKind.PERMISSION: _Spelled(
        403, "request_forbidden", "unsupported_country_region_territory", "Country, region, or territory not supported"
    ),
    ErrorKind.NOT_FOUND: _Spelled(
        404, _INVALID, "model_not_found", "The model `{model}` does not exist or you do not have access to it."
    ),
    ErrorKind.TOO_LARGE: _Spelled(413, _INVALID, None, "Request body too large."),
    ErrorKind.RATE_LIMITED: _Spelled(
        429,
        "tokens",
        "rate_limit_exceeded",
        "Rate limit reached for {model} in organization org-000000000000000000000000 on tokens per min (TPM): Limit 200000, "
        "Used 199000, Requested 2000. Please try again in 300ms. Visit https://platform.openai.com/account/rate-limits to "
        "learn more.",
    ),
    ErrorKind.QUOTA: _Spelled(
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
        "read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    ),
    ErrorKind.BILLING: _Spelled(
        429, "insufficient_quota", "credit_balance_exhausted", "Your credit balance is exhausted. Please add credits."
    ),
    ErrorKind.INTERNAL: _Spelled(
        500,
        "server_error",
        "server_error",
        "An error occurred while processing your request. You can retry your request, or contact us through our help center "
        "at help.openai.com if the error persists.",
    ),
    ErrorKind.UNAVAILABLE: _Spelled(503, "server_error", "slow_down", "Slow down. Please retry your requests later."),
    ErrorKind.TIMEOUT: _Spelled(504, "server_error", None, "The request timed out."),
    ErrorKind.OVERLOADED: _Spelled(
        503, "server_error", None, "The engine is currently overloaded, please try again later."
    ),
}
_BY_STATUS = {
    spelled.status: spelled
    for kind, spelled in reversed(_TABLE.items())
    if kind not in {ErrorKind.QUOTA, ErrorKind.BILLING, ErrorKind.UNAVAILABLE}
}
_EDGE: dict[int, tuple[str, bytes]] = {
    502: ("text/html", b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body>\r\n</html>\r\n"),
    503: ("text/plain", b"upstream connect error or disconnect/reset before headers. reset reason: connection timeout"),
    504: ("text/html", b"<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body></body>\r\n</html>\r\n"),
}
_RETRY_AFTER = 0.3
"""Seconds that the recorded rate limits ask to wait."""


def edge_headers(stamp: Stamp) -> Headers:
    """What stands on every response, good or bad."""
    return (
        ("date", stamp.date),
        ("server", "cloudflare"),
        ("x-request-id", stamp.id("req_", 32)),
        ("openai-version", "2020-10-01"),
        ("openai-processing-ms", "164"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("x-content-type-options", "nosniff"),
        ("cf-cache-status", "DYNAMIC"),
    )


def limit_headers(*, spent: bool) -> Headers:
    """The limits and what is left of them; resets are spans, not moments."""
    return (
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-limit-tokens", "200000"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-remaining-tokens", "0" if spent else "199992"),
        ("x-ratelimit-reset-requests", "120ms"),
        ("x-ratelimit-reset-tokens", "6m0s" if spent else "2ms"),
    )


def error(complaint: Complaint, stamp: Stamp) -> Page:
    """The error response to a complaint."""
    if complaint.kind is None and not complaint.message and complaint.code in _EDGE:
        kind, body = _EDGE[complaint.code]
        return Page(complaint.code, (("content-type", kind), *_wait(complaint), *edge_headers(stamp)), body)
    limits = limit_headers(spent=True) if complaint.code == 429 else ()
    headers = (("content-type", "application/json"), *_wait(complaint), *limits, *edge_headers(stamp))
    body = msgspec.json.format(msgspec.json.encode({"error": error_fields(complaint)}), indent=2) + b"\n"
    return Page(complaint.code, headers, body)


def _wait(complaint: Complaint) -> Headers:
    limited = complaint.code == 429 and complaint.kind not in {ErrorKind.QUOTA, ErrorKind.BILLING}
    seconds = _RETRY_AFTER if limited and complaint.retry_after is None else complaint.retry_after
    if seconds is None:
        return ()
    return (("retry-after-ms", str(round(seconds * 1000))), ("retry-after", str(max(1, round(seconds)))))


def error_fields(complaint: Complaint) -> dict[str, Any]:
    """The object that says what is wrong; a sentence of the complaint's own comes before the table's."""
    spelled = _TABLE[complaint.kind] if complaint.kind else _BY_STATUS.get(complaint.code, _TABLE[ErrorKind.INTERNAL])
    message = complaint.message or spelled.message.format(model=complaint.model or "gpt-unknown")
    return {
        "message": message,
        "type": spelled.type,
        "param": complaint.param,
        "code": complaint.detail or spelled.code,
    }


def buffered_code(kind: ErrorKind) -> int:
    """The status of a response that cannot say so in an event."""
    return _TABLE[kind].status


_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. "
    "Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys."
)
_NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. "
    "The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
)
_WORDS = {"str": "a string", "int": "an integer", "bool": "a boolean", "array": "an array of objects", "null": "null"}


def check_key(request: Request) -> None:
    """Refuse a request without a bearer key."""
    if not (request.headers.get("authorization") or request.headers.get("api-key")):
        raise Refused(401, ErrorKind.AUTHENTICATION, _NO_KEY)


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refused:
    """A 400 of the service's own."""
    return Refused(400, ErrorKind.INVALID, message, param=param, detail=code)


def bad_body(bad: BadBody) -> Refused:
    """The refusal of a body of the wrong shape."""
    if bad.flaw is None:
        return invalid(_NOT_JSON)
    path, expected = bad.flaw.path, bad.flaw.expected
    if not expected:
        return invalid(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")
    wanted = " or ".join(_WORDS.get(one, f"an {one}") for one in expected.split(" | "))
    got = _WORDS.get(bad.flaw.got, f"an {bad.flaw.got}")
    return invalid(f"Invalid type for '{path}': expected {wanted}, but got {got} instead.", path, "invalid_type")
