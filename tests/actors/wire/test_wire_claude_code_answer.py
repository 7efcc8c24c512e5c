"""What a run of Claude Code says: provisional events, what is taken back, tools of the program's own, and the verdict of the last line."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_claude_code_lines import (
    INIT,
    MESSAGE_STOP,
    answered,
    argument,
    block,
    ending,
    event,
    folded,
    parts,
    read,
    restarts,
    result,
    retry,
    said,
    start,
    stop,
    streamed,
    synthetic,
    text,
    thought,
    whole_message,
    written,
)

from actors.deltas import (
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    ResponseStarted,
    Restarted,
    TextDelta,
    ThinkingDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from actors.messages import Foreign, Text, Thinking, ToolCall
from actors.source import MalformedError, RefusedError
from actors.wire.claude_code import DIALECT


def test_a_streamed_answer_is_told_once_although_the_program_says_it_twice():
    deltas, reader = read(INIT, *whole_message(["Hel", "lo"]), result("Hello"))
    assert deltas == [
        ResponseStarted("s1", "claude-a"),
        UsageDelta(Usage(3)),
        TextDelta("Hel"),
        TextDelta("lo"),
        PartEnded(0),
        UsageDelta(Usage(3, 5)),
        UsageDelta(Usage(30, 40)),
        Finished(Finish(FinishReason.STOP, "end_turn", "cost 0.250000 USD")),
    ]
    assert reader.finished
    assert reader.fault is None


def test_an_answer_in_whole_blocks_is_told_as_it_comes():
    assert parts(said({"type": "thinking", "thinking": "hm", "signature": "x"}), said("one"), said("two")) == (
        Thinking("hm", "anthropic:x"),
        Text("one"),
        Text("two"),
    )


@pytest.mark.promise("P6")
def test_a_message_that_stops_without_a_reason_is_taken_back():
    lines = [*streamed(["lost"]), MESSAGE_STOP, *whole_message(["found"], "m2")]
    deltas, _ = read(INIT, *lines, result())
    assert restarts(deltas) == [("cut off", 0)]
    assert folded(deltas).parts == (Text("found"),)


@pytest.mark.promise("P6")
def test_an_answer_asked_again_in_one_piece_replaces_what_was_streamed():
    deltas, _ = read(
        INIT, start(), block(text=""), text("wa"), text("ter"), said("water and more", message="m2"), result()
    )
    assert restarts(deltas) == [("streaming failed", 0)]
    assert folded(deltas).parts == (Text("water and more"),)


@pytest.mark.promise("P6")
def test_an_answer_that_begins_again_without_a_word_is_told_once():
    deltas, _ = read(INIT, start(), block(text=""), text("half"), *whole_message(["half and half"], "m2"), result())
    assert restarts(deltas) == [("cut off", 0)]
    assert folded(deltas).parts == (Text("half and half"),)


@pytest.mark.promise("P6")
def test_only_the_message_that_broke_is_taken_back():
    first = [start(), block(text=""), text("one"), said("one"), stop(), ending("tool_use"), MESSAGE_STOP]
    again = [
        start("m2"),
        block(text=""),
        text("tw"),
        retry(error="unknown", status=None),
        *whole_message(["two"], "m3"),
    ]
    deltas, _ = read(INIT, *first, *again, result())
    assert restarts(deltas) == [("unknown", 1)]
    assert folded(deltas).parts == (Text("one"), Text("two"))


@pytest.mark.promise("P6")
def test_a_whole_block_wins_over_what_was_streamed_of_it():
    lines = [start(), block(text=""), text("teh"), said("the"), text(" end"), stop(), ending(), MESSAGE_STOP]
    deltas, _ = read(INIT, *lines, result())
    assert restarts(deltas) == [("corrected", 0)]
    assert folded(deltas).parts == (Text("the"),)


def test_a_whole_block_that_comes_after_the_end_of_its_events_is_known_again():
    lines = [start(), block(text=""), text("late"), stop(), ending(), MESSAGE_STOP, said("late")]
    assert parts(*lines) == (Text("late"),)


def test_an_end_that_comes_after_the_block_was_taken_back_means_nothing():
    lines = [start(), block(text=""), text("lost"), MESSAGE_STOP, stop(), *whole_message(["found"], "m2"), stop()]
    assert parts(*lines) == (Text("found"),)


def test_a_retry_before_any_content_is_told_and_takes_nothing_back():
    deltas, _ = read(INIT, retry(), *whole_message(["hi"]), result())
    assert deltas[1] == Restarted("overloaded", "attempt 1 of 2 failed with status 529, next in 1.5 s", 0)
    assert folded(deltas).parts == (Text("hi"),)


@pytest.mark.parametrize(
    ("error", "status"), [("unknown", 401), ("unknown", 403), ("authentication_failed", None), ("billing_error", None)]
)
def test_a_retry_that_cannot_help_ends_the_run_at_once(error, status):
    _, reader = read(INIT, retry(error, status), *whole_message(["never"]), result())
    assert isinstance(reader.fault, RefusedError)
    assert (reader.fault.kind, reader.fault.status) == (error, status or 0)


CALL = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}


def test_tools_are_run_by_the_program_and_never_released():
    call = block(kind="tool_use", id="t1", name="Bash", input={})
    lines = [
        start(),
        call,
        argument('{"command":'),
        argument('"ls"}'),
        said(CALL),
        stop(),
        ending("tool_use"),
        MESSAGE_STOP,
    ]
    deltas, _ = read(INIT, *lines, answered("t1"), *whole_message(["done"], "m2"), result())
    assembly = folded(deltas)
    hosted = ToolCall("t1", "Bash", {"command": "ls"}, hosted=True)
    told = Foreign("claude-code", "tool_result", {"type": "tool_result", "tool_use_id": "t1", "content": "ok"})
    assert assembly.parts == (hosted, told, Text("done"))
    assert assembly.ready == assembly.incomplete == ()
    assert ToolCallStarted("Bash", "t1", 0) in deltas


def test_a_call_in_one_piece_is_hosted_too():
    assert parts(said(CALL), answered("t1"), said("done", message="m2"))[0] == ToolCall(
        "t1", "Bash", {"command": "ls"}, hosted=True
    )


def test_a_result_that_comes_while_the_message_goes_on_has_a_place_of_its_own():
    second = {**CALL, "id": "t2"}
    first = [start(), block(kind="tool_use", **{**CALL, "input": {}}), argument('{"command":"ls"}'), said(CALL), stop()]
    then = [
        block(1, kind="tool_use", **{**second, "input": {}}),
        argument('{"command":"ls"}', 1),
        said(second),
        stop(1),
    ]
    found = parts(*first, answered("t1"), *then, ending("tool_use"), MESSAGE_STOP, answered("t2"))
    assert [getattr(part, "id", None) for part in found] == ["t1", None, "t2", None]


def test_what_agents_of_the_program_say_within_a_tool_is_no_answer():
    inner = [
        event("message_start", parent="t1", message={"type": "message", "id": "m9"}),
        said("inner", message="m9", parent_tool_use_id="t1"),
        {**answered("t9"), "parent_tool_use_id": "t1"},
    ]
    assert parts(*inner, *whole_message(["outer"])) == (Text("outer"),)


def test_thinking_and_text_keep_their_order_and_a_blank_block_its_words():
    lines = [
        *(start(), block(thinking="", kind="thinking"), thought("hm")),
        *(said({"type": "thinking", "thinking": "hm", "signature": ""}), stop()),
        *(block(1, text=""), text("\n\n", 1), stop(1)),  # the program says no blank block whole
        *(block(2, text=""), text("yes", 2), said("yes"), stop(2), ending(), MESSAGE_STOP),
    ]
    assert parts(*lines) == (Thinking("hm"), Text("\n\n"), Text("yes"))


@pytest.mark.parametrize(
    "line",
    [
        {"type": "rate_limit_event", "rate_limit_info": {"status": "allowed"}},
        {"type": "tool_progress", "elapsed": 3},
        {"type": "control_request", "request": {}},
        {"type": "system", "subtype": "post_turn_summary", "summary": 5},
        {"type": "system", "subtype": "thinking_tokens", "estimated_tokens": 3},
        {"type": "user", "message": {"role": "user", "content": "[Request interrupted by user]"}},
        event("ping"),
        event("brand_new", index=7),
        synthetic("API Error: an image was removed", "invalid_request"),
    ],
    ids=lambda line: json.dumps(line)[:40],
)
def test_lines_without_an_answer_are_carried_past(line):
    assert parts(line, *whole_message(["hi"]), line) == (Text("hi"),)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"claude: a warning",
        b"[]",
        b"{}",
        b'{"type": "assistant"}',
        b'{"type": "result", "subtype": "success"}',
        b'{"type": "stream_event", "event": {"type": "content_block_delta", "index": 0}}',
        b'{"type": "stream_event", "event": {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "x"}}}',
        b"\xff\xfe",
    ],
)
def test_a_line_that_may_have_held_an_answer_is_never_skipped(line):
    reader = DIALECT.reader()
    deltas = reader.feed(written(INIT, *streamed(["kept"])) + line + b"\n")
    assert TextDelta("kept") in deltas
    assert isinstance(reader.fault, MalformedError)
    assert reader.feed(written(result())) == reader.close() == []


def test_usage_is_that_of_the_result_line_and_until_then_the_sum_of_the_messages():
    deltas, _ = read(INIT, *whole_message(["a"]), *whole_message(["b"], "m2"))
    assert folded(deltas).usage == Usage(6, 10)
    deltas, _ = read(INIT, *whole_message(["a"]), result(usage={"input_tokens": 7, "cache_read_input_tokens": 9}))
    assert folded(deltas).usage == Usage(7, 0, 9)
    deltas, _ = read(INIT, *whole_message(["a"]), result(is_error=True, usage={"input_tokens": 0}))
    assert folded(deltas).usage == Usage(3, 5)


def test_a_run_in_one_piece_is_read_at_once():
    assert folded(DIALECT.read_reply(written(INIT, said("Hi"), result()))).parts == (Text("Hi"),)
    with pytest.raises(RefusedError, match="out of order"):
        DIALECT.read_reply(written(INIT, result("out of order", is_error=True)))


def test_a_line_of_several_mebibytes_is_read():
    words = "x" * (3 << 20)
    assert parts(said(words)) == (Text(words),)


lines_ = st.sampled_from(
    [
        *(INIT, start(), start("m2"), block(text=""), block(1, text=""), text("a"), text("b", 1), thought("c"), stop()),
        *(stop(1), ending(), MESSAGE_STOP, said("a"), said("b", message="m2"), said(CALL), answered("t1"), retry()),
        *(result(), synthetic("no", "unknown"), result(is_error=True), block(kind="tool_use", **CALL), argument("{}")),
    ]
)


@given(st.lists(lines_, max_size=14), st.lists(st.integers(0, 4000), max_size=5))
@pytest.mark.promise("P6")
def test_any_lines_in_any_order_and_slices_end_in_one_way_and_fold_without_contradiction(lines, cuts):
    octets = written(*lines)
    edges = [0, *sorted(at % (len(octets) + 1) for at in cuts), len(octets)]
    whole, sliced = DIALECT.reader(), DIALECT.reader()
    deltas = [*whole.feed(octets), *whole.close()]
    pieces = [octets[begin:end] for begin, end in pairwise(edges)]
    assert [delta for piece in pieces for delta in sliced.feed(piece)] + sliced.close() == deltas
    assert whole.finished is sliced.finished is (whole.fault is None)
    assert str(whole.fault) == str(sliced.fault)
    folded(deltas)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(octets):
    reader = DIALECT.reader()
    reader.feed(octets)
    reader.close()
    assert reader.fault is not None
    assert not any(isinstance(delta, ThinkingDelta) for delta in reader.feed(b"{}\n"))
