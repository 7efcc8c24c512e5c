"""Responses: what is read, and what must not be believed."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_fold import drive, fault_word, fold

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
from actors.messages import Foreign
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire.openai_responses import DIALECT


def sse(*events):
    return "".join(f"event: {event.get('type')}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def event(kind, place=0, **fields):
    return {"type": f"response.{kind}", "output_index": place, "sequence_number": 1, **fields}


def stage(kind, status="in_progress", **fields):
    return {
        "type": f"response.{kind}",
        "response": {"id": "r1", "model": "gpt-x", "status": status, "output": [], **fields},
    }


def message(text, **fields):
    return {
        "id": "m",
        "type": "message",
        "content": [{"type": "output_text", "text": text, "annotations": [], **fields}],
    }


USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
}
CREATED = stage("created")
THOUGHT = {
    "id": "rs",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "Hm"}, {"type": "summary_text", "text": "Ah"}],
    "encrypted_content": "gA==",
}
CALL = {
    "id": "fc",
    "type": "function_call",
    "status": "completed",
    "call_id": "a",
    "name": "look",
    "arguments": '{"at":1}',
}
SEARCH = {"id": "ws", "type": "web_search_call", "status": "completed", "action": {"query": "sky"}}
SAID = (
    event("output_item.added", item={"id": "m", "type": "message", "content": []}),
    event("content_part.added", part={"type": "output_text"}, content_index=0),
    event("output_text.delta", delta="Grüße", content_index=0),
    event("output_text.annotation.added", annotation={"url": "x"}, content_index=0),
    event("output_text.delta", delta=" 👋", content_index=0),
    event("output_text.done", text="Grüße 👋", content_index=0),
    event("output_item.done", item=message("Grüße 👋")),
)
WORKED = (
    event("output_item.added", item={"id": "rs", "type": "reasoning", "summary": []}),
    event("reasoning_summary_part.added", summary_index=0),
    event("reasoning_summary_text.delta", delta="Hm"),
    event("reasoning_summary_part.added", summary_index=1),
    event("reasoning_summary_text.delta", delta="Ah"),
    event("output_item.done", item=THOUGHT),
    event("output_item.added", 1, item=SEARCH | {"status": "in_progress"}),
    event("web_search_call.searching", 1),
    event("output_item.done", 1, item=SEARCH),
    event("output_item.added", 2, item=CALL | {"arguments": ""}),
    event("function_call_arguments.delta", 2, delta='{"at"'),
    event("function_call_arguments.delta", 2, delta=":1}"),
    event("function_call_arguments.done", 2, arguments='{"at":1}'),
    event("output_item.done", 2, item=CALL),
)
RECORDINGS = {
    "text": sse(CREATED, *SAID, stage("completed", "completed", usage=USAGE)),
    "work": sse(CREATED, *WORKED, stage("completed", "completed", usage=USAGE, output=[THOUGHT, SEARCH, CALL])),
}
SEALED = SignatureDelta('openai:{"id":"rs","encrypted_content":"gA=="}', 0)


def read(octets):
    reader = DIALECT.reader()
    return drive(reader, [octets]), reader


def test_text_arrives_in_deltas_between_start_and_finish():
    assert read(RECORDINGS["text"])[0] == [
        ResponseStarted("r1", "gpt-x"),
        TextDelta("Grüße"),
        CitationDelta({"url": "x"}),
        TextDelta(" 👋"),
        PartEnded(0),
        UsageDelta(Usage(6, 5, 4, 0, 2)),
        Finished(Finish(FinishReason.STOP, "completed", releases=True)),
    ]


def test_thinking_foreign_items_and_calls_keep_their_order_and_seals():
    assert read(RECORDINGS["work"])[0] == [
        ResponseStarted("r1", "gpt-x"),
        ThinkingDelta("Hm", 0),
        ThinkingDelta("\n\n", 0),
        ThinkingDelta("Ah", 0),
        SEALED,
        PartEnded(0),
        PartEnded(1, Foreign("openai", "web_search_call", SEARCH)),
        ToolCallStarted("look", "a", 2),
        ToolCallDelta('{"at"', 2),
        ToolCallDelta(":1}", 2),
        PartEnded(2),
        UsageDelta(Usage(6, 5, 4, 0, 2)),
        Finished(Finish(FinishReason.TOOL_CALLS, "completed", releases=True)),
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
def test_an_answer_cut_anywhere_is_truncated_and_keeps_what_came_before(name):
    octets = RECORDINGS[name]
    whole, _ = read(octets)
    for at in range(len(octets.rstrip())):
        deltas, reader = read(octets[:at])
        assert isinstance(reader.fault, TruncatedError)
        assert deltas == whole[: len(deltas)]


def test_a_reply_in_one_piece_says_what_the_stream_said():
    output = [THOUGHT, SEARCH, message("Grüße 👋", annotations=[{"url": "x"}]), CALL]
    reply = stage("completed", "completed", usage=USAGE, output=output)["response"]
    expected = [
        ResponseStarted("r1", "gpt-x"),
        ThinkingDelta("Hm\n\nAh", 0),
        SEALED,
        PartEnded(0),
        PartEnded(1, Foreign("openai", "web_search_call", SEARCH)),
        TextDelta("Grüße 👋", 2),
        CitationDelta({"url": "x"}, 2),
        PartEnded(2),
        ToolCallStarted("look", "a", 3),
        ToolCallDelta('{"at":1}', 3),
        PartEnded(3),
        UsageDelta(Usage(6, 5, 4, 0, 2)),
        Finished(Finish(FinishReason.TOOL_CALLS, "completed", releases=True)),
    ]
    assert DIALECT.read_reply(json.dumps(reply).encode()) == expected
    assert read(json.dumps(reply, indent=1).encode())[0] == expected
    assert read(sse(stage("completed", "completed", usage=USAGE, output=output)))[0] == expected


def test_what_the_stream_left_open_is_taken_from_the_end_and_nothing_else():
    last = stage("completed", "completed", output=[message("Grüße 👋") | {"id": "new"}, SEARCH, CALL])
    heard = fold(read(sse(CREATED, *SAID, event("output_item.added", 7, item=CALL | {"arguments": ""}), last))[0])
    assert (heard.text, heard.asked, heard.parts) == ("Grüße 👋", [("look", "a", '{"at":1}')], {})


def test_a_text_without_an_end_of_its_own_ends_with_the_answer():
    assert PartEnded(0) in read(sse(CREATED, *SAID[:5], stage("completed", "completed")))[0]


def test_pieces_of_a_message_are_matched_in_order_when_a_server_counts_them_differently():
    events = (
        SAID[0],
        event("output_text.delta", delta="a", content_index=1),
        event("output_item.done", item=message("a")),
    )
    assert fold(read(sse(CREATED, *events, stage("completed", "completed")))[0]).text == "a"


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("max_output_tokens", FinishReason.LENGTH),
        ("content_filter", FinishReason.REFUSAL),
        ("steered", FinishReason.OTHER),
    ],
)
@pytest.mark.row("A30")
def test_an_incomplete_answer_says_why_and_releases_nothing(reason, kind):
    last = stage("incomplete", "incomplete", incomplete_details={"reason": reason})
    assert read(sse(CREATED, *WORKED[9:11], last))[0][-1] == Finished(Finish(kind, reason))


def test_a_call_that_is_itself_incomplete_stays_open():
    last = stage("incomplete", "incomplete", incomplete_details={"reason": "max_output_tokens"})
    cut = event("output_item.done", 2, item=CALL | {"status": "incomplete", "arguments": '{"at"'})
    deltas, _ = read(sse(CREATED, *WORKED[9:11], cut, last))
    assert not any(isinstance(delta, PartEnded) for delta in deltas)


def test_a_refusal_is_text_and_a_finish_of_its_own():
    done = {"id": "m", "type": "message", "content": [{"type": "refusal", "refusal": "No"}]}
    streamed = (SAID[0], event("refusal.delta", delta="No"), event("output_item.done", item=done))
    for events in (streamed, (event("output_item.done", item=done),)):
        heard = fold(read(sse(CREATED, *events, stage("completed", "completed")))[0])
        assert (heard.text, heard.finish.reason, heard.finish.releases) == ("No", FinishReason.REFUSAL, False)


def test_a_call_keeps_what_the_provider_put_beside_it_under_seal():
    call = CALL | {"namespace": "tools", "caller": {"type": "program"}}
    heard = fold(read(sse(CREATED, event("output_item.done", item=call), stage("completed", "completed")))[0])
    assert json.loads(heard.signatures[0]) == {"namespace": "tools", "caller": {"type": "program"}}


MALFORMED = {
    "a delta before its item": (SAID[2],),
    "a delta after its item": (*SAID, SAID[2]),
    "an item twice": (SAID[0], SAID[0]),
    "a text that lost words": (*SAID[:3], SAID[-1]),
    "arguments that lost a piece": (*WORKED[9:11], WORKED[-1]),
    "a delta without text": (SAID[0], event("output_text.delta")),
    "no type": (SAID[0], {"delta": "x"}),
}


@pytest.mark.promise("P6")
@pytest.mark.parametrize("events", MALFORMED.values(), ids=MALFORMED)
def test_what_lost_something_or_is_out_of_order_is_malformed(events):
    octets = sse(CREATED, *events, stage("completed", "completed"))
    assert isinstance(read(octets)[1].fault, MalformedError)


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "events",
    [(*SAID,), (*WORKED[9:11], stage("completed", "completed")), (stage("completed", "in_progress"),)],
    ids=["no terminal event", "an open call", "a status that is no end"],
)
def test_what_did_not_end_is_truncated(events):
    octets = sse(CREATED, *events)
    assert isinstance(read(octets + b"data: [DONE]\n\n")[1].fault, TruncatedError)


ERRORS = {
    "a failed response": (stage("failed", "failed", error={"code": "rate_limit_exceeded", "message": "Down"}), 429),
    "an error with an object": (
        {"type": "error", "error": {"type": "server_error", "code": "server_is_overloaded", "message": "Down"}},
        503,
    ),
    "an error with bare fields": ({"type": "error", "code": "server_error", "message": "Down", "param": None}, 500),
    "an error without type": ({"error": {"message": "Down"}}, 500),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_within_the_answer_is_a_refusal_behind_the_text_before_it(name):
    last, status = ERRORS[name]
    deltas, reader = read(sse(CREATED, *SAID[:3], last, stage("completed", "completed")))
    assert fold(deltas).text == "Grüße"
    fault = reader.fault
    assert isinstance(fault, RefusedError)
    assert (fault.status, fault.message, fault.in_stream) == (status, "Down", True)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"{}", "truncated"),
        (b'{"status": "queued"}', "truncated"),
        (b'{"error": {"code": "server_error", "message": "x"}}', "refused 500 server_error"),
        (b'{"status": "failed", "error": null}', "refused 500"),
    ],
)
def test_a_reply_that_is_no_finished_response_is_raised(reply, word):
    with pytest.raises((MalformedError, TruncatedError, RefusedError)) as caught:
        DIALECT.read_reply(reply)
    assert fault_word(caught.value) == word
