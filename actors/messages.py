"""What is said to a model and by it, in no provider's spelling.

Pure values: a conversation is a tuple of messages, a message a tuple of parts.  Identity, storage and the wire live elsewhere; what a
provider needs echoed (signatures, blocks of its own) travels in the part that carries it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

import attrs

Json: TypeAlias = Mapping[str, object]


class Role(Enum):
    """Who speaks; the system prompt is a field of the request, not a role."""

    USER = "user"
    ASSISTANT = "assistant"


@attrs.frozen
class Text:
    """Plain text, with the sources a provider cited for it (each in the provider's own shape)."""

    text: str
    citations: tuple[Json, ...] = ()


@attrs.frozen
class Image:
    """An image: `content` holds its bytes, or `url` says where it is; `media_type` is an IANA type such as image/png."""

    media_type: str = ""
    content: bytes = b""
    url: str = ""


@attrs.frozen
class Thinking:
    """What the model thought; `signature` must be echoed unchanged, `redacted` thinking is opaque text of the provider."""

    text: str
    signature: str = ""
    redacted: bool = False


@attrs.frozen
class ToolCall:
    """A complete request of the model to call a tool; `arguments` is the parsed JSON object.

    `signature` must be echoed where a provider sent one.  `hosted` calls were run by the provider itself: never run them again.
    """

    id: str
    name: str
    arguments: Json
    signature: str = ""
    hosted: bool = False


@attrs.frozen
class ToolResult:
    """What a tool answered to the call `call_id`: text, or text and images; `is_error` marks a failed call."""

    call_id: str
    content: str | tuple["Text | Image", ...]
    is_error: bool = False
    name: str = ""


@attrs.frozen
class Foreign:
    """A block only its own provider understands (a server tool's result, say), carried unread so that it can be echoed."""

    provider: str
    kind: str
    block: Json


Part: TypeAlias = Text | Image | Thinking | ToolCall | ToolResult | Foreign


def _parts(content: str | Part | tuple[Part, ...] | list[Part]) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(content),)
    return tuple(content) if isinstance(content, tuple | list) else (content,)


@attrs.frozen
class Message:
    """One turn; `parts` may be given as a string, one part or several."""

    role: Role
    parts: tuple[Part, ...] = attrs.field(converter=_parts)

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


def user(*content: str | Part) -> Message:
    """A turn of the user; strings become text parts."""
    return Message(Role.USER, tuple(Text(part) if isinstance(part, str) else part for part in content))


def assistant(*content: str | Part) -> Message:
    """A turn of the model; strings become text parts."""
    return Message(Role.ASSISTANT, tuple(Text(part) if isinstance(part, str) else part for part in content))
