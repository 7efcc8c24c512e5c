"""The answers of OpenAI's Responses: events that build up the items of an output, and the same output in one piece.

An item is added, grows, and is whole when it is done; the terminal event repeats the output, and only what is still open is taken from
there, since servers number and name items anew in it.  The one rule: an answer is complete when `response.completed` or
`response.incomplete` came, at no other time.
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
from actors.messages import Foreign
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire.dialect import Dialect
from actors.wire.openai_responses import events as wire
from actors.wire.openai_responses.request import NAME, encode
from actors.wire.pieces import seal
from actors.wire.reading import UNREADABLE, EventReader, malformed
from actors.wire.refusals import error_fields, read_error, refusal, stated_status
from actors.wire.shapes import count_at, is_object, objects, text_at

_INCOMPLETE: Mapping[str, FinishReason] = {
    "max_output_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.REFUSAL,
}
"""What each reason of an incomplete answer means; none releases tool calls (P8), `completed` does."""

_CALL = frozenset({"type", "id", "status", "call_id", "name", "arguments"})


class Answer:
    """The automaton: items that are open, by their place in the output, each with the parts it is made of."""

    __slots__ = ("_added", "_begun", "_called", "_done", "_named", "_parts", "_refused", "_spoken", "finished")

    def __init__(self) -> None:
        self.finished = False
        self._begun = False
        self._added: dict[int, dict[str, object]] = {}  # items as they began, by their place in the output
        self._named: dict[str, int] = {}  # places of items that have names alone
        self._done: set[int] = set()
        self._parts: dict[tuple[int, int], int] = {}  # place in the output and in the item -> index of the part
        self._spoken: dict[int, int] = {}  # characters that came for each part
        self._called = False
        self._refused = False

    def read(self, name: bytes, data: bytes, out: list[Delta]) -> None:
        """One event; its name repeats what the data says."""
        if data.startswith(b"[DONE]"):
            self.end(out)
        try:
            event = wire.EVENTS.decode(data)
        except msgspec.ValidationError as error:
            _read_unknown(name, data, error)
            return
        if isinstance(event, wire.Grown):
            self._grow(event, out)
        else:
            self._step(event, out)

    def end(self, out: list[Delta]) -> None:
        """The end of the bytes is no end of an answer."""
        del out
        raise TruncatedError("the answer ended without response.completed")

    def conclude(self, response: wire.Response, out: list[Delta]) -> None:
        """The whole response: what is missing of it, its usage, and why it ended."""
        self._begin(response, out)
        if response.error or response.status == "failed":
            raise _refused({"error": response.error})
        for place, item in self._missing(response.output):
            self._finish(place, item, out)
        self._close_rest(response, out)
        if response.usage:
            out.append(UsageDelta(_usage(response.usage)))
        if response.status not in {"completed", "incomplete"}:
            raise TruncatedError(f"the answer ended while it was {response.status or 'of no status'}")
        self.finished = True
        out.append(Finished(self._reason(response)))

    def _missing(self, output: list[dict[str, object]]) -> list[tuple[int, dict[str, object]]]:
        """The items that the stream did not bring to their end, each with its place."""
        if not self._added:
            return list(enumerate(output))
        named = {text_at(item, "id"): item for item in output}
        still = (
            (place, named.get(text_at(item, "id"))) for place, item in self._added.items() if place not in self._done
        )
        return [(place, item) for place, item in still if item is not None]

    def _reason(self, response: wire.Response) -> Finish:
        if response.status == "incomplete":
            spelling = text_at(response.incomplete_details or {}, "reason")
            return Finish(_INCOMPLETE.get(spelling, FinishReason.OTHER), spelling or "incomplete")
        if self._refused:
            return Finish(FinishReason.REFUSAL, response.status)
        return Finish(
            FinishReason.TOOL_CALLS if self._called else FinishReason.STOP, response.status, "", releases=True
        )

    def _begin(self, response: wire.Response, out: list[Delta]) -> None:
        if not self._begun:
            self._begun = True
            out.append(ResponseStarted(response.id, response.model))

    def _step(self, event: wire.Event, out: list[Delta]) -> None:
        match event:
            case wire.ItemAdded(item=item):
                self._add(self._place(event), item, out)
            case wire.ItemDone(item=item):
                self._finish(self._place(event), item, out)
            case wire.SummaryAdded(output_index=place):
                if self._parts.get((place, 0)) in self._spoken:
                    self._grow(wire.SummaryGrown("\n\n", place), out)
            case wire.Annotated(output_index=place, content_index=at, annotation=annotation):
                out.append(CitationDelta(annotation, self._part(place, at)))
            case (
                wire.Completed(response=response) | wire.Incomplete(response=response) | wire.Failed(response=response)
            ):
                self.conclude(response, out)
            case wire.Created(response=response) | wire.Queued(response=response) | wire.InProgress(response=response):
                self._begin(response, out)
            case wire.Error(error=error):
                raise _refused({"error": error or {"message": event.message, "code": event.code}})
            case _:
                pass

    def _place(self, event: wire.ItemAdded | wire.ItemDone) -> int:
        if event.output_index != wire.UNNUMBERED:
            return event.output_index
        name = text_at(event.item, "id") or text_at(event.item, "call_id")
        return self._named.setdefault(name, len(self._named))

    def _part(self, place: int, at: int = 0) -> int:
        """The index of a part of an item that is open."""
        if place not in self._added or place in self._done:
            raise MalformedError(f"a delta for item {place}, which is not open")
        return self._parts.setdefault((place, at), len(self._parts))

    def _grow(self, event: wire.Grown, out: list[Delta]) -> None:
        place = event.output_index
        if place == wire.UNNUMBERED:
            place = self._named.get(event.item_id, place)
        if isinstance(event, wire.TextGrown | wire.RefusalGrown):
            self._refused |= isinstance(event, wire.RefusalGrown)
            index = self._part(place, event.content_index)
            out.append(TextDelta(event.delta, index))
        elif isinstance(event, wire.ArgumentsGrown):
            index = self._part(place)
            out.append(ToolCallDelta(event.delta, index))
        else:
            index = self._part(place)
            out.append(ThinkingDelta(event.delta, index))
        self._spoken[index] = self._spoken.get(index, 0) + len(event.delta)

    def _add(self, place: int, item: dict[str, object], out: list[Delta]) -> None:
        if place in self._added:
            raise MalformedError(f"item {place} starts twice")
        self._added[place] = item
        if item.get("type") != "message":
            self._part(place)  # parts stand in the order in which their items began, however they end
        if item.get("type") == "function_call":
            self._called = True
            if not (name := text_at(item, "name")):
                raise MalformedError(f"the call {text_at(item, 'call_id')!r} has no name")
            out.append(ToolCallStarted(name, text_at(item, "call_id"), self._part(place)))

    def _finish(self, place: int, item: dict[str, object], out: list[Delta]) -> None:
        """An item that is whole: what its deltas did not bring, and its end."""
        if place in self._done:
            return
        if place not in self._added:
            self._add(place, item, out)
        match item.get("type"):
            case "message":
                self._finish_message(place, item, out)
            case "reasoning":
                self._finish_reasoning(place, item, out)
            case "function_call":
                self._finish_call(place, item, out)
            case kind:
                out.append(PartEnded(self._part(place), Foreign(NAME, str(kind), item)))
        self._done.add(place)

    def _finish_message(self, place: int, item: dict[str, object], out: list[Delta]) -> None:
        """The pieces of a message are matched in their order: some servers count them differently within and at the end."""
        streamed = [self._parts[key] for key in sorted(self._parts) if key[0] == place]
        for at, piece in enumerate(objects(item.get("content"))):
            index = streamed[at] if at < len(streamed) else self._part(place, -1 - at)
            refusal = text_at(piece, "refusal")
            self._refused |= bool(refusal)
            if self._lacks(index, text := text_at(piece, "text") or refusal):
                out.append(TextDelta(text, index))
                out.extend(CitationDelta(one, index) for one in objects(piece.get("annotations")))
            out.append(PartEnded(index))

    def _lacks(self, index: int, text: str) -> bool:
        """Whether nothing of this text was streamed; a part of it means that the rest is lost, which is a fault (P6)."""
        came = self._spoken.get(index, 0)
        if came and came != len(text):
            raise MalformedError(f"part {index} ends with {len(text)} characters, but {came} of them came")
        return not came and bool(text)

    def _finish_reasoning(self, place: int, item: dict[str, object], out: list[Delta]) -> None:
        index = self._part(place)
        told = objects(item.get("summary")) or objects(item.get("content"))
        if told and index not in self._spoken:
            out.append(ThinkingDelta("\n\n".join(text_at(one, "text") for one in told), index))
        own = {name: item[name] for name in ("id", "encrypted_content") if item.get(name)}
        out.append(SignatureDelta(seal(NAME, msgspec.json.encode(own).decode()), index))
        out.append(PartEnded(index))

    def _finish_call(self, place: int, item: dict[str, object], out: list[Delta]) -> None:
        index = self._part(place)
        if self._lacks(index, arguments := text_at(item, "arguments")):
            out.append(ToolCallDelta(arguments, index))
        if beside := {name: value for name, value in item.items() if name not in _CALL and value is not None}:
            out.append(SignatureDelta(seal(NAME, msgspec.json.encode(beside).decode()), index))
        if item.get("status") != "incomplete":
            out.append(PartEnded(index))

    def _close_rest(self, response: wire.Response, out: list[Delta]) -> None:
        """Some servers say neither `done` nor the output again: a text has ended then, nothing else can be believed."""
        for place in sorted(self._added.keys() - self._done):
            if text_at(self._added[place], "type") in {"message", "reasoning"}:
                out.extend(PartEnded(index) for (item, _), index in self._parts.items() if item == place)
            elif response.status == "completed":
                raise TruncatedError(f"the answer ended with item {place} still open")


def _read_unknown(name: bytes, data: bytes, error: msgspec.ValidationError) -> None:
    """An event that is no part of the table is carried past; one that is must be as we know it."""
    document = msgspec.json.decode(data)
    if name == b"error":
        raise _refused({"error": error_fields(document)}) from error
    match document:
        case {"type": str(kind)} if kind not in wire.KNOWN:
            pass
        case {"error": told}:
            raise _refused({"error": told}) from error
        case _:
            raise malformed("event", error) from error


def _usage(usage: Mapping[str, object]) -> Usage:
    """Tokens as Anthropic counts them: what was read from a cache is no input."""
    cached = count_at(usage, "input_tokens_details", "cached_tokens")
    return Usage(
        input_tokens=max(0, count_at(usage, "input_tokens") - cached),
        output_tokens=count_at(usage, "output_tokens"),
        cache_read_tokens=cached,
        reasoning_tokens=count_at(usage, "output_tokens_details", "reasoning_tokens"),
    )


def _refused(document: Mapping[str, object]) -> RefusedError:
    error = document["error"]
    status = stated_status(error, wire.STATUS) if is_object(error) else 500
    return refusal(document, status=status, in_stream=True)


def _reader() -> EventReader:
    return EventReader(Answer(), read_reply)


def read_reply(body: bytes) -> Sequence[Delta]:
    """The deltas of a response in one piece; raises `WireError` where it is none, or is an error, or is not finished."""
    out: list[Delta] = []
    try:
        Answer().conclude(wire.RESPONSE.decode(body), out)
    except UNREADABLE as error:
        raise malformed("reply", error) from error
    return out


DIALECT = Dialect(encode, _reader, read_reply, read_error)
"""OpenAI's Responses."""
