"""Every recorded chat completion, of OpenAI and of compatible servers, against a naive reader that shares no code with the product."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_openai_chat import Naive, naive_stream
from wire_corpus import ABSENT, SEEDS, Table, body, records, slices
from wire_fold import drive, ending, fold

from actors.wire.openai_chat import DIALECT

pytestmark = ABSENT

APIS = {"chat.completions"}


STREAMS = {
    "openai": {"read": 132, "failed as recorded (refused 500 server_error)": 1},
    "compat": {
        "read": 116,
        "failed as recorded (refused 400 invalid_request_error)": 7,
        "failed as recorded (refused 400)": 1,
        "failed as recorded (refused 500)": 2,
    },
}


def compare(naive, told):
    assert told.text == naive.text
    assert told.thinking == naive.thinking
    assert told.asked == [call for _, call in sorted(naive.calls.items()) if call[0]]
    if naive.usage and told.usage:
        compare_usage(naive.usage, told.usage)
    if told.finish:
        assert told.finish.spelling == (naive.reason or "")
        assert told.finish.releases == (
            naive.reason in {"stop", "tool_calls"} and told.finish.reason.value != "refusal"
        )
        assert sorted(told.closed) == list(range(len(told.closed)))


def compare_usage(given, told):
    prompt, details = given["prompt_tokens"], given.get("prompt_tokens_details") or {}
    assert told.input_tokens + told.cache_read_tokens + told.cache_write_tokens == prompt
    assert told.output_tokens == given["completion_tokens"]
    assert told.cache_read_tokens == (details.get("cached_tokens") or given.get("prompt_cache_hit_tokens") or 0)
    assert told.reasoning_tokens == ((given.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0)


def check_stream(record, seed):
    text = body(record)
    naive, octets = naive_stream(text), text.encode()
    whole, sliced = DIALECT.reader(), DIALECT.reader()
    deltas = drive(whole, [octets])
    told = fold(deltas)
    compare(naive, told)
    assert drive(sliced, slices(octets, seed)) == deltas
    assert ending(whole) == ending(sliced)
    assert ending(whole).split(" ", 1)[0] == naive.ending
    return "read" if naive.ending == "finished" else f"failed as recorded ({ending(whole)})"


@pytest.mark.parametrize("name", ["openai", "compat"])
@SEEDS
@given(seed=st.integers(0, 2**32))
def test_recorded_streams_say_what_a_naive_reader_finds_in_any_slicing(name, seed):
    found = records(name, "stream", APIS)
    table = Table(found)
    for record in found:
        table.enter(record, check_stream(record, seed))
    assert table.rows == STREAMS[name]


def test_recorded_replies_in_one_piece_say_what_a_naive_reader_finds():
    found = records("openai", "buffered", APIS)
    table = Table(found)
    for record in found:
        naive = Naive()
        naive.chunk(json.loads(body(record)))
        compare(naive, fold(DIALECT.read_reply(body(record).encode())))
        table.enter(record, "read")
    assert table.rows == {"read": 250}
