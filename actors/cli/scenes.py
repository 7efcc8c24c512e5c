"""Every failure that can be met, as a scene: what is raised, or how long nothing is said, when one is to be seen without a key.

A table.  What is raised is made of the very text that a person would see (`policy.recognise`), so a scene and `classify` cannot disagree.
"""

from collections.abc import Mapping

import attrs

from actors.deltas import (
    Delta,
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    ResponseStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from actors.kinds import FailureKind
from actors.route import Clocks
from actors.source import DivergedError, MalformedError, OversizeError, TruncatedError

K = FailureKind

QUIET = 30.0
"""Seconds of silence: longer than any clock of a demonstration."""

SHORT = 0.3
"""Seconds that the clock in question has."""


@attrs.frozen
class Scene:
    """What an attempt does: say `pieces`, then be silent for `silence` seconds, then raise `error` or what `text` tells of.

    `clocks` are those that it is held to.
    """

    text: str = ""
    pieces: tuple[Delta, ...] = ()
    silence: float = 0.0
    error: type[Exception] | None = None
    clocks: Clocks = attrs.field(factory=Clocks)


_BEGUN = (ResponseStarted("msg_1", "demo"),)
_SPOKEN = (TextDelta("The sky is "),)
_CALL = (ToolCallStarted("look_up", "call_1"), ToolCallDelta('{"place": '), PartEnded(0))
_CALLED = Finished(Finish(FinishReason.TOOL_CALLS, "tool_calls", releases=True))


def _refused(status: int, kind: str, message: str) -> Scene:
    return Scene(f"Error code: {status} - {{'error': {{'type': '{kind}', 'message': \"{message}\"}}}}")


SCENES: Mapping[FailureKind, Scene] = {
    K.CONNECT_TIMEOUT: Scene("httpx2.ConnectTimeout: no connection to api.anthropic.com:443 within 10 s"),
    K.TIMEOUT: Scene("httpx2.ReadTimeout: no byte of the answer came for 60 s"),
    K.RESET: Scene("ConnectionResetError: [Errno 104] Connection reset by peer"),
    K.REFUSED: Scene("ConnectionRefusedError: [Errno 111] Connection refused"),
    K.DNS_TEMPORARY: Scene("socket.gaierror: [Errno -3] Temporary failure in name resolution"),
    K.DNS_PERMANENT: Scene("socket.gaierror: [Errno -2] Name or service not known"),
    K.TLS: Scene("ssl.SSLCertVerificationError: certificate verify failed: self-signed certificate"),
    K.PROTOCOL: Scene(
        "httpx2.UnsupportedProtocol: the address ftp://api.anthropic.com must begin with http:// or https://"
    ),
    K.INVALID_KEY: _refused(401, "authentication_error", "invalid x-api-key"),
    K.MISSING_KEY: _refused(401, "authentication_error", "x-api-key header is required"),
    K.EXPIRED_KEY: _refused(401, "authentication_error", "OAuth token has expired"),
    K.PERMISSION: _refused(
        403, "permission_error", "Your API key does not have permission to use the specified resource."
    ),
    K.QUOTA: _refused(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    K.MODEL_UNAVAILABLE: _refused(404, "not_found_error", "model: claude-nonesuch"),
    K.MEMORY: Scene("MemoryError"),
    K.ANSWER_SIZE: Scene("the answer is larger than it may be", _SPOKEN, error=OversizeError),
    K.FILES: Scene("OSError: [Errno 24] Too many open files"),
    K.PROGRAM: _refused(0, "program_unusable", "claude: exit status 127"),
    K.CPU: Scene("RuntimeError: can't start new thread"),
    K.RATE_LIMIT: _refused(429, "rate_limit_error", "Number of requests has exceeded your per-minute rate limit"),
    K.OVERLOADED: _refused(529, "overloaded_error", "Overloaded"),
    K.UNAVAILABLE: Scene("503 Service Unavailable"),
    K.SERVER: _refused(500, "api_error", "Internal server error"),
    K.DIVERGED: Scene("request 2 is not the one that was recorded", error=DivergedError),
    K.INVALID_REQUEST: _refused(400, "invalid_request_error", "messages.0.content: Input should be a valid list"),
    K.TOO_LARGE: _refused(413, "request_too_large", "Request exceeds the maximum size"),
    K.CONTEXT_WINDOW: _refused(400, "invalid_request_error", "prompt is too long: 200021 tokens > 200000 maximum"),
    K.POLICY: _refused(400, "content_policy_violation", "Your request was rejected as a result of our safety system."),
    K.TRUNCATED: Scene("the body ended without the terminal event", _SPOKEN, error=TruncatedError),
    K.MALFORMED: Scene("the event cannot be read: Input data was truncated", _SPOKEN, error=MalformedError),
    K.FIRST_EVENT_TIMEOUT: Scene(silence=QUIET, clocks=Clocks(first_event=SHORT)),
    K.FIRST_CONTENT_TIMEOUT: Scene(pieces=_BEGUN, silence=QUIET, clocks=Clocks(first_content=SHORT)),
    K.STALLED: Scene(pieces=_SPOKEN, silence=QUIET, clocks=Clocks(gap=SHORT)),
    K.TOTAL_TIMEOUT: Scene(pieces=_SPOKEN, silence=QUIET, clocks=Clocks(total=SHORT)),
    K.TOOL_JSON: Scene(pieces=(*_CALL, _CALLED)),
    K.CANCELLED: Scene(pieces=_SPOKEN, silence=QUIET),
    K.DEADLINE: Scene(pieces=_SPOKEN, silence=QUIET),
    K.CRASH: Scene("ZeroDivisionError: division by zero"),
}
"""By kind; what is not here ends no stream by itself: it is told of otherwise."""
