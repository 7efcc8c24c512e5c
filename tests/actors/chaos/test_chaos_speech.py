import json

import pytest
from chaos_client import ASKED, BEARER, GEMINI, PATHS, PROVIDERS, ask, events_of, memory_client, read_stream

from actors.chaos import Answer, Ending, Finish, Plan, Scripted, Simulator, Text, expected_text, prompt_key

CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}


async def test_gemini_without_sse_is_one_json_array():
    async with memory_client(Simulator()) as client:
        path = GEMINI.removesuffix("?alt=sse")
        _, body, _ = await read_stream(client, path, PATHS["google"][1], headers=BEARER)
    chunks = json.loads(body)
    said = "".join(part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"])
    assert said == expected_text("why")


async def test_a_failure_inside_a_json_array_closes_it():
    async with memory_client(Simulator(plan=Plan.parse("error:3=1"))) as client:
        path = GEMINI.removesuffix("?alt=sse")
        _, body, _ = await read_stream(client, path, PATHS["google"][1], headers=BEARER)
    assert json.loads(body)[-1]["error"]["status"] == "UNAVAILABLE"
    assert len(json.loads(body)) == 4


@PROVIDERS
async def test_the_same_prompt_has_the_same_key_and_text_with_every_provider(provider):
    simulator = Simulator()
    _, body, _ = await ask(simulator, provider)
    (entry,) = simulator.journal.entries
    assert (entry.provider, entry.key, entry.ending) == (provider, prompt_key("why"), Ending.COMPLETE)
    assert entry.bytes == len(body)
    said = {
        "openai-chat": lambda f: (f["choices"] or [{"delta": {}}])[0]["delta"].get("content") or "",
        "openai": lambda f: f.get("delta") or "",
        "google": lambda f: f["candidates"][0]["content"]["parts"][0]["text"],
    }[provider]
    assert "".join(said(fields) for _, fields in events_of(body) if fields) == expected_text("why")


TERMINAL = {
    "openai-chat": lambda body: b'"finish_reason":"stop"' in body or b"[DONE]" in body,
    "openai": lambda body: b"response.completed" in body,
    "google": lambda body: b"finishReason" in body,
}


@PROVIDERS
async def test_a_truncation_comes_before_anything_that_says_the_end(provider):
    simulator = Simulator(plan=Plan.parse("truncate:999=1"))
    _, body, error = await ask(simulator, provider)
    _, whole, _ = await ask(Simulator(), provider)
    assert error is None
    assert whole.startswith(body[:40])
    assert not TERMINAL[provider](body)
    assert TERMINAL[provider](whole)
    assert simulator.journal.entries[0].ending is Ending.TRUNCATED


@PROVIDERS
async def test_a_garbled_event_is_no_json_in_any_format(provider):
    _, body, _ = await ask(Simulator(plan=Plan.parse("garble:5=1")), provider)
    events = events_of(body.replace(b"data: [DONE]\n\n", b""))
    assert [at for at, (_, fields) in enumerate(events) if fields is None] == [5]


async def test_a_chat_stream_that_fails_still_ends_with_its_end_mark():
    _, body, _ = await ask(Simulator(plan=Plan.parse("error:internal:4=1")), "openai-chat")
    *_, (_, failed), (_, mark) = events_of(body)
    assert failed["error"]["type"] == "server_error"
    assert mark is None
    assert body.endswith(b"data: [DONE]\n\n")


async def test_a_response_that_fails_says_so_twice_with_running_numbers():
    _, body, _ = await ask(Simulator(plan=Plan.parse("error:rate_limited:6=1")), "openai")
    events = events_of(body)
    assert [fields["sequence_number"] for _, fields in events] == list(range(8))
    assert [name for name, _ in events[-2:]] == ["error", "response.failed"]
    assert events[-1][1]["response"]["error"]["code"] == "rate_limit_exceeded"
    assert events[-1][1]["response"]["id"] == events[0][1]["response"]["id"]


async def test_chat_usage_comes_only_when_asked_for():
    _, plain, _ = await ask(Simulator(), "openai-chat")
    _, counted, _ = await ask(Simulator(), "openai-chat", stream_options={"include_usage": True})
    assert b'"usage"' not in plain
    last = [fields for _, fields in events_of(counted) if fields][-1]
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 32


@pytest.mark.parametrize(
    ("finish", "chat", "responses", "google"),
    [
        (Finish.END, "stop", "completed", "STOP"),
        (Finish.LENGTH, "length", "incomplete", "MAX_TOKENS"),
        (Finish.REFUSAL, "stop", "completed", "SAFETY"),
    ],
)
async def test_a_finish_has_each_providers_word(finish, chat, responses, google):
    answer = Scripted(Answer((Text("so"),), finish))
    _, body, _ = await ask(Simulator(answer), "openai-chat", stream=False)
    choice = json.loads(body)["choices"][0]
    assert choice["finish_reason"] == chat
    assert (choice["message"]["refusal"] == "so") is (finish is Finish.REFUSAL)
    _, body, _ = await ask(Simulator(answer), "openai", stream=False)
    assert json.loads(body)["status"] == responses
    _, body, _ = await ask(Simulator(answer), "google")
    assert events_of(body)[-1][1]["candidates"][0]["finishReason"] == google


async def test_a_background_response_can_be_resumed_after_the_connection_broke():
    simulator = Simulator(plan=Plan.parse("gpt-5-mini#1=cut:9"))
    async with memory_client(simulator) as client:
        path, body = PATHS["openai"]
        _, first, error = await read_stream(client, path, body | {"background": True}, headers=BEARER)
        (_, created), *_, (_, last) = events_of(first)
        kept = f"{path}/{created['response']['id']}"
        query = {"stream": "true", "starting_after": last["sequence_number"]}
        rest = await client.get(kept, params=query, headers=BEARER)
        polled = await client.get(kept, headers=BEARER)
        lost = await client.get(f"{path}/resp_unknown", headers=BEARER)
    events = events_of(first) + events_of(rest.content)
    assert error is not None
    assert [fields["sequence_number"] for _, fields in events] == list(range(len(events)))
    assert "".join(f["delta"] for name, f in events if name == "response.output_text.delta") == expected_text("why")
    assert events[-1][1]["response"] == polled.json()
    assert (lost.status_code, lost.json()["error"]["message"]) == (404, "Response with id 'resp_unknown' not found.")


async def test_a_foreground_response_dies_with_its_connection():
    async with memory_client(Simulator()) as client:
        path, body = PATHS["openai"]
        _, stream, _ = await read_stream(client, path, body, headers=BEARER)
        created = events_of(stream)[0][1]["response"]["id"]
        assert (await client.get(f"{path}/{created}?stream=true", headers=BEARER)).status_code == 404


async def test_a_tools_result_is_the_prompt_of_the_next_turn():
    called = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "noon"}
    item = {"type": "function_call", "call_id": "call_1", "name": "now", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "noon"}
    google = [
        {"role": "user", "parts": [{"text": "why"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "now", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "now", "response": {"result": "noon"}}}]},
    ]
    simulator = Simulator()
    _, chat, _ = await ask(simulator, "openai-chat", stream=False, messages=[*ASKED, called, result])
    _, responses, _ = await ask(simulator, "openai", stream=False, input=[*ASKED, item, output])
    _, gemini, _ = await ask(simulator, "google", contents=google)
    assert json.loads(chat)["choices"][0]["message"]["content"] == expected_text("noon")
    assert json.loads(responses)["output"][0]["content"][0]["text"] == expected_text("noon")
    parts = [part for _, fields in events_of(gemini) for part in fields["candidates"][0]["content"]["parts"]]
    assert "".join(part["text"] for part in parts) == expected_text("noon")
