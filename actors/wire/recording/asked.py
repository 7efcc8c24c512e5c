"""What was asked, in no provider's spelling, and the request that can be asked again out of it.

Pure.  The one rule: two requests are the same where their `asked` is: who speaks, all texts, arguments of tools, system, tools and limits.
What a provider made up (names of calls, signatures) is not compared: a call goes by its place in the conversation.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias, cast

import msgspec

from actors.messages import Foreign, Image, Json, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from actors.redaction import scrubbed
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Mode, Route


def key_of(provider: str, model: str, mode: Mode, request: Json) -> bytes:
    """Route and request as bytes, the same whatever the order of fields."""
    return msgspec.json.encode([provider, model, mode.value, request], order="sorted")


def key_for(request: Request, route: Route, secrets: Iterable[str] = ()) -> bytes:
    """The key that a request has in a recording, its secrets left out there too."""
    return scrubbed(key_of(route.provider, route.model, route.mode, asked(request, route)), secrets)


def asked(request: Request, route: Route) -> dict[str, object]:
    """The request in no provider's spelling, as far as an answer depends on it."""
    calls: dict[str, int] = {}
    return {
        "messages": [
            {"role": message.role.value, "parts": [_part(part, calls) for part in message.parts]}
            for message in request.messages
        ],
        "system": plain(request.system),
        "tools": [_tool(tool) for tool in request.tools],
        "tool_choice": request.tool_choice.value
        if isinstance(request.tool_choice, ToolChoice)
        else request.tool_choice,
        "limits": _limits(request.limits),
        "schema": plain(request.schema),
        "extras": plain(request.extras.get(route.provider)),
    }


_Calls: TypeAlias = dict[str, int]


def _part(part: Part, calls: _Calls) -> dict[str, object]:
    match part:
        case Text(text):
            return {"text": plain(text)}
        case Image():
            return {"image": _digest(part.content) if part.content else plain(part.url), "media_type": part.media_type}
        case Thinking(text):
            return {"thinking": plain(text), "redacted": part.redacted}
        case ToolCall():
            return {"tool_call": part.name, "arguments": plain(part.arguments), "number": _number(part.id, calls)}
        case ToolResult(id_, content):
            said = content if isinstance(content, str) else [_part(one, calls) for one in content]
            return {"tool_result": plain(said), "is_error": part.is_error, "number": _number(id_, calls)}
        case Foreign():
            return {"foreign": part.kind, "provider": part.provider, "block": plain(part.block)}


def _number(call_id: str, calls: _Calls) -> int:
    return calls.setdefault(call_id, len(calls) + 1)


def _tool(tool: Tool) -> dict[str, object]:
    return {"name": tool.name, "description": plain(tool.description), "parameters": plain(tool.parameters)}


def _limits(limits: Limits) -> dict[str, object]:
    fields = {
        "max_tokens": limits.max_tokens,
        "thinking_tokens": limits.thinking_tokens,
        "temperature": _exact(limits.temperature),
        "top_p": _exact(limits.top_p),
        "stop": [plain(text) for text in limits.stop] or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _exact(number: float | None) -> float | None:
    return None if number is None else float(number)  # 1 and 1.0 are the same


def _digest(octets: bytes) -> str:
    return f"{len(octets)} bytes, sha256 {sha256(octets).hexdigest()}"


_LARGEST = 2**63 - 1
"""The largest number that everybody reads alike."""


def plain(value: object) -> object:
    """Anything as JSON: what is none goes by its repr, and half a character by a question mark."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case None | bool() | int() | float():
            return value if not isinstance(value, int) or -_LARGEST <= value <= _LARGEST else repr(value)
        case bytes():
            return _digest(value)
        case Mapping():
            fields = cast("Mapping[object, object]", value)
            return {str(plain(name)): plain(one) for name, one in fields.items()}
        case list() | tuple():
            return [plain(one) for one in cast("Sequence[object]", value)]
        case _:
            return repr(value)


# -- and back


class _Turn(msgspec.Struct):
    role: Role
    parts: list[dict[str, Any]]


class _Asked(msgspec.Struct):
    messages: list[_Turn] = []
    system: str = ""
    tools: list[dict[str, Any]] = []
    tool_choice: str = ToolChoice.AUTO.value
    limits: dict[str, Any] = {}
    schema: dict[str, Any] | None = None
    extras: dict[str, Any] | None = None


_CHOICES = {choice.value: choice for choice in ToolChoice}


def request_of(asked: Json, provider: str) -> Request:
    """A request that is `asked` so again: what is not in a recording (bytes of an image, signatures) is not in it either.

    Raises `ValueError` where it cannot be read.
    """
    fields = msgspec.convert(asked, _Asked)
    return Request(
        tuple(Message(turn.role, tuple(map(_part_of, turn.parts))) for turn in fields.messages),
        system=fields.system,
        tools=tuple(Tool(**tool) for tool in fields.tools),
        tool_choice=_CHOICES.get(fields.tool_choice, fields.tool_choice),
        limits=Limits(**fields.limits),
        schema=fields.schema,
        extras={} if fields.extras is None else {provider: fields.extras},
    )


def _part_of(fields: dict[str, Any]) -> Any:
    match fields:
        case {"text": text}:
            return Text(text)
        case {"image": what, "media_type": media_type}:
            return Image(media_type, url=what)
        case {"thinking": text, "redacted": redacted}:
            return Thinking(text, redacted=redacted)
        case {"tool_call": name, "arguments": arguments, "number": number}:
            return ToolCall(f"call_{number}", name, arguments)
        case {"tool_result": said, "number": number, "is_error": is_error}:
            content = said if isinstance(said, str) else tuple(map(_part_of, said))
            return ToolResult(f"call_{number}", content, is_error)
        case {"foreign": kind, "provider": provider, "block": block}:
            return Foreign(provider, kind, block)
        case _:
            raise ValueError(f"a message has a part that none is: {', '.join(fields)}")
