"""The answer in a run of Claude Code: lines from `system/init` to `result`, with one message of the model or several between them.

The program repeats requests on its own and does not always say so.  The one rule: what it takes back is told (`Restarted`), and a run is a
success only when its `result` line says so in `is_error`; the line's subtype and the exit status may claim otherwise.
"""

import msgspec

from actors.deltas import (
    Delta,
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    ResponseStarted,
    Restarted,
    TextDelta,
    Usage,
    UsageDelta,
)
from actors.messages import Foreign
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire import blocks as wire
from actors.wire import blockwise
from actors.wire.claude_code import lines
from actors.wire.claude_code.message import Streamed, whole
from actors.wire.reading import malformed
from actors.wire.shapes import count_at, is_array, objects, text_at

NAME = "claude-code"
"""Who can read this dialect's foreign blocks."""

_FINAL = frozenset({401, 402, 403})
_FINAL_WORDS = frozenset({"authentication_failed", "billing_error", "oauth_org_not_allowed"})
"""Troubles that asking again does not cure, by status and by the program's own word; it would ask for minutes."""

_SYNTHETIC = "<synthetic>"
"""The model that the program names where it speaks itself."""


class Answer:
    """The automaton: messages one after another, each in events, in whole blocks or both, then the result."""

    __slots__ = ("_count", "_message", "_said_by", "_spent", "_started", "_trouble", "_usage", "finished")

    def __init__(self) -> None:
        self.finished = False
        self._started = False
        self._message: Streamed | None = None
        self._said_by = ""  # the message whose blocks came last
        self._count = 0  # parts so far
        self._spent = Usage()  # by the messages before
        self._usage = Usage()  # by the last one
        self._trouble = ""

    def read(self, line: bytes, out: list[Delta]) -> None:
        """Append what one line says to `out`; raises `WireError`, or what decoding raises."""
        try:
            told = lines.LINES.decode(line)
        except msgspec.ValidationError as error:
            _check_unknown(line, error)
            return
        match told:
            case lines.StreamEvent(event=event, parent_tool_use_id=None):
                self._event(event, out)
            case lines.Assistant(parent_tool_use_id=None):
                self._spoken(told, out)
            case lines.User(message=turn, parent_tool_use_id=None):
                self._answered(turn, out)
            case lines.System(subtype=subtype):
                self._noticed(subtype, line, out)
            case lines.Result():
                self._conclude(told, out)
            case _:
                pass  # what an agent of the program's own hears and says within a tool

    # -- lines

    def _noticed(self, subtype: str, line: bytes, out: list[Delta]) -> None:
        match subtype:
            case "init" if not self._started:
                fields = msgspec.json.decode(line, type=dict[str, object])
                out.append(ResponseStarted(text_at(fields, "session_id"), text_at(fields, "model")))
                self._started = True
            case "api_retry":
                self._asks_again(msgspec.json.decode(line, type=dict[str, object]), out)
            case _:
                pass

    def _asks_again(self, fields: dict[str, object], out: list[Delta]) -> None:
        trouble, status = text_at(fields, "error") or "unknown", count_at(fields, "error_status")
        if status in _FINAL or trouble in _FINAL_WORDS:
            raise RefusedError(f"{trouble}: asking again will not help", status=status, kind=trouble, in_stream=True)
        told = f"attempt {count_at(fields, 'attempt')} of {count_at(fields, 'max_retries')}"
        wait = f"{count_at(fields, 'retry_delay_ms') / 1000:.1f} s"
        self._restart(trouble, f"{told} failed{f' with status {status}' if status else ''}, next in {wait}", out)

    def _event(self, octets: msgspec.Raw, out: list[Delta]) -> None:
        message = self._message
        try:
            event = wire.EVENTS.decode(octets)
        except msgspec.ValidationError:
            unknown = blockwise.Answer() if message is None else message.reader
            unknown.read(b"", bytes(octets), [])
            return
        match event:
            case wire.MessageStart():
                self._begin(event, out)
            case wire.MessageStop():
                if self._abandoned:
                    self._restart("cut off", "the answer ended without a stop reason", out)
            case wire.Error(error=error):
                self._trouble = text_at(error, "type")
            case wire.Ping() | wire.BlockStop() if message is None:
                pass
            case _ if message is None:
                raise MalformedError("an event of a message that has not started")
            case _:
                message.read(event, out)
                self._count_usage(message.usage, out)

    def _begin(self, event: wire.MessageStart, out: list[Delta]) -> None:
        if self._abandoned:
            self._restart("cut off", "another answer began before this one ended", out)
        self._next(event.message.id)
        self._message = Streamed(event.message, self._count, self._place)
        self._message.read(event, out)
        self._count_usage(self._message.usage, out)

    def _spoken(self, told: lines.Assistant, out: list[Delta]) -> None:
        """Whole blocks of a message, streamed before or not."""
        message, streamed = told.message, self._message
        if told.error or message.model == _SYNTHETIC:
            self._trouble = told.error or self._trouble
            return
        if streamed is not None and streamed.id != message.id:
            if self._abandoned:
                self._restart("streaming failed", "asked again in one piece", out)
            self._message = streamed = None
        if message.id != self._said_by:
            self._next(message.id)
        for block in message.content:
            self._block(block, streamed, out)
        if streamed is None and message.usage is not None:
            self._count_usage(msgspec.structs.replace(Usage(), **wire.counts(message.usage)), out)

    def _block(self, block: dict[str, object], streamed: Streamed | None, out: list[Delta]) -> None:
        if streamed is not None:
            if streamed.confirms(block):
                return
            if streamed.contradicts(block) and streamed.at is not None:
                out.append(Restarted("corrected", "the whole block is not what was streamed", streamed.at))
                self._count = streamed.at
        whole(block, self._place(), out)

    def _answered(self, turn: lines.Turn, out: list[Delta]) -> None:
        """What the tools answered that the program ran; its own words to the model are none of ours."""
        out += [
            PartEnded(self._place(), Foreign(NAME, "tool_result", block))
            for block in objects(turn.content)
            if block.get("type") == "tool_result"
        ]

    def _conclude(self, result: lines.Result, out: list[Delta]) -> None:
        spent = wire.counts(result.usage) if result.usage is not None else {}
        if any(spent.values()):  # a run that failed says zeros, whatever it spent
            out.append(UsageDelta(msgspec.structs.replace(Usage(), **spent)))
        refusal = result.stop_reason == "refusal"
        if result.is_error and not refusal:
            raise self._refused(result)
        text = result.result if isinstance(result.result, str) else ""
        if not self._count and not refusal:
            if not text:
                raise TruncatedError("the run ended as a success without an answer")
            out += [TextDelta(text, at := self._place()), PartEnded(at)]
        self.finished = True
        out.append(Finished(_finish(result, text)))

    def _refused(self, result: lines.Result) -> RefusedError:
        said = [result.result, *(result.errors if is_array(result.errors) else [])]
        message = next((text for text in said if isinstance(text, str) and text), "")
        return RefusedError(
            message or f"the run ended as {result.subtype or 'an error'}",
            status=result.api_error_status or 0,
            kind=self._trouble if result.subtype == "success" else result.subtype,
            in_stream=True,
        )

    # -- the messages of the run

    @property
    def _abandoned(self) -> bool:
        """Whether there is a message whose stop reason has not come."""
        return self._message is not None and self._message.finish is None

    def _restart(self, reason: str, detail: str, out: list[Delta]) -> None:
        """The program begins again: the message that has not ended is dropped, those before it stand."""
        if self._message is not None and self._abandoned:
            self._count = self._message.began
            self._next("")
        out.append(Restarted(reason, detail, self._count))

    def _next(self, message: str) -> None:
        self._message, self._said_by = None, message
        self._spent, self._usage = self._spent + self._usage, Usage()

    def _place(self) -> int:
        self._count += 1
        return self._count - 1

    def _count_usage(self, usage: Usage, out: list[Delta]) -> None:
        if usage != self._usage:
            self._usage = usage
            out.append(UsageDelta(self._spent + usage))


def _check_unknown(line: bytes, error: msgspec.ValidationError) -> None:
    """A line that is newer than our table is carried past; one that we know must be as we know it."""
    fields: object = msgspec.json.decode(line)
    match fields:
        case {"type": str(kind)} if kind not in lines.KNOWN:
            pass
        case _:
            raise malformed("line", error) from error


def _finish(result: lines.Result, text: str) -> Finish:
    """Why the run ended; the program ran the tools, so that none is released whatever the reason."""
    spelling = result.stop_reason or result.subtype
    reason, _ = blockwise.FINISHES.get(
        spelling, (FinishReason.OTHER if result.stop_reason else FinishReason.STOP, False)
    )
    cost = "" if result.total_cost_usd is None else f"cost {result.total_cost_usd:.6f} USD"
    return Finish(reason, spelling, text if reason is FinishReason.REFUSAL else cost)
