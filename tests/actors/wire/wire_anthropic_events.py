"""Small recordings of Anthropic's events, made for the tests."""

import json

from wire_fold import drive

from actors.deltas import Usage, UsageDelta
from actors.wire.anthropic import DIALECT


def sse(*events):
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def start(**fields):
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
    }
    usage = {"input_tokens": 7, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2, "output_tokens": 1}
    return {"type": "message_start", "message": message | {"usage": usage} | fields}


def opened(index, **block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index, kind, **fields):
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def closed(index):
    return {"type": "content_block_stop", "index": index}


def ended(reason, output=9, **fields):
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None} | fields,
        "usage": {"output_tokens": output},
    }


STOP = {"type": "message_stop"}
PING = {"type": "ping"}
TEXT = (
    opened(0, type="text", text=""),
    grown(0, "text_delta", text="Grüße 👋"),
    PING,
    grown(0, "text_delta", text="!"),
    closed(0),
)
THOUGHT = (
    opened(0, type="thinking", thinking="", signature=""),
    grown(0, "thinking_delta", thinking="Let me see"),
    grown(0, "signature_delta", signature="Ev=="),
    closed(0),
    opened(1, type="redacted_thinking", data="abc"),
    closed(1),
)
CALL = (
    opened(2, type="tool_use", id="toolu_1", name="look", input={}),
    grown(2, "input_json_delta", partial_json=""),
    grown(2, "input_json_delta", partial_json='{"at": '),
    grown(2, "input_json_delta", partial_json='"sky"}'),
    closed(2),
)
RECORDINGS = {
    "text": sse(start(), *TEXT, ended("end_turn"), STOP),
    "thinking and a call": sse(start(), *THOUGHT, *CALL, ended("tool_use"), STOP),
    "cited": sse(
        start(),
        opened(0, type="text", text="", citations=[]),
        grown(0, "citations_delta", citation={"type": "char_location", "cited_text": "x"}),
        grown(0, "text_delta", text="so"),
        closed(0),
        ended("max_tokens"),
        STOP,
    ),
}


def read(octets):
    reader = DIALECT.reader()
    return drive(reader, [octets]), reader


def usage(output=1):
    return UsageDelta(Usage(7, output, 3, 2))
