"""What can go wrong: every kind of failure, with its label for logs and metrics, whose trouble it is and what can help.

One row a kind.  A new kind needs a sentence in `catalogue`, and a test that meets it; the tests see to both.
"""

from enum import Enum


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


class NextKey(Enum):
    """Which key the next attempt on the same route takes, where the one at hand will not do.

    `NONE`: no other.  `ANOTHER`: one more of those that were given.  `RENEWED`: a new one in its place.
    """

    NONE = "none"
    ANOTHER = "another"
    RENEWED = "renewed"


class Phase(Enum):
    """How far the attempt was: before the answer began, before its first content, in the middle of it, behind its terminal event."""

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
    ANSWER_SIZE = ("answer_size", _C.RESOURCE, _D.STOP, "Answer too large")
    FILES = ("files", _C.RESOURCE, _D.RETRY, "Too many open files")
    PROGRAM = ("program", _C.RESOURCE, _D.ELSEWHERE, "Program unusable")
    CPU = ("cpu", _C.RESOURCE, _D.RETRY, "Processor overloaded")
    RATE_LIMIT = ("rate_limit", _C.PROVIDER, _D.RETRY, "Rate limited")
    OVERLOADED = ("overloaded", _C.PROVIDER, _D.RETRY, "Service overloaded")
    UNAVAILABLE = ("unavailable", _C.PROVIDER, _D.RETRY, "Service unavailable")
    SERVER = ("server", _C.PROVIDER, _D.RETRY, "Service failed")
    DIVERGED = ("diverged", _C.PROVIDER, _D.STOP, "Replay diverged")
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

    @property
    def transient(self) -> bool:
        """Whether the same request on the same route can help, later; other kinds are permanent, or nobody's fault (`LEAVE`)."""
        return self.disposition is Disposition.RETRY or self in SILENT


SILENT = frozenset(
    {
        FailureKind.FIRST_EVENT_TIMEOUT,
        FailureKind.FIRST_CONTENT_TIMEOUT,
        FailureKind.STALLED,
        FailureKind.TOTAL_TIMEOUT,
    }
)
"""A route that stayed silent is not asked again while another is left; without one, it is."""
