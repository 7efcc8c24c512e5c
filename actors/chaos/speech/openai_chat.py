"""OpenAI chat completions: `data:` lines alone, a finish reason on the last chunk of the choice, then `[DONE]`.

Usage comes in a chunk of its own without choices, and only when it was asked for.  Reasoning goes out as
`reasoning_content`, the spelling of the compatible servers that show it.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from actors.chaos.answers import Answer, Ask, Finish, Text, Thinking, ToolUse, Turn, pieces
from actors.chaos.faults import ErrorKind
from actors.chaos.speech.body import BadBody, decode, words_of
from actors.chaos.speech.dialect import Complaint, Dialect, Headers, Request, Script, Stamp
from actors.chaos.speech.openai_errors import (
    bad_body,
    buffered_code,
    check_key,
    edge_headers,
    error,
    error_fields,
    invalid,
    limit_headers,
)

_encode = msgspec.json.encode


class _Called(msgspec.Struct):
    id: str


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[_Called] | None = None
    tool_call_id: str | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Body(msgspec.Struct):
    messages: list[_Message]
    model: str
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


_ROLES = {"system": "", "developer": "", "user": "user", "tool": "user", "function": "user", "assistant": "assistant"}
"""Whose words a message's are; instructions are no turn of the conversation."""

_REASONING_MODEL = re.compile(r"(o\d|gpt-5)")


def _read(request: Request) -> Ask:
    check_key(request)
    try:
        body = decode(request.body, _Body)
    except BadBody as bad:
        raise bad_body(bad) from None
    _check(body)
    usage = body.stream_options is not None and body.stream_options.include_usage
    turns = tuple(
        Turn(_ROLES[message.role], words_of(message.content)) for message in body.messages if _ROLES[message.role]
    )
    most = body.max_completion_tokens or body.max_tokens
    return Ask("openai-chat", body.model, turns, bool(body.stream), most, usage_wanted=usage)


def _check(body: _Body) -> None:
    if not body.messages:
        sentence = (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )
        raise invalid(sentence, "messages", "empty_array")
    for at, message in enumerate(body.messages):
        if message.role not in _ROLES:
            allowed = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'"
            raise invalid(
                f"Invalid value: '{message.role}'. Supported values are: {allowed}.",
                f"messages[{at}].role",
                "invalid_value",
            )
    if body.max_tokens is not None and _REASONING_MODEL.match(body.model):
        raise invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    if body.stream_options is not None and not body.stream:
        raise invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    _check_tool_results(body.messages)


def _check_tool_results(messages: list[_Message]) -> None:
    """Every call is answered by the messages right after it, and nothing else is."""
    open_calls: list[str] = []
    for at, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in open_calls:
                sentence = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise invalid(f"Invalid parameter: {sentence}", f"messages.[{at}].role")
            open_calls.remove(message.tool_call_id)
            continue
        _no_open_calls(open_calls, at)
        open_calls = [call.id for call in message.tool_calls or ()]
    _no_open_calls(open_calls, len(messages))


def _no_open_calls(open_calls: list[str], at: int) -> None:
    if open_calls:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The "
            f"following tool_call_ids did not have response messages: {', '.join(open_calls)}",
            f"messages.[{at}].role",
        )


_FINISH = {
    Finish.END: "stop",
    Finish.LENGTH: "length",
    Finish.TOOL: "tool_calls",
    Finish.STOP_SEQUENCE: "stop",
    Finish.REFUSAL: "stop",
    Finish.PAUSE: "stop",
}
_DONE = b"data: [DONE]\n\n"


def _envelope(ask: Ask, stamp: Stamp, kind: str) -> dict[str, Any]:
    return {
        "id": stamp.id("chatcmpl-", 29),
        "object": kind,
        "created": int(stamp.at),
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": "fp_0ba0d124f1",
    }


def _usage(ask: Ask, answer: Answer) -> dict[str, Any]:
    given = ask.input_tokens if answer.input_tokens is None else answer.input_tokens
    thought = sum(len(pieces(part.text)) for part in answer.parts if isinstance(part, Thinking))
    return {
        "prompt_tokens": given,
        "completion_tokens": answer.tokens,
        "total_tokens": given + answer.tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": 0},
    }


def _stream(ask: Ask, answer: Answer, stamp: Stamp) -> Script:
    envelope = _envelope(ask, stamp, "chat.completion.chunk")
    if ask.usage_wanted:
        envelope["usage"] = None

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: %b\n\n" % _encode(envelope | {"choices": [choice]})

    talks = any(isinstance(part, Text) for part in answer.parts)
    events = [chunk({"role": "assistant", "content": "" if talks else None, "refusal": None})]
    events.extend(chunk(delta) for delta in _deltas(answer, stamp))
    terminal = len(events)
    events.append(chunk({}, _FINISH[answer.reason]))
    if ask.usage_wanted:
        events.append(b"data: %b\n\n" % _encode(envelope | {"choices": [], "usage": _usage(ask, answer)}))
    return Script([*events, _DONE], preamble=1, terminal=terminal)


def _deltas(answer: Answer, stamp: Stamp) -> Iterator[dict[str, Any]]:
    """Text, reasoning and refusals by the word, calls by index: first the name, then the arguments."""
    said = "refusal" if answer.reason is Finish.REFUSAL else "content"
    at = 0
    for part in answer.parts:
        match part:
            case Text(text):
                yield from ({said: piece} for piece in pieces(text))
            case Thinking(text):
                yield from ({"reasoning_content": piece} for piece in pieces(text))
            case ToolUse(name, arguments):
                called = {"index": at, "id": _call_id(part, at, stamp), "type": "function"}
                yield {"tool_calls": [called | {"function": {"name": name, "arguments": ""}}]}
                for piece in pieces(arguments or "{}"):
                    yield {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}
                at += 1


def _call_id(part: ToolUse, at: int, stamp: Stamp) -> str:
    return part.id or stamp.id("call_", 24, salt=str(at))


def _whole(ask: Ask, answer: Answer, stamp: Stamp) -> bytes:
    refused = answer.reason is Finish.REFUSAL
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None, "annotations": []}
    if refused:
        message |= {"content": None, "refusal": answer.text}
    if thought := "".join(part.text for part in answer.parts if isinstance(part, Thinking)):
        message["reasoning_content"] = thought
    if calls := [part for part in answer.parts if isinstance(part, ToolUse)]:
        message["tool_calls"] = [_called(part, at, stamp) for at, part in enumerate(calls)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH[answer.reason]}
    fields = _envelope(ask, stamp, "chat.completion") | {"choices": [choice], "usage": _usage(ask, answer)}
    return msgspec.json.format(_encode(fields), indent=2) + b"\n"


def _called(part: ToolUse, at: int, stamp: Stamp) -> dict[str, Any]:
    function = {"name": part.name, "arguments": part.arguments or "{}"}
    return {"id": _call_id(part, at, stamp), "type": "function", "function": function}


def _answer_headers(stamp: Stamp, ask: Ask) -> Headers:
    kind = "text/event-stream; charset=utf-8" if ask.streaming else "application/json"
    return (("content-type", kind), *limit_headers(spent=False), *edge_headers(stamp))


def _failure(kind: ErrorKind, ask: Ask, _: Stamp, __: int) -> list[bytes]:
    # As recorded: the end mark still follows the error, so `[DONE]` alone proves nothing.
    said = error_fields(Complaint(0, kind, model=ask.model))
    return [b"data: %b\n\n" % _encode({"error": said}), _DONE]


OPENAI_CHAT = Dialect(
    provider="openai-chat",
    paths=re.compile(r"(/[\w.-]+)*/chat/completions"),
    read=_read,
    answer_headers=_answer_headers,
    stream=_stream,
    whole=_whole,
    error=error,
    failure=_failure,
    buffered_code=buffered_code,
    ping=b": keep-alive\n\n",
)
