"""The official clients read what the simulator writes: a third opinion on every wire format."""

import json
from contextlib import asynccontextmanager

import anthropic
import openai
import pytest
from chaos_client import events_of, memory_client, read_stream
from google import genai

from actors.chaos import (
    Answer,
    Ending,
    Finish,
    Plan,
    Scripted,
    Simulator,
    Text,
    Thinking,
    ToolUse,
    expected_text,
    prompt_key,
)

ANSWER = Answer((Thinking("let me see"), Text("I ask: déjà"), ToolUse("weather", '{"city": "Zürich"}'), ToolUse("now")))
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
GEMINI = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
BEARER = {"authorization": "Bearer sk-of-nobody"}
ASKED = [{"role": "user", "content": "why"}]
PATHS = {
    "openai-chat": (CHAT, {"model": "gpt-4.1", "messages": ASKED, "stream": True}),
    "openai": (RESPONSES, {"model": "gpt-5-mini", "input": ASKED, "stream": True}),
    "google": (GEMINI, {"contents": [{"role": "user", "parts": [{"text": "why"}]}]}),
}
PROVIDERS = pytest.mark.parametrize("provider", list(PATHS))


@asynccontextmanager
async def openai_client(simulator):
    async with memory_client(simulator) as http:
        yield openai.AsyncOpenAI(api_key="k", base_url="https://api.example/v1", max_retries=0, http_client=http)


@asynccontextmanager
async def genai_client(simulator):
    async with memory_client(simulator) as http:
        options = genai.types.HttpOptions(base_url="https://api.example", httpx_async_client=http)
        yield genai.Client(api_key="k", http_options=options).aio


async def ask(simulator, provider, **changes):
    path, body = PATHS[provider]
    async with memory_client(simulator, timeout=5) as client:
        return await read_stream(client, path, body | changes, headers=BEARER)


async def test_anthropics_client_assembles_thinking_text_and_calls():
    async with memory_client(Simulator(Scripted(ANSWER))) as http:
        client = anthropic.AsyncAnthropic(api_key="k", max_retries=0, http_client=http)
        request = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": ASKED}
        async with client.messages.stream(**request) as stream:
            streamed = await stream.get_final_message()
        buffered = await client.messages.create(**request)
    for message in (streamed, buffered):
        thinking, text, weather, now = message.content
        assert (thinking.thinking, text.text) == ("let me see", "I ask: déjà")
        assert (weather.name, weather.input, now.input) == ("weather", {"city": "Zürich"}, {})
        assert message.stop_reason == "tool_use"
    assert streamed.usage.output_tokens == buffered.usage.output_tokens


# That client stops at `[DONE]` and leaves its own generators to the garbage collector.
@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <async_generator object:pytest.PytestUnraisableExceptionWarning"
)
async def test_openais_client_assembles_a_chat_completion():
    async with openai_client(Simulator(Scripted(ANSWER))) as client:
        request = {"model": "gpt-4.1", "messages": ASKED}
        async with client.chat.completions.stream(**request, stream_options={"include_usage": True}) as stream:
            streamed = await stream.get_final_completion()
        buffered = await client.chat.completions.create(**request)
    for completion in (streamed, buffered):
        (choice,) = completion.choices
        assert choice.message.content == "I ask: déjà"
        assert choice.message.reasoning_content == "let me see"
        weather, now = choice.message.tool_calls
        assert (weather.function.name, json.loads(weather.function.arguments)) == ("weather", {"city": "Zürich"})
        assert (now.function.name, now.function.arguments) == ("now", "{}")
        assert weather.id != now.id
        assert choice.finish_reason == "tool_calls"
        assert completion.usage.completion_tokens == ANSWER.tokens


async def test_openais_client_assembles_a_response():
    async with openai_client(Simulator(Scripted(ANSWER))) as client:
        request = {"model": "gpt-5-mini", "input": "why"}
        async with client.responses.stream(**request) as stream:
            streamed = await stream.get_final_response()
        buffered = await client.responses.create(**request)
    for response in (streamed, buffered):
        assert response.status == "completed"
        assert response.output_text == "I ask: déjà"
        assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
        assert response.output[0].summary[0].text == "let me see"
        assert json.loads(response.output[2].arguments) == {"city": "Zürich"}
        assert response.usage.output_tokens == ANSWER.tokens


async def test_googles_client_assembles_a_generation():
    async with genai_client(Simulator(Scripted(ANSWER))) as client:
        chunks = await client.models.generate_content_stream(model="gemini-2.5-flash", contents="why")
        streamed = [chunk async for chunk in chunks]
        buffered = await client.models.generate_content(model="gemini-2.5-flash", contents="why")
    for responses in (streamed, [buffered]):
        parts = [part for response in responses for part in response.candidates[0].content.parts]
        assert "".join(part.text for part in parts if part.text and part.thought) == "let me see"
        assert "".join(part.text for part in parts if part.text and not part.thought) == "I ask: déjà"
        calls = [part.function_call for part in parts if part.function_call]
        assert [(call.name, call.args) for call in calls] == [("weather", {"city": "Zürich"}), ("now", {})]
        assert str(responses[-1].candidates[0].finish_reason.value) == "STOP"
        assert responses[-1].usage_metadata.total_token_count == 1 + 1 + ANSWER.tokens
    assert all(chunk.candidates[0].finish_reason is None for chunk in streamed[:-1])


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


ERRORS = [
    ("openai-chat", "status400:context", 400, ("code", "context_length_exceeded")),
    ("openai-chat", "status401", 401, ("code", "invalid_api_key")),
    ("openai-chat", "status403", 403, ("code", "unsupported_country_region_territory")),
    ("openai-chat", "status404", 404, ("code", "model_not_found")),
    ("openai-chat", "status429", 429, ("code", "rate_limit_exceeded")),
    ("openai", "status429:quota", 429, ("code", "insufficient_quota")),
    ("openai", "status500", 500, ("type", "server_error")),
    ("openai", "status503:unavailable", 503, ("code", "slow_down")),
    ("google", "status400", 400, ("status", "INVALID_ARGUMENT")),
    ("google", "status401", 401, ("status", "UNAUTHENTICATED")),
    ("google", "status403", 403, ("status", "PERMISSION_DENIED")),
    ("google", "status404", 404, ("status", "NOT_FOUND")),
    ("google", "status429", 429, ("status", "RESOURCE_EXHAUSTED")),
    ("google", "status500", 500, ("status", "INTERNAL")),
    ("google", "status503", 503, ("status", "UNAVAILABLE")),
    ("google", "status504", 504, ("status", "DEADLINE_EXCEEDED")),
]


@pytest.mark.parametrize(("provider", "term", "status", "said"), ERRORS)
async def test_an_error_status_has_that_providers_shape(provider, term, status, said):
    simulator = Simulator(plan=Plan.parse(f"{term}=1"))
    response, body, _ = await ask(simulator, provider)
    field, value = said
    assert response.status_code == status
    assert json.loads(body)["error"][field] == value
    assert simulator.journal.entries[0].status == status


async def test_openais_rate_limit_says_when_in_headers_and_googles_in_details():
    chat, _, _ = await ask(Simulator(plan=Plan.parse("status429:7=1")), "openai-chat")
    spent, _, _ = await ask(Simulator(plan=Plan.parse("status429:quota=1")), "openai-chat")
    google, minute, _ = await ask(Simulator(plan=Plan.parse("status429:7=1")), "google")
    _, day, _ = await ask(Simulator(plan=Plan.parse("status429:quota=1")), "google")
    assert (chat.headers["retry-after"], chat.headers["retry-after-ms"]) == ("7", "7000")
    assert chat.headers["x-ratelimit-reset-tokens"] == "6m0s"
    assert "retry-after" not in spent.headers
    assert "retry-after" not in google.headers
    details = {detail["@type"].rpartition(".")[2]: detail for detail in json.loads(minute)["error"]["details"]}
    assert details["RetryInfo"]["retryDelay"] == "7s"
    assert b"PerMinute" in minute
    assert b"PerDay" in day
    assert b"RetryInfo" not in day


async def test_openais_503_comes_from_the_edge_in_plain_text():
    response, body, _ = await ask(Simulator(plan=Plan.parse("status503=1")), "openai")
    assert response.headers["content-type"] == "text/plain"
    assert body.startswith(b"upstream connect error")


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


CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
BAD = [
    (
        "openai-chat",
        {"messages": None},
        "Invalid type for 'messages': expected an array of objects, but got null instead.",
    ),
    ("openai-chat", {"messages": []}, "Invalid 'messages': empty array."),
    ("openai-chat", {"messages": [{"role": "poet"}]}, "Invalid value: 'poet'. Supported values are:"),
    ("openai-chat", {"model": "gpt-5-mini", "max_tokens": 5}, "Unsupported parameter: 'max_tokens'"),
    (
        "openai-chat",
        {"messages": [*ASKED, {"role": "assistant", "tool_calls": [CALL]}, *ASKED]},
        "An assistant message with 'tool_calls' must be followed by tool messages",
    ),
    (
        "openai-chat",
        {"messages": [*ASKED, {"role": "tool", "tool_call_id": "call_1", "content": "noon"}]},
        "Invalid parameter: messages with role 'tool' must be a response",
    ),
    ("openai", {"input": []}, 'One of "input" or "previous_response_id"'),
    ("openai", {"input": 3}, "Invalid type for 'input': expected a string or an array of objects, but got an integer"),
    ("openai", {"max_output_tokens": 1}, "Invalid 'max_output_tokens': integer below minimum value."),
    (
        "openai",
        {"input": [{"type": "function_call", "call_id": "call_1"}]},
        "No tool output found for function call call_1",
    ),
    ("google", {"contents": []}, "* GenerateContentRequest.contents: contents is not specified"),
    (
        "google",
        {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]},
        "Please use a valid role: user, model.",
    ),
    ("google", {"contents": [{"role": "user", "parts": []}]}, "* GenerateContentRequest.contents[0].parts"),
    (
        "google",
        {"contents": [{"role": "model", "parts": [{"functionCall": {"name": "now"}}]}, {"parts": [{"text": "x"}]}]},
        "Please ensure that the number of function response parts is equal",
    ),
]


@pytest.mark.parametrize(("provider", "change", "sentence"), BAD)
async def test_a_bad_body_is_refused_in_that_providers_words(provider, change, sentence):
    response, body, _ = await ask(Simulator(), provider, **change)
    assert response.status_code == 400
    assert json.loads(body)["error"]["message"].startswith(sentence)


@pytest.mark.parametrize(("provider", "status"), [("openai-chat", 401), ("openai", 401), ("google", 403)])
async def test_a_request_without_a_key_is_refused(provider, status):
    path, body = PATHS[provider]
    async with memory_client(Simulator()) as client:
        response, _, _ = await read_stream(client, path, body)
    assert response.status_code == status


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
