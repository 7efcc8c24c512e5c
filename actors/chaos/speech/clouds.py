"""The same formats as clouds serve them: other paths, other keys, other words for trouble, and Amazon's binary frames.

What a cloud changes is here; what a model says is left to the format behind it, which is asked with a request as it is used to.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from struct import pack
from typing import Any
from urllib.parse import unquote
from zlib import crc32

import msgspec
from attrs import evolve

from actors.chaos.answers import Answer, Ask
from actors.chaos.faults import ErrorKind
from actors.chaos.speech.anthropic import ANTHROPIC
from actors.chaos.speech.dialect import Complaint, Dialect, Headers, Page, Refused, Request, Script, Stamp
from actors.chaos.speech.gemini import GEMINI
from actors.chaos.speech.openai_chat import OPENAI_CHAT
from actors.chaos.speech.openai_responses import OPENAI_RESPONSES

_encode = msgspec.json.encode


def _fields(request: Request) -> dict[str, Any]:
    try:
        fields: Any = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        fields = None
    if not isinstance(fields, dict):
        raise Refused(400, ErrorKind.INVALID, "The request body is not a JSON object.")
    return fields  # pyright: ignore[reportUnknownVariableType] -- any object


# -- Azure OpenAI: the key has a header of its own, the version stands in the query, a deployment in the path


def _azure(dialect: Dialect, provider: str, paths: str) -> Dialect:
    pattern = re.compile(paths)

    def read(request: Request) -> Ask:
        if not ({"api-key", "authorization"} & request.headers.keys()):
            sentence = "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."
            raise Refused(401, ErrorKind.AUTHENTICATION, sentence)
        if "api-version" not in request.query:
            raise Refused(404, ErrorKind.NOT_FOUND, "Resource not found")
        ask = dialect.read(evolve(request, headers={**request.headers, "authorization": "Bearer checked"}))
        found = pattern.fullmatch(request.path)
        deployment = found.groupdict().get("deployment") if found else None
        return evolve(ask, provider=provider, model=deployment or ask.model)

    return evolve(dialect, provider=provider, paths=pattern, read=read)


AZURE = _azure(OPENAI_RESPONSES, "azure", r"/openai/(?:v1/)?responses(?:/[^/]+)?")
AZURE_CHAT = _azure(OPENAI_CHAT, "azure-chat", r"/openai/deployments/(?P<deployment>[^/]+)/chat/completions")


# -- Vertex AI: project, region and publisher in the path, a token for a key

_PLACE = r"/v1(?:beta1)?/projects/[^/]+/locations/[^/]+/publishers/"
_GATES = frozenset({401, 403, 404, 429})
"""What Google's own gate says, in its own words, whoever's model is behind it."""


def _vertex_gemini(request: Request) -> Ask:
    _check_token(request)
    return evolve(GEMINI.read(request), provider="vertex")


def _vertex_claude(request: Request) -> Ask:
    _check_token(request)
    found = VERTEX_CLAUDE.paths.fullmatch(request.path)
    assert found is not None
    fields = _fields(request)
    if not fields.pop("anthropic_version", None) or "model" in fields:
        raise Refused(
            400, ErrorKind.INVALID, "anthropic_version: Field required; model: Extra inputs are not permitted"
        )
    if bool(fields.get("stream")) != (found["call"] == "streamRawPredict"):
        raise Refused(400, ErrorKind.INVALID, "stream: Input should agree with the method that is called")
    asked = {**fields, "model": unquote(found["model"])}
    return evolve(ANTHROPIC.read(_as_anthropic(request, asked)), provider="anthropic-vertex")


def _check_token(request: Request) -> None:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        raise Refused(401, ErrorKind.AUTHENTICATION, "Request had invalid authentication credentials.")


def _as_anthropic(request: Request, fields: Mapping[str, Any]) -> Request:
    headers = {**request.headers, "anthropic-version": "2023-06-01", "authorization": "Bearer checked"}
    return evolve(request, headers=headers, body=_encode(fields))


def _vertex_error(complaint: Complaint, stamp: Stamp) -> Page:
    return GEMINI.error(complaint, stamp) if complaint.code in _GATES else ANTHROPIC.error(complaint, stamp)


VERTEX = evolve(
    GEMINI,
    provider="vertex",
    paths=re.compile(_PLACE + r"google/models/[^/:]+:(?:generateContent|streamGenerateContent)"),
    read=_vertex_gemini,
)
VERTEX_CLAUDE = evolve(
    ANTHROPIC,
    provider="anthropic-vertex",
    paths=re.compile(_PLACE + r"anthropic/models/(?P<model>[^/:]+):(?P<call>rawPredict|streamRawPredict)"),
    read=_vertex_claude,
    error=_vertex_error,
)


# -- Bedrock: Anthropic's events in base64, in JSON, in binary frames with two checksums each


def framed(payload: bytes, headers: Mapping[str, str]) -> bytes:
    """One frame of Amazon's event stream; all header values are texts (type 7)."""
    named = b"".join(
        pack("!B", len(name.encode())) + name.encode() + pack("!BH", 7, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = pack("!II", 16 + len(named) + len(payload), len(named))
    whole = prelude + pack("!I", crc32(prelude)) + named + payload
    return whole + pack("!I", crc32(whole))


def _chunk(event: bytes) -> bytes:
    """A server-sent event as a frame."""
    data = next(line for line in event.splitlines() if line.startswith(b"data: ")).removeprefix(b"data: ")
    fields: dict[str, Any] = msgspec.json.decode(data)
    if fields["type"] == "message_stop":
        fields["amazon-bedrock-invocationMetrics"] = {"inputTokenCount": 1, "outputTokenCount": 1}
    inner = _encode(fields)
    payload = _encode({"bytes": b64encode(inner).decode(), "p": "abcdefghijklmnopqrstuvwxyz"[: 1 + len(inner) % 26]})
    return framed(payload, {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"})


_EXCEPTIONS: Mapping[ErrorKind, tuple[str, str]] = {
    ErrorKind.INVALID: ("validationException", "Malformed input request, please reformat your input and try again."),
    ErrorKind.RATE_LIMITED: ("throttlingException", "Too many tokens, please wait before trying again."),
    ErrorKind.OVERLOADED: ("serviceUnavailableException", "The service is unavailable, please try again later."),
    ErrorKind.UNAVAILABLE: ("serviceUnavailableException", "The service is unavailable, please try again later."),
    ErrorKind.TIMEOUT: ("modelTimeoutException", "The model took too long to answer."),
    ErrorKind.INTERNAL: ("internalServerException", "The system encountered an unexpected error during processing."),
}
_STREAM_ERROR = ("modelStreamErrorException", "The model returned an error while streaming the response.")


def _bedrock_failure(kind: ErrorKind, _: Ask, __: Stamp, ___: int) -> list[bytes]:
    name, message = _EXCEPTIONS.get(kind, _STREAM_ERROR)
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return [framed(_encode({"message": message}), headers)]


_ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("ValidationException", "The provided request is not valid."),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: ("ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."),
    408: ("ModelTimeoutException", "The model took too long to answer."),
    424: ("ModelErrorException", "The model returned an error."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}


def _bedrock_error(complaint: Complaint, stamp: Stamp) -> Page:
    name, message = _ERRORS.get(complaint.code, ("InternalServerException", "The server encountered an error."))
    wait = () if complaint.retry_after is None else (("retry-after", f"{complaint.retry_after:g}"),)
    headers = (
        ("content-type", "application/json"),
        ("x-amzn-requestid", stamp.id("", 32)),
        ("x-amzn-errortype", f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"),
        *wait,
    )
    return Page(complaint.code, headers, _encode({"message": complaint.message or message}))


def _bedrock(request: Request) -> Ask:
    if not request.headers.get("authorization", "").startswith(("Bearer ", "AWS4-HMAC-SHA256 ")):
        raise Refused(403, ErrorKind.AUTHENTICATION, "Missing Authentication Token")
    found = BEDROCK.paths.fullmatch(request.path)
    assert found is not None
    fields = _fields(request)
    if not fields.pop("anthropic_version", None) or {"model", "stream"} & fields.keys():
        raise Refused(400, ErrorKind.INVALID, "Malformed input request, please reformat your input and try again.")
    asked = {**fields, "model": unquote(found["model"]), "stream": found["call"] == "invoke-with-response-stream"}
    return evolve(ANTHROPIC.read(_as_anthropic(request, asked)), provider="bedrock")


def _bedrock_headers(stamp: Stamp, ask: Ask) -> Headers:
    kind = "application/vnd.amazon.eventstream" if ask.streaming else "application/json"
    return (("content-type", kind), ("x-amzn-requestid", stamp.id("", 32)), ("date", stamp.date))


def _in_frames(stream: Callable[[Ask, Answer, Stamp], Script]) -> Callable[[Ask, Answer, Stamp], Script]:
    def streamed(ask: Ask, answer: Answer, stamp: Stamp) -> Script:
        script = stream(ask, answer, stamp)
        return evolve(script, events=[_chunk(event) for event in script.events])

    return streamed


BEDROCK = evolve(
    ANTHROPIC,
    provider="bedrock",
    paths=re.compile(r"/model/(?P<model>[^/]+)/(?P<call>invoke|invoke-with-response-stream)"),
    read=_bedrock,
    answer_headers=_bedrock_headers,
    stream=_in_frames(ANTHROPIC.stream),
    error=_bedrock_error,
    failure=_bedrock_failure,
    ping=_chunk(ANTHROPIC.ping),
)
