"""Chat completions: what is read, and what must not be believed."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_fold import drive, fault_word, fold

from actors.deltas import (
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    ResponseStarted,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire.openai_chat import DIALECT


def sse(*chunks, end="data: [DONE]\n\n"):
    return ("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end).encode()


def chunk(reason=None, index=0, **delta):
    choice = {"index": index, "delta": delta, "finish_reason": reason}
    return {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-x", "choices": [choice], "usage": None}


def call(index=0, **fields):
    name, given = fields.pop("name", None), fields.pop("given", "")
    return {"index": index, **fields, "function": {"name": name, "arguments": given}}


BILL = {
    "id": "c1",
    "choices": [],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
}
TEXT = (chunk(role="assistant", content=""), chunk(content="Grüße"), chunk(content=" 👋"), chunk("stop"), BILL)
CALLS = (
    chunk(reasoning_content="Hm"),
    chunk(content="so"),
    chunk(tool_calls=[call(0, id="a", name="look")]),
    chunk(tool_calls=[call(0, given='{"at":')]),
    chunk(tool_calls=[call(0, given="1}")]),
    chunk(tool_calls=[call(1, id="b", name="hear", given="{}")]),
    chunk("tool_calls"),
    BILL,
)
RECORDINGS = {"text": sse(*TEXT), "calls": sse(*CALLS)}


def read(octets):
    reader = DIALECT.reader()
    return drive(reader, [octets]), reader


def told(*chunks, **kwargs):
    return fold(read(sse(*chunks, **kwargs))[0])


def test_text_is_one_part_from_the_first_word_to_the_end():
    assert read(RECORDINGS["text"])[0] == [
        ResponseStarted("c1", "gpt-x"),
        TextDelta("Grüße"),
        TextDelta(" 👋"),
        UsageDelta(Usage(6, 5, 4, 0, 2)),
        PartEnded(0),
        Finished(Finish(FinishReason.STOP, "stop", releases=True)),
    ]


def test_thinking_text_and_calls_are_parts_in_the_order_they_came():
    assert read(RECORDINGS["calls"])[0] == [
        ResponseStarted("c1", "gpt-x"),
        ThinkingDelta("Hm", 0),
        PartEnded(0),
        TextDelta("so", 1),
        PartEnded(1),
        ToolCallStarted("look", "a", 2),
        ToolCallDelta('{"at":', 2),
        ToolCallDelta("1}", 2),
        ToolCallStarted("hear", "b", 3),
        ToolCallDelta("{}", 3),
        UsageDelta(Usage(6, 5, 4, 0, 2)),
        PartEnded(2),
        PartEnded(3),
        Finished(Finish(FinishReason.TOOL_CALLS, "tool_calls", releases=True)),
    ]


@pytest.mark.parametrize("name", RECORDINGS)
@settings(deadline=None)
@given(data=st.data())
def test_any_slicing_gives_the_same_deltas(name, data):
    octets = RECORDINGS[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=30)))
    reader = DIALECT.reader()
    assert drive(reader, [octets[a:b] for a, b in pairwise([0, *cuts, len(octets)])]) == read(octets)[0]
    assert reader.finished


@pytest.mark.promise("P7")
@pytest.mark.parametrize("name", RECORDINGS)
def test_an_answer_cut_before_its_finish_reason_is_truncated(name):
    octets = RECORDINGS[name]
    end = octets.index(b'"finish_reason": "')
    whole, _ = read(octets)
    for at in range(end):
        deltas, reader = read(octets[:at])
        assert isinstance(reader.fault, TruncatedError)
        assert deltas == whole[: len(deltas)]


@pytest.mark.promise("P7")
def test_a_missing_done_after_every_finish_reason_is_no_fault():
    deltas, reader = read(sse(*TEXT, end=""))
    assert reader.finished
    assert deltas == read(RECORDINGS["text"])[0]


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "chunks",
    [
        (chunk(content="a"),),
        (),
        (BILL,),
        (chunk(content="a"), chunk(index=1, content="b"), chunk("stop")),
    ],
    ids=["no reason", "nothing", "a bill for nothing", "another choice still speaks"],
)
def test_done_without_every_finish_reason_is_truncated(chunks):
    assert isinstance(read(sse(*chunks))[1].fault, TruncatedError)


def test_a_server_without_finish_reasons_ends_with_bill_and_done_and_releases_nothing():
    deltas, _ = read(sse(chunk(tool_calls=[call(id="a", name="look")]), BILL))
    assert deltas[-1] == Finished(Finish(FinishReason.OTHER, ""))
    assert isinstance(read(sse(chunk(content="a"), BILL, end=""))[1].fault, TruncatedError)


@pytest.mark.parametrize(
    ("spelling", "reason", "releases"),
    [
        ("stop", FinishReason.STOP, True),
        ("tool_calls", FinishReason.TOOL_CALLS, True),
        ("function_call", FinishReason.TOOL_CALLS, True),
        ("length", FinishReason.LENGTH, False),
        ("content_filter", FinishReason.REFUSAL, False),
        ("tired", FinishReason.OTHER, False),
    ],
)
@pytest.mark.row("A30")
def test_each_finish_reason_keeps_its_spelling(spelling, reason, releases):
    assert told(chunk(content="a"), chunk(spelling)).finish == Finish(reason, spelling, "", releases)


def test_a_forced_call_that_ends_with_stop_is_released():
    finish = told(chunk(tool_calls=[call(id="a", name="look")]), chunk("stop")).finish
    assert (finish.reason, finish.releases) == (FinishReason.TOOL_CALLS, True)


def test_a_refusal_is_text_and_a_finish_of_its_own():
    heard = told(chunk(refusal="I can"), chunk(refusal="not"), chunk("stop"))
    assert (heard.text, heard.finish.reason, heard.finish.releases) == ("I cannot", FinishReason.REFUSAL, False)


CALL_QUIRKS = {
    "all numbered 0": ([call(0, id="a", name="x", given="{}")], [call(0, id="b", name="x", given="{}")]),
    "not numbered": ([call(None, id="a", name="x", given="{}")], [call(None, id="b", name="x", given="{}")]),
    "the name in every piece": (
        [call(0, id="a", name="x", given="{")],
        [call(0, id="a", name="x", given="}"), call(1, id="b", name="x", given="{}")],
    ),
    "interleaved": (
        [call(0, id="a", name="x", given="{"), call(1, id="b", name="x")],
        [call(0, given="}"), call(1, given="{}")],
    ),
    "arguments before the name": (
        [call(0, id="a", given="{")],
        [call(0, name="x", given="}"), call(1, id="b", name="x", given="{}")],
    ),
    "an empty call beside": (
        [call(0, id="a", name="x", given="{}"), call(1, name="")],
        [call(2, id="b", name="x", given="{}")],
    ),
    "arguments as an object": ([call(0, id="a", name="x", given={})], [call(1, id="b", name="x", given={})]),
}


@pytest.mark.parametrize("pieces", CALL_QUIRKS.values(), ids=CALL_QUIRKS)
def test_calls_are_told_apart_however_a_server_numbers_them(pieces):
    heard = told(*(chunk(tool_calls=piece) for piece in pieces), chunk("tool_calls"))
    assert [(name, id_, given or "{}") for name, id_, given in heard.asked] == [("x", "a", "{}"), ("x", "b", "{}")]


def test_calls_without_ids_get_ids_of_their_own():
    heard = told(chunk(tool_calls=[call(0, name="x"), call(1, name="x")]), chunk("tool_calls"))
    assert [id_ for _, id_, _ in heard.asked] == ["c1-0", "c1-1"]


@pytest.mark.promise("P6")
@pytest.mark.parametrize(
    "octets",
    [
        sse(chunk(tool_calls=[call(0, given='{"a":1}')]), chunk("tool_calls")),
        sse(chunk(tool_calls=[call(0, id="a", name="x")]), chunk(tool_calls=[call(0, name="y")]), chunk("tool_calls")),
        b"data: {\n\n" + sse(*TEXT),
        b"data: [1]\n\n" + sse(*TEXT),
        b'data: {"choices": [{"delta": {"content": 1}}]}\n\n' + sse(*TEXT),
        sse(chunk(content="a"), end="") + b" data: x\n\n" + sse(*TEXT),
    ],
    ids=["no name", "two names", "cut JSON", "no object", "no text", "lines that are no event"],
)
def test_what_cannot_be_read_is_malformed(octets):
    assert isinstance(read(octets)[1].fault, MalformedError)


ERRORS = {
    "a chunk": (b'data: {"error": {"message": "Down", "type": "server_error", "code": null}}\n\n', 500),
    "an event": (
        b'event: error\ndata: {"error": {"message": "Down", "code": "tool_use_failed", "status_code": 400}}\n\n',
        400,
    ),
    "an event of bare fields": (b'event: error\ndata: {"message": "Down", "code": 429}\n\n', 429),
    "a chunk of bare fields": (b'data: {"object": "error", "message": "Down", "code": 404}\n\n', 404),
    "a field": (b'error: {"error": {"message": "Down"}}\n\n', 500),
    "bare": (b'{\n"error": {"message": "Down", "type": "insufficient_quota"}\n}\n', 429),
    "a text": (b'data: {"error": "Down"}\n\n', 500),
    "a finish reason": (
        b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}\n\ndata: [DONE]\n\n',
        500,
    ),
    "in a choice": (
        b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}], "error": {"message": "Down", "code": 502}}\n\n',
        502,
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_within_the_answer_is_a_refusal_behind_the_text_before_it(name):
    octets, status = ERRORS[name]
    before = sse(chunk(content="a"), end="")
    deltas, reader = read(before + octets + sse(*TEXT))
    assert fold(deltas).text == "a"
    assert isinstance(reader.fault, RefusedError)
    assert (reader.fault.status, reader.fault.in_stream) == (status, True)


def test_comments_are_signs_of_life_without_content():
    reader = DIALECT.reader()
    assert reader.feed(b": OPENROUTER PROCESSING\n\n") == []
    assert reader.fault is None


def test_thinking_of_other_servers_is_read():
    pieces = [{"type": "thinking", "thinking": [{"type": "text", "text": "b"}]}, {"type": "text", "text": "c"}]
    heard = told(chunk(reasoning="a"), chunk(content=pieces), chunk("stop"))
    assert (heard.thinking, heard.text) == ("ab", "c")


REPLY = {
    "id": "c1",
    "object": "chat.completion",
    "model": "gpt-x",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Grüße 👋"}, "finish_reason": "stop"}],
    "usage": BILL["usage"],
}


def test_a_reply_in_one_piece_says_what_a_stream_would():
    for deltas in (
        DIALECT.read_reply(json.dumps(REPLY).encode()),
        read(b"\n\n" + json.dumps(REPLY, indent=1).encode())[0],
    ):
        heard, streamed = fold(deltas), fold(read(RECORDINGS["text"])[0])
        assert (heard.text, heard.usage, heard.finish) == (streamed.text, streamed.usage, streamed.finish)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"{}", "truncated"),
        (b'{"error": {"message": "x", "type": "server_error"}}', "refused 500 server_error"),
        (b'{"detail": "x"}', "refused 500"),
    ],
)
def test_a_reply_that_is_no_finished_completion_is_raised(reply, word):
    with pytest.raises((MalformedError, TruncatedError, RefusedError)) as caught:
        DIALECT.read_reply(reply)
    assert fault_word(caught.value) == word
