"""Deltas and requests come out of a recording as they went in, and what is none is refused with its line."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.deltas import (
    CitationDelta,
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    ResponseStarted,
    Restarted,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from actors.messages import Foreign, Image, Message, Role, Text, Thinking, ToolCall, ToolResult
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Mode, Route
from actors.wire.recording import BadLine, Carrier, Line, asked, deltas_of, key_for, read, request_of, told, written
from actors.wire.recording.told import DELTAS, PARTS

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
INDEX = st.integers(0, 9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
COUNT = st.integers(0, 10**9)
SHOWN = st.builds(Text, TEXT, st.lists(OBJECT, max_size=2).map(tuple)) | st.builds(Image, TEXT, st.binary(), TEXT)
PART = st.one_of(
    SHOWN,
    st.builds(Thinking, TEXT, TEXT, st.booleans()),
    st.builds(ToolCall, TEXT, TEXT, OBJECT, TEXT, st.booleans()),
    st.builds(ToolResult, TEXT, TEXT | st.lists(SHOWN, max_size=2).map(tuple), st.booleans(), TEXT),
    st.builds(Foreign, TEXT, TEXT, OBJECT),
)
DELTA = st.one_of(
    st.builds(ResponseStarted, TEXT, TEXT),
    st.builds(TextDelta, TEXT, INDEX),
    st.builds(ThinkingDelta, TEXT, INDEX),
    st.builds(SignatureDelta, TEXT, INDEX),
    st.builds(CitationDelta, OBJECT, INDEX),
    st.builds(ToolCallStarted, TEXT, TEXT, INDEX),
    st.builds(ToolCallDelta, TEXT, INDEX),
    st.builds(PartEnded, INDEX, st.none() | PART),
    st.builds(Restarted, TEXT, TEXT, INDEX),
    st.builds(UsageDelta, st.builds(Usage, COUNT, COUNT, COUNT, COUNT, COUNT, st.booleans())),
    st.builds(Finished, st.builds(Finish, st.sampled_from(FinishReason), TEXT, TEXT, st.booleans())),
)


def through_a_file(deltas):
    line = Line(
        number=1,
        provider="mine",
        model="one",
        mode=Mode.STREAMING,
        at=0.0,
        seconds=1.0,
        request={},
        carrier=Carrier.DELTAS,
        deltas=tuple(map(told, deltas)),
    )
    (back,) = read(written(line))
    return back.heard


@pytest.mark.row("C14")
@given(st.lists(DELTA, max_size=4).map(tuple))
def test_deltas_come_back_as_they_were(deltas):
    assert through_a_file(deltas) == deltas


def test_there_is_a_name_for_every_kind():
    assert set(DELTAS.values()) == {
        *(ResponseStarted, TextDelta, ThinkingDelta, SignatureDelta, CitationDelta, ToolCallStarted, ToolCallDelta),
        *(PartEnded, Restarted, UsageDelta, Finished),
    }
    assert set(PARTS.values()) == {Text, Image, Thinking, ToolCall, ToolResult, Foreign}


def test_what_is_no_json_in_a_clients_block_goes_by_its_repr():
    (delta,) = through_a_file([CitationDelta({"odd": object, "half": "\ud83d", "large": 2**70, "raw": b"x"})])
    assert delta.citation["odd"] == repr(object)
    assert delta.citation["half"] == "?"
    assert delta.citation["large"] == str(2**70)


@pytest.mark.parametrize(
    "wrong", [{}, {"is": "nope"}, {"is": "text"}, {"is": "text", "text": 7}, {"is": "part", "index": 0, "part": {}}]
)
def test_what_is_no_delta_is_refused(wrong):
    with pytest.raises(ValueError, match=r"there is no|Object missing|Expected"):
        deltas_of([wrong])


MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(Role), st.lists(PART, max_size=3).map(tuple)), min_size=1, max_size=3
)
REQUESTS = st.builds(
    Request,
    MESSAGES.map(tuple),
    system=TEXT,
    tools=st.lists(st.builds(Tool, TEXT.filter(bool), TEXT, OBJECT), max_size=2).map(tuple),
    tool_choice=st.sampled_from(ToolChoice) | TEXT,
    limits=st.builds(
        Limits,
        st.none() | st.integers(1, 9),
        st.none() | st.integers(1, 9),
        st.none() | st.floats(0, 2),
        st.none() | st.floats(0, 1),
        st.lists(TEXT, max_size=2).map(tuple),
    ),
    schema=st.none() | OBJECT,
    extras=st.just({}) | OBJECT.map(lambda fields: {"anthropic": fields}),
)


@pytest.mark.row("C14")
@given(REQUESTS)
def test_a_request_made_of_its_line_is_the_same_request(request):
    route = Route("anthropic", "one")
    fields = msgspec.json.decode(msgspec.json.encode(asked(request, route)))
    again = request_of(fields, "anthropic")
    assert key_for(again, route) == key_for(request, route)


# -- lines that are none

GOOD = Line(number=1, provider="p", model="m", mode=Mode.STREAMING, at=0.0, seconds=1.0, request={})
BAD = {
    "a newer version": ({"recording": 2}, "it is of version 2, and this program reads version 1"),
    "bytes that are none": ({"response_base64": "x"}, "Invalid base64|Incorrect padding|data characters"),
    "a delta that is none": ({"carrier": "deltas", "deltas": [{"is": "nope"}]}, "there is no 'nope' among"),
    "a part that is none": (
        {"request": {"messages": [{"role": "user", "parts": [{"nope": 1}]}]}},
        "a message has a part that none is: nope",
    ),
    "a role that is none": ({"request": {"messages": [{"role": "nobody", "parts": []}]}}, "Invalid enum value"),
    "a carrier that is none": ({"carrier": "pigeon"}, "Invalid enum value 'pigeon'"),
    "a tool without a name": ({"request": {"tools": [{"name": ""}]}}, "a tool's name must not be empty"),
    "a limit that is none": ({"request": {"limits": {"max_tokens": 0}}}, "max_tokens must be at least 1"),
    "an unknown limit": ({"request": {"limits": {"nope": 0}}}, "nope"),
}


@pytest.mark.row("C14")
@pytest.mark.parametrize("case", BAD)
def test_a_line_that_was_tampered_with_is_named(case):
    fields, told_ = BAD[case]
    line = msgspec.json.encode({**msgspec.to_builtins(GOOD), **fields})
    with pytest.raises(BadLine, match=rf"^line 2 is no attempt that was recorded: .*(?:{told_})"):
        read(written(GOOD) + line + b"\n")


@given(st.data())
def test_a_recording_with_any_byte_changed_is_read_or_refused(data):
    content = bytearray(written(GOOD) * 2)
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadLine):
        assert len(read(bytes(content))) <= 3
