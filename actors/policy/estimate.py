"""What an attempt cost where its provider did not say, because it was cut before its bill: an estimate, and marked as one.

Four characters a token is the rule of thumb that providers give for English text (OpenAI's help pages and Google's documentation name
it); other languages and code take more tokens.
"""

from math import ceil

import msgspec

from actors.deltas import Progress, Usage
from actors.messages import Part, Text, Thinking, ToolCall, ToolResult
from actors.request import Request

CHARACTERS_A_TOKEN = 4


def billed(usage: Usage, request: Request, progress: Progress, *, complete: bool) -> Usage:
    """The usage of an attempt: the provider's where it is the whole bill, else completed by an estimate.

    An attempt that delivered nothing and named no figure is taken to cost nothing: it was refused, or never reached a model.
    """
    silent = usage == Usage()
    if (silent and not progress.any) or (complete and not silent):
        return usage
    spent = _tokens(progress.characters)
    asked = usage.input_tokens or usage.cache_read_tokens or usage.cache_write_tokens
    return msgspec.structs.replace(
        usage,
        input_tokens=usage.input_tokens if asked else _tokens(_length(request)),
        output_tokens=max(usage.output_tokens, spent),
        estimated=True,
    )


def _tokens(characters: int) -> int:
    return ceil(characters / CHARACTERS_A_TOKEN)


def _length(request: Request) -> int:
    """Characters of a request, as far as they are text."""
    parts = (part for message in request.messages for part in message.parts)
    tools = sum(len(tool.name) + len(tool.description) + len(str(tool.parameters)) for tool in request.tools)
    return len(request.system) + tools + sum(map(_part_length, parts))


def _part_length(part: Part) -> int:
    match part:
        case Text(text) | Thinking(text):
            return len(text)
        case ToolCall(arguments=arguments):
            return len(str(arguments))
        case ToolResult(content=str(content)):
            return len(content)
        case _:
            return 0
