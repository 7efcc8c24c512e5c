"""Anthropic Messages."""

from actors.wire.anthropic.answer import DIALECT

__all__ = ["DIALECT"]
