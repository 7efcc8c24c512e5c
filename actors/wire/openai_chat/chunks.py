"""What the bytes of chat completions hold, as typed structs: the chunks of a stream, and the completion in one piece.

The one rule: everything may be absent or null, for every compatible server leaves out something else.
"""

import msgspec
from msgspec import Struct


class Function(Struct):
    """More of a function call; some servers send the arguments as an object."""

    name: str | None = None
    arguments: str | dict[str, object] | None = None


class Call(Struct):
    """More of the call at `index`, or of a call that only its id tells apart; `extra_content` is a gateway's, as Gemini's seal is."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    extra_content: dict[str, object] | None = None


class Grown(Struct):
    """What a choice grows by: OpenAI's fields, the two names under which others send thinking, and OpenRouter's images."""

    content: str | list[dict[str, object]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    function_call: Function | None = None
    annotations: list[dict[str, object]] | None = None
    images: list[dict[str, object]] | None = None


class Choice(Struct):
    """One of the answers that were asked for; `delta` in a stream, `message` in one piece (and beside it at Perplexity)."""

    index: int = 0
    delta: Grown | None = None
    message: Grown | None = None
    finish_reason: str | None = None


class Chunk(Struct):
    """A chunk, or the whole completion."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: dict[str, object] | None = None
    x_groq: dict[str, object] | None = None
    error: dict[str, object] | str | None = None


CHUNKS: msgspec.json.Decoder[Chunk] = msgspec.json.Decoder(Chunk)
