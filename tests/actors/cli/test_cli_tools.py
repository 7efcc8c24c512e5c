"""Files of tools: every spelling is read, and what is no tool is named."""

import json

import pytest

from actors.cli.tools import read_tools, tools_of_file
from actors.errors import SettingError
from actors.request import Tool

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
LOOK = Tool("look", "at a city", SCHEMA)
WORDS = {"name": "look", "description": "at a city"}


@pytest.mark.parametrize(
    "offer",
    [
        {**WORDS, "parameters": SCHEMA},
        {**WORDS, "input_schema": SCHEMA},
        {"type": "custom", **WORDS, "input_schema": SCHEMA},
        {"type": "function", **WORDS, "parameters": SCHEMA, "strict": True},
        {"type": "function", "function": {**WORDS, "parameters": SCHEMA, "strict": False}},
    ],
    ids=["plain", "anthropic", "anthropic-custom", "openai", "openai-chat"],
)
def test_a_tool_is_the_same_in_every_spelling(offer):
    assert read_tools([offer]) == (LOOK,)


def test_a_tool_without_parameters_takes_none():
    assert read_tools([{"name": "now"}, {"name": "here", "description": None}]) == (Tool("now"), Tool("here"))


@pytest.mark.parametrize(
    ("offer", "told"),
    [
        (3, "tool 2: expected `object`, got `int`"),
        ({}, "tool 2: object missing required field `name`"),
        ({"name": ""}, "tool 2: a tool's name must not be empty"),
        ({"name": {"name": 3}}, "tool 2: expected `str`, got `object` - at `$.name`"),
        ({"name": "a", "paramters": {}}, "tool 2 (a): object contains unknown field `paramters`; known are name, desc"),
        ({"name": "a", "parameters": {}}, 'tool 2 (a): its parameters must be a JSON Schema of `"type": "object"`'),
        ({"name": "a", "parameters": []}, "tool 2 (a): expected `object | null`, got `array` - at `$.parameters`"),
        ({"name": "a", "parameters": SCHEMA, "input_schema": SCHEMA}, "tool 2 (a): say either `parameters` or `input_"),
        ({"type": "web_search", "name": "a"}, "tool 2 (a): invalid enum value 'web_search' - at `$.type`"),
        ({"type": "function", "function": {"name": "a", "in": 1}}, "tool 2 (a): object contains unknown field `in`"),
        ({"function": 3}, "tool 2: expected `object`, got `int` - at `$.function`"),
        ({"name": "look"}, "tool 2 (look): there is another one of this name"),
    ],
)
def test_what_is_no_tool_is_named_by_file_number_and_name(tmp_path, offer, told):
    file = tmp_path / "tools.json"
    file.write_text(json.dumps([{"name": "look"}, offer]))
    with pytest.raises(SettingError) as caught:
        tools_of_file(file)
    assert str(caught.value).startswith(f"{file}, {told}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b'{"tools": []}', "must hold a list of tools: expected `array`, got `object`"),
        (b"", "is no JSON: input data was truncated"),
        (b"- name: look", "is no JSON: "),
        (b'["\xff"]', "is no JSON: "),
    ],
)
def test_what_is_no_list_is_named_by_its_file(tmp_path, octets, told):
    file = tmp_path / "tools.json"
    file.write_bytes(octets)
    with pytest.raises(SettingError) as caught:
        tools_of_file(file)
    assert str(caught.value).startswith(f"{file} {told}")


def test_an_empty_list_offers_nothing(tmp_path):
    (tmp_path / "tools.json").write_text("[]")
    assert tools_of_file(tmp_path / "tools.json") == ()
