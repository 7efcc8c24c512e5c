"""Every recorded answer of Anthropic Messages against a naive reader that shares no code with the product."""

import json

from hypothesis import given
from hypothesis import strategies as st
from naive_anthropic import Naive, answers, naive_stream
from wire_corpus import ABSENT, SEEDS, Table, body, records, slices
from wire_fold import drive, ending, fault_word, fold, hosted, redacted

from actors.messages import Foreign
from actors.wire.anthropic import DIALECT

pytestmark = ABSENT

STREAMS = {
    "read": 121,
    "failed as recorded (refused 529 overloaded_error)": 3,
    "failed as recorded (malformed)": 1,  # a second message is spliced into the first
}
ERRORS = {
    "refused 400": 19,
    "refused 401": 4,
    "refused 404": 6,
    "refused 429": 8,
    "refused 500": 1,
    "refused 529": 1,
}
OURS = ("text", "thinking", "tool_use", "server_tool_use", "mcp_tool_use", "redacted_thinking")


def compare(naive, told):
    assert told.text == "".join(block["text"] for block in naive.of("text"))
    assert told.thinking == "".join(block["thinking"] for block in naive.of("thinking"))
    assert redacted(told) == [block["data"] for block in naive.of("redacted_thinking")]
    for index, block in naive.blocks.items():
        compare_block(index, block, told)
    closed = [
        (*told.calls[index], json.loads(told.arguments.get(index) or "{}"))
        for index in told.closed
        if index in told.calls
    ]
    assert closed == naive.calls("tool_use", "server_tool_use", "mcp_tool_use")
    assert [(call.name, call.id, call.arguments) for call in hosted(told)] == naive.calls(
        "server_tool_use", "mcp_tool_use"
    )
    if naive.id is not None:
        assert (told.id, told.model) == (naive.id, naive.model)
        assert naive.usage.items() <= {name: getattr(told.usage, name) for name in told.usage.__struct_fields__}.items()


def compare_block(index, block, told):
    if block["type"] not in OURS:
        assert told.parts[index] == Foreign(
            "anthropic", block["type"], {k: v for k, v in block.items() if k != "given"}
        )
    if block["type"] == "text":
        assert told.citations.get(index, []) == (block.get("citations") or [])
    if block["type"] == "thinking":
        assert told.signatures.get(index, "") == block.get("signature", "")
    if block["type"] == "tool_use" and block.get("caller", {}).get("type", "direct") != "direct":
        assert json.loads(told.signatures[index]) == {"caller": block["caller"]}


def check_stream(record, seed):
    """Read one recording whole and sliced; returns what became of it."""
    endings = []
    for text in answers(record):
        naive, octets = naive_stream(text), text.encode()
        whole, sliced = DIALECT.reader(), DIALECT.reader()
        told = fold(drive(whole, [octets]))
        compare(naive, told)
        compare(naive, fold(drive(sliced, slices(octets, seed))))
        assert ending(whole) == ending(sliced) == naive.ending
        assert (told.finish.spelling if told.finish else None) == (naive.stop if naive.ending == "finished" else None)
        assert not told.finish or told.finish.releases == (naive.stop == "tool_use")
        endings.append(naive.ending)
    return "read" if set(endings) == {"finished"} else f"failed as recorded ({', '.join(endings)})"


@SEEDS
@given(st.integers(0, 2**32))
def test_recorded_streams_say_what_a_naive_reader_finds_in_any_slicing(seed):
    found = records("anthropic", "stream")
    table = Table(found)
    for record in found:
        table.enter(record, check_stream(record, seed))
    assert table.rows == STREAMS


def test_recorded_replies_in_one_piece_say_what_a_naive_reader_finds():
    found = records("anthropic", "buffered")
    table = Table(found)
    for record in found:
        naive = Naive()
        naive.message(json.loads(body(record)))
        told = fold(DIALECT.read_reply(body(record).encode()))
        compare(naive, told)
        assert told.finish.spelling == naive.stop
        table.enter(record, "read")
    assert table.rows == {"read": 250}


def test_recorded_errors_say_their_status_type_message_and_wait():
    found = records("anthropic", "error")
    table = Table(found)
    for record in found:
        headers = {name.lower(): value for name, value in record["response_headers"].items()}
        refused = DIALECT.read_error(record["status"], headers, body(record).encode())
        error = json.loads(body(record))["error"]
        assert fault_word(refused) == f"refused {record['status']} {error['type']}"
        assert (refused.message, refused.in_stream) == (error["message"], False)
        assert refused.headers.items() >= headers.items()
        assert ("request-id" in refused.headers) == (
            "request-id" in headers or "request_id" in json.loads(body(record))
        )
        assert refused.retry_after == (float(headers["retry-after"]) if "retry-after" in headers else None)
        table.enter(record, f"refused {record['status']}")
    assert table.rows == ERRORS
