"""The smallest answer of each dialect, in bytes that servers might write it in, and what a reading of them comes to."""

import json

import test_wire_gemini_answer as gemini
import test_wire_openai_chat_answer as chat
import test_wire_openai_responses_answer as responses
import wire_anthropic_events as anthropic
import wire_claude_code_lines as claude
from wire_dialects import DIALECTS
from wire_fold import drive, ending

from actors.messages import Text
from actors.policy.assemble import Assembly

SAID = "Grüße 👋"
STREAMS = ("anthropic", "openai_chat", "openai_responses", "gemini")
"""The dialects of server-sent events."""

PLAIN = {
    "anthropic": [
        anthropic.start(),
        anthropic.opened(0, type="text", text=""),
        anthropic.grown(0, "text_delta", text=SAID),
        anthropic.closed(0),
        anthropic.ended("end_turn"),
        anthropic.STOP,
    ],
    "openai_chat": [chat.chunk(content=SAID), chat.chunk("stop"), "[DONE]"],
    "openai_responses": [
        responses.CREATED,
        responses.event("output_item.added", item={"id": "m", "type": "message", "content": []}),
        responses.event("output_text.delta", delta=SAID, content_index=0),
        responses.event("output_item.done", item=responses.message(SAID)),
        responses.stage("completed", "completed"),
    ],
    "gemini": [gemini.says({"text": SAID}), gemini.says({"text": ""}, reason="STOP")],
    "claude_code": [claude.INIT, *claude.whole_message([SAID]), claude.result(SAID)],
}
"""The smallest answer of each dialect; all say the same."""


def framed(dialect, events, end="\n", indent=None):
    """The events as bytes, each line ended so; indented JSON takes a `data` line for each of its own lines."""
    if dialect == "claude_code":
        return claude.written(*events).replace(b"\n", end.encode())
    lines = []
    for event in events:
        if isinstance(event, dict) and isinstance(event.get("type"), str):
            lines.append(f"event: {event['type']}")
        said = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False, indent=indent)
        lines += [*(f"data: {line}" for line in said.split("\n")), ""]
    return "".join(line + end for line in lines).encode()


def plain(dialect, *after, last=None):
    """The first events of the smallest answer, up to where its text was said, and what comes then."""
    return framed(dialect, PLAIN[dialect][:last]) + b"".join(after)


def begun(dialect, *after):
    """An answer whose text was said, its end not yet."""
    return plain(dialect, *after, last={"openai_chat": 1, "gemini": 1}.get(dialect, 3))


def seen(dialect, *pieces):
    """What these bytes come to: how the reading ended, the parts, the finish and the usage."""
    reader, assembly = DIALECTS[dialect].reader(), Assembly()
    for delta in drive(reader, pieces):
        assembly.add(delta)
    parts = assembly.parts
    return {
        "end": ending(reader),
        "parts": parts,
        "text": "".join(part.text for part in parts if isinstance(part, Text)),
        "finish": assembly.finish and assembly.finish.reason.value,
        "calls": [ready.call for ready in assembly.ready],
        "tokens": assembly.usage.output_tokens,
    }


WHOLE = {"end": "finished", "parts": (Text(SAID),), "finish": "stop"}


def error(dialect, fields, name=""):
    return (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(fields)}\n\n".encode()


def stranger(value):
    """The same JSON with a field nobody knows in every object."""
    if isinstance(value, list):
        return [stranger(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {**{name: stranger(one) for name, one in value.items()}, "never_heard_of": {"a": [1, None]}}


def hosted(*blocks):
    """The events of blocks that come whole, and of an answer that ends with them."""
    told = [event for at, block in enumerate(blocks) for event in (anthropic.opened(at, **block), anthropic.closed(at))]
    return framed("anthropic", [anthropic.start(), *told, anthropic.ended("end_turn"), anthropic.STOP])


def items(*given, status="completed", **fields):
    """The events of items that come whole, and of a response that ends with them."""
    told = [
        event
        for at, item in enumerate(given)
        for event in (
            responses.event("output_item.added", at, item=item),
            responses.event("output_item.done", at, item=item),
        )
    ]
    return framed("openai_responses", [responses.CREATED, *told, responses.stage("completed", status, **fields)])


def run(*events):
    """A run of Claude Code with one message of these events."""
    message = [claude.start(), *events, claude.ending(), claude.MESSAGE_STOP]
    return claude.written(claude.INIT, *message, claude.result())


def choosing(*chunks):
    return chat.sse(*chunks)
