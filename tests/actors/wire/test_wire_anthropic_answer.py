"""Anthropic's answers: small recordings of our own, every cut of them, and what must not be believed."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    Usage,
    UsageDelta,
)
from actors.messages import Foreign, Thinking, ToolCall
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire.anthropic import DIALECT


def sse(*events):
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def start(**fields):
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
    }
    usage = {"input_tokens": 7, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2, "output_tokens": 1}
    return {"type": "message_start", "message": message | {"usage": usage} | fields}


def opened(index, **block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index, kind, **fields):
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def closed(index):
    return {"type": "content_block_stop", "index": index}


def ended(reason, output=9, **fields):
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None} | fields,
        "usage": {"output_tokens": output},
    }


STOP = {"type": "message_stop"}
PING = {"type": "ping"}
TEXT = (
    opened(0, type="text", text=""),
    grown(0, "text_delta", text="Grüße 👋"),
    PING,
    grown(0, "text_delta", text="!"),
    closed(0),
)
THOUGHT = (
    opened(0, type="thinking", thinking="", signature=""),
    grown(0, "thinking_delta", thinking="Let me see"),
    grown(0, "signature_delta", signature="Ev=="),
    closed(0),
    opened(1, type="redacted_thinking", data="abc"),
    closed(1),
)
CALL = (
    opened(2, type="tool_use", id="toolu_1", name="look", input={}),
    grown(2, "input_json_delta", partial_json=""),
    grown(2, "input_json_delta", partial_json='{"at": '),
    grown(2, "input_json_delta", partial_json='"sky"}'),
    closed(2),
)
RECORDINGS = {
    "text": sse(start(), *TEXT, ended("end_turn"), STOP),
    "thinking and a call": sse(start(), *THOUGHT, *CALL, ended("tool_use"), STOP),
    "cited": sse(
        start(),
        opened(0, type="text", text="", citations=[]),
        grown(0, "citations_delta", citation={"type": "char_location", "cited_text": "x"}),
        grown(0, "text_delta", text="so"),
        closed(0),
        ended("max_tokens"),
        STOP,
    ),
}


def read(octets):
    reader = DIALECT.reader()
    return drive(reader, [octets]), reader


def usage(output=1):
    return UsageDelta(Usage(7, output, 3, 2))


def test_text_arrives_in_deltas_between_start_and_finish():
    deltas, reader = read(RECORDINGS["text"])
    assert deltas == [
        ResponseStarted("msg_1", "claude-x"),
        usage(),
        TextDelta("Grüße 👋"),
        TextDelta("!"),
        PartEnded(0),
        usage(9),
        Finished(Finish(FinishReason.STOP, "end_turn")),
    ]
    assert reader.finished


def test_thinking_redacted_thinking_and_a_call_keep_their_order_and_seals():
    deltas, _ = read(RECORDINGS["thinking and a call"])
    assert deltas[2:] == [
        ThinkingDelta("Let me see"),
        SignatureDelta("anthropic:Ev=="),
        PartEnded(0),
        PartEnded(1, Thinking("abc", "anthropic:", redacted=True)),
        ToolCallStarted("look", "toolu_1", 2),
        ToolCallDelta("", 2),
        ToolCallDelta('{"at": ', 2),
        ToolCallDelta('"sky"}', 2),
        PartEnded(2),
        usage(9),
        Finished(Finish(FinishReason.TOOL_CALLS, "tool_use", releases=True)),
    ]


def test_a_citation_belongs_to_its_text_and_a_length_stop_releases_nothing():
    deltas, _ = read(RECORDINGS["cited"])
    assert CitationDelta({"type": "char_location", "cited_text": "x"}) in deltas
    assert deltas[-1] == Finished(Finish(FinishReason.LENGTH, "max_tokens"))


@pytest.mark.parametrize("name", RECORDINGS)
@given(data=st.data())
def test_any_slicing_gives_the_same_deltas(name, data):
    octets = RECORDINGS[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=30)))
    reader = DIALECT.reader()
    assert drive(reader, [octets[a:b] for a, b in pairwise([0, *cuts, len(octets)])]) == read(octets)[0]
    assert reader.finished


@pytest.mark.promise("P7")
@pytest.mark.parametrize("name", RECORDINGS)
def test_an_answer_cut_anywhere_is_truncated_and_keeps_what_came_before(name):
    octets = RECORDINGS[name]
    whole, _ = read(octets)
    for at in range(len(octets.rstrip())):
        deltas, reader = read(octets[:at])
        assert isinstance(reader.fault, TruncatedError), octets[:at]
        assert deltas == whole[: len(deltas)]
        assert not any(isinstance(delta, Finished) for delta in deltas)


@pytest.mark.promise("P7")
def test_the_terminal_event_is_believed_without_its_last_empty_line():
    deltas, reader = read(RECORDINGS["text"].rstrip())
    assert reader.finished
    assert deltas == read(RECORDINGS["text"])[0]


@pytest.mark.parametrize(
    ("spelling", "reason", "releases"),
    [
        ("end_turn", FinishReason.STOP, False),
        ("stop_sequence", FinishReason.STOP, False),
        ("max_tokens", FinishReason.LENGTH, False),
        ("tool_use", FinishReason.TOOL_CALLS, True),
        ("pause_turn", FinishReason.PAUSE, False),
        ("refusal", FinishReason.REFUSAL, False),
        ("model_context_window_exceeded", FinishReason.CONTEXT_WINDOW, False),
        ("tired", FinishReason.OTHER, False),
    ],
)
def test_each_stop_reason_keeps_its_spelling_and_only_tool_use_releases(spelling, reason, releases):
    deltas, _ = read(sse(start(), *TEXT, ended(spelling), STOP))
    assert deltas[-1] == Finished(Finish(reason, spelling, "", releases))


def test_a_refusal_says_why():
    why = {"type": "refusal", "category": "cyber", "explanation": "no exploits"}
    deltas, _ = read(sse(start(), ended("refusal", stop_details=why), STOP))
    assert deltas[-1].finish.detail == "cyber: no exploits"


def test_usage_is_replaced_field_by_field_never_added():
    last = {
        "type": "message_delta",
        "delta": {},
        "usage": {"output_tokens": 12, "output_tokens_details": {"thinking_tokens": 5}},
    }
    told = fold(read(sse(start(), *TEXT, ended("end_turn"), last, STOP))[0])
    assert told.usage == Usage(7, 12, 3, 2, 5)


def test_a_hosted_call_and_its_result_are_parts_that_can_be_sent_back():
    caller = {"type": "code_execution_20250825", "tool_id": "srv_0"}
    result = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"url": "x"}]}
    events = (
        opened(0, type="server_tool_use", id="srv_1", name="web_search", input={}, caller=caller),
        grown(0, "input_json_delta", partial_json='{"query": "sky"}'),
        closed(0),
        opened(1, **result),
        closed(1),
    )
    told = fold(read(sse(start(), *events, ended("end_turn"), STOP))[0])
    beside = json.dumps({"type": "server_tool_use", "caller": caller}, separators=(",", ":"))
    assert told.parts == {
        0: ToolCall("srv_1", "web_search", {"query": "sky"}, f"anthropic:{beside}", hosted=True),
        1: Foreign("anthropic", "web_search_tool_result", result),
    }


def test_a_call_with_its_input_in_the_start_event_has_arguments():
    events = (opened(0, type="tool_use", id="t", name="look", input={"at": "sky"}), closed(0))
    told = fold(read(sse(start(), *events, ended("tool_use"), STOP))[0])
    assert told.asked == [("look", "t", '{"at":"sky"}')]


def test_a_call_that_the_provider_made_from_code_keeps_its_caller_under_seal():
    caller = {"type": "code_execution_20250825", "tool_id": "srv_0"}
    events = (opened(0, type="tool_use", id="t", name="look", input={"at": 1}, caller=caller), closed(0))
    told = fold(read(sse(start(), *events, ended("tool_use"), STOP))[0])
    assert json.loads(told.signatures[0]) == {"caller": caller}


def test_a_foreign_block_keeps_every_delta_known_or_not():
    events = (
        opened(0, type="compaction", content=None),
        grown(0, "compaction_delta", content="So ", encrypted_content="q"),
        grown(0, "compaction_delta", content="far"),
        closed(0),
    )
    told = fold(read(sse(start(), *events, ended("end_turn"), STOP))[0])
    assert told.parts[0].block == {"type": "compaction", "content": "So far", "encrypted_content": "q"}


def test_unknown_events_deltas_and_fields_are_carried_past():
    news = {"type": "weather", "sun": True}
    events = (
        news,
        start(mood="fine"),
        TEXT[0],
        grown(0, "sparkle_delta", sparkle=1),
        *TEXT[1:],
        news,
        ended("end_turn"),
        STOP,
    )
    deltas, reader = read(sse(*events))
    assert fold(deltas).text == "Grüße 👋!"
    assert reader.finished


def test_a_repeated_start_of_the_same_message_is_one_start():
    assert (
        read(sse(start(), start(), *TEXT, ended("end_turn"), STOP))[0].count(ResponseStarted("msg_1", "claude-x")) == 1
    )


def test_content_within_message_start_is_delivered():
    content = [{"type": "text", "text": "hi"}, {"type": "tool_use", "id": "t", "name": "look", "input": {"at": 1}}]
    told = fold(read(sse(start(content=content, stop_reason="tool_use"), STOP))[0])
    assert (told.text, told.asked, told.finish.releases) == ("hi", [("look", "t", '{"at":1}')], True)


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
