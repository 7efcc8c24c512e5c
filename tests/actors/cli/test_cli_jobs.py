"""Lines of input as jobs: what a line may say, and how a wrong one is named."""

import json

import attrs
import pytest

from actors.cli.jobs import FIELDS, Wishes, job_of_line, job_of_prompt
from actors.cli.lines import Form, Line
from actors.config import Settings
from actors.errors import SettingError
from actors.messages import assistant, user
from actors.request import Limits, Request, Tool
from actors.route import Route

SETTINGS = Settings.read({"ANTHROPIC_API_KEY": "k"})
ROUTES = (Route("anthropic", "a"), Route("anthropic", "b"))
LOOK = Tool("look")
WISHES = Wishes(SETTINGS, ROUTES, system="be brief", max_tokens=64)


def job(record, wishes=WISHES):
    text = record if isinstance(record, str) else json.dumps(record)
    return job_of_line(Line("in.jsonl", 7, text), Form.JSON_LINES, wishes)


def test_a_line_of_text_is_a_prompt_named_by_its_number():
    made = job_of_line(Line("in.txt", 7, '{"not": "read"}'), Form.TEXT, WISHES)
    assert (made.name, made.routes) == ("7", ROUTES)
    assert made.request == Request('{"not": "read"}', system="be brief", limits=Limits(max_tokens=64))


def test_a_prompt_of_the_command_line_takes_what_holds_for_all():
    assert job_of_prompt("why?", "1", WISHES).request == Request(
        "why?", system="be brief", limits=Limits(max_tokens=64)
    )


def test_what_a_line_says_goes_before_what_holds_for_all():
    made = job({"prompt": "why?", "id": "x", "system": "", "max_tokens": 3, "route": "anthropic:c", "temperature": 0.5})
    assert (made.name, made.routes) == ("x", (Route("anthropic", "c"),))
    assert made.request == Request("why?", limits=Limits(max_tokens=3, temperature=0.5))


@pytest.mark.parametrize(
    ("said", "offered"), [({}, (LOOK,)), ({"tools": []}, ()), ({"tools": [{"name": "go"}]}, (Tool("go"),))]
)
def test_the_tools_of_a_line_replace_those_for_all(said, offered):
    assert job({"prompt": "why?", **said}, attrs.evolve(WISHES, tools=(LOOK,))).request.tools == offered


def test_a_prompt_is_offered_the_tools_for_all():
    assert job_of_prompt("why?", "1", attrs.evolve(WISHES, tools=(LOOK,))).request.tools == (LOOK,)


def test_a_number_may_be_an_id():
    assert job({"prompt": "why?", "id": 12}).name == "12"


def test_a_conversation_keeps_its_turns_and_its_system_turns_join_the_system_prompt():
    turns = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
    ]
    made = job({"messages": turns})
    assert made.request.messages == (user("ab"), assistant("c"), user("d"))
    assert made.request.system == "be brief\n\nbe kind"


def test_tools_schema_stops_and_extras_reach_the_request():
    made = job(
        {
            "prompt": "p",
            "tools": [{"name": "look", "parameters": {"type": "object"}}, {"name": "go", "description": "away"}],
            "schema": {"type": "object"},
            "stop": ["END"],
            "top_p": 0.9,
            "thinking_tokens": 10,
            "extras": {"anthropic": {"metadata": {}}},
            "routes": ["anthropic:x", "anthropic:y"],
        }
    )
    assert made.request.tools == (Tool("look", parameters={"type": "object"}), Tool("go", "away"))
    assert made.request.schema == {"type": "object"}
    assert made.request.limits == Limits(max_tokens=64, thinking_tokens=10, top_p=0.9, stop=("END",))
    assert made.request.extras == {"anthropic": {"metadata": {}}}
    assert [str(route) for route in made.routes] == ["anthropic:x", "anthropic:y"]


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("not json", "this is no JSON object"),
        ("[]", "expected `object`, got `array`"),
        ({"promt": "x"}, "object contains unknown field `promt`; known are prompt, messages, id"),
        ({"prompt": 3}, r"expected `str`, got `int` - at `\$.prompt`"),
        ({}, "say either `prompt` or `messages`, and not empty"),
        ({"prompt": "  "}, "say either `prompt` or `messages`, and not empty"),
        ({"prompt": "x", "messages": [{"role": "user", "content": "y"}]}, "say either `prompt` or `messages`"),
        ({"messages": [{"role": "system", "content": "y"}]}, "say either `prompt` or `messages`"),
        ({"messages": [{"role": "tool", "content": "y"}]}, "invalid enum value 'tool'"),
        ({"prompt": "x", "max_tokens": 0}, "max_tokens must be at least 1 token, not 0"),
        ({"prompt": "x", "route": "claude:"}, "route 'claude:' must be provider:model"),
        ({"prompt": "x", "route": "a:b", "routes": ["a:b"]}, "say either `route` or `routes`"),
        (
            {"prompt": "x", "route": "mistral:m"},
            "no provider is known for 'mistral:m': say provider:model with one of anthropic",
        ),
        ({"prompt": "x", "route": "google:g"}, "GEMINI_API_KEY is not set"),
        ({"prompt": "x", "tools": [{"name": ""}]}, "tool 1: a tool's name must not be empty"),
        (
            {"prompt": "x", "tools": [{"name": "go"}, {"name": "go"}]},
            r"tool 2 \(go\): there is another one of this name",
        ),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(record, told):
    with pytest.raises(SettingError, match=rf"^in.jsonl, line 7: {told}") as caught:
        job(record)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", Form)
def test_a_prompt_without_any_route_says_how_to_give_one(form):
    text = "x" if form is Form.TEXT else '{"prompt": "x"}'
    with pytest.raises(SettingError, match=r"in\.txt, line 1 has no route: give --route provider:model"):
        job_of_line(Line("in.txt", 1, text), form, Wishes(SETTINGS))


def test_the_known_fields_are_those_of_the_record():
    assert set(FIELDS) >= {"prompt", "messages", "id", "system", "max_tokens", "route", "routes"}
