"""Tools a model may call, as people have them written down: plainly, or in the spelling of OpenAI or Anthropic.

Calls are told in the outcome and never run.  Whatever is no tool is refused in one sentence that names it; only `strict`, a promise of
OpenAI's alone, is passed over.
"""

from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import DecodeError, Struct, ValidationError, convert, json

from actors.errors import SettingError
from actors.request import Tool

Schema: TypeAlias = dict[str, Any]


class _Plain(Struct, forbid_unknown_fields=True):
    """A tool of its own, or what OpenAI's chat completions wrap in `function`."""

    name: str
    description: str | None = None
    parameters: Schema | None = None
    input_schema: Schema | None = None
    strict: bool | None = None
    type: Literal["function", "custom"] = "function"

    @property
    def tool(self) -> Tool:
        if self.parameters is not None and self.input_schema is not None:
            raise ValueError("say either `parameters` or `input_schema`")
        schema = self.input_schema if self.parameters is None else self.parameters
        if schema is None:
            return Tool(self.name, self.description or "")
        if schema.get("type") != "object":
            raise ValueError('its parameters must be a JSON Schema of `"type": "object"`')
        return Tool(self.name, self.description or "", schema)


class _Wrapped(Struct, forbid_unknown_fields=True):
    function: _Plain
    type: Literal["function"] = "function"


FIELDS = "name, description, parameters"
"""What a tool has, as a person is told."""


def read_tools(offers: list[Any]) -> tuple[Tool, ...]:
    """The tools of a list, each in any of the spellings; raises `ValueError` naming the first that is none."""
    tools: list[Tool] = []
    for number, offer in enumerate(offers, 1):
        try:
            tools.append(_another(tools, offer))
        except (ValidationError, ValueError) as error:
            raise ValueError(f"tool {number}{_called(offer)}: {_sentence(error)}") from None
    return tuple(tools)


def tools_of_file(path: Path) -> tuple[Tool, ...]:
    """The tools of a file that holds a JSON list of them; raises `SettingError` naming the file and the tool."""
    try:
        return read_tools(json.decode(path.read_bytes(), type=list[Any]))
    except OSError as error:
        raise SettingError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except ValidationError as error:
        raise SettingError(f"{path} must hold a list of tools: {_sentence(error)}") from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is no JSON: {_sentence(error)}") from None
    except ValueError as error:
        raise SettingError(f"{path}, {error}") from None


def _another(tools: list[Tool], offer: Any) -> Tool:
    wrapped = isinstance(offer, dict) and "function" in offer
    tool = convert(offer, _Wrapped).function.tool if wrapped else convert(offer, _Plain).tool
    if any(other.name == tool.name for other in tools):
        raise ValueError("there is another one of this name")
    return tool


def _called(offer: Any) -> str:
    """The tool's name in brackets, wherever it stands, for who looks for it in a long file."""
    name: Any = None
    while name is None and isinstance(offer, dict):
        name, offer = convert(offer, Schema).get("name"), convert(offer, Schema).get("function")
    return f" ({name})" if isinstance(name, str) and name else ""


def _sentence(error: Exception) -> str:
    told = f"{error}"
    known = f"; known are {FIELDS}" if "unknown field" in told else ""
    return f"{told[:1].lower()}{told[1:]}{known}"
