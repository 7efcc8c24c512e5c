"""What real servers do beside the documented: each quirk by dialect, and a stated reason where a dialect cannot have it."""

import json

import pytest
import test_wire_gemini_answer as gemini
import test_wire_openai_chat_answer as chat
import test_wire_openai_responses_answer as responses
import wire_anthropic_events as anthropic
import wire_claude_code_lines as claude
from wire_dialects import DIALECTS
from wire_small_answers import (
    PLAIN,
    SAID,
    STREAMS,
    WHOLE,
    begun,
    choosing,
    error,
    framed,
    hosted,
    items,
    plain,
    run,
    seen,
    stranger,
)

from actors.messages import Foreign, Image, Text, Thinking, ToolCall

NAMELESS = {"type": "tool_use", "id": "t", "name": "", "input": {"at": 1}}
SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "sky"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "x"}]}
SOURCE = {"type": "char_location", "cited_text": "x"}
DRAWN = {"id": "ig", "type": "image_generation_call", "status": "completed", "result": "eHg="}
NOTE = {"type": "url_citation", "url": "https://example.org"}
PNG = Image("image/png", b"xx")
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}
NO_EVENTS = "its lines are JSON, not server-sent events"

QUIRKS = {
    "comment lines": {
        **{d: (b": ping\n\n:\n" + plain(d).replace(b"\n\n", b"\n\n: PROCESSING\n\n"), WHOLE) for d in STREAMS},
        "claude_code": NO_EVENTS,
    },
    "ids, retry times and field names nobody knows": {
        **{d: (plain(d).replace(b"data:", b"id: 7\nretry: 10\nodd: 1\ndata:"), WHOLE) for d in STREAMS},
        "claude_code": NO_EVENTS,
    },
    "carriage returns": {
        **{d: (framed(d, PLAIN[d], "\r"), WHOLE) for d in STREAMS},
        "claude_code": "JSON lines end in line feeds",
    },
    "line feeds": {d: (framed(d, PLAIN[d], "\n"), WHOLE) for d in DIALECTS},
    "both": {d: (framed(d, PLAIN[d], "\r\n"), WHOLE) for d in DIALECTS},
    "data in several lines": {
        **{d: (framed(d, PLAIN[d], indent=1), WHOLE) for d in STREAMS},
        "claude_code": "a line is one JSON value",
    },
    "no space behind the colon": {
        **{d: (plain(d).replace(b"data: ", b"data:"), WHOLE) for d in STREAMS},
        "claude_code": NO_EVENTS,
    },
    "events nobody knows": {
        **{
            d: (plain(d).replace(b"\n\n", b'\n\nevent: fresh\ndata: {"type": "fresh", "delta": {}}\n\n', 1), WHOLE)
            for d in STREAMS
        },
        "claude_code": (plain("claude_code").replace(b"\n", b'\n{"type": "fresh", "subtype": "x"}\n', 1), WHOLE),
    },
    "fields nobody knows": {d: (framed(d, stranger(PLAIN[d])), WHOLE) for d in DIALECTS},
    "event: error": {
        "anthropic": (
            begun(
                "anthropic",
                error(
                    "anthropic", {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}, name="error"
                ),
            ),
            {"end": "refused 529 overloaded_error", "text": SAID},
        ),
        "openai_chat": (
            begun("openai_chat", error("openai_chat", {"message": "no", "status_code": 503}, name="error")),
            {"end": "refused 503", "text": SAID},
        ),
        "openai_responses": (
            begun("openai_responses", error("openai_responses", {"error": {"code": "server_error"}}, name="error")),
            {"end": "refused 500 server_error", "text": SAID},
        ),
        "gemini": (
            begun("gemini", error("gemini", {"error": {"code": 503, "status": "UNAVAILABLE"}}, name="error")),
            {"end": "refused 503 UNAVAILABLE", "text": SAID},
        ),
        "claude_code": NO_EVENTS,
    },
    "event: error with the bare fields of llama.cpp": {
        **{
            d: (
                begun(d, error(d, {"code": 500, "message": "no room", "type": "server_error"}, name="error")),
                {"end": "refused 500 server_error", "text": SAID},
            )
            for d in STREAMS
        },
        "claude_code": NO_EVENTS,
    },
    "an error within an event": {
        "anthropic": (
            begun("anthropic", error("anthropic", {"error": {"type": "api_error", "message": "no"}})),
            {"end": "refused 500 api_error", "text": SAID},
        ),
        "openai_chat": (
            begun(
                "openai_chat",
                chat.sse({**chat.chunk("error", content=""), "error": {"code": 502, "message": "no"}}, end=""),
            ),
            {"end": "refused 502", "text": SAID},
        ),
        "openai_responses": (
            begun(
                "openai_responses",
                responses.sse(responses.stage("failed", "failed", error={"code": "server_error", "message": "no"})),
            ),
            {"end": "refused 500 server_error", "text": SAID},
        ),
        "gemini": (
            begun("gemini", gemini.sse({**gemini.says({"text": ""}), "error": {"code": 429, "message": "no"}})),
            {"end": "refused 429", "text": SAID},
        ),
        "claude_code": (
            claude.written(claude.INIT, *claude.streamed([SAID]), claude.synthetic("no", "overloaded"))
            + claude.written(claude.result("no", is_error=True)),
            {"end": "refused 0 overloaded", "text": SAID},
        ),
    },
    "a bare JSON error without data:": {
        **{
            d: (
                begun(d, b'{"error": {"code": 503, "message": "no", "type": "overloaded_error"}}\n'),
                {"text": SAID, "refused": True},
            )
            for d in STREAMS
        },
        "claude_code": NO_EVENTS,
    },
    "usage with nothing else": {
        "anthropic": (
            framed(
                "anthropic",
                [*PLAIN["anthropic"][:4], anthropic.ended(None, 4), anthropic.ended("end_turn", 5), anthropic.STOP],
            ),
            {**WHOLE, "tokens": 5},
        ),
        "openai_chat": (chat.sse(*PLAIN["openai_chat"][:2], chat.BILL), {**WHOLE, "tokens": 5}),
        "openai_responses": "usage stands in the response that ends the answer, never alone",
        "gemini": (plain("gemini", gemini.sse(gemini.BILL)), {**WHOLE, "tokens": 5}),
        "claude_code": "usage stands in messages and in the result line, never alone",
    },
    "a missing mark of the end": {
        "anthropic": (plain("anthropic", last=-1), {"end": "truncated", "text": SAID}),
        "openai_chat": (plain("openai_chat", last=-1), WHOLE),
        "openai_responses": (plain("openai_responses", last=-1), {"end": "truncated", "text": SAID}),
        "gemini": (plain("gemini"), WHOLE),
        "claude_code": (plain("claude_code", last=-1), {"end": "truncated", "text": SAID}),
    },
    "a mark of the end that the dialect does not have": {
        **{d: (plain(d, b"data: [DONE]\n\n"), WHOLE) for d in ("anthropic", "openai_chat", "openai_responses")},
        "gemini": (plain("gemini", b"data: [DONE]\n\n"), WHOLE),
        "claude_code": NO_EVENTS,
    },
    "a call without a name": {
        "anthropic": (hosted(NAMELESS), {"end": "malformed", "calls": []}),
        "openai_chat": (
            choosing(chat.chunk(tool_calls=[chat.call(0, id="t", name="", given='{"at":1}')]), chat.chunk("stop")),
            {"end": "malformed", "calls": []},
        ),
        "openai_responses": (items(responses.CALL | {"name": ""}), {"end": "malformed", "calls": []}),
        "gemini": (
            gemini.sse(gemini.says(gemini.call(name="", args={"at": 1}), reason="STOP")),
            {"end": "malformed", "calls": []},
        ),
        "claude_code": (
            run(claude.block(0, "tool_use", id="t", name="", input={}), claude.argument("{}"), claude.stop()),
            {"end": "malformed", "calls": []},
        ),
    },
    "an empty name behind the name": {
        "openai_chat": (
            choosing(
                chat.chunk(tool_calls=[chat.call(0, id="t", name="look")]),
                chat.chunk(tool_calls=[chat.call(0, name="", given='{"at":1}')]),
                chat.chunk(tool_calls=[chat.call(1, name="")]),
                chat.chunk("tool_calls"),
            ),
            {"end": "finished", "calls": [ToolCall("t", "look", {"at": 1})]},
        ),
        **dict.fromkeys(("anthropic", "openai_responses", "claude_code"), "the name is said once, where a call begins"),
        "gemini": "a call's later parts have no name by definition",
    },
    "the JSON array form": {
        "gemini": (json.dumps(PLAIN["gemini"], indent=2).encode(), WHOLE),
        **dict.fromkeys(("anthropic", "openai_chat", "openai_responses"), "a stream is a stream of events"),
        "claude_code": "a run is a run of lines",
    },
    "thinking under a seal": {
        "anthropic": (
            framed(
                "anthropic", [anthropic.start(), *anthropic.THOUGHT[:4], anthropic.ended("end_turn"), anthropic.STOP]
            ),
            {"parts": (Thinking("Let me see", "anthropic:Ev=="),)},
        ),
        "openai_chat": "thinking has no seal here",
        "openai_responses": (
            items(responses.THOUGHT),
            {"parts": (Thinking("Hm\n\nAh", responses.SEALED.signature),)},
        ),
        "gemini": (
            gemini.sse(gemini.says({"text": "Hm", "thought": True, "thoughtSignature": "QUI="}, reason="STOP")),
            {"parts": (Thinking("Hm", "gemini:QUI="),)},
        ),
        "claude_code": (
            run(
                claude.block(0, "thinking", thinking="", signature=""),
                claude.thought("Hm"),
                claude.event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "Ev=="}),
                claude.stop(),
            ),
            {"parts": (Thinking("Hm", "anthropic:Ev=="),)},
        ),
    },
    "redacted thinking": {
        "anthropic": (
            hosted({"type": "redacted_thinking", "data": "abc"}),
            {"parts": (Thinking("abc", "anthropic:", redacted=True),)},
        ),
        "claude_code": (
            run(claude.block(0, "redacted_thinking", data="abc"), claude.stop()),
            {"parts": (Thinking("abc", "anthropic:", redacted=True),)},
        ),
        "openai_chat": "the format does not have it",
        "openai_responses": (
            items({"id": "rs", "type": "reasoning", "summary": [], "encrypted_content": "gA=="}),
            {"parts": (Thinking("", responses.SEALED.signature),)},
        ),
        "gemini": (
            gemini.sse(gemini.says({"text": "", "thoughtSignature": "QUI="}, reason="STOP")),
            {"parts": (Thinking("", "gemini:QUI="),)},
        ),
    },
    "a call that the provider ran": {
        "anthropic": (
            hosted(SEARCH, FOUND),
            {
                "parts": (
                    ToolCall("s", "web_search", {"query": "sky"}, 'anthropic:{"type":"server_tool_use"}', hosted=True),
                    Foreign("anthropic", "web_search_tool_result", FOUND),
                ),
                "calls": [],
            },
        ),
        "openai_chat": "what a server ran is not told in this format",
        "openai_responses": (
            items(responses.SEARCH),
            {"parts": (Foreign("openai", "web_search_call", responses.SEARCH),), "calls": []},
        ),
        "gemini": (
            gemini.sse(gemini.says(CODE, reason="STOP")),
            {"parts": (Foreign("gemini", "executableCode", CODE),), "calls": []},
        ),
        "claude_code": (
            run(claude.block(0, "tool_use", id="t", name="Bash", input={}), claude.argument("{}"), claude.stop()),
            {"calls": []},
        ),
    },
    "citations": {
        "anthropic": (
            hosted({"type": "text", "text": "so", "citations": [SOURCE]}),
            {"parts": (Text("so", (SOURCE,)),)},
        ),
        "openai_chat": (
            choosing(chat.chunk(content="so"), chat.chunk(annotations=[NOTE]), chat.chunk("stop")),
            {"parts": (Text("so", (NOTE,)),)},
        ),
        "openai_responses": (
            items(responses.message("so", annotations=[NOTE])),
            {"parts": (Text("so", (NOTE,)),)},
        ),
        "gemini": (
            gemini.sse(gemini.says({"text": "so"}, reason="STOP", citationMetadata={"citations": [{"uri": "x"}]})),
            {"parts": (Text("so", ({"uri": "x"},)),)},
        ),
        "claude_code": (
            run(
                claude.block(0, text=""),
                claude.text("so"),
                claude.event("content_block_delta", index=0, delta={"type": "citations_delta", "citation": SOURCE}),
                claude.stop(),
            ),
            {"parts": (Text("so", (SOURCE,)),)},
        ),
    },
    "a refusal": {
        "anthropic": (
            framed("anthropic", [*PLAIN["anthropic"][:4], anthropic.ended("refusal"), anthropic.STOP]),
            {"finish": "refusal", "text": SAID},
        ),
        "openai_chat": (
            choosing(chat.chunk(refusal="I can't"), chat.chunk("stop")),
            {"finish": "refusal", "text": "I can't"},
        ),
        "openai_responses": (
            items({"id": "m", "type": "message", "content": [{"type": "refusal", "refusal": "I can't"}]}),
            {"finish": "refusal", "text": "I can't"},
        ),
        "gemini": (gemini.sse(gemini.says({"text": "so"}, reason="SAFETY")), {"finish": "refusal", "text": "so"}),
        "claude_code": (
            claude.written(claude.INIT, *claude.streamed([SAID]), claude.ending("refusal"), claude.MESSAGE_STOP)
            + claude.written(claude.result(SAID, stop_reason="refusal")),
            {"finish": "refusal", "text": SAID},
        ),
    },
    "images": {
        "openai_chat": (
            choosing(
                chat.chunk(content="so"),
                chat.chunk(images=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,eHg="}}]),
                chat.chunk(images=[{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]),
                chat.chunk("stop"),
            ),
            {"end": "finished", "parts": (Text("so"), PNG, Image(url="https://example.org/a.png"))},
        ),
        "openai_responses": (items(DRAWN), {"parts": (Foreign("openai", "image_generation_call", DRAWN),)}),
        "gemini": (
            gemini.sse(gemini.says({"inlineData": {"mimeType": "image/png", "data": "eHg="}}, reason="STOP")),
            {"parts": (PNG,)},
        ),
        **dict.fromkeys(("anthropic", "claude_code"), "Claude answers with no images"),
    },
}
"""For each dialect the bytes and what they come to, or why the dialect cannot have it."""

APPLY = [
    (quirk, dialect) for quirk, cases in QUIRKS.items() for dialect in cases if not isinstance(cases[dialect], str)
]


@pytest.mark.parametrize("quirk", QUIRKS)
def test_of_every_dialect_it_is_said_how_it_stands_to_the_quirk(quirk):
    assert QUIRKS[quirk].keys() == DIALECTS.keys()
    assert all(case for case in QUIRKS[quirk].values())


@pytest.mark.parametrize(("quirk", "dialect"), APPLY)
def test_a_quirk_is_read_for_what_it_means_in_one_piece_and_byte_by_byte(quirk, dialect):
    octets, expected = QUIRKS[quirk][dialect]
    told = seen(dialect, octets)
    told["refused"] = told["end"].startswith("refused")
    assert {name: told[name] for name in expected} == expected
    slow = seen(dialect, *(octets[at : at + 1] for at in range(len(octets))))
    assert slow == {name: told[name] for name in slow}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_character_cut_anywhere_is_read_whole(dialect):
    octets = plain(dialect).replace(json.dumps(SAID)[1:-1].encode(), SAID.encode())
    at = octets.index("👋".encode())
    for cut in range(at, at + 5):
        assert seen(dialect, octets[:cut], octets[cut:])["text"] == SAID
