"""What a consumer sees while an answer arrives: deltas of content and, between attempts, seams.

Built once an event on the hot path, hence msgspec structs.  `index` is the position of the part in the answer.  Recovery is never
silent: between two attempts stands an `AttemptAbandoned`, and what the abandoned attempt delivered is to be discarded; so is what stands
before a `Restarted`, by which a provider tells of a recovery of its own.
"""

from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from actors.failure import Failure
from actors.messages import Json, Part, ToolCall
from actors.route import Route


class FinishReason(Enum):
    """Why the model stopped, in one neutral set; the provider's own word is beside it in `Finish`."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    REFUSAL = "refusal"
    CONTEXT_WINDOW = "context_window"
    PAUSE = "pause"
    MALFORMED_CALL = "malformed_call"
    OTHER = "other"


class Usage(Struct, frozen=True):
    """Tokens of one attempt or of several.

    `input_tokens` counts what was not read from a cache, as Anthropic bills it; `estimated` marks figures the provider did not send.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.estimated or other.estimated,
        )


class ResponseStarted(Struct, frozen=True):
    """The provider took the request: its name for the answer and the model that gives it."""

    id: str
    model: str


class TextDelta(Struct, frozen=True):
    """More text."""

    text: str
    index: int = 0


class ThinkingDelta(Struct, frozen=True):
    """More of what the model thinks."""

    text: str
    index: int = 0


class ToolCallStarted(Struct, frozen=True):
    """The model began to call a tool; not to be run before `ToolCallReady`."""

    name: str
    id: str
    index: int = 0


class ToolCallDelta(Struct, frozen=True):
    """More of a call's arguments, as raw JSON text."""

    fragment: str
    index: int = 0


class PartEnded(Struct, frozen=True):
    """The part at `index` is closed: nothing will be added to it.

    `part` is the part as the provider closed it; `None` means: what its deltas add up to.
    """

    index: int
    part: Part | None = None


class SignatureDelta(Struct, frozen=True):
    """The provider's seal on a part, to be echoed with it."""

    signature: str
    index: int = 0


class CitationDelta(Struct, frozen=True):
    """A source for the text part at `index`, in the provider's own shape."""

    citation: Json
    index: int = 0


class Restarted(Struct, frozen=True):
    """The provider itself begins again within the attempt: the parts from `index` on are to be discarded and will come anew.

    Told of providers that repeat requests on their own (a command line, say): `reason` is their word for why, `detail` what they said beside
    it.  Nothing may have been delivered yet.
    """

    reason: str
    detail: str = ""
    index: int = 0


class UsageDelta(Struct, frozen=True):
    """The attempt's usage so far; replaces what was said before, never adds to it."""

    usage: Usage


class Finish(Struct, frozen=True):
    """Why the model stopped; `spelling` is the provider's own word, `detail` what it said beside it.

    `releases` is the dialect's table speaking: whether an answer that ended this way may have its tool calls run (P8).
    """

    reason: FinishReason
    spelling: str = ""
    detail: str = ""
    releases: bool = False


class Finished(Struct, frozen=True):
    """The provider's own terminal event arrived: the answer is complete (P7)."""

    finish: Finish


class ToolCallReady(Struct, frozen=True):
    """A tool call that may be run: its part closed, its arguments parsed strictly, the finish reason allows it (P8)."""

    call: ToolCall
    index: int = 0


class Reach(Enum):
    """How far an attempt's content got; thinking is progress, a tool call is the furthest."""

    NOTHING = 0
    THINKING = 1
    TEXT = 2
    TOOL_CALL = 3


class Progress(Struct, frozen=True):
    """What an attempt delivered: how far, how many events and characters of text, and what kind of part was open at its end.

    `acted`: the provider ran a tool that may have changed something, so the request is not to be sent again.
    """

    reach: Reach = Reach.NOTHING
    events: int = 0
    characters: int = 0
    inside: Reach = Reach.NOTHING
    acted: bool = False

    @property
    def any(self) -> bool:
        """Whether the consumer has seen content."""
        return self.reach is not Reach.NOTHING


class AttemptStarted(Struct, frozen=True):
    """A seam: attempt `number` (from 1) begins on `route`."""

    number: int
    route: Route


class AttemptAbandoned(Struct, frozen=True):
    """A seam: the attempt failed and another follows in `after` seconds on `next_route`; discard what it delivered."""

    failure: Failure
    delivered: Progress
    number: int
    after: float
    next_route: Route


Delta: TypeAlias = (
    ResponseStarted
    | TextDelta
    | ThinkingDelta
    | SignatureDelta
    | CitationDelta
    | ToolCallStarted
    | ToolCallDelta
    | PartEnded
    | Restarted
    | UsageDelta
    | Finished
)
"""What a wire dialect reads out of a provider's bytes."""

StreamEvent: TypeAlias = Delta | ToolCallReady | AttemptStarted | AttemptAbandoned
"""What a consumer iterates over."""
