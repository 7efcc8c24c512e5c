"""What a request asks for beyond words, and which providers and models do not have it.

The one rule: what a route of a ladder lacks is refused when the stream is opened, before anything is sent, and never dropped.  Whether a value
suits (an image's format, a budget's size) is for the route's encoder to say, at its rung and before anything is sent too.
"""

from collections.abc import Mapping
from enum import Enum

from actors.errors import SettingError
from actors.messages import Image, Role, ToolResult
from actors.request import Request
from actors.route import Route


class Feature(Enum):
    """Something that a request may ask for, under the name of its field."""

    TOOLS = "tools"
    SCHEMA = "schema"
    TEMPERATURE = "limits.temperature"
    TOP_P = "limits.top_p"
    STOP = "limits.stop"
    THINKING = "limits.thinking_tokens"
    IMAGES = "images"
    IMAGES_IN_RESULTS = "images in a tool's result"
    IMAGES_OF_THE_MODEL = "images in a turn of the assistant"


_F = Feature
_CLAUDE = frozenset({_F.IMAGES_OF_THE_MODEL})
_RESPONSES = frozenset({_F.IMAGES_OF_THE_MODEL, _F.STOP})
_CHAT = frozenset({_F.IMAGES_OF_THE_MODEL, _F.IMAGES_IN_RESULTS})

LACKS: Mapping[str, frozenset[Feature]] = {
    **dict.fromkeys(("anthropic", "anthropic-vertex", "bedrock"), _CLAUDE),
    **dict.fromkeys(("openai", "azure"), _RESPONSES),
    **dict.fromkeys(("openai-chat", "azure-chat"), _CHAT),
    **dict.fromkeys(("google", "vertex"), frozenset[Feature]()),
    "claude-code": frozenset(Feature) - {_F.THINKING},
}
"""What each provider's format does not have; of a provider that is not here nothing is known, so nothing is refused."""

_OPENAI = frozenset({"openai", "openai-chat", "azure", "azure-chat"})
_THOUGHTLESS = ("gpt-3.5", "gpt-4", "chatgpt-", "gpt-5-chat", "gpt-5.1-chat", "gpt-5.2-chat")
"""How the names of OpenAI's models begin that take no reasoning effort."""


def thoughtless(model: str) -> bool:
    """Whether this is a model of OpenAI's that is known not to think; of a name that is not known it is not said."""
    return model.startswith(_THOUGHTLESS)


def lacking(route: Route) -> frozenset[Feature]:
    """What is known that this route does not have: its provider, or its model."""
    lacks = LACKS.get(route.provider, frozenset[Feature]())
    return lacks | {_F.THINKING} if route.provider in _OPENAI and thoughtless(route.model) else lacks


def wanted(request: Request) -> frozenset[Feature]:
    """The features that this request asks for."""
    limits = request.limits
    asked = {
        _F.TOOLS: bool(request.tools),
        _F.SCHEMA: request.schema is not None,
        _F.TEMPERATURE: limits.temperature is not None,
        _F.TOP_P: limits.top_p is not None,
        _F.STOP: bool(limits.stop),
        _F.THINKING: limits.thinking_tokens is not None,
    }
    return frozenset(feature for feature, there in asked.items() if there) | _images(request)


def _images(request: Request) -> frozenset[Feature]:
    found: set[Feature] = set()
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Image):
                found.add(_F.IMAGES if message.role is Role.USER else _F.IMAGES_OF_THE_MODEL)
            elif isinstance(part, ToolResult) and not isinstance(part.content, str):
                found |= {_F.IMAGES_IN_RESULTS for one in part.content if isinstance(one, Image)}
    return frozenset(found)


def check_features(request: Request, route: Route) -> None:
    """Raise `SettingError` where the request asks for what the route's provider or its model does not have."""
    lacks = lacking(route)
    if lacks and (missing := wanted(request) & lacks):
        named = " and no ".join(sorted(feature.value for feature in missing))
        raise SettingError(f"{route} has no {named}: leave that out of the request, or this route out of the ladder")
