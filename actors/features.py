"""What a request asks for beyond words, and which providers do not have it.

The one rule: what a route of a ladder lacks is refused when the stream is opened, before anything is sent.  Nothing is dropped, and no
fallback finds out at night that it was never able to answer.
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
    "claude-code": frozenset(Feature),
}
"""What each provider's format does not have; of a provider that is not here nothing is known, so nothing is refused."""


def wanted(request: Request) -> frozenset[Feature]:
    """The features that this request asks for."""
    limits = request.limits
    asked = {
        _F.TOOLS: bool(request.tools),
        _F.SCHEMA: request.schema is not None,
        _F.TEMPERATURE: limits.temperature is not None,
        _F.TOP_P: limits.top_p is not None,
        _F.STOP: bool(limits.stop),
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
    """Raise `SettingError` where the request asks for what the route's provider does not have."""
    lacks = LACKS.get(route.provider)
    if lacks and (missing := wanted(request) & lacks):
        named = " and no ".join(sorted(feature.value for feature in missing))
        raise SettingError(f"{route} has no {named}: leave that out of the request, or this route out of the ladder")
