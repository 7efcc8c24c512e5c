"""Claude Code's command line."""

from actors.wire.claude_code.answer import NAME
from actors.wire.claude_code.ending import PROGRAM, ended
from actors.wire.claude_code.inherited import inherited
from actors.wire.claude_code.reading import DIALECT
from actors.wire.claude_code.request import arguments, environment

__all__ = ["DIALECT", "NAME", "PROGRAM", "arguments", "ended", "environment", "inherited"]
