"""Deltas fold into the parts they were written from: nothing twice, nothing lost, no tool call too early."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.deltas import (
    CitationDelta,
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    Progress,
    Reach,
    ResponseStarted,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallReady,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from actors.messages import Foreign, Image, Text, Thinking, ToolCall
from actors.outcome import IncompleteCall
from actors.policy.assemble import Assembly, parse_arguments
from actors.source import MalformedError

RELEASED = Finished(Finish(FinishReason.TOOL_CALLS, releases=True))
WITHHELD = Finished(Finish(FinishReason.LENGTH, "max_tokens"))


def assembled(*deltas):
    assembly = Assembly()
    for delta in deltas:
        assembly.add(delta)
    return assembly


def call(fragment='{"a": 1}', index=0, *, ended=True):
    deltas = (ToolCallStarted("f", "c", index), ToolCallDelta(fragment, index))
    return (*deltas, PartEnded(index)) if ended else deltas


# -- any answer, written as deltas in any slices

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.text(max_size=4), values, max_size=3)
words = st.text(min_size=1, max_size=40)
citations = st.lists(objects, max_size=2).map(tuple)
grown = st.one_of(
    st.builds(Text, words, citations),
    st.builds(Thinking, words, st.text(max_size=5)),
    st.builds(Thinking, st.just(""), words),
    st.builds(ToolCall, words, words, objects, st.sampled_from(["", "seal"])),
)
whole = st.one_of(
    st.builds(Text, st.text(max_size=5), citations),
    st.builds(Thinking, words, words, st.booleans()),
    st.builds(ToolCall, words, words, objects, words, st.booleans()),
    st.builds(Foreign, words, words, objects),
)


@st.composite
def slices(draw, text):
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def writings(draw, part, index):
    """The deltas of one part that grows, without the one that ends it."""
    match part:
        case Text(text, cited):
            deltas = [TextDelta(piece, index) for piece in draw(slices(text))]
            for citation in cited:
                deltas.insert(draw(st.integers(0, len(deltas))), CitationDelta(citation, index))
            order = [each.citation for each in deltas if isinstance(each, CitationDelta)]
            return Text(text, tuple(order)), deltas
        case Thinking(text, signature):
            sealed = [SignatureDelta(signature, index)] if signature else []
            return part, [*(ThinkingDelta(piece, index) for piece in draw(slices(text))), *sealed]
        case ToolCall(name=name, id=call_id, arguments=arguments, signature=signature):
            written = msgspec.json.encode(arguments).decode()
            fragments = [] if not arguments and draw(st.booleans()) else draw(slices(written))
            sealed = [SignatureDelta(signature, index)] if signature else []
            started = ToolCallStarted(name, call_id, index)
            return part, [started, *sealed, *(ToolCallDelta(fragment, index) for fragment in fragments)]


@st.composite
def answers(draw):
    """Parts in the order of the answer, and deltas that say them: several parts may be open side by side."""
    parts, lines, index = [], [], -1
    for _ in range(draw(st.integers(0, 5))):
        index += draw(st.integers(1, 3))
        if draw(st.booleans()):
            part, deltas = draw(writings(draw(grown), index))
            lines.append([*deltas, PartEnded(index, part if draw(st.booleans()) else None)])
        else:
            part = draw(whole)
            lines.append([PartEnded(index, part)])
        parts.append(part)
    deltas = []
    while lines := [line for line in lines if line]:
        deltas.append(draw(st.sampled_from(lines)).pop(0))
    return parts, deltas


@given(answers())
def test_an_answer_written_in_any_slices_is_put_together_again(answer):
    parts, deltas = answer
    assembly = assembled(*deltas, RELEASED)
    assert list(assembly.parts) == parts
    assert assembly.incomplete == assembly.garbled == ()
    released = [part for part in parts if isinstance(part, ToolCall) and not part.hosted]
    assert [ready.call for ready in assembly.ready] == released


@given(answers())
@pytest.mark.promise("P8")
def test_no_prefix_of_an_answer_releases_a_call(answer):
    _, deltas = answer
    assembly = Assembly()
    for delta in deltas:
        assembly.add(delta)
        assert assembly.ready == ()
        assert all(part.hosted for part in assembly.parts if isinstance(part, ToolCall))
    assembly.add(WITHHELD)
    assert assembly.ready == ()


@given(answers(), st.sampled_from([RELEASED, WITHHELD, None]))
@pytest.mark.promise("P8")
def test_a_cut_answer_releases_only_what_closed_and_only_if_the_finish_says_so(answer, finished):
    _, deltas = answer
    for length in range(len(deltas) + 1):
        assembly = assembled(*deltas[:length], *([finished] if finished else []))
        begun = {delta.index for delta in deltas[:length] if isinstance(delta, ToolCallStarted)}
        begun |= {delta.index for delta in deltas[:length] if ours_to_run(getattr(delta, "part", None))}
        closed = {delta.index for delta in deltas[:length] if isinstance(delta, PartEnded)} & begun
        assert {ready.index for ready in assembly.ready} == (closed if finished is RELEASED else set())
        assert len(assembly.ready) + len(assembly.incomplete) == len(begun)


def ours_to_run(part):
    return isinstance(part, ToolCall) and not part.hosted


@given(answers())
@pytest.mark.promise("P9")
def test_every_prefix_shows_all_text_that_arrived_once(answer):
    _, deltas = answer
    assembly, said = Assembly(), {}
    for delta in deltas:
        assembly.add(delta)
        match delta:
            case TextDelta(text, index) | ThinkingDelta(text, index):
                said[index] = said.get(index, "") + text
            case PartEnded(index, Text(text=text) | Thinking(text=text)):
                said[index] = text
        shown = [part.text for part in assembly.parts if isinstance(part, Text | Thinking) and part.text]
        assert shown == [text for _, text in sorted(said.items()) if text]


@given(answers())
def test_progress_counts_what_was_content(answer):
    _, deltas = answer
    assembly, content, characters = Assembly(), [], 0
    for delta in deltas:
        content.append(assembly.add(delta))
        characters += len(getattr(delta, "text", "") or getattr(delta, "fragment", ""))
        if isinstance(delta, PartEnded) and content[-1]:
            characters += len(getattr(delta.part, "text", ""))
    progress = assembly.progress
    assert (progress.events, progress.characters) == (sum(content), characters)
    assert progress.any == any(content)
    assert progress.inside is Reach.NOTHING


def test_more_pieces_than_any_buffer_holds_join_without_a_seam():
    pieces = [f"{number} " for number in range(5000)]
    assembly = assembled(*(TextDelta(piece) for piece in pieces))
    assert assembly.parts == (Text("".join(pieces)),)
    assert assembly.progress == Progress(Reach.TEXT, 5000, sum(map(len, pieces)), Reach.TEXT)


def test_line_ends_and_astral_characters_survive_as_they_came():
    pieces = ["a\r", "\nb\r\n", "\x00\U0001f600", "\u2028"]
    assert assembled(*(TextDelta(piece) for piece in pieces)).parts == (Text("".join(pieces)),)


# -- what is content

CONTENT = [
    (TextDelta("a"), True),
    (TextDelta(""), False),
    (ThinkingDelta("a"), True),
    (ThinkingDelta(""), False),
    (ToolCallStarted("f", "c"), True),
    (SignatureDelta("s"), True),
    (CitationDelta({"url": "u"}), True),
    (PartEnded(0), False),
    (PartEnded(0, Image(url="u")), True),
    (UsageDelta(Usage(1, 2)), False),
    (ResponseStarted("r", "m"), False),
    (WITHHELD, False),
]


@pytest.mark.parametrize(("delta", "content"), CONTENT, ids=lambda value: repr(value)[:40])
def test_only_content_counts_as_progress(delta, content):
    assembly = Assembly()
    assert assembly.add(delta) is content
    assert assembly.progress.any is content


def test_usage_is_replaced_and_never_added_up():
    assembly = assembled(ResponseStarted("r", "m"), UsageDelta(Usage(9, 1)), UsageDelta(Usage(9, 5)))
    assert (assembly.usage, assembly.response_id, assembly.model) == (Usage(9, 5), "r", "m")


INSIDE = [
    ((TextDelta("a", 0),), Reach.TEXT),
    ((TextDelta("a", 0), PartEnded(0)), Reach.NOTHING),
    ((TextDelta("a", 0), ThinkingDelta("b", 1)), Reach.THINKING),
    ((ThinkingDelta("b", 0), TextDelta("a", 1)), Reach.TEXT),
    ((TextDelta("a", 0), *call(index=1, ended=False)), Reach.TOOL_CALL),
    ((*call(index=0, ended=False), TextDelta("a", 1)), Reach.TOOL_CALL),
    ((*call(index=0), TextDelta("a", 1)), Reach.TEXT),
]


@pytest.mark.parametrize(("deltas", "inside"), INSIDE)
def test_a_call_among_the_open_parts_is_where_the_answer_stands(deltas, inside):
    assert assembled(*deltas).progress.inside is inside


def test_reach_is_the_furthest_and_does_not_fall_back():
    assembly, reached = Assembly(), []
    for delta in (ThinkingDelta("t", 0), TextDelta("x", 1), ThinkingDelta("t", 2), *call(index=3), TextDelta("y", 4)):
        assembly.add(delta)
        reached.append(assembly.progress.reach.name)
    assert reached == ["THINKING", "TEXT", "TEXT", *["TOOL_CALL"] * 4]


# -- parts that the provider closes itself

GIVEN = [
    (Thinking("sealed", "s", redacted=True), Reach.THINKING, 6),
    (Text("hello"), Reach.TEXT, 5),
    (Foreign("anthropic", "web_search_tool_result", {"type": "x"}), Reach.TEXT, 0),
    (ToolCall("c", "web_search", {"q": 1}, hosted=True), Reach.TOOL_CALL, 0),
]


@pytest.mark.parametrize(("part", "reach", "characters"), GIVEN)
def test_a_part_given_whole_is_the_part(part, reach, characters):
    assembly = assembled(PartEnded(2, part))
    assert assembly.parts == (part,)
    assert assembly.progress == Progress(reach, 1, characters)


def test_a_part_given_at_the_end_replaces_its_deltas_and_is_counted_once():
    cited = Text("Hello", ({"url": "u"},))
    assembly = assembled(TextDelta("Hel"), TextDelta("lo"), PartEnded(0, cited))
    assert assembly.parts == (cited,)
    assert assembly.progress == Progress(Reach.TEXT, 2, 5)


def test_a_hosted_call_is_shown_but_never_to_be_run():
    hosted = ToolCall("c", "web_search", {"q": 1}, hosted=True)
    assembly = assembled(*call(ended=False), PartEnded(0, hosted), RELEASED)
    assert (assembly.parts, assembly.ready, assembly.incomplete) == ((hosted,), (), ())


def test_an_empty_part_is_no_part_but_a_seal_or_a_source_alone_is_one():
    seal, source = SignatureDelta("s", 1), CitationDelta({"url": "u"}, 2)
    deltas = (TextDelta("", 0), PartEnded(0), seal, PartEnded(1), source, PartEnded(2))
    assert assembled(*deltas).parts == (Thinking("", "s"), Text("", ({"url": "u"},)))


# -- tool calls

ARGUMENTS = [
    ("", {}),
    (" \n", {}),
    ("{}", {}),
    (' {"a": [1, {"b": null}]}\n', {"a": [1, {"b": None}]}),
    ('{"n": 123456789012345678901234567890}', {"n": 123456789012345678901234567890}),
    ("null", None),
    ("[]", None),
    ('"{}"', None),
    ('{"a": 1', None),
    ('{"a": 1}{}', None),
    ('{"a": 1,}', None),
    ("{'a': 1}", None),
    ('{"a": NaN}', None),
    ('{"a": "\n"}', None),
    ("\u00a0", None),
    ('{"a": "\ud800"}', None),
    ('{"a":' + "[" * 100_000, None),
    ('{"a":' * 5000 + "1" + "}" * 5000, None),
]


@pytest.mark.parametrize(("fragment", "arguments"), ARGUMENTS, ids=lambda value: ascii(value)[:30])
@pytest.mark.promise("P8")
def test_arguments_are_a_strict_json_object_or_nothing(fragment, arguments):
    assert parse_arguments(fragment) == arguments


@given(st.text())
@example("{")
@example('{"a":1}')
@pytest.mark.promise("P8")
def test_arguments_of_any_text_are_an_object_or_refused(text):
    arguments = parse_arguments(text)
    assert arguments is None or isinstance(arguments, dict)


@pytest.mark.promise("P8")
def test_a_garbled_call_is_never_released_and_keeps_its_text():
    assembly = assembled(*call('{"a": 1', 0), *call('{"b": 2}', 1), RELEASED)
    garbled = IncompleteCall("f", "c", '{"a": 1')
    assert assembly.garbled == assembly.incomplete == (garbled,)
    assert assembly.ready == (ToolCallReady(ToolCall("c", "f", {"b": 2}), 1),)


@pytest.mark.promise("P9")
def test_calls_that_may_not_run_stay_readable_in_order():
    assembly = assembled(*call('{"b": 2}', 1), *call('{"x', 0), *call('{"c"', 2, ended=False), WITHHELD)
    fragments = [incomplete.fragment for incomplete in assembly.incomplete]
    assert fragments == ['{"x', '{"b":2}', '{"c"']
    assert assembly.parts == assembly.ready == ()


# -- deltas that contradict what came before

CONTRADICTIONS = [
    ((TextDelta("kept"),), ThinkingDelta("x")),
    ((ThinkingDelta("kept"),), TextDelta("x")),
    ((TextDelta("kept"),), ToolCallDelta("{")),
    ((TextDelta("kept"),), ToolCallStarted("f", "c")),
    ((TextDelta("kept"), PartEnded(0)), TextDelta("x")),
    ((TextDelta("kept"), PartEnded(0)), SignatureDelta("x")),
    ((TextDelta("kept"), PartEnded(0)), CitationDelta({})),
    ((TextDelta("kept"), PartEnded(0)), ToolCallStarted("f", "c")),
    ((TextDelta("kept"), PartEnded(0)), PartEnded(0, Text("other"))),
    ((TextDelta("kept", 1),), ToolCallDelta("{}", 0)),
    ((TextDelta("kept", 1), *call("{}", 0, ended=False)), TextDelta("x", 0)),
    ((TextDelta("kept", 1), *call("{}", 0, ended=False)), ToolCallStarted("g", "d", 0)),
    ((TextDelta("kept", 1), *call("{", 0)), ToolCallStarted("g", "d", 0)),
]


@pytest.mark.parametrize(("before", "contradiction"), CONTRADICTIONS)
@pytest.mark.promise("P6")
def test_a_contradicting_delta_is_malformed_and_overwrites_nothing(before, contradiction):
    assembly = assembled(*before)
    parts, calls, progress = assembly.parts, assembly.incomplete, assembly.progress
    with pytest.raises(MalformedError, match=r"^(part|arguments for part) \d"):
        assembly.add(contradiction)
    assert [part.text for part in parts] == ["kept"]
    assert (assembly.parts, assembly.incomplete, assembly.progress) == (parts, calls, progress)
