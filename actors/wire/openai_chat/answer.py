"""The answers of chat completions: chunks by which a choice grows, and the same choice in one piece.

The format has no parts: text, thinking and calls are told apart by field, and a change of field ends the part.  The one rule: an answer
is complete when every choice has a finish reason and then `[DONE]` or the end of the bytes came.  For servers that know no finish reason
the bill and `[DONE]` complete it too, and release no call; `[DONE]` alone completes nothing.
"""

from collections.abc import Mapping, Sequence

import msgspec

from actors.deltas import (
    CitationDelta,
    Delta,
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    ResponseStarted,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire.dialect import Dialect
from actors.wire.openai_chat import chunks as wire
from actors.wire.openai_chat.request import NAME, encode
from actors.wire.pieces import image_at, seal
from actors.wire.reading import UNREADABLE, EventReader, malformed
from actors.wire.refusals import error_fields, read_error, refusal, stated_status
from actors.wire.runs import Runs
from actors.wire.shapes import count_at, is_object, objects, text_at

_FINISHES: Mapping[str, tuple[FinishReason, bool]] = {
    "stop": (FinishReason.STOP, True),
    "tool_calls": (FinishReason.TOOL_CALLS, True),
    "function_call": (FinishReason.TOOL_CALLS, True),
    "length": (FinishReason.LENGTH, False),
    "content_filter": (FinishReason.REFUSAL, False),
}
"""What each `finish_reason` means and whether it releases tool calls (P8): a forced call, and many a server, ends with `stop`."""

_STATUS: Mapping[str, int] = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "content_filter": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "overloaded_error": 503,
}
"""The HTTP status that goes with an error's code or type, for an error that comes after a 200 without saying one."""


class _Call:
    """A call that grows; not started before its name is known."""

    __slots__ = ("beside", "held", "id", "index", "name")

    def __init__(self) -> None:
        self.beside: dict[str, object] = {}
        self.index = -1
        self.name = ""
        self.id = ""
        self.held = ""  # arguments that came before the name


class Answer:
    """The automaton over the first choice that speaks; of others, which no request of ours asks for, only the end is awaited."""

    __slots__ = ("_billed", "_calls", "_ended", "_finish", "_id", "_refused", "_runs", "_seen", "finished")

    def __init__(self) -> None:
        self.finished = False
        self._id: str | None = None
        self._seen: list[int] = []  # choices, in the order in which they spoke
        self._ended: set[int] = set()
        self._finish: Finish | None = None
        self._runs = Runs()
        self._calls: list[tuple[int | None, _Call]] = []
        self._refused = False
        self._billed = False

    def read(self, name: bytes, data: bytes, out: list[Delta]) -> None:
        """One chunk, or the mark of the end."""
        if data.startswith(b"[DONE]"):
            if self._billed and self._seen and not self._ended:
                self._conclude("")
                self._ended.update(self._seen)
            self.end(out)
        elif name == b"error":
            raise _refused(msgspec.json.decode(data))
        else:
            self.take(data, out)

    def end(self, out: list[Delta]) -> None:
        """The end of the chunks: their mark, or the end of the bytes."""
        if self._finish is None or len(self._ended) < len(self._seen):
            raise TruncatedError("the answer ended without a finish reason")
        if self._finish.spelling == "error":
            raise _refused({"error": "the server ended the answer with the finish reason 'error'"})
        self._runs.close(out)
        for _, call in self._calls:
            self._close_call(call, out)
        self.finished = True
        out.append(Finished(self._finish))

    def take(self, data: bytes, out: list[Delta]) -> None:
        """What one chunk adds; a completion in one piece is a chunk that adds everything."""
        chunk = wire.CHUNKS.decode(data)
        if self._id is None and (chunk.id or chunk.choices):
            self._id = chunk.id or ""
            out.append(ResponseStarted(self._id, chunk.model or ""))
        for choice in chunk.choices or ():
            self._choose(choice, out)
        usage = chunk.usage or (chunk.x_groq or {}).get("usage")
        if is_object(usage):
            self._billed = True
            out.append(UsageDelta(_usage(usage)))
        if chunk.error or (chunk.choices is None and chunk.usage is None):
            _check(msgspec.json.decode(data))

    def _choose(self, choice: wire.Choice, out: list[Delta]) -> None:
        if choice.index not in self._seen:
            self._seen.append(choice.index)
        reason = choice.finish_reason
        if reason:
            self._ended.add(choice.index)
        if choice.index != self._seen[0]:
            return
        if grown := choice.delta or choice.message:
            self._grow(grown, out)
        if reason:
            self._conclude(reason)

    def _grow(self, grown: wire.Grown, out: list[Delta]) -> None:
        if thought := grown.reasoning_content or grown.reasoning:
            out.append(ThinkingDelta(thought, self._runs.part(ThinkingDelta, out)))
        content = grown.content
        if isinstance(content, str):
            if content:
                out.append(TextDelta(content, self._runs.part(TextDelta, out)))
        elif content:
            self._grow_pieces(content, out)
        if grown.refusal:
            self._refused = True
            out.append(TextDelta(grown.refusal, self._runs.part(TextDelta, out)))
        for citation in grown.annotations or ():
            out.append(CitationDelta(citation, self._runs.part(TextDelta, out)))
        for image in grown.images or ():
            self._draw(image.get("image_url"), out)
        if grown.function_call:
            self._grow_call(wire.Call(0, None, grown.function_call), out)
        for call in grown.tool_calls or ():
            self._grow_call(call, out)

    def _grow_pieces(self, content: list[dict[str, object]], out: list[Delta]) -> None:
        """Mistral's content in pieces, thinking among them."""
        for piece in content:
            for thought in objects(piece.get("thinking")):
                out.append(ThinkingDelta(text_at(thought, "text"), self._runs.part(ThinkingDelta, out)))
            if text := text_at(piece, "text"):
                out.append(TextDelta(text, self._runs.part(TextDelta, out)))

    def _draw(self, place: object, out: list[Delta]) -> None:
        """An image of the model's, as gateways send it: whole, in the shape in which users send theirs."""
        if is_object(place) and (url := text_at(place, "url")):
            self._runs.close(out)
            out.append(PartEnded(self._runs.another(), image_at(url)))

    def _grow_call(self, piece: wire.Call, out: list[Delta]) -> None:
        function = piece.function or wire.Function()
        call = self._which(piece, function.name or "")
        call.id = call.id or piece.id or ""
        call.beside |= piece.extra_content or {}
        given = function.arguments or ""
        call.held += given if isinstance(given, str) else msgspec.json.encode(given).decode()
        if function.name and not call.name:
            self._runs.close(out)
            call.name, call.index = function.name, self._runs.another()
            call.id = call.id or f"{self._id}-{call.index}"
            out.append(ToolCallStarted(call.name, call.id, call.index))
        elif function.name and function.name != call.name:
            raise MalformedError(f"the call of {call.name!r} becomes one of {function.name!r}")
        if call.name and call.held:
            out.append(ToolCallDelta(call.held, call.index))
            call.held = ""

    def _which(self, piece: wire.Call, name: str) -> _Call:
        """The call that grows.  Some servers number all calls 0 or none at all: there a name with another id is another call."""
        for key, call in reversed(self._calls):
            same = key == piece.index if piece.index is not None else not piece.id or piece.id == call.id
            if same:
                if name and piece.id and call.id and piece.id != call.id:
                    break
                return call
        call = _Call()
        self._calls.append((piece.index, call))
        return call

    def _close_call(self, call: _Call, out: list[Delta]) -> None:
        """Some gateways add a call of nothing with nothing: that one is left out."""
        if call.name:
            if call.beside:
                out.append(SignatureDelta(seal(NAME, msgspec.json.encode(call.beside).decode()), call.index))
            out.append(PartEnded(call.index))
        elif call.held.strip() not in {"", "{}"}:
            raise MalformedError("a tool call has arguments but no name")

    def _conclude(self, spelling: str) -> None:
        reason, releases = _FINISHES.get(spelling, (FinishReason.OTHER, False))
        if reason is FinishReason.STOP and self._refused:
            reason, releases = FinishReason.REFUSAL, False
        elif reason is FinishReason.STOP and any(call.name for _, call in self._calls):
            reason = FinishReason.TOOL_CALLS
        self._finish = Finish(reason, spelling, "", releases)


def _usage(usage: Mapping[str, object]) -> Usage:
    """Tokens as Anthropic counts them: what was read from a cache, or written to one, is no input."""
    cached = count_at(usage, "prompt_tokens_details", "cached_tokens") or count_at(usage, "prompt_cache_hit_tokens")
    written = count_at(usage, "prompt_tokens_details", "cache_write_tokens")
    return Usage(
        input_tokens=max(0, count_at(usage, "prompt_tokens") - cached - written),
        output_tokens=count_at(usage, "completion_tokens"),
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=count_at(usage, "completion_tokens_details", "reasoning_tokens"),
    )


def _check(document: object) -> None:
    """An error comes as one, or as a chunk that has nothing else, in whatever words the server has for it."""
    if is_object(document) and any(document.get(name) for name in ("error", "message", "detail")):
        raise _refused(document)


def _refused(document: object) -> RefusedError:
    return refusal(document, status=stated_status(error_fields(document), _STATUS), in_stream=True)


def _reader() -> EventReader:
    return EventReader(Answer(), _read_whole)


def _read_whole(body: bytes) -> Sequence[Delta]:
    return read_reply(body.removeprefix(b"error:"))


def read_reply(body: bytes) -> Sequence[Delta]:
    """The deltas of a completion in one piece; raises `WireError` where it is none, or is an error, or is not finished."""
    out: list[Delta] = []
    answer = Answer()
    try:
        answer.take(body, out)
        answer.end(out)
    except UNREADABLE as error:
        raise malformed("reply", error) from error
    return out


DIALECT = Dialect(encode, _reader, read_reply, read_error)
"""Chat completions, of OpenAI and of every compatible server."""
