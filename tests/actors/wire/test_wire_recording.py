"""A line of a recording is what was put into it, in any order of fields, and a file is read to its last whole line."""

import json

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Foreign, Image, Text, Thinking, ToolCall, ToolResult, assistant, user
from actors.request import Limits, Request, ToolChoice
from actors.route import Mode, Route
from actors.wire.recording import BadLine, Ended, Fact, Line, asked, body_fields, key_for, read, written

ROUTE = Route("anthropic", "one")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def a_line(body=b"", **fields):
    text, exact = body_fields(body)
    given = {"number": 1, "provider": "anthropic", "model": "one", "mode": Mode.STREAMING, "at": 0.5, "seconds": 1.0}
    return Line(**{**given, "request": {}, "response_body": text, "response_base64": exact, **fields})


@given(st.binary(max_size=300))
def test_any_bytes_come_back(octets):
    (line,) = read(written(a_line(octets)))
    assert line.octets == octets


@given(st.text(max_size=300))
def test_text_stands_in_the_file_as_text(text):
    line = json.loads(written(a_line(text.encode())))
    assert line["response_body"] == text
    assert "response_base64" not in line


def test_a_line_comes_back_whole():
    line = a_line(
        b"x", ended=Ended.CUT, error=(Fact("OSError", "gone", 104), Fact("ReadError")), slices=((0.25, 1),), status=200
    )
    assert read(written(line)) == (line,)


@given(st.integers(0, 400))
def test_a_file_torn_anywhere_in_its_last_line_has_the_others(back):
    first, last = written(a_line(b"one")), written(a_line(b"two", number=2))
    torn = (first + last)[: len(first) + max(0, len(last) - 1 - back)]
    assert [line.number for line in read(torn)] in ([1], [1, 2])
    assert read(torn)[0].octets == b"one"


def test_a_line_that_is_none_is_named_by_its_number():
    with pytest.raises(BadLine, match="line 2 is no attempt that was recorded"):
        read(written(a_line()) + b"[]\n" + written(a_line()))


REQUEST = Request(
    (
        user("hello", Image("image/png", b"png"), Image(url="https://x.test/a.png")),
        assistant(
            Thinking("so", "sig"), ToolCall("a", "weather", {"city": "Bern", "days": 2}), Foreign("google", "k", {})
        ),
        user(ToolResult("a", (Text("warm"), Image("image/png", b"png")))),
    )
)


def with_ids(call_id, signature):
    """The same conversation under names that a provider made up."""
    ask, said, told = REQUEST.messages
    thinking, call, foreign = said.parts
    parts = (attrs.evolve(thinking, signature=signature), attrs.evolve(call, id=call_id, signature=signature), foreign)
    (result,) = told.parts
    return attrs.evolve(
        REQUEST, messages=(ask, assistant(*parts), user(attrs.evolve(result, call_id=call_id, name="weather")))
    )


def test_names_and_signatures_that_a_provider_made_up_make_no_difference():
    assert key_for(with_ids("b", "other"), ROUTE) == key_for(REQUEST, ROUTE)


def test_a_result_of_another_call_makes_a_difference():
    calls = assistant(ToolCall("a", "now", {}), ToolCall("b", "now", {}))
    keys = {key_for(Request((calls, user(ToolResult(call, "noon")))), ROUTE) for call in ("a", "b")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REQUEST, attrs.evolve(REQUEST, extras={"openai": {"x": 1}})),  # of another provider
        (attrs.evolve(REQUEST, limits=Limits(temperature=1)), attrs.evolve(REQUEST, limits=Limits(temperature=1.0))),
        (attrs.evolve(REQUEST, schema={"a": 1, "b": 2}), attrs.evolve(REQUEST, schema={"b": 2, "a": 1})),
        (attrs.evolve(REQUEST, tool_choice=ToolChoice.AUTO), attrs.evolve(REQUEST, tool_choice="auto")),
    ],
)
def test_what_says_the_same_is_the_same(one, other):
    assert key_for(one, ROUTE) == key_for(other, ROUTE)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_request_read_from_its_line_has_the_same_key(extras):
    request = attrs.evolve(REQUEST, extras={"anthropic": extras}, schema=extras)
    (line,) = read(written(a_line(request=asked(request, ROUTE))))
    assert line.key == key_for(request, ROUTE)


def test_what_is_no_json_has_a_place_in_a_line_too():
    request = attrs.evolve(REQUEST, extras={"anthropic": {"odd": {1: b"x", "t": (1, object)}, "half": "\ud83d"}})
    (line,) = read(written(a_line(request=asked(request, ROUTE))))
    assert line.request["extras"]["half"] == "?"
    assert line.key == key_for(request, ROUTE)
    assert msgspec.json.decode(line.key)
