"""What is asked of a model, in no provider's spelling.

A request is inert and says nothing of where it runs: that is the route's.  What only one provider understands goes into `extras`
under that provider's name and is merged into its body as it stands.
"""

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TypeAlias

import attrs

from actors.messages import Json, Message, user


def _named(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    if not value:
        msg = f"a tool's {field.name} must not be empty"
        raise ValueError(msg)


def _no_extras() -> Mapping[str, Json]:
    return {}


@attrs.frozen
class Tool:
    """A function the model may call; `parameters` is a JSON Schema of type object."""

    name: str = attrs.field(validator=_named)
    description: str = ""
    parameters: Json = attrs.field(factory=lambda: {"type": "object", "properties": {}})


class ToolChoice(Enum):
    """Whether the model may, must or must not call a tool."""

    AUTO = "auto"
    ANY = "any"
    NONE = "none"


def _at_least_one(_: object, field: "attrs.Attribute[int | None]", value: int | None) -> None:
    if value is not None and value < 1:
        msg = f"{field.name} must be at least 1 token, not {value}; leave it out for the model's own limit"
        raise ValueError(msg)


def _finite(_: object, field: "attrs.Attribute[float | None]", value: float | None) -> None:
    if value is not None and not math.isfinite(value):
        msg = f"{field.name} must be a number, not {value}; leave it out for the model's own"
        raise ValueError(msg)


@attrs.frozen
class Limits:
    """Bounds on the answer; `None` leaves the provider's default.

    `max_tokens` and `thinking_tokens` count tokens; `stop` lists the texts that end the answer.
    """

    max_tokens: int | None = attrs.field(default=None, validator=_at_least_one)
    thinking_tokens: int | None = attrs.field(default=None, validator=_at_least_one)
    temperature: float | None = attrs.field(default=None, validator=_finite)
    top_p: float | None = attrs.field(default=None, validator=_finite)
    stop: tuple[str, ...] = attrs.field(default=(), converter=tuple)


def _messages(content: str | Message | Iterable[Message]) -> tuple[Message, ...]:
    if isinstance(content, str):
        return (user(content),)
    return (content,) if isinstance(content, Message) else tuple(content)


@attrs.frozen
class Request:
    """One question to a model: the conversation so far, the tools and the limits.

    `messages` may be given as a prompt, one message or several.  `tool_choice` is a `ToolChoice` or the name of one tool.
    `schema` asks for an answer that is JSON of that JSON Schema.  `extras` maps a provider's name to fields of its own body.
    """

    messages: tuple[Message, ...] = attrs.field(converter=_messages)
    system: str = ""
    tools: tuple[Tool, ...] = attrs.field(default=(), converter=tuple)
    tool_choice: ToolChoice | str = ToolChoice.AUTO
    limits: Limits = attrs.field(factory=Limits)
    schema: Json | None = None
    extras: Mapping[str, Json] = attrs.field(factory=_no_extras)


Prompt: TypeAlias = str | Message | Iterable[Message] | Request


def as_request(prompt: Prompt) -> Request:
    """A request out of whatever a caller may ask with: a request, a prompt, a message, several messages."""
    return prompt if isinstance(prompt, Request) else Request(prompt)
