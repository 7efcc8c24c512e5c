"""Google's generateContent, of the Gemini API and of Vertex."""

from actors.wire.gemini.answer import DIALECT

__all__ = ["DIALECT"]
