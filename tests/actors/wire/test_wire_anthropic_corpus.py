"""Every recorded answer of Anthropic Messages against a naive reader that shares no code with the product."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from wire_corpus import ABSENT, SEEDS, Table, body, records, slices
from wire_fold import drive, ending, fault_word, fold, hosted, redacted

from actors.messages import Foreign
from actors.wire.anthropic import DIALECT

pytestmark = ABSENT

STATUS = {"overloaded_error": 529, "api_error": 500, "rate_limit_error": 429}
COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}
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


class Naive:
    """What an answer says, read the plain way."""

    def __init__(self):
        self.id = self.stop = None
        self.blocks, self.open = {}, set()
        self.usage = {}
        self.ending = "truncated"

    def message(self, message):
        self.id, self.model = message["id"], message["model"]
        self.blocks = dict(enumerate(message["content"]))
        self.count(message["usage"])
        self.stop = message["stop_reason"]

    def count(self, usage):
        self.usage |= {ours: usage[theirs] for theirs, ours in COUNTS.items() if usage.get(theirs) is not None}
        if details := usage.get("output_tokens_details"):
            self.usage["reasoning_tokens"] = details["thinking_tokens"]

    def event(self, event):
        """Returns whether the answer goes on."""
        match event["type"]:
            case "error":
                kind = event["error"]["type"]
                self.ending = f"refused {STATUS[kind]} {kind}"
                return False
            case "message_start" if self.id not in (None, event["message"]["id"]):
                self.ending = "malformed"
                return False
            case "message_start":
                self.message(event["message"])
            case "content_block_start":
                self.blocks[event["index"]] = event["content_block"] | {"given": ""}
                self.open.add(event["index"])
            case "content_block_delta":
                self.grow(self.blocks[event["index"]], event["delta"])
            case "content_block_stop":
                self.open.remove(event["index"])
            case "message_delta":
                self.stop = event["delta"]["stop_reason"] or self.stop
                self.count(event.get("usage", {}))
            case "message_stop":
                self.ending = "finished" if self.stop and (not self.open or self.stop == "max_tokens") else "truncated"
                return False
        return True

    @staticmethod
    def grow(block, delta):
        for name, value in delta.items():
            if name == "partial_json":
                block["given"] += value
            elif name == "citation":
                block["citations"] = [*block.get("citations", []), value]
            elif name != "type":
                block[name] = (block.get(name) or "") + value

    def of(self, *kinds):
        return [block for _, block in sorted(self.blocks.items()) if block["type"] in kinds]

    def calls(self, *kinds):
        return [
            (block["name"], block["id"], json.loads(block["given"]) if block.get("given") else block["input"])
            for index, block in sorted(self.blocks.items())
            if block["type"] in kinds and index not in self.open
        ]


def answers(record):
    """The answers in a recording; some recorders joined the steps of one conversation."""
    text = body(record)
    steps = re.findall(r".*?event: message_stop\ndata: [^\n]*\n\n", text, re.DOTALL)
    return steps if len(steps) > 1 else [text]


def naive_stream(text):
    naive = Naive()
    for event in text.replace("\r\n", "\n").split("\n\n"):
        for line in event.split("\n"):
            if line.startswith("data:") and not naive.event(json.loads(line[5:])):
                return naive
    return naive


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
        assert (refused.message, refused.headers, refused.in_stream) == (error["message"], headers, False)
        assert refused.retry_after == (float(headers["retry-after"]) if "retry-after" in headers else None)
        table.enter(record, f"refused {record['status']}")
    assert table.rows == ERRORS
