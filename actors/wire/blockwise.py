"""Answers that come block by block: events from `message_start` to `message_stop`, and the same message in one piece.

Blocks come one after another, each with its index, and usage is cumulative.  The one rule: an answer is complete when `message_stop` came
after a stop reason and with every block closed, and at no other time.
"""

from collections.abc import Iterator, Mapping

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
from actors.messages import Foreign, Part, Thinking, ToolCall
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire import blocks as wire
from actors.wire.blocks import NAME
from actors.wire.pieces import seal
from actors.wire.reading import malformed
from actors.wire.refusals import error_fields, refusal, stated_status
from actors.wire.shapes import is_object, objects, text_at

CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
"""The blocks in which the model calls a tool."""

_HOSTED = CALLS - {"tool_use"}
_TAKES: Mapping[object, tuple[type[wire.Delta], ...]] = {
    "text": (wire.Text, wire.Citation),
    "thinking": (wire.Thought, wire.Signature),
    "redacted_thinking": (),
    **dict.fromkeys(CALLS, (wire.Arguments,)),
}
"""The deltas of each block that we can read; any other block is foreign and keeps whatever comes."""

FINISHES: Mapping[str, tuple[FinishReason, bool]] = {
    "end_turn": (FinishReason.STOP, False),
    "stop_sequence": (FinishReason.STOP, False),
    "max_tokens": (FinishReason.LENGTH, False),
    "tool_use": (FinishReason.TOOL_CALLS, True),
    "pause_turn": (FinishReason.PAUSE, False),
    "compaction": (FinishReason.PAUSE, False),
    "refusal": (FinishReason.REFUSAL, False),
    "model_context_window_exceeded": (FinishReason.CONTEXT_WINDOW, False),
}
"""What each `stop_reason` means and whether it releases tool calls (P8)."""

_CUTS = frozenset({FinishReason.LENGTH, FinishReason.CONTEXT_WINDOW})
"""Why a complete answer may end within a block: there was no room for the rest."""


class Answer:
    """The automaton: nothing, then a message, within it one block at a time, then the end.

    The calls in blocks of the `hosted` types are run by whoever answers; `finish` is why the model stopped, once that was said.
    """

    __slots__ = (
        "_block",
        "_fragments",
        "_hosted",
        "_hosts",
        "_id",
        "_index",
        "_last",
        "_takes",
        "_usage",
        "finish",
        "finished",
    )

    def __init__(self, hosted: frozenset[str] = _HOSTED) -> None:
        self.finished = False
        self.finish: Finish | None = None
        self._hosts = hosted
        self._id: str | None = None
        self._index = -1  # the block that is open, -1 where none is
        self._last = -1
        self._block: dict[str, object] = {}
        self._takes: tuple[type[wire.Delta], ...] | None = ()
        self._hosted = False
        self._fragments: list[str] = []  # arguments of a call: all of a hosted one, else the first
        self._usage = Usage()

    def read(self, name: bytes, data: bytes, out: list[Delta]) -> None:
        """One event; its name repeats what the data says."""
        try:
            event = wire.EVENTS.decode(data)
        except msgspec.ValidationError as error:
            self._read_unknown(name, data, error)
            return
        self.take(event, out)

    def take(self, event: wire.Event, out: list[Delta]) -> None:
        """One event, decoded."""
        if isinstance(event, wire.BlockDelta):
            self._grow(event.index, event.delta, out)
        else:
            self._step(event, out)

    def end(self, out: list[Delta]) -> None:
        """The end of the bytes is no end of an answer."""
        del out
        raise TruncatedError("the answer ended without message_stop")

    def begin(self, message: wire.Message, out: list[Delta]) -> None:
        """The message and what it already holds: as a rule nothing in a stream, everything in a reply in one piece."""
        if self._id is not None and (self._id != message.id or self._last >= 0):
            raise MalformedError("a second message starts within the answer")
        if self._id is None:
            out.append(ResponseStarted(message.id, message.model))
        self._id = message.id
        for block in message.content:
            self.add(block, out)
        self._conclude(message, message.usage, out)

    def add(self, block: dict[str, object], out: list[Delta]) -> None:
        """A block in one piece, behind the ones before it."""
        index = self._last + 1
        self._open(index, block, out)
        self._close(index, out)

    @property
    def open(self) -> dict[str, object] | None:
        """The block that is open, as it began."""
        return self._block if self._index >= 0 else None

    def stop(self, out: list[Delta]) -> None:
        """The terminal event."""
        finish = self.finish
        if finish is None:
            raise TruncatedError("the answer ended without a stop reason")
        if self._index >= 0 and finish.reason not in _CUTS:
            raise TruncatedError(f"the answer ended with block {self._index} still open")
        self.finished = True
        out.append(Finished(finish))

    def _step(self, event: wire.Event, out: list[Delta]) -> None:
        match event:
            case wire.BlockStart(index=index, content_block=block):
                self._open(index, block, out)
            case wire.BlockStop(index=index):
                self._close(index, out)
            case wire.MessageStart(message=message):
                self.begin(message, out)
            case wire.MessageDelta(delta=ending, usage=usage):
                self._conclude(ending, usage, out)
            case wire.MessageStop():
                self.stop(out)
            case wire.Error(error=error):
                raise refused(error, event.request_id)
            case _:
                pass

    def _read_unknown(self, name: bytes, data: bytes, error: msgspec.ValidationError) -> None:
        """An event or a delta that is newer than this table is carried past; one that we know must be as we know it."""
        document = msgspec.json.decode(data)
        if name == b"error":  # llama.cpp gives it no type of Anthropic's
            raise refused(error_fields(document)) from error
        match document:
            case {"type": "content_block_delta", "index": int(index), "delta": {"type": str(kind), **fields}} if (
                kind not in wire.DELTAS and index == self._index
            ):
                self._keep(fields)
            case {"type": str(kind)} if kind not in wire.KNOWN:
                pass
            case {"error": told}:
                raise refused(told) from error
            case _:
                raise malformed("event", error) from error

    def _open(self, index: int, block: dict[str, object], out: list[Delta]) -> None:
        if self._id is None or self._index >= 0 or index <= self._last:
            raise MalformedError(f"block {index} starts out of order")
        kind = text_at(block, "type")
        if not kind:
            raise MalformedError(f"block {index} has no type")
        self._index = self._last = index
        self._block, self._takes, self._fragments = block, _TAKES.get(kind), []
        self._hosted = kind in self._hosts
        if kind in CALLS:
            out.append(ToolCallStarted(wire.called(block), text_at(block, "id"), index))
        for delta in _initial(block):
            self._grow(index, delta, out)

    def _grow(self, index: int, delta: wire.Delta, out: list[Delta]) -> None:
        takes = self._takes
        if index != self._index:
            raise MalformedError(f"a delta for block {index}, which is not open")
        if takes is None:
            self._keep(msgspec.structs.asdict(delta))
        elif type(delta) not in takes:
            raise MalformedError(
                f"block {index} is {self._block.get('type')!r} and cannot take a {type(delta).__name__}"
            )
        elif isinstance(delta, wire.Text):
            out.append(TextDelta(delta.text, index))
        elif isinstance(delta, wire.Arguments):
            if delta.partial_json and (self._hosted or not self._fragments):
                self._fragments.append(delta.partial_json)
            out.append(ToolCallDelta(delta.partial_json, index))
        elif isinstance(delta, wire.Thought):
            out.append(ThinkingDelta(delta.thinking, index))
        elif isinstance(delta, wire.Signature):
            out.append(SignatureDelta(seal(NAME, delta.signature), index))
        else:
            out.append(CitationDelta(delta.citation, index))

    def _keep(self, fields: dict[str, object]) -> None:
        """What comes for a foreign block goes into it: texts are added to, anything else replaces."""
        if self._takes is None:
            for name, value in fields.items():
                here = self._block.get(name)
                self._block[name] = here + value if isinstance(here, str) and isinstance(value, str) else value

    def _close(self, index: int, out: list[Delta]) -> None:
        if index != self._index:
            raise MalformedError(f"block {index} stops, which is not open")
        out.append(PartEnded(index, self._closed(index, out)))
        self._index = -1

    def _closed(self, index: int, out: list[Delta]) -> Part | None:
        """The block as a part, where its deltas do not add up to one."""
        block, kind = self._block, text_at(self._block, "type")
        if kind in CALLS:
            return self._closed_call(index, out)
        if kind == "redacted_thinking":
            return Thinking(text_at(block, "data"), seal(NAME, ""), redacted=True)
        return None if self._takes is not None else Foreign(NAME, kind, block)

    def _closed_call(self, index: int, out: list[Delta]) -> ToolCall | None:
        block = self._block
        given = block.get("input")
        if given and not self._fragments:
            self._grow(index, wire.Arguments(msgspec.json.encode(given).decode()), out)
        beside = wire.beside(block)
        sealed = seal(NAME, msgspec.json.encode(beside).decode()) if beside else ""
        if self._hosted:
            arguments = msgspec.json.decode("".join(self._fragments) or "{}", type=dict[str, object])
            return ToolCall(text_at(block, "id"), text_at(block, "name"), arguments, sealed, hosted=True)
        if sealed:
            out.append(SignatureDelta(sealed, index))
        return None

    def _conclude(self, ending: wire.Ending, usage: wire.Usage | None, out: list[Delta]) -> None:
        """The stop reason and the usage so far, each where it is said."""
        if self._id is None:
            raise MalformedError("a message ends that has not started")
        if ending.stop_reason is not None:
            reason, releases = FINISHES.get(ending.stop_reason, (FinishReason.OTHER, False))
            self.finish = Finish(reason, ending.stop_reason, wire.detail(ending), releases)
        if usage is not None:
            self._usage = msgspec.structs.replace(self._usage, **wire.counts(usage))
            out.append(UsageDelta(self._usage))


def _initial(block: dict[str, object]) -> Iterator[wire.Delta]:
    """What a block holds when it starts, as the deltas that would have brought it."""
    match block:
        case {"type": "text", "text": str(text)}:
            if text:
                yield wire.Text(text)
            yield from map(wire.Citation, objects(block.get("citations")))
        case {"type": "thinking", "thinking": str(text)}:
            if text:
                yield wire.Thought(text)
            if signature := text_at(block, "signature"):
                yield wire.Signature(signature)
        case _:
            pass


def refused(error: object, request_id: str | None = None) -> RefusedError:
    """The refusal that an error within an answer states."""
    status = stated_status(error, wire.STATUS) if is_object(error) else 500
    return refusal({"error": error, "request_id": request_id}, status=status, in_stream=True)
