"""The answers of Google's generateContent: whole small responses one after another, and one response in one piece.

Every response adds parts; usage is cumulative.  There is no mark of the end.  The one rule: an answer is complete when the bytes end after
a finish reason or a blocked prompt, because a finish reason may stand in any response and the last one counts.
"""

import base64
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

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
from actors.messages import Foreign, Image, Json
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire import refusals
from actors.wire.dialect import Dialect
from actors.wire.gemini.partial import place
from actors.wire.gemini.request import NAME, encode
from actors.wire.pieces import seal
from actors.wire.reading import UNREADABLE, EventReader, malformed
from actors.wire.runs import Runs
from actors.wire.shapes import count_at, is_object, objects, text_at

_BY_NUMBER = ("", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
"""Finish reasons as a client gets them that asks for numbers."""

_FINISHES: Mapping[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"), FinishReason.REFUSAL
    ),
    **dict.fromkeys(("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"), FinishReason.REFUSAL),
    **dict.fromkeys(
        ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"), FinishReason.MALFORMED_CALL
    ),
}
"""What each `finishReason` means; `STOP` alone releases tool calls (P8), for Gemini has no reason of its own for them."""


class _Content(Struct):
    parts: list[dict[str, object]] | None = None


class _Candidate(Struct, rename="camel"):
    content: _Content | None = None
    index: int = 0
    finish_reason: str | int | None = None
    finish_message: str | None = None
    citation_metadata: dict[str, object] | None = None
    grounding_metadata: dict[str, object] | None = None


class _Tokens(Struct, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None


class _Response(Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: dict[str, object] | None = None
    usage_metadata: _Tokens | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: dict[str, object] | None = None


_RESPONSE: msgspec.json.Decoder[_Response] = msgspec.json.Decoder(_Response)
_WHOLE: msgspec.json.Decoder[_Response | list[_Response]] = msgspec.json.Decoder(_Response | list[_Response])


class Answer:
    """The automaton over the first candidate: parts come until the bytes end."""

    __slots__ = ("_arguments", "_call", "_called", "_finish", "_id", "_runs", "finished")

    def __init__(self) -> None:
        self.finished = False
        self._id: str | None = None
        self._finish: Finish | None = None
        self._runs = Runs()
        self._called = False
        self._call = -1  # the call whose arguments are still coming
        self._arguments: dict[str, object] = {}

    def read(self, name: bytes, data: bytes, out: list[Delta]) -> None:
        """One response; the events of Google's own servers have no names, and no mark of the end."""
        if name == b"error":
            raise _refused({"error": refusals.error_fields(msgspec.json.decode(data))})
        if not data.startswith(b"[DONE]"):
            self.take(_RESPONSE.decode(data), out)

    def end(self, out: list[Delta]) -> None:
        """The end of the bytes is the end of the answer, if there was a reason for it."""
        finish = self._finish
        if finish is None:
            raise TruncatedError("the answer ended without a finish reason")
        if self._call >= 0 and finish.releases:
            raise TruncatedError("the answer ended within the arguments of a call")
        self._runs.close(out)
        if finish.reason is FinishReason.STOP and self._called:
            finish = Finish(FinishReason.TOOL_CALLS, finish.spelling, finish.detail, finish.releases)
        self.finished = True
        out.append(Finished(finish))

    def take(self, response: _Response, out: list[Delta]) -> None:
        """What one response adds."""
        if self._id is None:
            self._id = response.response_id or ""
            out.append(ResponseStarted(self._id, response.model_version or ""))
        for candidate in response.candidates or ():
            if candidate.index == 0:
                self._add(candidate, out)
        if response.prompt_feedback:
            self._block(response.prompt_feedback)
        if response.usage_metadata:
            out.append(UsageDelta(_usage(response.usage_metadata)))
        if response.error is not None:
            raise _refused({"error": response.error})

    def _block(self, feedback: Mapping[str, object]) -> None:
        reason, message = text_at(feedback, "blockReason"), text_at(feedback, "blockReasonMessage")
        if reason or message:
            self._finish = Finish(FinishReason.REFUSAL, reason, message)

    def _add(self, candidate: _Candidate, out: list[Delta]) -> None:
        for part in (candidate.content and candidate.content.parts) or ():
            self._part(part, out)
        cited = objects((candidate.citation_metadata or {}).get("citations"))
        if candidate.grounding_metadata:
            cited.append({"groundingMetadata": candidate.grounding_metadata})
        out.extend(CitationDelta(one, self._runs.part(TextDelta, out)) for one in cited)
        reason = candidate.finish_reason
        if isinstance(reason, int):
            reason = _BY_NUMBER[reason] if 0 <= reason < len(_BY_NUMBER) else str(reason)
        if reason and reason != "FINISH_REASON_UNSPECIFIED":
            kind = _FINISHES.get(reason, FinishReason.OTHER)
            self._finish = Finish(kind, reason, candidate.finish_message or "", kind is FinishReason.STOP)

    def _part(self, part: dict[str, object], out: list[Delta]) -> None:
        text, sealed = part.get("text"), text_at(part, "thoughtSignature")
        if text is not None and not isinstance(text, str):
            raise MalformedError(f"a part's text is a {type(text).__name__}")
        if isinstance(text, str):
            self._say(text, sealed, out, thought=part.get("thought") is True)
        elif is_object(call := part.get("functionCall")):
            self._grow_call(call, sealed, out)
        elif kind := next((name for name in part if name not in {"thought", "thoughtSignature"}), ""):
            self._runs.close(out)
            image = None if sealed else _image(part.get("inlineData"))
            out.append(PartEnded(self._runs.another(), image or Foreign(NAME, kind, part)))
        elif sealed:
            self._say("", sealed, out, thought=False)

    def _say(self, text: str, sealed: str, out: list[Delta], *, thought: bool) -> None:
        """Text or thinking; the seal on a text is kept as thinking without words, since texts have no seal."""
        if thought:
            out.append(ThinkingDelta(text, self._runs.part(ThinkingDelta, out)))
        elif text:
            out.append(TextDelta(text, self._runs.part(TextDelta, out)))
        if sealed and not thought:
            self._runs.close(out)
        if sealed:
            out.append(SignatureDelta(seal(NAME, sealed), self._runs.part(ThinkingDelta, out)))
            self._runs.close(out)

    def _grow_call(self, call: dict[str, object], sealed: str, out: list[Delta]) -> None:
        """A call, whole as a rule; with `willContinue` its arguments come in later parts without a name."""
        if name := text_at(call, "name"):
            if self._call >= 0:
                raise MalformedError(f"a call of {name!r} begins within another")
            self._runs.close(out)
            self._call, self._called, self._arguments = self._runs.another(), True, {}
            out.append(ToolCallStarted(name, text_at(call, "id") or f"{self._id}-{self._call}", self._call))
        elif self._call < 0:
            raise MalformedError("a call has arguments but no name")
        if sealed:
            out.append(SignatureDelta(seal(NAME, sealed), self._call))
        if is_object(arguments := call.get("args")):
            self._arguments.update(arguments)
        place(self._arguments, call.get("partialArgs"))
        if call.get("willContinue") is not True:
            out.append(ToolCallDelta(msgspec.json.encode(self._arguments).decode(), self._call))
            out.append(PartEnded(self._call))
            self._call = -1


def _image(inline: object) -> Image | None:
    """An image of the model's, where this inline content is one that can be decoded."""
    if not is_object(inline) or not text_at(inline, "mimeType").startswith("image/"):
        return None
    try:
        return Image(text_at(inline, "mimeType"), base64.b64decode(text_at(inline, "data"), validate=True))
    except ValueError:
        return None


def _usage(tokens: _Tokens) -> Usage:
    """Tokens as Anthropic counts them: what was read from a cache is no input, thinking is output."""
    cached, thought = tokens.cached_content_token_count or 0, tokens.thoughts_token_count or 0
    return Usage(
        input_tokens=max(0, (tokens.prompt_token_count or 0) - cached) + (tokens.tool_use_prompt_token_count or 0),
        output_tokens=(tokens.candidates_token_count or 0) + thought,
        cache_read_tokens=cached,
        reasoning_tokens=thought,
    )


def _detailed(refused: RefusedError, document: object) -> RefusedError:
    """The refusal with what Google says in `details`: the reason and the quotas as its code, and how long to wait.

    A quota of nothing at all is written with its limit, `name=0`.
    """
    words: list[str] = []
    for detail in objects(refusals.error_fields(document).get("details")):
        kind = text_at(detail, "@type").rpartition(".")[2]
        if kind == "RetryInfo":
            refused.retry_after = _seconds(text_at(detail, "retryDelay"))
        elif kind == "ErrorInfo":
            metadata = detail.get("metadata")
            limit = _quota(metadata, "quota_limit", "quota_limit_value") if is_object(metadata) else ""
            words += [text_at(detail, "reason"), limit]
        elif kind == "QuotaFailure":
            words += [_quota(violation, "quotaId", "quotaValue") for violation in objects(detail.get("violations"))]
    refused.code = ",".join(filter(None, words)) or refused.code
    return refused


def _quota(fields: Json, name: str, limit: str) -> str:
    return text_at(fields, name) + ("=0" if text_at(fields, limit) == "0" else "")


def _seconds(delay: str) -> float | None:
    """The seconds of a protobuf duration such as 17s or 0.5s."""
    try:
        return max(0.0, float(delay.removesuffix("s")))
    except ValueError:
        return None


def _refused(document: Mapping[str, object]) -> RefusedError:
    status = count_at(document, "error", "code")
    return _detailed(
        refusals.refusal(document, status=status if 400 <= status < 600 else 500, in_stream=True), document
    )


def _reader() -> EventReader:
    return EventReader(Answer(), read_reply)


def read_reply(body: bytes) -> Sequence[Delta]:
    """The deltas of a response in one piece, or of an array of them (a stream without `alt=sse`); raises `WireError`."""
    out: list[Delta] = []
    answer = Answer()
    try:
        whole = _WHOLE.decode(body)
        for response in whole if isinstance(whole, list) else [whole]:
            answer.take(response, out)
        answer.end(out)
    except UNREADABLE as error:
        raise malformed("reply", error) from error
    return out


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> RefusedError:
    """A refusal out of an answer of status 400 or more, with Google's details."""
    refused = refusals.read_error(status, headers, body)
    try:
        document: object = msgspec.json.decode(body)
    except UNREADABLE:
        return refused
    return _detailed(refused, document)


DIALECT = Dialect(encode, _reader, read_reply, read_error)
"""Google's generateContent."""
