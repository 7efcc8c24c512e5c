"""Which wire format a request speaks, by its path: one line a format, the clouds first, whose paths are the longer ones."""

from actors.chaos.speech.anthropic import ANTHROPIC
from actors.chaos.speech.clouds import AZURE, AZURE_CHAT, BEDROCK, VERTEX, VERTEX_CLAUDE
from actors.chaos.speech.dialect import Dialect, Request
from actors.chaos.speech.gemini import GEMINI
from actors.chaos.speech.openai_chat import OPENAI_CHAT
from actors.chaos.speech.openai_responses import OPENAI_RESPONSES

DIALECTS: tuple[Dialect, ...] = (
    AZURE,
    AZURE_CHAT,
    VERTEX,
    VERTEX_CLAUDE,
    BEDROCK,
    ANTHROPIC,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    GEMINI,
)


def dialect_of(request: Request) -> Dialect | None:
    """The format of this request, or None where no provider has such a path."""
    path = request.path
    return next((one for one in DIALECTS if one.paths.fullmatch(path)), None)
