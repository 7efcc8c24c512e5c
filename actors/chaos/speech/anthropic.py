"""Anthropic Messages: `event:` and `data:` lines, blocks by index, cumulative usage, `message_stop` at the end.

The real service pads its data lines with blanks before the closing brace and puts a ping after the first block's start;
so does this.  The sentences that refuse a bad request are the service's own.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from actors.chaos.answers import Answer, Ask, Finish, Part, Text, Thinking, ToolUse, Turn, pieces
from actors.chaos.faults import ErrorKind
from actors.chaos.speech.anthropic_errors import buffered_code, edge_headers, error, error_fields, limit_headers
from actors.chaos.speech.body import BadBody, decode, words_of
from actors.chaos.speech.dialect import Dialect, Headers, Refused, Request, Script, Stamp

_encode = msgspec.json.encode


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]]


class _Tool(msgspec.Struct):
    name: str


class _Body(msgspec.Struct):
    model: str
    max_tokens: int
    messages: list[_Message]
    stream: bool = False
    tools: list[_Tool] = []


_EXPECTED = {
    "int": "a valid integer",
    "str": "a valid string",
    "bool": "a valid boolean",
    "array": "a valid list",
    "str | array": "a valid list",
    "object": "a valid dictionary",
}

_WITHOUT_PREFILL = re.compile(r"claude-\w+-(4-[6-9]|[5-9])")
"""Models from 4.6 on refuse a conversation that ends with the assistant."""


def _read(request: Request) -> Ask:
    if not (request.headers.get("x-api-key") or request.headers.get("authorization")):
        raise Refused(401, ErrorKind.AUTHENTICATION, "x-api-key header is required")
    if "anthropic-version" not in request.headers:
        raise Refused(400, ErrorKind.INVALID, "anthropic-version: header is required")
    try:
        body = decode(request.body, _Body)
    except BadBody as bad:
        raise Refused(400, ErrorKind.INVALID, _sentence(bad)) from None
    _check(body)
    turns = tuple(Turn(message.role, words_of(message.content)) for message in body.messages)
    return Ask("anthropic", body.model, turns, body.stream, body.max_tokens)


def _sentence(bad: BadBody) -> str:
    if bad.flaw is None:
        return f"The request body is not valid JSON: {bad}"
    where, expected = bad.flaw.dotted, bad.flaw.expected
    return f"{where}: Input should be {_EXPECTED.get(expected, expected)}" if expected else f"{where}: Field required"


def _check(body: _Body) -> None:
    """The rules that a type cannot say; each refusal is the sentence the service gives."""
    messages = body.messages
    if body.max_tokens < 1:
        raise _invalid("max_tokens: Input should be greater than or equal to 1")
    if not messages:
        raise _invalid("messages: at least one message is required")
    for at, message in enumerate(messages):
        if message.role not in {"user", "assistant"}:
            raise _invalid(f"messages.{at}.role: Input should be 'user' or 'assistant'")
        if not message.content and at < len(messages) - 1:
            raise _invalid(
                f"messages.{at}: all messages must have non-empty content except for the optional final assistant message"
            )
    if messages[-1].role == "assistant" and _WITHOUT_PREFILL.match(body.model):
        raise _invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    if (
        isinstance(messages[-1].content, str)
        and messages[-1].role == "assistant"
        and messages[-1].content[-1:].isspace()
    ):
        raise _invalid("messages: final assistant content cannot end with trailing whitespace")
    _check_tool_results(messages)


def _check_tool_results(messages: list[_Message]) -> None:
    """Every call is answered in the very next message, and nothing else is."""
    called: list[str] = []
    for at, message in enumerate(messages):
        answered = _ids(message, "tool_result", "tool_use_id")
        for place, one in enumerate(answered):
            if one not in called:
                raise _invalid(
                    f"messages.{at}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {one}. Each "
                    "`tool_result` block must have a corresponding `tool_use` block in the previous message."
                )
        if missing := [one for one in called if one not in answered]:
            raise _invalid(
                f"messages.{at - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
                "message."
            )
        called = _ids(message, "tool_use", "id")


def _ids(message: _Message, kind: str, field: str) -> list[str]:
    blocks = [] if isinstance(message.content, str) else message.content
    return [str(block.get(field)) for block in blocks if block.get("type") == kind]


def _invalid(sentence: str) -> Refused:
    return Refused(400, ErrorKind.INVALID, sentence)


# Answers

_STOP = {
    Finish.END: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL: "tool_use",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.REFUSAL: "refusal",
    Finish.PAUSE: "pause_turn",
}
_REFUSAL = {"type": "refusal", "category": "general_harms", "explanation": "This request was declined."}
_PING = b'event: ping\ndata: {"type": "ping"}\n\n'


def _usage(ask: Ask, answer: Answer, output: int) -> dict[str, Any]:
    return {
        "input_tokens": ask.input_tokens if answer.input_tokens is None else answer.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
    }


def _message(ask: Ask, answer: Answer, stamp: Stamp) -> dict[str, Any]:
    usage = _usage(ask, answer, 1)
    usage["cache_creation"] = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
    usage["service_tier"] = "standard"
    return {
        "model": ask.model,
        "id": stamp.id("msg_01", 22),
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage,
    }


def _stop(answer: Answer) -> dict[str, Any]:
    reason = answer.reason
    return {
        "stop_reason": _STOP[reason],
        "stop_sequence": "END" if reason is Finish.STOP_SEQUENCE else None,
        "stop_details": _REFUSAL if reason is Finish.REFUSAL else None,
    }


def _stream(ask: Ask, answer: Answer, stamp: Stamp) -> Script:
    events = [_event("message_start", {"message": _message(ask, answer, stamp)})]
    for index, part in enumerate(answer.parts):
        events.append(_event("content_block_start", {"index": index, "content_block": _opened(part, index, stamp)}))
        if index == 0:
            events.append(_PING)
        events.extend(_event("content_block_delta", {"index": index, "delta": delta}) for delta in _deltas(part))
        events.append(_event("content_block_stop", {"index": index}))
    usage = _usage(ask, answer, answer.tokens)
    events.append(_event("message_delta", {"delta": _stop(answer), "usage": usage}))
    events.append(_event("message_stop", {}))
    return Script(events, preamble=3 if answer.parts else 1, terminal=len(events) - 1)


def _event(kind: str, fields: dict[str, Any]) -> bytes:
    content = _encode({"type": kind, **fields})
    blanks = b" " * (len(content) % 16)
    return b"event: %b\ndata: %b%b}\n\n" % (kind.encode(), content[:-1], blanks)


def _opened(part: Part, index: int, stamp: Stamp) -> dict[str, Any]:
    """The block as it starts: empty."""
    match part:
        case Text():
            return {"type": "text", "text": ""}
        case Thinking():
            return {"type": "thinking", "thinking": "", "signature": ""}
        case ToolUse(name):
            return {"type": "tool_use", "id": _tool_id(part, index, stamp), "name": name, "input": {}}


def _tool_id(part: ToolUse, index: int, stamp: Stamp) -> str:
    return part.id or stamp.id("toolu_01", 22, salt=str(index))


def _deltas(part: Part) -> Iterator[dict[str, Any]]:
    match part:
        case Text(text):
            yield from ({"type": "text_delta", "text": piece} for piece in pieces(text))
        case Thinking(text, signature):
            yield from ({"type": "thinking_delta", "thinking": piece} for piece in pieces(text))
            yield {"type": "signature_delta", "signature": signature}
        case ToolUse(_, arguments):
            # The first fragment is always empty, and stays the only one for a call without arguments.
            yield from ({"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(arguments)])


def _whole(ask: Ask, answer: Answer, stamp: Stamp) -> bytes:
    message = _message(ask, answer, stamp) | _stop(answer)
    message["content"] = [_block(part, index, stamp) for index, part in enumerate(answer.parts)]
    message["usage"]["output_tokens"] = answer.tokens
    return _encode(message)


def _block(part: Part, index: int, stamp: Stamp) -> dict[str, Any]:
    """The block as it ends: full."""
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Thinking(text, signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case ToolUse(name, arguments):
            called = msgspec.Raw(arguments.encode() or b"{}")
            return {"type": "tool_use", "id": _tool_id(part, index, stamp), "name": name, "input": called}


def _answer_headers(stamp: Stamp, ask: Ask) -> Headers:
    kind = "text/event-stream; charset=utf-8" if ask.streaming else "application/json"
    cache = (("cache-control", "no-cache"),) if ask.streaming else ()
    return (("content-type", kind), *cache, *limit_headers(stamp, spent=False), *edge_headers(stamp))


def _failure(kind: ErrorKind, _: Ask, stamp: Stamp, __: int) -> list[bytes]:
    return [_event("error", error_fields(kind, stamp))]


ANTHROPIC = Dialect(
    provider="anthropic",
    paths=re.compile(r"/v1/messages"),
    read=_read,
    answer_headers=_answer_headers,
    stream=_stream,
    whole=_whole,
    error=error,
    failure=_failure,
    buffered_code=buffered_code,
    ping=_PING,
)
