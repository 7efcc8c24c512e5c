"""What went wrong with an attempt, in neutral words.

A failure is a small value (below 1 KB, picklable) that travels through exits, seams, logs and reports; the exception that caused it
and the partial answer hang beside it, never inside.  Its kind says what happened; category and disposition follow from the kind.
"""

from enum import Enum

import attrs

from actors.redaction import shown

MESSAGE_LIMIT = 256
"""Bytes (UTF-8) kept of what a provider said."""

CIRCUIT_OPEN = "circuit_open"
"""The code of an attempt that a circuit breaker held back: nothing was sent for it."""

WORD_LIMIT = 64
"""Bytes kept of a provider's own word for a failure, and of its name for the request."""


class Category(Enum):
    """Whose trouble it is."""

    NETWORK = "network"
    AUTHENTICATION = "authentication"
    RESOURCE = "resource"
    PROVIDER = "provider"
    STREAM = "stream"
    CONTENT = "content"
    CONTEXT = "context"
    UNKNOWN = "unknown"


class Disposition(Enum):
    """What can help.

    `RETRY`: the same request on the same route, later.  `ELSEWHERE`: another route, this one will not do.  `DEGRADE`: the same route in
    one piece.  `STOP`: nothing, the request itself is refused.  `LEAVE`: nobody wants the answer any more.
    """

    RETRY = "retry"
    ELSEWHERE = "elsewhere"
    DEGRADE = "degrade"
    STOP = "stop"
    LEAVE = "leave"


class Phase(Enum):
    """How far the attempt was."""

    CONNECTION = "connection"
    FIRST_EVENT = "first event"
    STREAMING = "streaming"
    FINALISATION = "finalisation"


_C, _D = Category, Disposition


class FailureKind(Enum):
    """What happened: each kind has a name for logs and metrics, a category, a disposition and a title for people."""

    def __init__(self, label: str, category: Category, disposition: Disposition, title: str) -> None:
        self.label = label
        self.category = category
        self.disposition = disposition
        self.title = title

    CONNECT_TIMEOUT = ("connect_timeout", _C.NETWORK, _D.RETRY, "Connection timeout")
    TIMEOUT = ("timeout", _C.NETWORK, _D.RETRY, "Connection timeout")
    RESET = ("reset", _C.NETWORK, _D.RETRY, "Connection lost")
    REFUSED = ("refused", _C.NETWORK, _D.RETRY, "Connection refused")
    DNS_TEMPORARY = ("dns_temporary", _C.NETWORK, _D.RETRY, "Name lookup failed for now")
    DNS_PERMANENT = ("dns_permanent", _C.NETWORK, _D.ELSEWHERE, "Host name not found")
    TLS = ("tls", _C.NETWORK, _D.ELSEWHERE, "Secure connection failed")
    PROTOCOL = ("protocol", _C.NETWORK, _D.ELSEWHERE, "Not an HTTP answer")
    INVALID_KEY = ("invalid_key", _C.AUTHENTICATION, _D.ELSEWHERE, "Invalid credentials")
    MISSING_KEY = ("missing_key", _C.AUTHENTICATION, _D.ELSEWHERE, "No credentials configured")
    EXPIRED_KEY = ("expired_key", _C.AUTHENTICATION, _D.ELSEWHERE, "Credentials expired")
    PERMISSION = ("permission", _C.AUTHENTICATION, _D.ELSEWHERE, "Permission denied")
    QUOTA = ("quota", _C.AUTHENTICATION, _D.ELSEWHERE, "Quota used up")
    MODEL_UNAVAILABLE = ("model_unavailable", _C.AUTHENTICATION, _D.ELSEWHERE, "Model unavailable")
    MEMORY = ("memory", _C.RESOURCE, _D.DEGRADE, "Memory exhausted")
    FILES = ("files", _C.RESOURCE, _D.RETRY, "Too many open files")
    PROGRAM = ("program", _C.RESOURCE, _D.ELSEWHERE, "Program unusable")
    CPU = ("cpu", _C.RESOURCE, _D.RETRY, "Processor overloaded")
    RATE_LIMIT = ("rate_limit", _C.PROVIDER, _D.RETRY, "Rate limited")
    OVERLOADED = ("overloaded", _C.PROVIDER, _D.RETRY, "Service overloaded")
    UNAVAILABLE = ("unavailable", _C.PROVIDER, _D.RETRY, "Service unavailable")
    SERVER = ("server", _C.PROVIDER, _D.RETRY, "Service failed")
    INVALID_REQUEST = ("invalid_request", _C.PROVIDER, _D.STOP, "Request refused")
    TOO_LARGE = ("too_large", _C.PROVIDER, _D.STOP, "Request too large")
    CONTEXT_WINDOW = ("context_window", _C.PROVIDER, _D.ELSEWHERE, "Context window exceeded")
    POLICY = ("policy", _C.PROVIDER, _D.STOP, "Refused by content policy")
    TRUNCATED = ("truncated", _C.STREAM, _D.RETRY, "Stream cut short")
    MALFORMED = ("malformed", _C.STREAM, _D.RETRY, "Stream garbled")
    FIRST_EVENT_TIMEOUT = ("first_event_timeout", _C.STREAM, _D.ELSEWHERE, "No answer in time")
    FIRST_CONTENT_TIMEOUT = ("first_content_timeout", _C.STREAM, _D.ELSEWHERE, "No content in time")
    STALLED = ("stalled", _C.STREAM, _D.ELSEWHERE, "Stream stalled")
    TOTAL_TIMEOUT = ("total_timeout", _C.STREAM, _D.ELSEWHERE, "Attempt took too long")
    TOOL_JSON = ("tool_json", _C.CONTENT, _D.STOP, "Tool call garbled")
    UNKNOWN_TOOL = ("unknown_tool", _C.CONTENT, _D.STOP, "Unknown tool called")
    CANCELLED = ("cancelled", _C.CONTEXT, _D.LEAVE, "Operation interrupted")
    DEADLINE = ("deadline", _C.CONTEXT, _D.LEAVE, "Operation timeout")
    CRASH = ("crash", _C.UNKNOWN, _D.STOP, "Internal error")
    UNKNOWN = ("unknown", _C.UNKNOWN, _D.STOP, "Unknown failure")


def _message(text: str) -> str:
    return shown(text, MESSAGE_LIMIT)


def _word(text: str) -> str:
    return shown(text, WORD_LIMIT)


@attrs.frozen
class Failure:
    """One failure of one attempt.

    `message` is what the provider or the system said, clipped to 256 bytes and free of secrets; `status` the HTTP status where there
    was one, `code` the provider's own word for it, `retry_after` the seconds it asked to wait, `request_id` its name for the request.
    """

    kind: FailureKind
    message: str = attrs.field(default="", converter=_message)
    phase: Phase = Phase.CONNECTION
    provider: str = ""
    model: str = ""
    status: int | None = None
    code: str = attrs.field(default="", converter=_word)
    retry_after: float | None = None
    request_id: str = attrs.field(default="", converter=_word)

    @property
    def title(self) -> str:
        """Two or three words for a person."""
        return self.kind.title

    @property
    def held_back(self) -> bool:
        """Whether a circuit breaker held the attempt back: nothing was sent for it."""
        return self.code == CIRCUIT_OPEN and self.status is None

    @property
    def category(self) -> Category:
        """Whose trouble it is."""
        return self.kind.category

    @property
    def disposition(self) -> Disposition:
        """What can help."""
        return self.kind.disposition

    def __str__(self) -> str:
        where = f"{self.provider}:{self.model}" if self.provider else ""
        told = f" ({self.message})" if self.message else ""
        return f"{self.title}{' at ' + where if where else ''}{told}"
