"""What Gemini says when it cannot answer: a `google.rpc.Status` with details, and no header that says when to come back.

A rate limit carries `QuotaFailure` (whose quota id tells a minute's limit from a day's) and `RetryInfo`.
"""

from typing import Any

import msgspec
from attrs import frozen

from actors.chaos.faults import ErrorKind
from actors.chaos.speech.dialect import Complaint, Headers, Page, Stamp


@frozen
class _Spelled:
    code: int
    status: str
    message: str


_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, head "
    "to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
_TABLE: dict[ErrorKind, _Spelled] = {
    ErrorKind.INVALID: _Spelled(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    ErrorKind.CONTEXT: _Spelled(
        400,
        "INVALID_ARGUMENT",
        "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).",
    ),
    ErrorKind.POLICY: _Spelled(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    ErrorKind.AUTHENTICATION: _Spelled(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    ErrorKind.BILLING: _Spelled(402, "RESOURCE_EXHAUSTED", "Your prepaid credits are exhausted."),
    ErrorKind.PERMISSION: _Spelled(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form "
        "of API consumer identity to call this API.",
    ),
    ErrorKind.NOT_FOUND: _Spelled(
        404,
        "NOT_FOUND",
        "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to "
        "see the list of available models and their supported methods.",
    ),
    ErrorKind.TOO_LARGE: _Spelled(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."),
    ErrorKind.RATE_LIMITED: _Spelled(429, "RESOURCE_EXHAUSTED", _QUOTA),
    ErrorKind.QUOTA: _Spelled(429, "RESOURCE_EXHAUSTED", _QUOTA),
    ErrorKind.INTERNAL: _Spelled(
        500,
        "INTERNAL",
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
    ),
    ErrorKind.UNAVAILABLE: _Spelled(503, "UNAVAILABLE", "The service is currently unavailable."),
    ErrorKind.OVERLOADED: _Spelled(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    ErrorKind.TIMEOUT: _Spelled(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
_BY_STATUS = {
    401: _Spelled(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    499: _Spelled(499, "CANCELLED", "The operation was cancelled."),
} | {
    spelled.code: spelled
    for kind, spelled in reversed(_TABLE.items())
    if kind not in {ErrorKind.QUOTA, ErrorKind.UNAVAILABLE}
}
_RETRY_DELAY = 48.0
"""Seconds that the recorded minute limits ask to wait."""


def edge_headers(stamp: Stamp) -> Headers:
    """What stands on every response, good or bad."""
    return (
        ("date", stamp.date),
        ("server", "scaffolding on HTTPServer2"),
        ("server-timing", "gfet4t7; dur=211"),
        ("vary", "Origin, X-Origin, Referer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
        ("x-xss-protection", "0"),
    )


def error(complaint: Complaint, stamp: Stamp) -> Page:
    """The error response to a complaint."""
    body = msgspec.json.format(msgspec.json.encode({"error": error_fields(complaint)}), indent=2) + b"\n"
    headers = (("content-type", "application/json; charset=UTF-8"), *edge_headers(stamp))
    return Page(complaint.code, headers, body)


def error_fields(complaint: Complaint) -> dict[str, Any]:
    """The status object; a sentence of the complaint's own comes before the table's."""
    spelled = _TABLE[complaint.kind] if complaint.kind else _BY_STATUS.get(complaint.code, _TABLE[ErrorKind.INTERNAL])
    message = complaint.message or spelled.message.format(model=complaint.model or "gemini-unknown")
    fields: dict[str, Any] = {"code": complaint.code, "message": message, "status": spelled.status}
    details = _details(complaint, spelled)
    return fields | {"details": details} if details else fields


def _details(complaint: Complaint, spelled: _Spelled) -> list[dict[str, Any]]:
    if complaint.kind is ErrorKind.AUTHENTICATION:
        reason = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        return [{"@type": "type.googleapis.com/google.rpc.ErrorInfo"} | reason]
    if spelled.code != 429:
        return []
    by_day = complaint.kind is ErrorKind.QUOTA
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_paid_tier_input_token_count",
        "quotaId": f"GenerateContentPaidTierInputTokensPerModelPer{'Day' if by_day else 'Minute'}",
        "quotaDimensions": {"model": complaint.model or "gemini-unknown", "location": "global"},
        "quotaValue": "1000000",
    }
    details: list[dict[str, Any]] = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
    ]
    wait = (None if by_day else _RETRY_DELAY) if complaint.retry_after is None else complaint.retry_after
    if wait is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{wait:g}s"})
    return details


def buffered_code(kind: ErrorKind) -> int:
    """The status of a response that cannot say so in an event."""
    return _TABLE[kind].code
