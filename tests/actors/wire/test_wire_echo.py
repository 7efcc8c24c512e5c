"""What an answer delivered is said again in the next request, as its provider wants it: from the bytes that came to the body that goes."""

import json

import pytest
import test_wire_gemini_answer as gemini
import test_wire_openai_chat_answer as chat
import test_wire_openai_responses_answer as responses
import wire_anthropic_events as anthropic
import wire_claude_code_lines as claude
from wire_dialects import DIALECTS, PROVIDERS
from wire_fold import drive

from actors.messages import Message, Role, ToolCall, ToolResult, user
from actors.outcome import Outcome, Status
from actors.policy.assemble import Assembly
from actors.request import Request
from actors.route import Route

MODELS = {"openai_responses": "gpt-5-mini", "openai_chat": "gpt-5-mini", "gemini": "gemini-3-pro"}


def answered(dialect, octets):
    """The outcome of an answer in these bytes, as the runtime makes it."""
    reader, assembly = DIALECTS[dialect].reader(), Assembly()
    for delta in drive(reader, [octets]):
        assembly.add(delta)
    assert reader.finished
    calls = tuple(ready.call for ready in assembly.ready)
    return Outcome(Status.COMPLETED, assembly.parts, calls, finish=assembly.finish)


def body(dialect, *messages):
    """What is sent with these messages."""
    route = Route(PROVIDERS[dialect], MODELS.get(dialect, "m"))
    return json.loads(DIALECTS[dialect].encode(Request(messages), route))


def next_body(dialect, octets):
    """What is sent after this answer, once its calls were run."""
    outcome = answered(dialect, octets)
    results = [user(ToolResult(call.id, "blue")) for call in outcome.tool_calls]
    return body(dialect, user("see"), outcome.message, *results, user("go on"))


SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "sky"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "x", "encrypted_content": "E=="}]}
SOURCE = {"type": "web_search_result_location", "url": "x", "encrypted_index": "I==", "cited_text": "y"}
CODED = {"type": "code_execution_20250825", "tool_id": "s"}


def claude_answer():
    blocks = [
        {"type": "thinking", "thinking": "Hm", "signature": "Ev=="},
        {"type": "redacted_thinking", "data": "abc"},
        SEARCH,
        FOUND,
        {"type": "text", "text": "so", "citations": [SOURCE]},
        {"type": "tool_use", "id": "t", "name": "look", "input": {"at": 1}},
        {"type": "tool_use", "id": "u", "name": "look", "input": {}, "caller": CODED},
    ]
    told = [e for at, block in enumerate(blocks) for e in (anthropic.opened(at, **block), anthropic.closed(at))]
    return blocks, anthropic.sse(anthropic.start(), *told, anthropic.ended("tool_use"), anthropic.STOP)


def test_anthropic_gets_every_block_back_as_it_came_and_the_results_behind():
    blocks, octets = claude_answer()
    _, said, results = next_body("anthropic", octets)["messages"]
    assert said == {"role": "assistant", "content": blocks}
    assert [block["type"] for block in results["content"]] == ["tool_result", "tool_result", "text"]
    assert [block["tool_use_id"] for block in results["content"][:2]] == ["t", "u"]


def test_anthropic_gets_streamed_thinking_back_under_the_signature_that_came_behind_it():
    octets = anthropic.sse(
        anthropic.start(), *anthropic.THOUGHT, *anthropic.CALL, anthropic.ended("tool_use"), anthropic.STOP
    )
    said = next_body("anthropic", octets)["messages"][1]["content"]
    assert said == [
        {"type": "thinking", "thinking": "Let me see", "signature": "Ev=="},
        {"type": "redacted_thinking", "data": "abc"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}},
    ]


def test_an_answer_that_paused_goes_back_whole_so_that_the_model_can_go_on():
    told = [
        e for at, block in enumerate([SEARCH, FOUND]) for e in (anthropic.opened(at, **block), anthropic.closed(at))
    ]
    octets = anthropic.sse(anthropic.start(), *told, anthropic.ended("pause_turn"), anthropic.STOP)
    outcome = answered("anthropic", octets)
    assert body("anthropic", user("see"), outcome.message)["messages"][1]["content"] == [SEARCH, FOUND]


def test_responses_gets_its_reasoning_back_before_the_call_it_led_to():
    octets = responses.RECORDINGS["work"]
    _, thought, search, call, result, last = next_body("openai_responses", octets)["input"]
    assert thought == {
        "type": "reasoning",
        "id": "rs",
        "summary": [{"type": "summary_text", "text": "Hm\n\nAh"}],
        "encrypted_content": "gA==",
    }
    assert search == responses.SEARCH
    assert call == {"type": "function_call", "call_id": "a", "name": "look", "arguments": '{"at":1}'}
    assert result == {"type": "function_call_output", "call_id": "a", "output": "blue"}
    assert last == {"role": "user", "content": [{"type": "input_text", "text": "go on"}]}


def test_responses_gets_reasoning_without_a_summary_back_and_what_stood_beside_a_call():
    thought = {"id": "rs", "type": "reasoning", "summary": [], "encrypted_content": "gA=="}
    call = responses.CALL | {"namespace": "mine"}
    told = [
        event
        for at, item in enumerate([thought, call])
        for event in (
            responses.event("output_item.added", at, item=item),
            responses.event("output_item.done", at, item=item),
        )
    ]
    octets = responses.sse(responses.CREATED, *told, responses.stage("completed", "completed"))
    _, sealed, called, *_ = next_body("openai_responses", octets)["input"]
    assert sealed == thought
    assert called["namespace"] == "mine"


def test_responses_gets_its_images_back_as_the_item_they_came_in():
    drawn = {"id": "ig", "type": "image_generation_call", "status": "completed", "result": "eHg="}
    told = [responses.event("output_item.added", item=drawn), responses.event("output_item.done", item=drawn)]
    octets = responses.sse(responses.CREATED, *told, responses.stage("completed", "completed"))
    assert next_body("openai_responses", octets)["input"][1] == drawn


def test_gemini_gets_every_seal_back_in_the_part_it_came_with():
    parts = [
        {"text": "Hm", "thought": True, "thoughtSignature": "QQ=="},
        {"text": "so"},
        {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "Qg=="},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"inlineData": {"mimeType": "image/png", "data": "eHg="}, "thoughtSignature": "Qw=="},
        {"inlineData": {"data": "eHg=", "mimeType": "image/png"}},
        {"functionCall": {"id": "t", "name": "look", "args": {"at": 1}}, "thoughtSignature": "RA=="},
        {"functionCall": {"id": "u", "name": "look", "args": {}}},
    ]
    octets = gemini.sse(gemini.says(*parts[:4]), gemini.says(*parts[4:], reason="STOP"))
    _, said, results = next_body("gemini", octets)["contents"]
    assert said == {"role": "model", "parts": parts}
    answers = [part["functionResponse"] for part in results["parts"][:2]]
    assert [(one["id"], one["name"]) for one in answers] == [("t", "look"), ("u", "look")]


def test_gemini_gets_the_seal_of_a_text_back_in_a_part_of_its_own_behind_it():
    octets = gemini.sse(gemini.says({"text": "so", "thoughtSignature": "QQ=="}, reason="STOP"))
    said = next_body("gemini", octets)["contents"][1]["parts"]
    assert said == [{"text": "so"}, {"text": "", "thoughtSignature": "QQ=="}]


def test_chat_completions_get_text_and_calls_back_and_a_result_behind_each():
    _, said, *results, last = next_body("openai_chat", chat.RECORDINGS["calls"])["messages"]
    assert said["content"] == "so"
    assert [call["function"]["name"] for call in said["tool_calls"]] == ["look", "hear"]
    assert json.loads(said["tool_calls"][0]["function"]["arguments"]) == {"at": 1}
    assert results == [
        {"role": "tool", "tool_call_id": "a", "content": "blue"},
        {"role": "tool", "tool_call_id": "b", "content": "blue"},
    ]
    assert last == {"role": "user", "content": "go on"}


SEALED = {"google": {"thought_signature": "QUI="}}


@pytest.mark.parametrize("first", [True, False], ids=["with the name", "behind the arguments"])
def test_a_gateway_of_chat_completions_gets_what_it_put_beside_a_call_back(first):
    beside = {"extra_content": SEALED}
    octets = chat.sse(
        chat.chunk(tool_calls=[chat.call(0, id="a", name="look", **(beside if first else {}))]),
        chat.chunk(tool_calls=[chat.call(0, given='{"at":1}', **({} if first else beside))]),
        chat.chunk(tool_calls=[chat.call(1, id="b", name="hear", given="{}")]),
        chat.chunk("tool_calls"),
    )
    assert [call.arguments for call in answered("openai_chat", octets).tool_calls] == [{"at": 1}, {}]
    one, other = next_body("openai_chat", octets)["messages"][1]["tool_calls"]
    assert one["extra_content"] == SEALED
    assert "extra_content" not in other


def test_what_stood_beside_a_call_in_one_piece_goes_back_too():
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}, "extra_content": SEALED}
    reply = {"id": "c", "choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    assembly = Assembly()
    for delta in DIALECTS["openai_chat"].read_reply(json.dumps(reply).encode()):
        assembly.add(delta)
    said = Message(Role.ASSISTANT, assembly.parts)
    assert body("openai_chat", user("see"), said)["messages"][1]["tool_calls"] == [call]
    assert "QUI=" not in json.dumps(body("gemini", user("see"), said))


def test_claude_code_is_told_what_it_said_in_words_and_keeps_no_thinking_of_ours():
    octets = claude.written(claude.INIT, *claude.whole_message(["so"]), claude.result("so"))
    outcome = answered("claude_code", octets)
    said = DIALECTS["claude_code"].encode(
        Request((user("see"), outcome.message, user("go on"))), Route("claude-code", "m")
    )
    assert said.decode() == "<user>\nsee\n</user>\n\n<assistant>\nso\n</assistant>\n\n<user>\ngo on\n</user>"


ANSWERS = {
    "anthropic": claude_answer()[1],
    "openai_responses": responses.RECORDINGS["work"],
    "gemini": gemini.RECORDINGS["work"],
    "openai_chat": chat.RECORDINGS["calls"],
}


ONLY_FOR = {
    "anthropic": ["Ev==", "abc", "I==", "web_search_tool_result"],
    "openai_responses": ["gA==", "web_search_call"],
    "gemini": ["Ab==", "Cd==", "executableCode"],
    "openai_chat": [],
}
"""What in each answer its own provider alone can read."""


@pytest.mark.parametrize("of", ANSWERS)
@pytest.mark.parametrize("to", DIALECTS)
def test_a_fallback_gets_words_and_calls_and_no_seal_that_another_provider_made(to, of):
    outcome = answered(of, ANSWERS[of])
    results = [user(ToolResult(call.id, "blue")) for call in outcome.tool_calls]
    route = Route(PROVIDERS[to], MODELS.get(to, "m"))
    written = DIALECTS[to].encode(Request((user("see"), outcome.message, *results)), route).decode()
    assert all(call.name in written for call in outcome.tool_calls)
    assert [mark for mark in ONLY_FOR[of] if mark in written] == (ONLY_FOR[of] if to == of else [])


def test_calls_that_were_not_run_are_answered_in_the_next_request():
    outcome = answered("anthropic", claude_answer()[1])
    kept = tuple(part for part in outcome.parts if isinstance(part, ToolCall))
    results = body("anthropic", user("see"), Message(Role.ASSISTANT, kept), user("go on"))["messages"][-1]["content"]
    assert [block.get("is_error") for block in results] == [True, True, None]
