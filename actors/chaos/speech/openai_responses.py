"""OpenAI Responses: `event:` and `data:` lines with a running `sequence_number`, items with parts, one terminal event.

A response that runs in the background is kept: `GET /v1/responses/ID?stream=true&starting_after=N` gives the events after
number N, `GET /v1/responses/ID` the whole.
"""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

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
Fields: TypeAlias = dict[str, Any]


class _Item(msgspec.Struct):
    """Any item of the input; the fields of its kind alone are set."""

    type: str = "message"
    role: str = ""
    content: str | list[Fields] | None = None
    output: str | list[Fields] = ""
    call_id: str = ""


class _Body(msgspec.Struct):
    model: str
    input: str | list[_Item]
    stream: bool | None = None
    background: bool | None = None
    max_output_tokens: int | None = None


_PATH = re.compile(r"(?:/[\w.-]+)*/responses(?:/(?P<id>[^/]+))?")
_ROLES = frozenset({"user", "assistant"})


def _read(request: Request) -> Ask:
    check_key(request)
    found = _PATH.fullmatch(request.path)
    assert found is not None
    if found["id"]:
        return _resumption(found["id"], request.query)
    try:
        body = decode(request.body, _Body)
    except BadBody as bad:
        raise bad_body(bad) from None
    items = [_Item(role="user", content=body.input)] if isinstance(body.input, str) else body.input
    _check(body, items)
    turns = tuple(turn for item in items if (turn := _turn(item)))
    background = bool(body.background)
    return Ask("openai", body.model, turns, bool(body.stream), body.max_output_tokens, background=background)


def _resumption(response_id: str, query: dict[str, str]) -> Ask:
    after = query.get("starting_after")
    if after is not None and not after.isdecimal():
        raise invalid(
            f"Invalid type for 'starting_after': expected an integer, but got '{after}' instead.", "starting_after"
        )
    streaming = query.get("stream") == "true"
    return Ask("openai", "", (), streaming, response_id=response_id, resume_after=int(after) if after else None)


def _turn(item: _Item) -> Turn | None:
    """The item as a turn; a call that the model made and its reasoning are no words of anyone."""
    if item.type == "function_call_output":
        return Turn("user", words_of(item.output))
    return Turn(item.role, words_of(item.content)) if item.type == "message" and item.role in _ROLES else None


def _check(body: _Body, items: list[_Item]) -> None:
    if not items:
        raise invalid('One of "input" or "previous_response_id" or \'prompt\' must be provided.', "input")
    if body.max_output_tokens is not None and body.max_output_tokens < 16:
        sentence = (
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got {} instead."
        )
        raise invalid(sentence.format(body.max_output_tokens), "max_output_tokens", "integer_below_min_value")
    called = [item.call_id for item in items if item.type == "function_call"]
    answered = [item.call_id for item in items if item.type == "function_call_output"]
    if missing := [one for one in called if one not in answered]:
        raise invalid(f"No tool output found for function call {missing[0]}.", "input")
    if strays := [one for one in answered if one not in called]:
        raise invalid(f"No tool call found for function call output with call_id {strays[0]}.", "input")


def _response(ask: Ask, stamp: Stamp, status: str, **changes: Any) -> Fields:
    fields: Fields = {
        "id": _id(stamp),
        "object": "response",
        "created_at": int(stamp.at),
        "status": status,
        "background": ask.background,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": ask.max_tokens,
        "model": ask.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": "medium", "summary": None},
        "service_tier": "auto",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }
    return fields | changes


def _id(stamp: Stamp) -> str:
    return stamp.id("resp_", 50)


def _finished(ask: Ask, answer: Answer, stamp: Stamp) -> Fields:
    """The response as its terminal event holds it."""
    items = [_item(part, at, answer, stamp) for at, part in enumerate(answer.parts)]
    cut = answer.reason is Finish.LENGTH
    reason = {"reason": "max_output_tokens"} if cut else None
    usage = _usage(ask, answer)
    status = "incomplete" if cut else "completed"
    done = None if cut else int(stamp.at)
    return _response(ask, stamp, status, output=items, incomplete_details=reason, usage=usage, completed_at=done)


def _usage(ask: Ask, answer: Answer) -> Fields:
    given = ask.input_tokens if answer.input_tokens is None else answer.input_tokens
    thought = sum(len(pieces(part.text)) for part in answer.parts if isinstance(part, Thinking))
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": answer.tokens,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": given + answer.tokens,
    }


def _item(part: Text | Thinking | ToolUse, at: int, answer: Answer, stamp: Stamp) -> Fields:
    """One finished item of the output."""
    last = at == len(answer.parts) - 1
    status = "incomplete" if last and answer.reason is Finish.LENGTH else "completed"
    match part:
        case Text(text):
            content = [_content(answer, text)]
            return {"id": stamp.id("msg_", 50, str(at)), "type": "message", "status": status, "content": content} | {
                "role": "assistant"
            }
        case Thinking(text, signature):
            summary = [{"type": "summary_text", "text": text}]
            item = {"id": stamp.id("rs_", 50, str(at)), "type": "reasoning", "encrypted_content": signature}
            return item | {"summary": summary}
        case ToolUse(name, arguments):
            called = {
                "call_id": part.id or stamp.id("call_", 24, str(at)),
                "name": name,
                "arguments": arguments or "{}",
            }
            return {"id": stamp.id("fc_", 50, str(at)), "type": "function_call", "status": status} | called


def _content(answer: Answer, text: str) -> Fields:
    if answer.reason is Finish.REFUSAL:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _stream(ask: Ask, answer: Answer, stamp: Stamp) -> Script:
    begun = _response(ask, stamp, "queued" if ask.background else "in_progress")
    told: list[tuple[str, Fields]] = [("response.created", {"response": begun})]
    if ask.background:
        told.append(("response.queued", {"response": begun}))
    told.append(("response.in_progress", {"response": begun | {"status": "in_progress"}}))
    preamble = len(told) + (2 if answer.parts and isinstance(answer.parts[0], Text) else 1)
    for at, part in enumerate(answer.parts):
        told.extend(_item_events(part, at, _item(part, at, answer, stamp)))
    finished = _finished(ask, answer, stamp)
    told.append((f"response.{finished['status']}", {"response": finished}))
    events = [_event(kind, number, fields) for number, (kind, fields) in enumerate(told)]
    return Script(events, min(preamble, len(events) - 1), terminal=len(events) - 1)


def _event(kind: str, number: int, fields: Fields) -> bytes:
    content = _encode({"type": kind, **fields, "sequence_number": number})
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), content)


def _item_events(part: Text | Thinking | ToolUse, at: int, item: Fields) -> Iterator[tuple[str, Fields]]:
    """An item from `added` to `done`, its text or arguments by the word."""
    empty = {"status": "in_progress"} if "status" in item else {}
    for name in ("content", "summary"):
        empty |= {name: []} if name in item else {}
    empty |= {"arguments": ""} if "arguments" in item else {}
    yield "response.output_item.added", {"output_index": at, "item": item | empty}
    place = {"item_id": item["id"], "output_index": at}
    match part:
        case Text(text):
            yield from _text_events(text, item["content"][0], place)
        case Thinking(text):
            yield from _summary_events(text, place)
        case ToolUse():
            for piece in pieces(item["arguments"]):
                delta = {"delta": piece, "obfuscation": _noise(piece)}
                yield "response.function_call_arguments.delta", place | delta
            yield "response.function_call_arguments.done", place | {"arguments": item["arguments"]}
    yield "response.output_item.done", {"output_index": at, "item": item}


def _text_events(text: str, whole: Fields, place: Fields) -> Iterator[tuple[str, Fields]]:
    field = "refusal" if whole["type"] == "refusal" else "text"
    name = "refusal" if field == "refusal" else "output_text"
    place = place | {"content_index": 0}
    yield "response.content_part.added", place | {"part": whole | {field: ""}}
    for piece in pieces(text):
        yield f"response.{name}.delta", place | {"delta": piece, "obfuscation": _noise(piece)}
    yield f"response.{name}.done", place | {field: text}
    yield "response.content_part.done", place | {"part": whole}


def _summary_events(text: str, place: Fields) -> Iterator[tuple[str, Fields]]:
    place = place | {"summary_index": 0}
    yield "response.reasoning_summary_part.added", place | {"part": {"type": "summary_text", "text": ""}}
    for piece in pieces(text):
        yield "response.reasoning_summary_text.delta", place | {"delta": piece, "obfuscation": _noise(piece)}
    yield "response.reasoning_summary_text.done", place | {"text": text}
    yield "response.reasoning_summary_part.done", place | {"part": {"type": "summary_text", "text": text}}


def _noise(piece: str) -> str:
    """The service pads every delta to hide its length."""
    return "x" * (16 - len(piece) % 16)


def _whole(ask: Ask, answer: Answer, stamp: Stamp) -> bytes:
    return msgspec.json.format(_encode(_finished(ask, answer, stamp)), indent=2) + b"\n"


def _answer_headers(stamp: Stamp, ask: Ask) -> Headers:
    kind = "text/event-stream; charset=utf-8" if ask.streaming else "application/json"
    return (("content-type", kind), *limit_headers(spent=False), *edge_headers(stamp))


def _failure(kind: ErrorKind, ask: Ask, stamp: Stamp, position: int) -> list[bytes]:
    said = error_fields(Complaint(0, kind, model=ask.model))
    failed = _response(ask, stamp, "failed", error={"code": said["code"] or "server_error", "message": said["message"]})
    number = position if ask.resume_after is None else ask.resume_after + 1 + position
    return [_event("error", number, {"error": said}), _event("response.failed", number + 1, {"response": failed})]


OPENAI_RESPONSES = Dialect(
    provider="openai",
    paths=_PATH,
    read=_read,
    answer_headers=_answer_headers,
    stream=_stream,
    whole=_whole,
    error=error,
    failure=_failure,
    buffered_code=buffered_code,
    ping=b": keep-alive\n\n",
    methods=frozenset({"GET", "POST"}),
    kept_as=_id,
)
