"""What Anthropic says when it cannot answer: statuses, sentences and headers, as recorded between 2024 and 2026."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from actors.chaos.faults import ErrorKind
from actors.chaos.speech.dialect import Complaint, Headers, Page, Stamp


def edge_headers(stamp: Stamp) -> Headers:
    """What stands on every response, good or bad."""
    return (
        ("date", stamp.date),
        ("server", "cloudflare"),
        ("request-id", stamp.id("req_011", 21)),
        ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("via", "1.1 google"),
        ("cf-cache-status", "DYNAMIC"),
    )


_LIMITS = (("requests", 4000), ("input-tokens", 400_000), ("output-tokens", 80_000), ("tokens", 480_000))
_WINDOW = 60
"""Seconds over which the service counts its limits."""


def limit_headers(stamp: Stamp, *, spent: bool) -> Headers:
    """The limits and what is left of them; the times are on the simulator's own calendar."""
    reset = datetime.fromtimestamp(stamp.at + (_WINDOW if spent else 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers: list[tuple[str, str]] = []
    for name, limit in _LIMITS:
        left = 0 if spent and name != "requests" else limit - 1
        headers += [
            (f"anthropic-ratelimit-{name}-limit", str(limit)),
            (f"anthropic-ratelimit-{name}-remaining", str(left)),
            (f"anthropic-ratelimit-{name}-reset", reset),
        ]
    return tuple(headers)


_TYPES: dict[ErrorKind, tuple[int, str, str]] = {
    ErrorKind.INVALID: (400, "invalid_request_error", "messages.0.content: Input should be a valid list"),
    ErrorKind.CONTEXT: (400, "invalid_request_error", "prompt is too long: 200021 tokens > 200000 maximum"),
    ErrorKind.BILLING: (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    ErrorKind.POLICY: (400, "invalid_request_error", "Output blocked by content filtering policy"),
    ErrorKind.AUTHENTICATION: (401, "authentication_error", "invalid x-api-key"),
    ErrorKind.PERMISSION: (
        403,
        "permission_error",
        "Your API key does not have permission to use the specified resource.",
    ),
    ErrorKind.NOT_FOUND: (404, "not_found_error", "model: {model}"),
    ErrorKind.TOO_LARGE: (413, "request_too_large", "Request exceeds the maximum size"),
    ErrorKind.RATE_LIMITED: (
        429,
        "rate_limit_error",
        (
            "This request would exceed your organization's rate limit of 400,000 input tokens per minute (org: 00000000-0000-4000-"
            "8000-000000000000, model: {model}). For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see "
            "the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try "
            "again later."
        ),
    ),
    ErrorKind.QUOTA: (
        429,
        "rate_limit_error",
        "You have reached your specified API usage limits. You will regain access on 2026-02-01 at 00:00 UTC.",
    ),
    ErrorKind.INTERNAL: (500, "api_error", "Internal server error"),
    ErrorKind.TIMEOUT: (504, "timeout_error", "Request timed out"),
    ErrorKind.OVERLOADED: (529, "overloaded_error", "Overloaded"),
}
"""Status, `error.type` and sentence of each complaint."""

_BY_CODE = {
    402: (402, "billing_error", "There is an issue with your billing or payment information."),
    409: (409, "conflict_error", "The request conflicts with the current state of the resource."),
} | {
    code: spelled for kind, spelled in reversed(_TYPES.items()) for code in (spelled[0],) if kind is not ErrorKind.QUOTA
}

_UPSTREAM_GONE = b"upstream connect error or disconnect/reset before headers. reset reason: connection termination"
"""A 502 or 503 comes from the proxy in front of the service, and is not JSON."""

_RETRY_AFTER = {429: 8.0}
_RETRYABLE = {408, 409, 429}


def error(complaint: Complaint, stamp: Stamp) -> Page:
    """The error response to a complaint."""
    code, spent = complaint.code, complaint.kind is not ErrorKind.QUOTA
    wait = _RETRY_AFTER.get(code) if complaint.retry_after is None and spent else complaint.retry_after
    extra = () if wait is None else (("retry-after", f"{wait:g}"),)
    if code in {502, 503} and not complaint.message:
        return Page(code, (("content-type", "text/plain"), *extra, *edge_headers(stamp)), _UPSTREAM_GONE)
    retry = "true" if spent and (code in _RETRYABLE or code >= 500) else "false"
    limits = limit_headers(stamp, spent=spent) if code == 429 else ()
    headers = (("content-type", "application/json"), ("x-should-retry", retry), *extra, *limits, *edge_headers(stamp))
    return Page(code, headers, msgspec.json.encode(_error_body(complaint, stamp)))


def _error_body(complaint: Complaint, stamp: Stamp) -> dict[str, Any]:
    fallback = _BY_CODE.get(complaint.code, (complaint.code, "api_error", "Internal server error"))
    _, kind, sentence = _TYPES.get(complaint.kind, fallback) if complaint.kind else fallback
    message = complaint.message or sentence.format(model=complaint.model or "claude-unknown")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": stamp.id("req_011", 21)}


def error_fields(kind: ErrorKind, stamp: Stamp) -> dict[str, Any]:
    """What an `error` event inside a stream says."""
    _, name, sentence = _TYPES.get(kind, _TYPES[ErrorKind.INTERNAL])
    error = {"details": None, "type": name, "message": sentence.format(model="claude-unknown")}
    return {"error": error, "request_id": stamp.id("req_011", 21)}


def buffered_code(kind: ErrorKind) -> int:
    """The status of a response that cannot say so in an event."""
    return _TYPES.get(kind, _TYPES[ErrorKind.INTERNAL])[0]
