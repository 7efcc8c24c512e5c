"""Responses from a server that names its items and does not number them: recorded from llama.cpp, ids shortened."""

import json

import pytest
from wire_fold import drive, fold

from actors.deltas import FinishReason, Usage
from actors.source import MalformedError
from actors.wire.openai_responses import DIALECT

SPOKEN = r"""
{"type":"response.created","response":{"id":"resp_k","object":"response","status":"in_progress"}}
{"type":"response.in_progress","response":{"id":"resp_k","object":"response","status":"in_progress"}}
{"type":"response.output_item.added","item":{"content":[],"id":"msg_v","role":"assistant","status":"in_progress","type":"message"}}
{"type":"response.content_part.added","item_id":"msg_v","part":{"type":"output_text","text":""}}
{"type":"response.output_text.delta","item_id":"msg_v","delta":"G"}
{"type":"response.output_text.delta","item_id":"msg_v","delta":"reet"}
{"type":"response.output_text.delta","item_id":"msg_v","delta":"ings"}
{"type":"response.output_text.done","item_id":"msg_v","text":"Greetings"}
{"type":"response.content_part.done","item_id":"msg_v","part":{"type":"output_text","annotations":[],"logprobs":[],"text":"Greetings"}}
{"type":"response.output_item.done","item":{"type":"message","status":"completed","id":"msg_v","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Greetings"}],"role":"assistant"}}
{"type":"response.completed","response":{"id":"resp_k","object":"response","created_at":1795474826,"status":"completed","model":"smol","output":[{"type":"message","status":"completed","id":"msg_v","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Greetings"}],"role":"assistant"}],"usage":{"input_tokens":32,"output_tokens":3,"total_tokens":35,"input_tokens_details":{"cached_tokens":24}}},"timings":{"cache_n":24,"prompt_n":8,"predicted_n":3}}
"""
RECORDED = [json.loads(line) for line in SPOKEN.strip().splitlines()]
NEW, MORE, DONE = "response.output_item.added", "response.function_call_arguments.delta", "response.output_item.done"


def read(events):
    reader = DIALECT.reader()
    octets = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
    return fold(drive(reader, [octets])), reader


def test_a_recorded_answer_whose_items_have_names_alone_is_read_whole():
    told, reader = read(RECORDED)
    assert (told.text, told.finish.reason) == ("Greetings", FinishReason.STOP)
    assert told.usage == Usage(input_tokens=8, output_tokens=3, cache_read_tokens=24)
    assert reader.finished


@pytest.mark.parametrize("named", ["id", "call_id"])
def test_calls_with_names_alone_are_told_apart(named):
    """Some versions of the server give a call no `id` but name it by its `call_id`."""
    calls = [{"type": "function_call", "name": name, named: name} for name in ("weather", "now")]
    more = [("now", '{"a"'), ("weather", "{"), ("now", ":1}"), ("weather", "}")]
    told, _ = read(
        [
            *RECORDED[:2],
            *({"type": NEW, "item": call | {"arguments": ""}} for call in calls),
            *({"type": MORE, "item_id": name, "delta": fragment} for name, fragment in more),
            *({"type": DONE, "item": call} for call in reversed(calls)),
            RECORDED[-1],
        ]
    )
    assert [(name, arguments) for name, _, arguments in told.asked] == [("weather", "{}"), ("now", '{"a":1}')]


@pytest.mark.parametrize("name", ["msg_x", ""])
def test_more_of_an_item_nobody_began_is_a_fault(name):
    _, reader = read([*RECORDED[:4], {"type": "response.output_text.delta", "item_id": name, "delta": "?"}])
    assert isinstance(reader.fault, MalformedError)
