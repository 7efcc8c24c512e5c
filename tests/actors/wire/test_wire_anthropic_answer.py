"""Anthropic's answers: small recordings of our own, every cut of them, and what must not be believed."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_anthropic_events import (
    RECORDINGS,
    STOP,
    TEXT,
    closed,
    ended,
    grown,
    opened,
    read,
    sse,
    start,
    usage,
)
from wire_fold import drive, fold

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
)
from actors.messages import Foreign, Thinking, ToolCall
from actors.source import TruncatedError
from actors.wire.anthropic import DIALECT


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
@pytest.mark.row("A30")
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
