"""Every recorded answer of generateContent, Gemini API and Vertex, against a naive reader that shares no code with the product."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st
from naive_gemini import Naive, flat, naive_stream
from wire_corpus import ABSENT, SEEDS, Table, body, records, slices
from wire_fold import drive, ending, fold

from actors.messages import Foreign, Image
from actors.wire.gemini import DIALECT

pytestmark = ABSENT

APIS = {"streamGenerateContent", "streamGenerateContent(vertex)"}
STREAMS = {
    "read": 88,
    "failed as recorded (truncated)": 4,  # the golden files that have no finish reason
    "failed as recorded (refused 499 CANCELLED)": 1,
}
REPLIES = {
    "finished by STOP": 242,
    "finished by SAFETY": 3,
    "finished by MAX_TOKENS": 2,
    "finished by OTHER": 1,
    "finished by ": 2,  # a blocked prompt, with a message and no reason
}
ERRORS = {
    "refused": 54,
    "refused, and when to ask again": 15,
    "refused, a body with a comma too many": 1,
}


def compare(naive, told):
    assert told.text == naive.text
    assert told.thinking == naive.thinking
    assert [(name, flat(json.loads(given))) for name, _, given in told.asked] == naive.calls
    assert len({call_id for _, call_id, _ in told.asked}) == len(naive.calls)
    assert [seal for _, seal in sorted(told.signatures.items())] == naive.seals
    assert [part for _, part in sorted(told.parts.items())] == [foreign(part) for part in naive.rest]
    if told.finish:
        assert told.finish.spelling == naive.reason
        assert told.finish.releases == (naive.reason == "STOP")
        thought = naive.usage.get("thoughtsTokenCount", 0)
        if told.usage:
            assert told.usage.output_tokens == naive.usage.get("candidatesTokenCount", 0) + thought
            assert told.usage.cache_read_tokens == naive.usage.get("cachedContentTokenCount", 0)


def foreign(part):
    inline = part.get("inlineData", {})
    if inline.get("mimeType", "").startswith("image/") and "thoughtSignature" not in part:
        return Image(inline["mimeType"], base64.b64decode(inline["data"]))
    return Foreign("gemini", next(name for name in part if not name.startswith("thought")), part)


def check_stream(record, seed):
    text = body(record)
    naive, octets = naive_stream(text), text.encode()
    whole, sliced = DIALECT.reader(), DIALECT.reader()
    deltas = drive(whole, [octets])
    compare(naive, fold(deltas))
    assert drive(sliced, slices(octets, seed)) == deltas
    assert ending(whole) == ending(sliced)
    assert ending(whole).split(" ", 1)[0] == naive.ending
    return "read" if naive.ending == "finished" else f"failed as recorded ({ending(whole)})"


@SEEDS
@given(seed=st.integers(0, 2**32))
def test_recorded_streams_say_what_a_naive_reader_finds_in_any_slicing(seed):
    found = records("gemini", "stream", APIS)
    table = Table(found)
    for record in found:
        table.enter(record, check_stream(record, seed))
    assert table.rows == STREAMS


def test_recorded_replies_in_one_piece_say_what_a_naive_reader_finds():
    found = records("gemini", "buffered")
    table = Table(found)
    for record in found:
        naive = Naive()
        naive.response(json.loads(body(record)))
        compare(naive, fold(DIALECT.read_reply(body(record).encode())))
        table.enter(record, f"finished by {naive.reason}")
    assert table.rows == REPLIES


def test_recorded_errors_say_their_status_code_and_wait():
    found = records("gemini", "error")
    table = Table(found)
    for record in found:
        refused = DIALECT.read_error(record["status"], {}, body(record).encode())
        try:
            told = json.loads(body(record))
        except ValueError:
            assert refused.message.startswith("[")
            table.enter(record, "refused, a body with a comma too many")
            continue
        error = told["error"]
        details = error.get("details", [])
        assert (refused.status, refused.kind, refused.message) == (record["status"], error["status"], error["message"])
        waits = [detail["retryDelay"] for detail in details if detail["@type"].endswith("RetryInfo")]
        assert refused.retry_after == (float(waits[0][:-1]) if waits else None)
        reasons = [detail["reason"] for detail in details if detail["@type"].endswith("ErrorInfo")]
        assert not reasons or refused.code.split(",")[0] == reasons[0], "the reason comes first, quotas behind it"
        table.enter(record, "refused, and when to ask again" if waits else "refused")
    assert table.rows == ERRORS
