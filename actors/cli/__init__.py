"""The command line: what a person types, sees and gets back."""

from actors.cli.app import main

__all__ = ["main"]
