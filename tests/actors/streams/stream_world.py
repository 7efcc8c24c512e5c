"""What whoever tests streams starts from: an environment that leads nowhere, and a consumer."""

from actors.deltas import AttemptAbandoned, TextDelta

KEY = "sk-of-nobody-1234567"
ENVIRONMENT = {
    "ANTHROPIC_API_KEY": KEY,
    "ANTHROPIC_BASE_URL": "http://anthropic.test",
    "OPENAI_API_KEY": KEY,
    "OPENAI_BASE_URL": "http://openai.test/v1",
    "GEMINI_API_KEY": KEY,
    "GEMINI_BASE_URL": "http://google.test",
}


async def read(stream):
    """The text of a consumer who discards what it is told to."""
    pieces = []
    async for event in stream:
        if isinstance(event, TextDelta):
            pieces.append(event.text)
        elif isinstance(event, AttemptAbandoned):
            pieces.clear()
    return "".join(pieces)
