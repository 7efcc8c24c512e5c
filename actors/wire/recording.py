"""What a recording is: a file of JSON lines, each of them one attempt with its request and its answer, byte for byte.

Pure.  `status`, `response_headers` and `response_body` are what the simulator serves too.  The one rule: two requests are the same
where their `asked` is: who speaks, all texts, arguments of tools, system, tools and limits.  What a provider made up (names of
calls, signatures) is not compared: a call goes by its place in the conversation.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from hashlib import sha256
from typing import TypeAlias, cast

import msgspec

from actors.messages import Foreign, Image, Json, Part, Text, Thinking, ToolCall, ToolResult
from actors.redaction import scrubbed
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Mode, Route


class Ended(Enum):
    """How an attempt ended, as its answer told it.

    `COMPLETE`: with the terminal event.  `REFUSED`: with a status of 300 or more.  `CUT`: the network failed, `error` says how.
    `FAILED`: the answer could not be read, or said that it failed.  `LEFT`: nobody waited any longer.
    """

    COMPLETE = "complete"
    REFUSED = "refused"
    CUT = "cut"
    FAILED = "failed"
    LEFT = "left"


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One exception of a chain: the name of its class, what it said, the system's number for it."""

    type: str
    message: str = ""
    number: int | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt.

    `number` is its place among all that were begun, `at` when it began (seconds since the recording did).  `request` is what
    `asked` makes of it, `request_body` what was sent.  `status` is 0 where no answer came.  `response_base64` has the bytes where they
    are no UTF-8; `slices` how they came: seconds since the attempt began, and bytes.  `error` is the chain of exceptions, the outermost first.
    """

    recording: int = 1
    number: int
    provider: str
    model: str
    mode: Mode
    at: float
    seconds: float
    request: dict[str, object]
    request_body: str = ""
    status: int = 0
    response_headers: dict[str, str] = {}
    response_body: str = ""
    response_base64: str | msgspec.UnsetType = msgspec.UNSET
    request_id: str = ""
    ended: Ended = Ended.COMPLETE
    error: tuple[Fact, ...] = ()
    slices: tuple[tuple[float, int], ...] = ()

    @property
    def octets(self) -> bytes:
        """The bytes of the answer."""
        return base64.b64decode(self.response_base64) if self.response_base64 else self.response_body.encode()

    @property
    def key(self) -> bytes:
        """What a request must be to get this answer."""
        return key_of(self.provider, self.model, self.mode, self.request)


class BadLine(ValueError):
    """A line is none of a recording; the sentence goes behind the name of the file."""


_DECODER = msgspec.json.Decoder(Line)


def written(line: Line, secrets: Iterable[str] = ()) -> bytes:
    """The line as it stands in the file, its line feed included and secrets left out (P13)."""
    return scrubbed(msgspec.json.encode(line), secrets) + b"\n"


def body_fields(octets: bytes, secrets: Iterable[str] = ()) -> tuple[str, str | msgspec.UnsetType]:
    """`response_body` and `response_base64`: the second only where the bytes are no UTF-8, cut within a character, say."""
    try:
        return octets.decode(), msgspec.UNSET
    except UnicodeDecodeError:
        plain = scrubbed(octets, secrets)
        return plain.decode(errors="replace"), base64.b64encode(plain).decode()


def read(content: bytes) -> tuple[Line, ...]:
    """The lines of a file; a last one that was torn by a crash is left out.

    Raises `BadLine` for any other that is no attempt.
    """
    *whole, last = content.split(b"\n")
    lines = [_read(text, number) for number, text in enumerate(whole, 1) if text.strip()]
    if last:
        with suppress(BadLine):
            lines.append(_read(last, len(whole) + 1))
    return tuple(lines)


def _read(text: bytes, number: int) -> Line:
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadLine(f"line {number} is no attempt that was recorded: {error}") from error


# -- requests


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
        "system": _plain(request.system),
        "tools": [_tool(tool) for tool in request.tools],
        "tool_choice": request.tool_choice.value
        if isinstance(request.tool_choice, ToolChoice)
        else request.tool_choice,
        "limits": _limits(request.limits),
        "schema": _plain(request.schema),
        "extras": _plain(request.extras.get(route.provider)),
    }


_Calls: TypeAlias = dict[str, int]


def _part(part: Part, calls: _Calls) -> dict[str, object]:
    match part:
        case Text(text):
            return {"text": _plain(text)}
        case Image():
            return {"image": _digest(part.content) if part.content else _plain(part.url), "media_type": part.media_type}
        case Thinking(text):
            return {"thinking": _plain(text), "redacted": part.redacted}
        case ToolCall():
            return {"tool_call": part.name, "arguments": _plain(part.arguments), "number": _number(part.id, calls)}
        case ToolResult(id_, content):
            said = content if isinstance(content, str) else [_part(one, calls) for one in content]
            return {"tool_result": _plain(said), "is_error": part.is_error, "number": _number(id_, calls)}
        case Foreign():
            return {"foreign": part.kind, "provider": part.provider, "block": _plain(part.block)}


def _number(call_id: str, calls: _Calls) -> int:
    return calls.setdefault(call_id, len(calls) + 1)


def _tool(tool: Tool) -> dict[str, object]:
    return {"name": tool.name, "description": _plain(tool.description), "parameters": _plain(tool.parameters)}


def _limits(limits: Limits) -> dict[str, object]:
    fields = {
        "max_tokens": limits.max_tokens,
        "thinking_tokens": limits.thinking_tokens,
        "temperature": _exact(limits.temperature),
        "top_p": _exact(limits.top_p),
        "stop": [_plain(text) for text in limits.stop] or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _exact(number: float | None) -> float | None:
    return None if number is None else float(number)  # 1 and 1.0 are the same


def _digest(octets: bytes) -> str:
    return f"{len(octets)} bytes, sha256 {sha256(octets).hexdigest()}"


def _plain(value: object) -> object:
    """Anything as JSON: what is none goes by its repr, and half a character by a question mark."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case None | bool() | int() | float():
            return value
        case bytes():
            return _digest(value)
        case Mapping():
            fields = cast("Mapping[object, object]", value)
            return {str(_plain(name)): _plain(one) for name, one in fields.items()}
        case list() | tuple():
            return [_plain(one) for one in cast("Sequence[object]", value)]
        case _:
            return repr(value)
