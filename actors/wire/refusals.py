"""What a provider says when it refuses, whatever shape that has: JSON of many kinds, an edge's HTML, a proxy's plain text, nothing.

The one rule: there is always a message a person can read, and words of the provider's own (`kind`, `code`) are never made up.
"""

import math
import re
from collections.abc import Mapping

import msgspec

from actors.messages import Json
from actors.source import RefusedError
from actors.wire.shapes import is_array, is_object, text_at

MESSAGE_LIMIT = 2000
"""Characters kept of an error message; a longer one is a page, not a message."""

_MESSAGE = ("message", "detail", "error_description", "msg", "reason", "error")
_KIND = ("type", "status")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def refusal(
    document: object, *, status: int, headers: Mapping[str, str] | None = None, in_stream: bool = False
) -> RefusedError:
    """A refusal out of decoded JSON: `{"error": {...}}`, `{"error": "text"}`, an array of these, or the bare fields.

    A request id beside the error (Anthropic) becomes a header where there is none.
    """
    fields = error_fields(document)
    if request_id := text_at(document, "request_id") if is_object(document) else "":
        headers = {"request-id": request_id, **(headers or {})}
    details = fields.get("details")
    code = _first(fields, ("code",)) or (text_at(details, "error_code") if is_object(details) else "")
    return RefusedError(
        _message(fields) or f"the provider answered with status {status} and no message",
        status=status,
        kind=_first(fields, _KIND),
        code="" if code == str(status) else code,
        headers=headers,
        in_stream=in_stream,
        retry_after=retry_after(headers or {}),
    )


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> RefusedError:
    """A refusal out of an answer of status 400 or more; `headers` have lower-case names."""
    try:
        document: object = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        document = {"message": _plain(body)}
    return refusal(document, status=status, headers=headers)


def error_fields(document: object) -> Json:
    """The object that says what went wrong, out of the envelopes that providers put around it."""
    if is_array(document) and document:
        return error_fields(document[0])
    if not is_object(document):
        return {"message": document}
    error = document.get("error")
    if is_object(error):
        return error
    return {**document, "message": error} if isinstance(error, str) and "message" not in document else document


def stated_status(fields: Json, words: Mapping[str, int]) -> int:
    """The HTTP status of an error that came after a 200: as its fields say it, or as `words` translate them; 500 otherwise."""
    said = [str(fields.get(name)) for name in ("status_code", "code", "type")]
    number = next((int(one) for one in said if one.isdecimal() and 400 <= int(one) < 600), None)
    return number or next((words[one] for one in said if one in words), 500)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms` or a number in `retry-after`; a date stays in the headers."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


def _message(fields: Json) -> str:
    """The message, and behind a gateway's own words (OpenRouter) those of the provider it asked."""
    metadata = fields.get("metadata")
    raw = text_at(metadata, "raw") if is_object(metadata) else ""
    return ": ".join(filter(None, (_first(fields, _MESSAGE), raw)))[:MESSAGE_LIMIT]


def _first(fields: Json, names: tuple[str, ...]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int | float) and str(value).strip():
            return str(value)[:MESSAGE_LIMIT]
        if isinstance(value, list | dict) and value:
            return msgspec.json.encode(value).decode()[:MESSAGE_LIMIT]
    return ""


def _plain(body: bytes) -> str:
    """The words of a body that is no JSON: a page's title, or its text without tags."""
    text = body.decode("utf-8", "replace").strip()
    if not text.startswith("<"):
        return text
    title = _TITLE.search(text)
    return " ".join((title[1] if title else _TAG.sub(" ", text)).split())
