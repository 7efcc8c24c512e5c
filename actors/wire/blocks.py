"""What messages that are made of blocks hold, as typed structs: the events of a stream, and the message in one piece.

Anthropic's API speaks so, and its command line repeats it.  The one rule: a field stands here because the automaton reads it; unknown
fields are passed over by the decoder.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
from msgspec import Struct

from actors.messages import Json
from actors.source import MalformedError
from actors.wire.shapes import text_at

NAME = "anthropic"
"""Who can read the seals and the foreign blocks of such messages."""


class Text(Struct, tag="text_delta", tag_field="type", gc=False):
    """More text."""

    text: str


class Arguments(Struct, tag="input_json_delta", tag_field="type", gc=False):
    """More JSON of a call's input."""

    partial_json: str


class Thought(Struct, tag="thinking_delta", tag_field="type", gc=False):
    """More thinking."""

    thinking: str


class Signature(Struct, tag="signature_delta", tag_field="type", gc=False):
    """The seal on a thinking block."""

    signature: str


class Citation(Struct, tag="citations_delta", tag_field="type"):
    """A source of the text."""

    citation: dict[str, object]


Delta: TypeAlias = Text | Arguments | Thought | Signature | Citation


class BlockStart(Struct, tag="content_block_start", tag_field="type"):
    """A block begins; its fields depend on its type."""

    index: int
    content_block: dict[str, object]


class BlockDelta(Struct, tag="content_block_delta", tag_field="type"):
    """The open block grows."""

    index: int
    delta: Delta


class BlockStop(Struct, tag="content_block_stop", tag_field="type"):
    """The open block is complete."""

    index: int


class OutputDetails(Struct):
    """What the output tokens were spent on."""

    thinking_tokens: int | None = None


class Usage(
    Struct,
    rename={"cache_read_tokens": "cache_read_input_tokens", "cache_write_tokens": "cache_creation_input_tokens"},
):
    """Tokens so far; a field that is absent has not changed."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None


def counts(usage: Usage) -> dict[str, int]:
    """The fields of `actors.deltas.Usage` that this usage says."""
    details = usage.output_tokens_details or OutputDetails()
    said = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": details.thinking_tokens,
    }
    return {name: count for name, count in said.items() if count is not None}


class Ending(Struct):
    """Why the model stopped, where it has."""

    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, object] | None = None


class Message(Ending, tag="message", tag_field="type"):
    """The message: empty when it starts, whole in a reply in one piece."""

    id: str = ""
    model: str = ""
    content: list[dict[str, object]] = []
    usage: Usage | None = None


def called(block: Json) -> str:
    """The name of the tool that a block calls; raises `MalformedError` where it is not said, since nobody could run that."""
    if name := text_at(block, "name"):
        return name
    raise MalformedError(f"the call {text_at(block, 'id')!r} has no name")


def beside(block: Json) -> dict[str, object]:
    """What a call has beside name and arguments and must have again when it is sent back."""
    usual = {"type": "tool_use", "caller": {"type": "direct"}}
    own = {"id", "name", "input"}
    return {name: value for name, value in block.items() if name not in own and value not in (None, usual.get(name))}


def detail(ending: Ending) -> str:
    """What is said beside the stop reason, in one line."""
    details = ending.stop_details or {}
    told = (ending.stop_sequence, details.get("category"), details.get("explanation"))
    return ": ".join(str(one) for one in told if one)


class MessageStart(Struct, tag="message_start", tag_field="type"):
    """The message begins."""

    message: Message


class MessageDelta(Struct, tag="message_delta", tag_field="type"):
    """The message is about to end; `usage` is cumulative."""

    delta: Ending
    usage: Usage | None = None


class MessageStop(Struct, tag="message_stop", tag_field="type"):
    """The terminal event."""


class Ping(Struct, tag="ping", tag_field="type"):
    """A sign of life."""


class Error(Struct, tag="error", tag_field="type"):
    """The provider gives up; nothing follows."""

    error: dict[str, object]
    request_id: str | None = None


Event: TypeAlias = BlockDelta | BlockStart | BlockStop | Ping | MessageStart | MessageDelta | MessageStop | Error

EVENTS: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
REPLY: msgspec.json.Decoder[Message | Error] = msgspec.json.Decoder(Message | Error)

KNOWN = frozenset(
    {"content_block_delta", "content_block_start", "content_block_stop", "ping"}
    | {"message_start", "message_delta", "message_stop", "error"}
)
"""The types of `Event`."""

DELTAS = frozenset({"text_delta", "input_json_delta", "thinking_delta", "signature_delta", "citations_delta"})
"""The types of `Delta`."""

STATUS: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The HTTP status that goes with an error's type, for an error that comes after a 200."""
