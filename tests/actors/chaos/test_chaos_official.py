"""The official clients read what the simulator writes: a third opinion on every wire format."""

import json
from contextlib import asynccontextmanager

import anthropic
import openai
import pytest
from chaos_client import ASKED, memory_client
from google import genai

from actors.chaos import Answer, Scripted, Simulator, Text, Thinking, ToolUse

ANSWER = Answer((Thinking("let me see"), Text("I ask: déjà"), ToolUse("weather", '{"city": "Zürich"}'), ToolUse("now")))


@asynccontextmanager
async def openai_client(simulator):
    async with memory_client(simulator) as http:
        yield openai.AsyncOpenAI(api_key="k", base_url="https://api.example/v1", max_retries=0, http_client=http)


@asynccontextmanager
async def genai_client(simulator):
    async with memory_client(simulator) as http:
        options = genai.types.HttpOptions(base_url="https://api.example", httpx_async_client=http)
        yield genai.Client(api_key="k", http_options=options).aio


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
