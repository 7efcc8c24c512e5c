"""Every recorded answer of Responses, of OpenAI and of compatible servers, against a naive reader that shares no code with the product."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_openai_responses import Naive, item_text, naive_stream
from wire_corpus import ABSENT, SEEDS, Table, body, records, slices
from wire_fold import drive, ending, fold

from actors.messages import Foreign
from actors.wire.openai_responses import DIALECT

pytestmark = ABSENT

STREAMS = {
    "openai": {
        "read": 120,
        "failed as recorded (refused 429 insufficient_quota)": 1,
        "failed as recorded (refused 429 rate_limit_exceeded)": 1,
        "failed as recorded (malformed)": 3,  # one is no JSON, two lack words that their texts end with
        "left out: the recorder filed a chat completion under Responses": 1,
    },
    "compat": {"read": 20},
}
WHOLE = {"openai": {"read": 120, "no whole response": 6}, "compat": {"read": 20}}
LEFT_OUT = {"openai/00833": "the recorder filed a chat completion under Responses"}
OURS = ("message", "reasoning", "function_call")


def compare(naive, told):
    assert told.text == item_text(naive)
    if naive.words:
        assert told.text == "".join(naive.words.get("output", []) + naive.words.get("refusal.delta", []))
        assert told.thinking.replace("\n\n", "") == "".join(naive.words.get("reasoning", [])).replace("\n\n", "")
    else:
        summaries = [
            piece["text"] for item in naive.of("reasoning") for piece in item["summary"] or item.get("content", [])
        ]
        assert told.thinking.replace("\n\n", "") == "".join(summaries).replace("\n\n", "")
    assert told.asked == [(call["name"], call["call_id"], call["arguments"]) for call in naive.of("function_call")]
    foreign = [item for _, item in sorted(naive.items.items()) if item["type"] not in OURS]
    assert [part for _, part in sorted(told.parts.items())] == [
        Foreign("openai", item["type"], item) for item in foreign
    ]
    sealed = [json.loads(signature) for index, signature in told.signatures.items() if index not in told.calls]
    assert [one.get("encrypted_content") for one in sealed] == [
        item.get("encrypted_content") for item in naive.of("reasoning")
    ]
    if naive.response:
        compare_end(naive.response, told)


def compare_end(response, told):
    details = response.get("incomplete_details") or {}
    assert told.finish.spelling == details.get("reason", response["status"])
    usage = response["usage"]
    if usage:
        assert told.usage.input_tokens + told.usage.cache_read_tokens == usage["input_tokens"]
        assert told.usage.output_tokens == usage["output_tokens"]
        assert told.usage.reasoning_tokens == usage["output_tokens_details"]["reasoning_tokens"]


def check_stream(record, seed):
    if record["id"] in LEFT_OUT:
        return f"left out: {LEFT_OUT[record['id']]}"
    text = body(record)
    naive, octets = naive_stream(text), text.encode()
    whole, sliced = DIALECT.reader(), DIALECT.reader()
    deltas = drive(whole, [octets])
    assert drive(sliced, slices(octets, seed)) == deltas
    assert ending(whole) == ending(sliced)
    assert ending(whole).split(" ", 1)[0] == naive.ending
    told = fold(deltas)
    if naive.ending == "finished":
        compare(naive, told)
        return "read"
    if naive.ending == "malformed":
        assert told.text == "".join(naive.words.get("output", []))
    return f"failed as recorded ({ending(whole)})"


@pytest.mark.parametrize("name", ["openai", "compat"])
@SEEDS
@given(seed=st.integers(0, 2**32))
def test_recorded_streams_say_what_a_naive_reader_finds_in_any_slicing(name, seed):
    found = records(name, "stream", {"responses"})
    table = Table(found)
    for record in found:
        table.enter(record, check_stream(record, seed))
    assert table.rows == STREAMS[name]


@pytest.mark.parametrize("name", ["openai", "compat"])
def test_the_last_event_of_each_recording_read_in_one_piece_says_the_same(name):
    found = records(name, "stream", {"responses"})
    table = Table(found)
    for record in found:
        naive = naive_stream(body(record)) if record["id"] not in LEFT_OUT else Naive()
        if naive.response is None:
            table.enter(record, "no whole response")
            continue
        naive.words, naive.items = {}, dict(enumerate(naive.response.get("output", [])))
        compare(naive, fold(DIALECT.read_reply(json.dumps(naive.response).encode())))
        table.enter(record, "read")
    assert table.rows == WHOLE[name]
