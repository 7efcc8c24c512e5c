import pytest
from chaos_client import PATH, events_of, memory_client, messages, read_stream, text_of

from actors.chaos import Answer, ByPrompt, Finish, Scripted, Simulator, Text, Thinking, ToolUse, expected_text

ANSWER = Answer(
    (Thinking("let me see"), Text("I ask."), ToolUse("weather", '{"city": "Zürich"}'), ToolUse("now")),
    input_tokens=11,
    output_tokens=42,
)


async def test_thinking_and_tool_calls_stream_in_blocks_of_their_own():
    async with memory_client(Simulator(Scripted(ANSWER))) as client:
        _, body, _ = await read_stream(client, PATH, messages("why"))
    events = events_of(body)
    started = [fields["content_block"]["type"] for name, fields in events if name == "content_block_start"]
    assert started == ["thinking", "text", "tool_use", "tool_use"]
    deltas = [(fields["index"], fields["delta"]) for name, fields in events if name == "content_block_delta"]
    assert "".join(delta.get("thinking", "") for _, delta in deltas) == "let me see"
    assert [delta["type"] for at, delta in deltas if at == 0][-1] == "signature_delta"
    assert "".join(delta["partial_json"] for at, delta in deltas if at == 2) == '{"city": "Zürich"}'
    assert "".join(delta["partial_json"] for at, delta in deltas if at == 3) == ""
    (final,) = [fields for name, fields in events if name == "message_delta"]
    assert final["delta"]["stop_reason"] == "tool_use"
    assert (final["usage"]["input_tokens"], final["usage"]["output_tokens"]) == (11, 42)


async def test_the_same_answer_buffered_holds_the_same_blocks():
    async with memory_client(Simulator(Scripted(ANSWER))) as client:
        message = (await client.post(PATH, json=messages("why", stream=False))).json()
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert [block["input"] for block in message["content"][2:]] == [{"city": "Zürich"}, {}]
    assert message["stop_reason"] == "tool_use"
    assert message["usage"]["output_tokens"] == 42


@pytest.mark.parametrize(
    ("finish", "spelled"),
    [
        (Finish.END, "end_turn"),
        (Finish.LENGTH, "max_tokens"),
        (Finish.STOP_SEQUENCE, "stop_sequence"),
        (Finish.REFUSAL, "refusal"),
        (Finish.PAUSE, "pause_turn"),
    ],
)
async def test_a_finish_has_the_providers_word(finish, spelled):
    async with memory_client(Simulator(Scripted(Answer((Text("so"),), finish)))) as client:
        message = (await client.post(PATH, json=messages("why", stream=False))).json()
    assert message["stop_reason"] == spelled


async def test_scripted_answers_come_in_order_and_the_last_stays():
    async with memory_client(Simulator(Scripted("one", "two"))) as client:
        said = [text_of((await read_stream(client, PATH, messages("why")))[1]) for _ in range(3)]
    assert said == ["one", "two", "two"]


async def test_answers_by_prompt_do_not_depend_on_the_order():
    simulator = Simulator(ByPrompt({"a": Answer((Text("alpha"),))}))
    async with memory_client(simulator) as client:
        said = [text_of((await read_stream(client, PATH, messages(prompt)))[1]) for prompt in ("b", "a")]
    assert said == [expected_text("b"), "alpha"]


async def test_the_clients_limit_of_tokens_is_kept():
    async with memory_client(Simulator()) as client:
        message = (await client.post(PATH, json=messages("why", stream=False, max_tokens=5))).json()
    assert message["stop_reason"] == "max_tokens"
    assert expected_text("why").startswith(message["content"][0]["text"])
    assert message["usage"]["output_tokens"] == 5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": None}, "model: Input should be a valid string"),
        ({"max_tokens": "many"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages.0.content: Input should be a valid list"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role: Input should be 'user' or 'assistant'"),
        ({"tools": [{}]}, "tools.0.name: Field required"),
    ],
)
async def test_a_bad_body_is_refused_in_the_services_words(change, sentence):
    async with memory_client(Simulator()) as client:
        response = await client.post(PATH, json=messages("why") | change)
    assert response.status_code == 400
    assert response.json()["error"] == {"type": "invalid_request_error", "message": sentence}


async def test_a_tool_call_without_its_result_is_refused():
    call = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}
    asked = [{"role": "user", "content": "time?"}, {"role": "assistant", "content": [call]}]
    async with memory_client(Simulator()) as client:
        orphan = await client.post(PATH, json=messages("x", messages=[*asked, {"role": "user", "content": "well?"}]))
        stray = await client.post(PATH, json=messages("x", messages=[{"role": "user", "content": [result]}]))
        fine = await client.post(PATH, json=messages("x", messages=[*asked, {"role": "user", "content": [result]}]))
    assert "`tool_use` ids were found without `tool_result` blocks" in orphan.json()["error"]["message"]
    assert "unexpected `tool_use_id` found" in stray.json()["error"]["message"]
    assert fine.status_code == 200


async def test_a_prefill_is_taken_by_old_models_and_refused_by_new_ones():
    begun = expected_text("why")[:12].rstrip()
    turns = [{"role": "user", "content": "why"}, {"role": "assistant", "content": begun}]
    async with memory_client(Simulator()) as client:
        old = await client.post(PATH, json=messages("x", messages=turns, stream=False))
        new = await client.post(PATH, json=messages("x", messages=turns, model="claude-opus-4-6"))
    assert begun + old.json()["content"][0]["text"] == expected_text("why")
    assert new.status_code == 400
    assert "does not support assistant message prefill" in new.json()["error"]["message"]


@pytest.mark.parametrize(
    ("header", "status", "sentence"),
    [
        ("x-api-key", 401, "x-api-key header is required"),
        ("anthropic-version", 400, "anthropic-version: header is required"),
    ],
)
async def test_a_missing_header_is_refused(header, status, sentence):
    async with memory_client(Simulator()) as client:
        del client.headers[header]
        response = await client.post(PATH, json=messages("why"))
    assert response.status_code == status
    assert response.json()["error"]["message"] == sentence
