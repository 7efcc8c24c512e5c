"""What the lines of Claude Code's `--output-format stream-json` hold, as typed structs.

The one rule: a field stands here because the automaton reads it; a line of another type is carried past.
"""

from typing import TypeAlias

import msgspec
from msgspec import Struct

from actors.wire.blocks import Message, Usage


class System(Struct, tag="system", tag_field="type"):
    """What the program does beside answering; the fields depend on the subtype."""

    subtype: str = ""


class StreamEvent(Struct, tag="stream_event", tag_field="type"):
    """An event of the API as it came; `parent_tool_use_id` names the tool in which an agent of the program's own heard it."""

    event: msgspec.Raw
    parent_tool_use_id: str | None = None


class Assistant(Struct, tag="assistant", tag_field="type"):
    """Blocks of the model's message that are complete; `error` marks what the program says in the model's place."""

    message: Message
    parent_tool_use_id: str | None = None
    error: str | None = None


class Turn(Struct):
    """What was said to the model: text, or blocks."""

    content: object = None


class User(Struct, tag="user", tag_field="type"):
    """What the program said to the model: results of the tools it ran, words of its own."""

    message: Turn
    parent_tool_use_id: str | None = None


class Result(Struct, tag="result", tag_field="type"):
    """The last line: what became of the run.  `total_cost_usd` is dollars."""

    is_error: bool
    subtype: str = ""
    result: object = None
    errors: object = None
    stop_reason: str | None = None
    api_error_status: int | None = None
    total_cost_usd: float | None = None
    usage: Usage | None = None


Line: TypeAlias = System | StreamEvent | Assistant | User | Result

LINES: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)

KNOWN = frozenset({"system", "stream_event", "assistant", "user", "result"})
"""The types of `Line`."""
