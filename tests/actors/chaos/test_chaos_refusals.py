import json

import pytest
from chaos_client import ASKED, BEARER, CHAT, GEMINI, PATHS, RESPONSES, ask, memory_client, read_stream

from actors.chaos import Plan, Simulator
from actors.chaos.conversation import MOST_BODY

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


NOT_JSON = [
    ("/v1/messages", "The request body is not valid JSON"),
    (CHAT, "We could not parse the JSON body of your request."),
    (RESPONSES, "We could not parse the JSON body of your request."),
    (GEMINI, "Invalid JSON payload received."),
]


@pytest.mark.parametrize(("path", "sentence"), NOT_JSON)
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]"])
async def test_a_body_that_is_no_object_is_refused(path, sentence, content):
    async with memory_client(Simulator()) as client:
        response = await client.post(path, content=content, headers=BEARER)
    assert response.status_code == 400
    if content != b"[1]":
        assert response.json()["error"]["message"].startswith(sentence)


@pytest.mark.parametrize(("path", "status"), [("/v1/messages", 413), (CHAT, 413), (RESPONSES, 413), (GEMINI, 413)])
async def test_a_body_too_large_is_refused_with_the_providers_shape(path, status):
    async with memory_client(Simulator()) as client:
        response = await client.post(path, content=b" " * (MOST_BODY + 1), headers=BEARER)
    assert response.status_code == status
    assert response.json()["error"]["message"]


async def test_a_key_that_google_does_not_know_is_an_invalid_argument_with_its_reason():
    response, body, _ = await ask(Simulator(plan=Plan.parse("status400:authentication=1")), "google")
    (detail,) = json.loads(body)["error"]["details"]
    assert response.status_code == 400
    assert detail["reason"] == "API_KEY_INVALID"
