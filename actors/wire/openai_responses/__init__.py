"""OpenAI's Responses."""

from actors.wire.openai_responses.answer import DIALECT

__all__ = ["DIALECT"]
