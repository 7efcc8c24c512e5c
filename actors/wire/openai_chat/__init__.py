"""OpenAI's chat completions, and everything that speaks like them."""

from actors.wire.openai_chat.answer import DIALECT

__all__ = ["DIALECT"]
