"""What a simulated provider is asked and what it says, in no provider's spelling.

Values only.  Every wire dialect reads its requests into an `Ask` and writes its responses from an `Answer`, so sources
of answers and plans of faults know nothing of providers.
"""

from enum import Enum
from functools import cached_property
from hashlib import blake2b
from typing import TypeAlias

from attrs import field, frozen


@frozen
class Text:
    """Words for the reader."""

    text: str


@frozen
class Thinking:
    """Reasoning before the answer; the signature is opaque to the client and goes back unchanged."""

    text: str
    signature: str = "c2lnbmF0dXJl"


@frozen
class ToolUse:
    """A call that the client is asked to make; `arguments` is JSON text, empty for none."""

    name: str
    arguments: str = ""
    id: str = ""


Part: TypeAlias = Text | Thinking | ToolUse


class Finish(Enum):
    """Why the model stopped, in words of our own; each dialect has its spelling."""

    END = "end"
    LENGTH = "length"
    TOOL = "tool"
    STOP_SEQUENCE = "stop_sequence"
    REFUSAL = "refusal"
    PAUSE = "pause"


@frozen
class Answer:
    """One answer: its parts in order, why it ends, and its usage in tokens.

    Where not given, the finish is a tool call's when there is one, and the usage is counted from the words.
    """

    parts: tuple[Part, ...] = field(converter=tuple)
    finish: Finish | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def reason(self) -> Finish:
        """Why the model stopped."""
        called = any(isinstance(part, ToolUse) for part in self.parts)
        return self.finish or (Finish.TOOL if called else Finish.END)

    @property
    def tokens(self) -> int:
        """How many tokens the answer cost: one a word where not given."""
        words = (part.arguments if isinstance(part, ToolUse) else part.text for part in self.parts)
        return sum(len(pieces(text)) for text in words) if self.output_tokens is None else self.output_tokens

    @property
    def text(self) -> str:
        """What the reader sees."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


@frozen
class Turn:
    """One message of the conversation so far, reduced to who spoke and the words; a tool's result is the user's."""

    role: str
    text: str


@frozen
class Ask:
    """What a client asked for, as far as an answer or a fault can depend on it.

    `framed` is false for a stream that is to come as one JSON array (Gemini without `alt=sse`); `usage_wanted` and
    `background` are what OpenAI's two formats let a client choose; `response_id` and `resume_after` name the response
    whose rest is wanted.
    """

    provider: str
    model: str
    turns: tuple[Turn, ...]
    streaming: bool = False
    max_tokens: int | None = None
    framed: bool = True
    usage_wanted: bool = True
    background: bool = False
    response_id: str | None = None
    resume_after: int | None = None

    @cached_property
    def key(self) -> str:
        """The short name of the conversation so far."""
        return prompt_key(*(turn.text for turn in self.turns))

    @property
    def prompt(self) -> str:
        """The words of the last user turn."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    @property
    def input_tokens(self) -> int:
        """A plain estimate: one token a word, and one a turn."""
        return sum(len(turn.text.split()) + 1 for turn in self.turns)


@frozen
class Visit:
    """One request as the simulator counts it: all counts begin at 1, `now` is seconds since the simulator began.

    `number` counts the requests to any provider; those to none, on paths nobody knows, are counted apart.
    `attempt` counts the requests of the same conversation to the same model, so it does not depend on what other
    clients do meanwhile.  `at_once` is how many requests are in flight with this one: to its model, to its provider, and
    to everyone (`*`).
    """

    ask: Ask
    number: int = 1
    attempt: int = 1
    nth_of_model: int = 1
    nth_of_provider: int = 1
    at_once: dict[str, int] = field(factory=dict[str, int])
    now: float = 0.0


def prompt_key(*turns: str) -> str:
    """A short name (12 hex digits) of a conversation, made of the texts of its turns."""
    return blake2b("\x1e".join(turns).encode(), digest_size=6).hexdigest()


def pieces(text: str) -> list[str]:
    """A text as the deltas it is streamed in: one word each, with the space before it."""
    words = text.split(" ")
    return [word if at == 0 else " " + word for at, word in enumerate(words) if word or at]
