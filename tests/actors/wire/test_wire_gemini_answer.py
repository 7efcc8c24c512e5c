"""generateContent: what is read, and what must not be believed."""

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
from actors.messages import Foreign, Image
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire.gemini import DIALECT


def sse(*responses, end="\r\n\r\n"):
    return "".join(f"data: {json.dumps(response)}{end}" for response in responses).encode()


def says(*parts, reason=None, **fields):
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    candidate |= {"finishReason": reason} if reason else {}
    return {"candidates": [candidate | fields], "responseId": "r1", "modelVersion": "gemini-x"}


def call(**fields):
    return {"functionCall": fields}


BILL = {
    "usageMetadata": {
        "promptTokenCount": 10,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2,
        "toolUsePromptTokenCount": 1,
    }
}
TEXT = (says({"text": "Grüße"}), says({"text": " 👋"}), says({"text": ""}, reason="STOP") | BILL)
WORK = (
    says({"text": "Hm", "thought": True}),
    says({"text": "so"}, {"functionCall": {"name": "look", "args": {"at": 1}}, "thoughtSignature": "Ab=="}),
    says({"functionCall": {"name": "look", "args": {}, "id": "own"}}, {"executableCode": {"code": "1"}}),
    says({"text": "", "thoughtSignature": "Cd=="}, reason="STOP"),
)
RECORDINGS = {"text": sse(*TEXT), "work": sse(*WORK)}
COUNTED = UsageDelta(Usage(7, 5, 4, 0, 2))


def read(octets):
    reader = DIALECT.reader()
    return drive(reader, [octets]), reader


def told(*responses):
    return fold(read(sse(*responses))[0])


def test_text_is_one_part_and_the_end_of_the_bytes_is_the_end():
    reader = DIALECT.reader()
    assert reader.feed(RECORDINGS["text"]) == [
        ResponseStarted("r1", "gemini-x"),
        TextDelta("Grüße"),
        TextDelta(" 👋"),
        COUNTED,
    ]
    assert not reader.finished
    assert reader.close() == [PartEnded(0), Finished(Finish(FinishReason.STOP, "STOP", releases=True))]
    assert reader.finished


def test_thinking_calls_foreign_parts_and_seals_keep_their_order():
    assert read(RECORDINGS["work"])[0] == [
        ResponseStarted("r1", "gemini-x"),
        ThinkingDelta("Hm", 0),
        PartEnded(0),
        TextDelta("so", 1),
        PartEnded(1),
        ToolCallStarted("look", "r1-2", 2),
        SignatureDelta("gemini:Ab==", 2),
        ToolCallDelta('{"at":1}', 2),
        PartEnded(2),
        ToolCallStarted("look", "own", 3),
        ToolCallDelta("{}", 3),
        PartEnded(3),
        PartEnded(4, Foreign("gemini", "executableCode", {"executableCode": {"code": "1"}})),
        SignatureDelta("gemini:Cd==", 5),
        PartEnded(5),
        Finished(Finish(FinishReason.TOOL_CALLS, "STOP", releases=True)),
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
        assert isinstance(reader.fault, TruncatedError), octets[:at]
        assert deltas == whole[: len(deltas)]


def test_line_feeds_alone_and_a_missing_last_line_end_are_read_too():
    assert read(sse(*TEXT, end="\n\n").rstrip())[0] == read(RECORDINGS["text"])[0]


def test_what_comes_after_a_finish_reason_belongs_to_the_answer_and_the_last_reason_counts():
    heard = told(says(reason="STOP"), says({"text": "late"}, reason="STOP"), says(reason="RECITATION"))
    assert (heard.text, heard.finish) == ("late", Finish(FinishReason.REFUSAL, "RECITATION"))


@pytest.mark.parametrize(
    ("spelling", "reason", "releases"),
    [
        ("STOP", FinishReason.STOP, True),
        ("MAX_TOKENS", FinishReason.LENGTH, False),
        ("SAFETY", FinishReason.REFUSAL, False),
        ("MALFORMED_FUNCTION_CALL", FinishReason.MALFORMED_CALL, False),
        ("OTHER", FinishReason.OTHER, False),
        ("FAKE_ENUM", FinishReason.OTHER, False),
    ],
)
@pytest.mark.row("A30")
def test_each_finish_reason_keeps_its_spelling_and_only_stop_releases(spelling, reason, releases):
    heard = told(says({"text": "a"}), says(reason=spelling, finishMessage="why"))
    assert heard.finish == Finish(reason, spelling, "why", releases)


def test_an_unspecified_finish_reason_is_none():
    assert isinstance(read(sse(says({"text": "a"}, reason="FINISH_REASON_UNSPECIFIED")))[1].fault, TruncatedError)


def test_a_blocked_prompt_is_a_refusal():
    blocked = {"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "No"}}
    for responses in ((blocked,), (says({"text": "a"}), blocked)):
        assert told(*responses).finish == Finish(FinishReason.REFUSAL, "SAFETY", "No")
    assert (
        told(says({"text": "a"}, reason="STOP") | {"promptFeedback": {"safetyRatings": []}}).finish.spelling == "STOP"
    )


@pytest.mark.row("C10")
def test_two_calls_of_one_tool_have_ids_of_their_own():
    heard = told(says(call(name="look", args={}), call(name="look", args={}), reason="STOP"))
    assert [id_ for _, id_, _ in heard.asked] == ["r1-0", "r1-1"]


def test_arguments_that_come_value_by_value_become_one_object():
    pieces = [
        call(name="look", willContinue=True),
        call(partialArgs=[{"jsonPath": "$.at.where", "stringValue": "sk", "willContinue": True}], willContinue=True),
        call(partialArgs=[{"jsonPath": "$.at.where", "stringValue": "y"}], willContinue=True),
        call(
            partialArgs=[
                {"jsonPath": "$.list[0].n", "numberValue": 1.5},
                {"jsonPath": "$.list[1]", "nullValue": "NULL_VALUE"},
            ],
            willContinue=True,
        ),
        call(partialArgs=[{"jsonPath": "$['a b']", "boolValue": True}], willContinue=True),
        call(),
    ]
    heard = told(*(says(piece) for piece in pieces), says(reason="STOP"))
    [(name, _, given_)] = heard.asked
    assert (name, json.loads(given_)) == ("look", {"at": {"where": "sky"}, "list": [{"n": 1.5}, None], "a b": True})


@pytest.mark.promise("P7")
def test_arguments_that_never_end_are_truncated():
    octets = sse(says(call(name="look", willContinue=True)), says(reason="STOP"))
    assert isinstance(read(octets)[1].fault, TruncatedError)


MALFORMED = {
    "cut JSON": b"data: {\r\n\r\n",
    "no object": b"data: 1\r\n\r\n",
    "no parts": sse({"candidates": [{"content": {"parts": "x"}}]}),
    "a text that is none": sse(says({"text": 5})),
    "arguments without a name": sse(says(call(args={}))),
    "a call within a call": sse(says(call(name="a", willContinue=True), call(name="b"))),
    "a place that is no path": sse(says(call(name="a", partialArgs=[{"jsonPath": "$..x", "stringValue": "y"}]))),
    "a place beyond the list": sse(says(call(name="a", partialArgs=[{"jsonPath": "$.x[7]", "stringValue": "y"}]))),
    "a place in a text": sse(
        says(call(name="a", args={"x": "y"}, partialArgs=[{"jsonPath": "$.x.y", "stringValue": "y"}]))
    ),
    "a page": b"<html>\n</html>\n\n",
}


@pytest.mark.promise("P6")
@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_is_malformed(octets):
    assert isinstance(read(sse(TEXT[0]) + octets + sse(*TEXT))[1].fault, MalformedError)


def test_images_citations_and_grounding_of_the_model_are_parts_of_the_answer():
    inline = {"inlineData": {"mimeType": "image/png", "data": "eHg="}}
    sealed, sound = inline | {"thoughtSignature": "S"}, {"inlineData": {"mimeType": "audio/wav", "data": "eHg="}}
    cited = {"citationMetadata": {"citations": [{"uri": "x"}]}, "groundingMetadata": {"chunks": 1}}
    deltas, _ = read(sse(says(inline, sealed, sound), says({"text": "a"}, **cited), says(reason="STOP")))
    assert fold(deltas).parts == {
        0: Image("image/png", b"xx"),
        1: Foreign("gemini", "inlineData", sealed),
        2: Foreign("gemini", "inlineData", sound),
    }
    assert CitationDelta({"uri": "x"}, 3) in deltas
    assert CitationDelta({"groundingMetadata": {"chunks": 1}}, 3) in deltas


DETAILS = [
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"},
    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerDay"}]},
]
ERROR = {"error": {"code": 429, "message": "Slow", "status": "RESOURCE_EXHAUSTED", "details": DETAILS}}


@pytest.mark.parametrize(
    "octets",
    [
        sse(ERROR),
        json.dumps(ERROR, indent=2).encode(),
        json.dumps([ERROR]).encode(),
        json.dumps(ERROR).encode() + b"\r\n\r\n",
    ],
    ids=["an event", "bare in several lines", "bare in an array", "bare in one line"],
)
@pytest.mark.row("C9")
def test_an_error_within_the_answer_is_a_refusal_behind_the_text_before_it(octets):
    deltas, reader = read(sse(TEXT[0]) + octets)
    assert fold(deltas).text == "Grüße"
    fault = reader.fault
    assert isinstance(fault, RefusedError)
    assert (fault.status, fault.kind, fault.code, fault.retry_after) == (429, "RESOURCE_EXHAUSTED", "PerDay", 17.5)
    assert fault.in_stream


@pytest.mark.row("C9")
def test_an_error_of_its_own_status_has_its_details_too():
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    told_ = {"error": {"code": 400, "message": "No", "status": "INVALID_ARGUMENT", "details": [info]}}
    refused = DIALECT.read_error(400, {}, json.dumps(told_).encode())
    assert (refused.status, refused.kind, refused.code, refused.in_stream) == (
        400,
        "INVALID_ARGUMENT",
        "API_KEY_INVALID",
        False,
    )
    assert DIALECT.read_error(503, {"retry-after": "3"}, b"busy").retry_after == 3


@pytest.mark.parametrize("indent", [None, 2])
def test_the_array_form_and_the_buffered_form_say_what_the_events_say(indent):
    expected = read(RECORDINGS["work"])[0]
    array = json.dumps(WORK, indent=indent).encode()
    assert read(array.replace(b"\n", b"\r\n"))[0] == expected
    assert DIALECT.read_reply(array) == expected
    whole = DIALECT.read_reply(json.dumps(says({"text": "Grüße 👋"}, reason="STOP") | BILL).encode())
    assert (fold(whole).text, fold(whole).usage) == ("Grüße 👋", COUNTED.usage)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (b"", "malformed"),
        (b"1", "malformed"),
        (b"{}", "truncated"),
        (b"[]", "truncated"),
        (json.dumps(says({"text": "a"})).encode(), "truncated"),
        (json.dumps(ERROR).encode(), "refused 429 RESOURCE_EXHAUSTED"),
    ],
)
@pytest.mark.row("C9")
def test_a_reply_that_is_no_finished_response_is_raised(reply, word):
    with pytest.raises((MalformedError, TruncatedError, RefusedError)) as caught:
        DIALECT.read_reply(reply)
    assert fault_word(caught.value) == word


@pytest.mark.parametrize(
    ("number", "spelling"), [(1, "STOP"), (2, "MAX_TOKENS"), (99, "99"), (-7, "-7"), (-(2**40), "-1099511627776")]
)
def test_a_finish_reason_by_number_is_named_or_kept(number, spelling):
    deltas = DIALECT.read_reply(json.dumps({"candidates": [{"finishReason": number}]}).encode())
    assert deltas[-1].finish.spelling == spelling
