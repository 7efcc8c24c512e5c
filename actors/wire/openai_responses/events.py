"""What the bytes of Responses hold, as typed structs: the events of a stream, and the response in one piece.

The one rule: an event stands here because the automaton reads it.  Deltas of items that only OpenAI understands do not: such an item comes
whole when it is done.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
from msgspec import Struct

UNNUMBERED = -1
"""The place of an item that the server does not say: it gives items names alone, as llama.cpp does."""

STATUS: Mapping[str, int] = {
    "invalid_prompt": 400,
    "bio_policy": 400,
    "misalignment_policy_violation": 400,
    "context_length_exceeded": 400,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "vector_store_timeout": 504,
}
"""The HTTP status that goes with an error's code, for an error that comes after a 200."""


class Response(Struct):
    """The response: as far as it is in most events, whole in the last one."""

    id: str = ""
    model: str = ""
    status: str = ""
    output: list[dict[str, object]] = []
    usage: dict[str, object] | None = None
    error: dict[str, object] | None = None
    incomplete_details: dict[str, object] | None = None


class _Stage(Struct, tag_field="type"):
    response: Response


class Created(_Stage, tag="response.created"):
    """The request was taken."""


class Queued(_Stage, tag="response.queued"):
    """It waits for its turn."""


class InProgress(_Stage, tag="response.in_progress"):
    """It is being answered."""


class Completed(_Stage, tag="response.completed"):
    """Terminal: the answer is whole."""


class Incomplete(_Stage, tag="response.incomplete"):
    """Terminal: the answer was cut by a limit or a filter."""


class Failed(_Stage, tag="response.failed"):
    """Terminal: there is no answer."""


class _Item(Struct, tag_field="type"):
    item: dict[str, object]
    output_index: int = UNNUMBERED


class ItemAdded(_Item, tag="response.output_item.added"):
    """An item of the output begins."""


class ItemDone(_Item, tag="response.output_item.done"):
    """An item of the output is whole."""


class _Grown(Struct, tag_field="type", gc=False):
    delta: str
    output_index: int = UNNUMBERED
    content_index: int = 0
    item_id: str = ""


class TextGrown(_Grown, tag="response.output_text.delta"):
    """More text."""


class RefusalGrown(_Grown, tag="response.refusal.delta"):
    """More of a refusal, which is text too."""


class ThoughtGrown(_Grown, tag="response.reasoning_text.delta"):
    """More thinking."""


class SummaryGrown(_Grown, tag="response.reasoning_summary_text.delta"):
    """More of what the thinking was about."""


class ArgumentsGrown(_Grown, tag="response.function_call_arguments.delta"):
    """More JSON of a call's arguments."""


class SummaryAdded(Struct, tag="response.reasoning_summary_part.added", tag_field="type"):
    """Another paragraph of the summary begins."""

    output_index: int
    summary_index: int = 0


class Annotated(Struct, tag="response.output_text.annotation.added", tag_field="type"):
    """A source of a text."""

    output_index: int
    annotation: dict[str, object]
    content_index: int = 0


class Error(Struct, tag="error", tag_field="type"):
    """The provider gives up; some put the words into an object, some beside the type."""

    error: dict[str, object] | None = None
    message: str | None = None
    code: str | int | None = None


Begun: TypeAlias = Created | Queued | InProgress
Grown: TypeAlias = TextGrown | RefusalGrown | ThoughtGrown | SummaryGrown | ArgumentsGrown
Event: TypeAlias = (
    Grown | (ItemAdded | ItemDone | SummaryAdded | Annotated) | (Begun | Completed | Incomplete | Failed | Error)
)

EVENTS: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
RESPONSE = msgspec.json.Decoder(Response)

KNOWN = frozenset(
    {"response.created", "response.queued", "response.in_progress", "response.completed", "response.incomplete"}
    | {"response.failed", "response.output_item.added", "response.output_item.done", "response.output_text.delta"}
    | {"response.refusal.delta", "response.reasoning_text.delta", "response.reasoning_summary_text.delta"}
    | {"response.function_call_arguments.delta", "error"}
    | {"response.reasoning_summary_part.added", "response.output_text.annotation.added"}
)
"""The types of `Event`."""
