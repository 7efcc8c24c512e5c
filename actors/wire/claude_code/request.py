"""A request as Claude Code takes it: the prompt for its standard input, the arguments of its command line, its environment.

The one rule: what is said stands on standard input, where no list of processes shows it, and what the program cannot do is refused before it
starts.  It has tools of its own and none of ours; they are off unless `extras` switch some on.
"""

from collections.abc import Mapping

import msgspec

from actors.messages import Foreign, Image, Json, Part, Text, Thinking, ToolCall, ToolResult
from actors.request import Request
from actors.route import Route
from actors.source import EncodingError
from actors.wire.claude_code.answer import NAME
from actors.wire.pieces import turns
from actors.wire.shapes import is_array, is_object

ARGUMENT_LIMIT = 128 * 1024 - 1
"""Bytes one argument may have on Linux (`MAX_ARG_STRLEN`, with the zero at its end)."""

QUIET: Mapping[str, str] = {
    # One owner of retries (P5): ours.
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
"""What keeps the program from asking again on its own, and from talking to anyone but the model."""

_OPTIONS = ("tools", "allowed_tools", "max_turns", "append_system_prompt", "arguments", "environment")
"""What `extras["claude-code"]` may hold."""


def encode(request: Request, route: Route) -> bytes:
    """The prompt: the message itself where there is one, the whole conversation with each turn marked where there are several.

    Raises `EncodingError` for what the command line cannot do, and for an option that it does not have.
    """
    del route  # the model is an argument of the program
    _check(request)
    spoken = [(role, text) for role, parts in turns(request.messages) if (text := _text(parts))]
    if not spoken:
        raise EncodingError("the request has no message that Claude Code can read; give it a prompt")
    if len(spoken) == 1 and not spoken[0][1].startswith("/"):  # it would take that for a command of its own
        return spoken[0][1].encode()
    return "\n\n".join(f"<{role.value}>\n{text}\n</{role.value}>" for role, text in spoken).encode()


def arguments(request: Request, route: Route) -> tuple[str, ...]:
    """What follows the program's name; raises `EncodingError` where the system cannot carry it."""
    options = _options(request)
    tools, turns_ = _listed(options, "tools"), options.get("max_turns")
    given = [
        *("-p", "--output-format", "stream-json", "--verbose"),
        *(("--include-partial-messages",) if route.streams else ()),
        *("--model", route.model, "--strict-mcp-config", f"--tools={','.join(tools)}"),
        *_if("--max-turns=", str(turns_) if turns_ is not None else "" if tools else "1"),
        *_if("--allowedTools=", ",".join(_listed(options, "allowed_tools"))),
        *_if("--system-prompt=", request.system),
        *_if("--append-system-prompt=", str(options.get("append_system_prompt", ""))),
        *_listed(options, "arguments"),
    ]
    for argument in given:
        if len(argument.encode("utf-8", "replace")) > ARGUMENT_LIMIT or "\0" in argument:
            name = argument.partition("=")[0][:40]
            raise EncodingError(
                f"{name} is longer than {ARGUMENT_LIMIT} bytes or holds a zero byte; say it in a message"
            )
    return tuple(given)


def environment(request: Request) -> dict[str, str]:
    """The variables that are set for the program, beside those it inherits."""
    limits, extra = request.limits, _options(request).get("environment", {})
    if not is_object(extra):
        raise EncodingError(f"environment in the extras of claude-code is {extra!r}; give a mapping of variables")
    wanted = {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": limits.max_tokens, "MAX_THINKING_TOKENS": limits.thinking_tokens}
    counted = {name: str(count) for name, count in wanted.items() if count is not None}
    return {**QUIET, **counted, **{name: str(value) for name, value in extra.items()}}


def _check(request: Request) -> None:
    limits = request.limits
    asked = {
        "tools": request.tools,
        "schema": request.schema is not None,
        "limits.stop": limits.stop,
        "limits.temperature": limits.temperature is not None,
        "limits.top_p": limits.top_p is not None,
    }
    if wrong := [name for name, there in asked.items() if there]:
        raise EncodingError(
            f"Claude Code has no {' and no '.join(wrong)} on its command line; leave that out or take another route"
        )


def _options(request: Request) -> Json:
    options = request.extras.get(NAME, {})
    if unknown := sorted(options.keys() - set(_OPTIONS)):
        raise EncodingError(f"the extras of claude-code hold {', '.join(unknown)}; known are {', '.join(_OPTIONS)}")
    return options


def _listed(options: Json, name: str) -> list[str]:
    """An option that is a text or several."""
    given = options.get(name, [])
    if isinstance(given, str):
        return [given]
    if not is_array(given):
        raise EncodingError(f"{name} in the extras of claude-code is {given!r}; give a text or a list of texts")
    return [str(one) for one in given]


def _if(flag: str, text: str) -> tuple[str, ...]:
    """A flag with its text in one argument, so that a text that begins with a dash is none; nothing without a text."""
    return (flag + text,) if text else ()


def _text(parts: list[Part]) -> str:
    return "\n\n".join(filter(None, map(_told, parts)))


def _told(part: Part) -> str:
    """A part in words; nothing for what only a model's own provider can use."""
    match part:
        case Text(text):
            return text
        case Image():
            raise EncodingError(
                "a message has an image, which the command line of Claude Code cannot take; leave it out"
            )
        case ToolCall(call_id, name, given):
            return f"[call {call_id} of {name}: {msgspec.json.encode(given).decode()}]"
        case ToolResult(call_id, content):
            told = content if isinstance(content, str) else _text(list(content))
            return f"[result of call {call_id}: {told}]"
        case Thinking() | Foreign():
            return ""
