"""Lines as Claude Code writes them, small; the shapes are those of the real program."""

import json

from actors.deltas import Restarted
from actors.policy.assemble import Assembly
from actors.wire.claude_code import DIALECT

INIT = {"type": "system", "subtype": "init", "session_id": "s1", "model": "claude-a", "tools": []}


def event(kind, parent=None, **fields):
    return {"type": "stream_event", "event": {"type": kind, **fields}, "parent_tool_use_id": parent}


def start(message="m1", **usage):
    shell = {"id": message, "type": "message", "role": "assistant", "model": "claude-a", "content": []}
    return event("message_start", message=shell | {"stop_reason": None, "usage": {"input_tokens": 3, **usage}})


def block(index=0, kind="text", **fields):
    return event("content_block_start", index=index, content_block={"type": kind, **fields})


def text(words, index=0):
    return event("content_block_delta", index=index, delta={"type": "text_delta", "text": words})


def thought(words, index=0):
    return event("content_block_delta", index=index, delta={"type": "thinking_delta", "thinking": words})


def argument(fragment, index=0):
    return event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": fragment})


def stop(index=0):
    return event("content_block_stop", index=index)


def ending(reason="end_turn", output=5):
    return event("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": output})


MESSAGE_STOP = event("message_stop")


def said(*blocks, message="m1", model="claude-a", **fields):
    blocks = [{"type": "text", "text": one} if isinstance(one, str) else one for one in blocks]
    whole = {"id": message, "type": "message", "role": "assistant", "model": model, "content": blocks}
    usage = {"input_tokens": 3, "output_tokens": 1}
    return {"type": "assistant", "message": whole | {"usage": usage}, "parent_tool_use_id": None, **fields}


def synthetic(words, error):
    return said(words, message="local", model="<synthetic>", error=error)


def answered(call, content="ok"):
    told = {"type": "tool_result", "tool_use_id": call, "content": content}
    return {"type": "user", "message": {"role": "user", "content": [told]}, "parent_tool_use_id": None}


def retry(error="overloaded", status=529, attempt=1, most=2, wait=1500.0):
    counts = {"attempt": attempt, "max_retries": most, "retry_delay_ms": wait}
    return {"type": "system", "subtype": "api_retry", **counts, "error_status": status, "error": error}


def result(words="", **fields):
    usual = {
        "subtype": "success",
        "is_error": False,
        "result": words,
        "stop_reason": "end_turn",
        "total_cost_usd": 0.25,
    }
    return {"type": "result", **usual, "usage": {"input_tokens": 30, "output_tokens": 40}, **fields}


def streamed(words, message="m1"):
    """A message of one text, in events and whole, as the program says it."""
    return [start(message), block(text=""), *map(text, words), said("".join(words), message=message), stop()]


def whole_message(words, message="m1"):
    return [*streamed(words, message), ending(), MESSAGE_STOP]


def written(*lines):
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def read(*lines):
    """The deltas in a run of these lines, and its reader."""
    reader = DIALECT.reader()
    deltas = reader.feed(written(*lines))
    return [*deltas, *reader.close()], reader


def restarts(deltas):
    return [(delta.reason, delta.index) for delta in deltas if isinstance(delta, Restarted)]


def folded(deltas):
    assembly = Assembly()
    for delta in deltas:
        assembly.add(delta)
    return assembly


def parts(*lines):
    deltas, reader = read(INIT, *lines, result())
    assert reader.finished
    return folded(deltas).parts
