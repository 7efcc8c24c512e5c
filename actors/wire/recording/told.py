"""Deltas as JSON and back: what is kept of a client whose bytes nobody sees.

Pure.  The one rule: every kind of delta and of part comes back as it was; only what is no JSON within a block of the client's own goes
by its repr.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import attrs
import msgspec

from actors.deltas import (
    CitationDelta,
    Delta,
    Finished,
    PartEnded,
    ResponseStarted,
    Restarted,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageDelta,
)
from actors.messages import Foreign, Image, Part, Text, Thinking, ToolCall, ToolResult
from actors.wire.recording.asked import plain

DELTAS: Mapping[str, type[Delta]] = {
    "started": ResponseStarted,
    "text": TextDelta,
    "thinking": ThinkingDelta,
    "signature": SignatureDelta,
    "citation": CitationDelta,
    "call": ToolCallStarted,
    "arguments": ToolCallDelta,
    "part": PartEnded,
    "restarted": Restarted,
    "usage": UsageDelta,
    "finished": Finished,
}
PARTS: Mapping[str, type[Part]] = {
    "text": Text,
    "image": Image,
    "thinking": Thinking,
    "call": ToolCall,
    "result": ToolResult,
    "foreign": Foreign,
}
_DELTA_NAMES = {kind: name for name, kind in DELTAS.items()}
_PART_NAMES = {kind: name for name, kind in PARTS.items()}


def told(delta: Delta) -> dict[str, object]:
    """A delta as an object whose field `is` names its kind."""
    fields = {name: _value(getattr(delta, name)) for name in delta.__struct_fields__}
    return {"is": _DELTA_NAMES[type(delta)], **fields}


def deltas_of(objects: Iterable[Mapping[str, Any]]) -> tuple[Delta, ...]:
    """The deltas of such objects; raises `ValueError` (of which `msgspec.ValidationError` is one) for what is none."""
    return tuple(map(_delta_of, objects))


def _value(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return {name: plain(one) for name, one in msgspec.to_builtins(value).items()}
    kind = _PART_NAMES.get(cast("type[Part]", type(value)))
    if kind is None:
        return plain(value)
    part = cast("Part", value)
    fields = {field.name: getattr(part, field.name) for field in attrs.fields(type(part))}
    return {"is": kind, **{name: _field(one) for name, one in fields.items()}}


def _field(value: object) -> object:
    """A field of a part: a result may hold parts, an image holds bytes."""
    match value:
        case tuple():
            return [_value(one) for one in cast("tuple[object, ...]", value)]
        case bytes():
            return msgspec.to_builtins(value)
        case _:
            return plain(value)


def _delta_of(fields: Mapping[str, Any]) -> Delta:
    kind, rest = _kind_of(fields, DELTAS)
    if kind is not PartEnded:
        return msgspec.convert(rest, kind)
    part = rest.get("part")
    return PartEnded(msgspec.convert(rest.get("index"), int), None if part is None else _part_of(part))


def _part_of(fields: Mapping[str, Any]) -> Part:
    kind, rest = _kind_of(fields, PARTS)
    if kind is not ToolResult:
        return msgspec.convert(rest, kind)
    result = msgspec.convert(rest, _Result)
    said = result.content if isinstance(result.content, str) else tuple(map(_part_of, result.content))
    return ToolResult(result.call_id, cast("str | tuple[Text | Image, ...]", said), result.is_error, result.name)


class _Result(msgspec.Struct):
    call_id: str
    content: str | list[dict[str, Any]]
    is_error: bool = False
    name: str = ""


def _kind_of(fields: Mapping[str, Any], kinds: Mapping[str, type[Any]]) -> tuple[type[Any], dict[str, Any]]:
    name = str(fields.get("is"))
    if name not in kinds:
        raise ValueError(f"there is no {name!r} among {', '.join(kinds)}")
    return kinds[name], {field: value for field, value in fields.items() if field != "is"}
