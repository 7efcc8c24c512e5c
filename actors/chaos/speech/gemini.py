"""Gemini `generateContent` and `streamGenerateContent`: every chunk a whole response, no end mark, lines ending CR LF.

The end is a chunk with `finishReason` and then the end of the body; a function call comes whole.  Without `alt=sse` the
stream is one JSON array.  There are no rate-limit headers: what to wait for stands in the error's details.
"""

import re
from typing import Any

import msgspec

from actors.chaos.answers import Answer, Ask, Finish, Text, Thinking, ToolUse, Turn, pieces
from actors.chaos.faults import ErrorKind
from actors.chaos.speech.body import BadBody, decode
from actors.chaos.speech.dialect import Complaint, Dialect, Headers, Refused, Request, Script, Stamp
from actors.chaos.speech.gemini_errors import buffered_code, edge_headers, error, error_fields

_encode = msgspec.json.encode


class _Part(msgspec.Struct, rename="camel"):
    text: str = ""
    function_call: dict[str, Any] | None = None
    function_response: dict[str, Any] | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] = []
    role: str = "user"


class _Config(msgspec.Struct, rename="camel"):
    max_output_tokens: int | None = None


class _Body(msgspec.Struct, rename="camel"):
    contents: list[_Content]
    generation_config: _Config | None = None


_PATH = re.compile(
    r"/v1(?:(?:alpha|beta)\d?)?/(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/google/)?models/"
    r"(?P<model>[^/:]+):(?P<call>generateContent|streamGenerateContent)"
)
_ROLES = {"user": "user", "function": "user", "model": "assistant"}


def _read(request: Request) -> Ask:
    query = request.query
    if not (query.get("key") or {"x-goog-api-key", "authorization"} & request.headers.keys()):
        raise Refused(403, ErrorKind.PERMISSION)
    found = _PATH.fullmatch(request.path)
    assert found is not None
    try:
        body = decode(request.body, _Body)
    except BadBody as bad:
        raise Refused(400, ErrorKind.INVALID, _sentence(bad)) from None
    _check(body)
    turns = tuple(Turn(_ROLES[content.role], _words(content)) for content in body.contents)
    most = body.generation_config.max_output_tokens if body.generation_config else None
    streaming = found["call"] == "streamGenerateContent"
    return Ask("google", found["model"], turns, streaming, most, framed=query.get("alt") == "sse")


def _sentence(bad: BadBody) -> str:
    if bad.flaw is None:
        return f"Invalid JSON payload received. {bad}"
    if bad.flaw.path == "contents" and not bad.flaw.expected:
        return "* GenerateContentRequest.contents: contents is not specified\n"
    return f"Invalid value at '{bad.flaw.path}' (TYPE_{(bad.flaw.expected or 'missing').upper()}), \"{bad.flaw.got}\""


def _check(body: _Body) -> None:
    if not body.contents:
        raise Refused(400, ErrorKind.INVALID, "* GenerateContentRequest.contents: contents is not specified\n")
    for at, content in enumerate(body.contents):
        if content.role not in _ROLES:
            raise Refused(400, ErrorKind.INVALID, "Please use a valid role: user, model.")
        if not content.parts:
            raise Refused(
                400,
                ErrorKind.INVALID,
                f"* GenerateContentRequest.contents[{at}].parts: contents.parts must not be empty.\n",
            )
        calls = [part for part in body.contents[at - 1].parts if part.function_call] if at else []
        answers = [part for part in content.parts if part.function_response]
        if len(calls) != len(answers):
            raise Refused(
                400,
                ErrorKind.INVALID,
                "Please ensure that the number of function response parts is equal to the number of function call parts of "
                "the function call turn.",
            )


def _words(content: _Content) -> str:
    said = [part.text for part in content.parts if part.text]
    given = [_result(part.function_response) for part in content.parts if part.function_response]
    return "\n".join(said + given)


def _result(function_response: dict[str, Any]) -> str:
    """The words of a function's result: a string as it is, anything else as JSON."""
    result = function_response.get("response")
    if isinstance(result, dict) and len(result) == 1:  # pyright: ignore[reportUnknownArgumentType] -- any JSON object
        (result,) = result.values()  # pyright: ignore[reportUnknownVariableType] -- any JSON object
    return result if isinstance(result, str) else _encode(result).decode()


# Answers

_FINISH = {
    Finish.END: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.TOOL: "STOP",
    Finish.STOP_SEQUENCE: "STOP",
    Finish.REFUSAL: "SAFETY",
    Finish.PAUSE: "STOP",
}


def _parts(answer: Answer) -> list[dict[str, Any]]:
    """The answer as parts, one for every chunk: words one by one, calls whole."""
    parts: list[dict[str, Any]] = []
    for part in answer.parts:
        match part:
            case Text(text):
                parts.extend({"text": piece} for piece in pieces(text))
            case Thinking(text):
                parts.extend({"text": piece, "thought": True} for piece in pieces(text))
            case ToolUse():
                parts.append(_call(part))
    return parts


def _call(part: ToolUse) -> dict[str, Any]:
    call = {"name": part.name, "args": msgspec.Raw(part.arguments.encode() or b"{}")}
    named = {"id": part.id} if part.id else {}
    return {"functionCall": named | call, "thoughtSignature": "c2lnbmF0dXJl"}


def _chunk(ask: Ask, answer: Answer, stamp: Stamp, parts: list[dict[str, Any]], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate | {"index": 0}],
        "usageMetadata": _usage(ask, answer, finished=finish is not None),
        "modelVersion": ask.model,
        "responseId": stamp.id("", 23),
    }


def _usage(ask: Ask, answer: Answer, *, finished: bool) -> dict[str, Any]:
    given = ask.input_tokens if answer.input_tokens is None else answer.input_tokens
    details = {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": given}]}
    if not finished:
        return {"promptTokenCount": given, "totalTokenCount": given} | details
    thought = sum(len(pieces(part.text)) for part in answer.parts if isinstance(part, Thinking))
    counted: dict[str, Any] = {"promptTokenCount": given, "candidatesTokenCount": max(0, answer.tokens - thought)}
    counted |= {"thoughtsTokenCount": thought} if thought else {}
    return counted | {"totalTokenCount": given + answer.tokens} | details


def _stream(ask: Ask, answer: Answer, stamp: Stamp) -> Script:
    parts = _parts(answer)
    # The last words and the finish reason share a chunk, as on the real wire.
    chunks = [_chunk(ask, answer, stamp, [part], None) for part in parts[:-1]]
    chunks.append(_chunk(ask, answer, stamp, parts[-1:], _FINISH[answer.reason]))
    last = len(chunks) - 1
    events = [_event(ask, _encode(chunk), at, last=at == last) for at, chunk in enumerate(chunks)]
    return Script(events, preamble=0, terminal=last)


def _event(ask: Ask, content: bytes, at: int, *, last: bool) -> bytes:
    if ask.framed:
        return b"data: %b\r\n\r\n" % content
    return (b",\r\n" if at else b"[") + content + (b"\n]" if last else b"\n")


def _whole(ask: Ask, answer: Answer, stamp: Stamp) -> bytes:
    parts: list[dict[str, Any]] = []
    for part in answer.parts:
        match part:
            case Text(text):
                parts.append({"text": text})
            case Thinking(text):
                parts.append({"text": text, "thought": True})
            case ToolUse():
                parts.append(_call(part))
    fields = _chunk(ask, answer, stamp, parts, _FINISH[answer.reason])
    return msgspec.json.format(_encode(fields), indent=2) + b"\n"


def _answer_headers(stamp: Stamp, ask: Ask) -> Headers:
    kind = "text/event-stream" if ask.streaming and ask.framed else "application/json; charset=UTF-8"
    return (("content-type", kind), *edge_headers(stamp))


def _failure(kind: ErrorKind, ask: Ask, _: Stamp, position: int) -> list[bytes]:
    content = _encode({"error": error_fields(Complaint(buffered_code(kind), kind, model=ask.model))})
    return [_event(ask, content, position, last=True)]


GEMINI = Dialect(
    provider="google",
    paths=_PATH,
    read=_read,
    answer_headers=_answer_headers,
    stream=_stream,
    whole=_whole,
    error=error,
    failure=_failure,
    buffered_code=buffered_code,
    ping=b": keep-alive\r\n\r\n",
)
