"""Anthropic's answers that are out of order, cut, refused or in one piece."""

import json

import pytest
from wire_anthropic_events import (
    CALL,
    PING,
    RECORDINGS,
    STOP,
    TEXT,
    THOUGHT,
    closed,
    ended,
    grown,
    opened,
    read,
    sse,
    start,
    usage,
)
from wire_fold import drive, ending, fault_word, fold

from actors.deltas import (
    CitationDelta,
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    ResponseStarted,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from actors.messages import Thinking
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire.anthropic import DIALECT

OUT_OF_ORDER = {
    "a block before the message": (TEXT[0],),
    "a delta before its block": (start(), TEXT[1]),
    "a delta for another block": (start(), TEXT[0], grown(1, "text_delta", text="x")),
    "an unknown delta for another block": (start(), TEXT[0], grown(1, "sparkle_delta", sparkle="x")),
    "a delta after its block": (start(), *TEXT, TEXT[1]),
    "arguments in a text": (start(), TEXT[0], grown(0, "input_json_delta", partial_json="{")),
    "a block within a block": (start(), TEXT[0], opened(1, type="text", text="")),
    "a block twice": (start(), *TEXT, *TEXT),
    "a stop without a block": (start(), closed(0)),
    "an end before the message": (ended("end_turn"),),
    "another message": (start(), start(id="msg_2")),
    "the same message after content": (start(), *TEXT, start()),
    "a delta without text": (start(), TEXT[0], grown(0, "text_delta")),
    "a block without type": (start(), opened(0, text="x")),
    "an index that is no number": (start(), opened("0", type="text", text="")),
    "a hosted call without JSON": (
        start(),
        opened(0, type="server_tool_use", id="s", name="n", input={}),
        grown(0, "input_json_delta", partial_json="{"),
        closed(0),
    ),
}


@pytest.mark.promise("P6")
@pytest.mark.parametrize("events", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER)
def test_events_out_of_order_are_malformed(events):
    _, reader = read(sse(*events, *TEXT, ended("end_turn"), STOP))
    assert isinstance(reader.fault, MalformedError)


@pytest.mark.promise("P6")
@pytest.mark.parametrize(
    "octets",
    [
        b"data: {\n\n",
        b"data: [DONE]\n\n",
        b'data: "x"\n\n',
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xff"}}\n\n',
        b'data: {"error":' + b"[" * 9999 + b"\n\n",
        b"data: {}\n\n",
    ],
    ids=["cut", "no JSON", "no object", "no UTF-8", "nested without end", "no type"],
)
def test_an_event_that_is_no_json_object_is_malformed_behind_what_came_before(octets):
    before = sse(start(), TEXT[0], TEXT[1])
    deltas, reader = read(before + octets + sse(*TEXT[2:]))
    assert deltas == read(before)[0]
    assert isinstance(reader.fault, MalformedError)
    assert reader.feed(sse(*TEXT[2:])) == []


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "events",
    [(start(), *TEXT, STOP), (start(), *TEXT[:2], ended("end_turn"), STOP), (start(), STOP), (STOP,), (PING,), ()],
    ids=["no stop reason", "an open block", "nothing said", "nothing started", "a ping", "no bytes"],
)
def test_a_message_stop_that_ends_nothing_is_truncated(events):
    assert isinstance(read(sse(*events))[1].fault, TruncatedError)


def test_a_call_cut_by_the_token_limit_ends_the_answer_and_stays_open():
    deltas, reader = read(sse(start(), *THOUGHT, *CALL[:3], ended("max_tokens"), STOP))
    assert reader.finished
    assert PartEnded(2) not in deltas


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("overloaded_error", 529),
        ("api_error", 500),
        ("rate_limit_error", 429),
        ("timeout_error", 504),
        ("new_error", 500),
    ],
)
@pytest.mark.row("C3")
def test_an_error_event_is_a_refusal_with_the_status_of_its_type(kind, status):
    error = {"type": "error", "error": {"type": kind, "message": "Overloaded", "details": None}, "request_id": "req_1"}
    deltas, reader = read(sse(start(), *TEXT[:2], error))
    assert fold(deltas).text == "Grüße 👋"
    fault = reader.fault
    assert (fault.status, fault.kind, fault.message, fault.in_stream) == (status, kind, "Overloaded", True)
    assert fault.headers == {"request-id": "req_1"}


@pytest.mark.parametrize(
    "octets",
    [
        b'{"type": "error", "error": {"type": "api_error", "message": "Internal"}}',
        b'{\n  "type": "error",\n  "error": {\n    "type": "api_error",\n    "message": "Internal"\n  }\n}\n',
        b'event: error\ndata: {"error": {"type": "api_error", "message": "Internal"}}\n\n',
    ],
    ids=["bare", "bare in several lines", "an event without type"],
)
def test_an_error_in_another_shape_is_still_a_refusal(octets):
    for before in (b"", sse(start(), *TEXT[:2])):
        fault = read(before + octets)[1].fault
        assert isinstance(fault, RefusedError)
        assert (fault.status, fault.message) == (500, "Internal")


def test_a_page_instead_of_events_is_malformed():
    assert isinstance(read(b"<html>\n<body>Sign in</body>\n</html>\n")[1].fault, MalformedError)


REPLY = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [
        {"type": "thinking", "thinking": "Let me see", "signature": "Ev=="},
        {"type": "redacted_thinking", "data": "abc"},
        {"type": "text", "text": "Grüße 👋!", "citations": [{"type": "char_location"}]},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2, "output_tokens": 9},
}


def test_a_reply_in_one_piece_gives_the_deltas_of_a_stream():
    assert DIALECT.read_reply(json.dumps(REPLY).encode()) == [
        ResponseStarted("msg_1", "claude-x"),
        ThinkingDelta("Let me see", 0),
        SignatureDelta("anthropic:Ev==", 0),
        PartEnded(0),
        PartEnded(1, Thinking("abc", "anthropic:", redacted=True)),
        TextDelta("Grüße 👋!", 2),
        CitationDelta({"type": "char_location"}, 2),
        PartEnded(2),
        ToolCallStarted("look", "toolu_1", 3),
        ToolCallDelta('{"at":"sky"}', 3),
        PartEnded(3),
        usage(9),
        Finished(Finish(FinishReason.TOOL_CALLS, "tool_use", releases=True)),
    ]


def test_a_reply_in_one_piece_is_read_where_a_stream_was_asked_for():
    deltas, reader = read(json.dumps(REPLY, indent=2).encode())
    assert reader.finished
    assert deltas == DIALECT.read_reply(json.dumps(REPLY).encode())


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"[]", "malformed"),
        (b'{"type": "message", "content": "x"}', "malformed"),
        (json.dumps(REPLY | {"stop_reason": None}).encode(), "truncated"),
        (b'{"type": "error", "error": {"type": "overloaded_error", "message": "x"}}', "refused 529 overloaded_error"),
    ],
)
def test_a_reply_that_is_no_finished_message_is_raised(reply, word):
    with pytest.raises((MalformedError, TruncatedError, RefusedError)) as caught:
        DIALECT.read_reply(reply)
    assert fault_word(caught.value) == word


def test_bytes_behind_the_terminal_event_are_ignored():
    reader = DIALECT.reader()
    drive(reader, [RECORDINGS["text"]])
    assert reader.feed(b"data: {\n\n") == []
    assert reader.close() == []
    assert ending(reader) == "finished"
