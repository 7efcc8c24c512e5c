import json

import httpx
import httpx2
import pytest
import trio
from chaos_client import (
    events_of,
    memory_client,
    messages,
    on_network,
    read_plainly,
    read_stream,
    request_bytes,
    socket_client,
    text_of,
)

from actors.chaos import (
    Answer,
    ByPrompt,
    Ending,
    Finish,
    Generated,
    Pacing,
    Plan,
    Scripted,
    Simulator,
    Text,
    Thinking,
    ToolUse,
    expected_text,
    open_network,
    prompt_key,
)
from actors.chaos.connection import reset

PATH = "/v1/messages"
NETWORKS = pytest.mark.parametrize("connect", [socket_client, memory_client])


def only(simulator):
    (entry,) = simulator.journal.entries
    return entry


async def plain_stream(client):
    """A bare connection to where this client connects."""
    if hasattr(client, "network"):
        return await client.network.connect()
    return await trio.open_tcp_stream(client.base_url.host, client.base_url.port)


async def stream_once(connect, plan, prompt="why", **options):
    simulator = Simulator(plan=Plan.parse(plan))
    async with connect(simulator, **options) as client:
        result = await read_stream(client, PATH, messages(prompt))
        with trio.fail_after(10):
            await simulator.quiet()
    return simulator, result


@NETWORKS
async def test_a_calm_stream_says_the_expected_text(connect):
    simulator, (response, body, error) = await stream_once(connect, "seed=1")
    assert error is None
    assert response.status_code == 200
    assert text_of(body) == expected_text("why")
    names = [name for name, _ in events_of(body)]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    entry = only(simulator)
    assert (entry.ending, entry.status, entry.fault) == (Ending.COMPLETE, 200, None)
    assert (entry.events, entry.bytes) == (len(names), len(body))
    assert entry.key == prompt_key("why")


@NETWORKS
@pytest.mark.parametrize("position", [0, 1, 5])
async def test_a_cut_stream_breaks_after_exactly_those_events(connect, position):
    simulator, (_, body, error) = await stream_once(connect, f"cut:{position}=1")
    assert isinstance(error, httpx.RemoteProtocolError | httpx2.RemoteProtocolError)
    assert len(events_of(body)) == position
    assert (only(simulator).ending, only(simulator).events) == (Ending.CUT, position)


@NETWORKS
async def test_a_reset_stream_raises_as_a_reset_does(connect):
    simulator, (_, body, error) = await stream_once(connect, "reset:4=1")
    assert isinstance(error, httpx.ReadError | httpx2.ReadError)
    assert len(events_of(body)) == 4
    assert only(simulator).ending is Ending.RESET


@NETWORKS
async def test_a_torn_stream_ends_inside_an_event(connect):
    simulator, (_, body, error) = await stream_once(connect, "tear:4=1")
    assert isinstance(error, httpx.RemoteProtocolError | httpx2.RemoteProtocolError)
    assert not body.endswith(b"\n\n")
    assert only(simulator).events == 4
    assert only(simulator).bytes == len(body)


@NETWORKS
async def test_a_truncated_stream_ends_in_order_without_its_terminal_event(connect):
    simulator, (response, body, error) = await stream_once(connect, "truncate:6=1")
    assert error is None
    assert response.status_code == 200
    assert len(events_of(body)) == 6
    assert only(simulator).ending is Ending.TRUNCATED


@NETWORKS
async def test_a_position_past_the_end_means_just_before_the_terminal_event(connect):
    _, (_, body, _) = await stream_once(connect, "truncate:9999=1")
    names = [name for name, _ in events_of(body)]
    assert names[-1] == "message_delta"


@NETWORKS
async def test_a_garbled_event_cannot_be_parsed_and_the_rest_follows(connect):
    simulator, (_, body, error) = await stream_once(connect, "garble:5=1")
    events = events_of(body)
    assert error is None
    assert [at for at, (_, fields) in enumerate(events) if fields is None] == [5]
    assert events[-1][0] == "message_stop"
    assert only(simulator).ending is Ending.GARBLED


@NETWORKS
async def test_an_error_event_is_the_last_word_of_a_200(connect):
    simulator, (response, body, error) = await stream_once(connect, "error:overloaded:4=1")
    name, fields = events_of(body)[-1]
    assert error is None
    assert response.status_code == 200
    assert name == "error"
    assert fields["error"] == {"details": None, "type": "overloaded_error", "message": "Overloaded"}
    assert len(events_of(body)) == 5
    assert only(simulator).ending is Ending.ERROR


@NETWORKS
async def test_a_refused_request_is_closed_before_any_answer(connect):
    simulator, (response, body, error) = await stream_once(connect, "refuse=1")
    assert isinstance(error, httpx.RemoteProtocolError | httpx2.RemoteProtocolError)
    assert (response, body) == (None, b"")
    assert only(simulator).ending is Ending.REFUSED
    assert only(simulator).status is None


@NETWORKS
@pytest.mark.parametrize(
    ("term", "status", "kind", "headers"),
    [
        ("status400", 400, "invalid_request_error", {"x-should-retry": "false"}),
        ("status400:context", 400, "invalid_request_error", {}),
        ("status401", 401, "authentication_error", {"x-should-retry": "false"}),
        ("status402", 402, "billing_error", {}),
        ("status403", 403, "permission_error", {}),
        ("status404", 404, "not_found_error", {}),
        ("status413", 413, "request_too_large", {}),
        ("status429", 429, "rate_limit_error", {"retry-after": "8", "anthropic-ratelimit-input-tokens-remaining": "0"}),
        ("status429:2.5", 429, "rate_limit_error", {"retry-after": "2.5", "x-should-retry": "true"}),
        ("status429:quota", 429, "rate_limit_error", {"x-should-retry": "false"}),
        ("status500", 500, "api_error", {"x-should-retry": "true"}),
        ("status504", 504, "timeout_error", {}),
        ("status529", 529, "overloaded_error", {"x-should-retry": "true", "content-type": "application/json"}),
    ],
)
async def test_an_error_status_has_the_providers_body_and_headers(connect, term, status, kind, headers):
    simulator, (response, body, _) = await stream_once(connect, f"{term}=1")
    assert response.status_code == status
    assert json.loads(body)["error"]["type"] == kind
    assert json.loads(body)["request_id"] == response.headers["request-id"]
    assert {name: response.headers[name] for name in headers} == headers
    assert (only(simulator).ending, only(simulator).status) == (Ending.ERROR, status)


async def test_spent_quota_announces_no_time_to_come_back():
    _, (response, _, _) = await stream_once(memory_client, "status429:quota=1")
    assert "retry-after" not in response.headers


async def test_a_503_comes_from_the_proxy_in_plain_text():
    _, (response, body, _) = await stream_once(memory_client, "status503=1")
    assert response.headers["content-type"] == "text/plain"
    assert body.startswith(b"upstream connect error or disconnect/reset before headers")


@NETWORKS
async def test_a_stalled_stream_is_silent_until_the_client_leaves(connect):
    simulator, (_, body, error) = await stream_once(connect, "stall:3=1", timeout=0.3)
    assert isinstance(error, httpx.ReadTimeout | httpx2.ReadTimeout)
    assert len(events_of(body)) == 3
    assert only(simulator).ending is Ending.CLIENT_LEFT


async def test_a_hanging_request_gets_no_status_line(autojump_clock):
    simulator, (response, body, error) = await stream_once(memory_client, "hang=1", timeout=20)
    assert isinstance(error, httpx2.ReadTimeout)
    assert (response, body) == (None, b"")
    assert only(simulator).status is None
    assert trio.current_time() >= 20


async def test_pings_only_prove_life_and_bring_no_content(autojump_clock):
    simulator = Simulator(plan=Plan.parse("pings:10=1"))
    received = b""
    async with open_network(simulator) as network, await network.connect() as stream:
        await stream.send_all(request_bytes(messages("why")))
        with trio.move_on_after(95):
            while True:
                received += await stream.receive_some()
    assert received.count(b"event: ping") == 10
    assert b"content_block_delta" not in received
    assert only(simulator).ending is Ending.CLIENT_LEFT


async def test_a_slow_start_delays_content_but_not_the_first_event(autojump_clock):
    simulator = Simulator(plan=Plan.parse("slow:30=1"))
    async with open_network(simulator) as network, await network.connect() as stream:
        await stream.send_all(request_bytes(messages("why")))
        early = b""
        with trio.move_on_after(29):
            while True:
                early += await stream.receive_some()
        late = await stream.receive_some()
    assert b"message_start" in early
    assert b"text_delta" not in early
    assert b"text_delta" in late


async def test_pacing_spreads_the_events_over_time(autojump_clock):
    simulator = Simulator(Generated(tokens=100), pacing=Pacing(first_token=2, events_per_second=50))
    async with memory_client(simulator, timeout=None) as client:
        await read_stream(client, PATH, messages("why"))
    entry = only(simulator)
    assert entry.ended - entry.started == pytest.approx(2 + (entry.events - 4) / 50)


async def test_a_buffered_answer_takes_as_long_as_a_streamed_one(autojump_clock):
    simulator = Simulator(Generated(tokens=100), pacing=Pacing(first_token=2, events_per_second=50))
    async with memory_client(simulator, timeout=None) as client:
        response = await client.post(PATH, json=messages("why", stream=False))
    assert response.json()["content"] == [{"type": "text", "text": expected_text("why", tokens=100)}]
    assert trio.current_time() == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize(
    ("term", "ending", "status"),
    [
        ("cut:9", Ending.CUT, 200),
        ("reset:9", Ending.RESET, 200),
        ("truncate", Ending.TRUNCATED, 200),
        ("garble", Ending.GARBLED, 200),
        ("error:overloaded", Ending.ERROR, 529),
        ("status500", Ending.ERROR, 500),
        ("refuse", Ending.REFUSED, None),
        ("stall", Ending.CLIENT_LEFT, None),
        ("pings", Ending.CLIENT_LEFT, None),
    ],
)
async def test_faults_of_streams_have_their_form_in_a_buffered_answer(autojump_clock, term, ending, status):
    simulator = Simulator(plan=Plan.parse(f"{term}=1"))
    async with memory_client(simulator, timeout=5) as client:
        _, body, _ = await read_stream(client, PATH, messages("why", stream=False))
    entry = only(simulator)
    assert (entry.ending, entry.status, entry.events) == (ending, status, 0)
    if status == 200:
        with pytest.raises(ValueError, match=r"."):
            json.loads(body)


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


async def test_unknown_paths_and_methods_are_answered_politely():
    simulator = Simulator()
    async with memory_client(simulator) as client:
        assert (await client.get("/")).status_code == 404
        assert (await client.head("/")).status_code == 404
        assert (await client.get(PATH)).status_code == 405
    assert simulator.journal.totals().endings == {"error": 3}


@NETWORKS
async def test_one_connection_serves_request_after_request(connect):
    simulator = Simulator()
    async with connect(simulator) as client:
        for prompt in ("a", "b", "c"):
            _, body, _ = await read_stream(client, PATH, messages(prompt))
            assert text_of(body) == expected_text(prompt)
        if connect is memory_client:
            assert client.network.opened == 1
            assert client.network.open_connections == 1
    assert simulator.journal.totals().endings == {"complete": 3}


@pytest.mark.parametrize("farewell", ["close", "half-close", "reset"])
@NETWORKS
async def test_a_client_that_leaves_amid_a_stream_is_noticed_at_once(connect, farewell):
    simulator = Simulator(Generated(tokens=1000), pacing=Pacing(events_per_second=20))
    async with connect(simulator) as client:
        stream = await plain_stream(client)
        await stream.send_all(request_bytes(messages("why")))
        await stream.receive_some()
        await {"close": stream.aclose, "half-close": stream.send_eof, "reset": lambda: reset(stream)}[farewell]()
        with trio.fail_after(1):
            await simulator.quiet()
        await stream.aclose()
    entry = only(simulator)
    assert entry.ending is Ending.CLIENT_LEFT
    assert entry.events < 20


async def test_a_simulator_that_stops_says_so_in_its_journal():
    simulator = Simulator(plan=Plan.parse("stall:2=1"))
    async with open_network(simulator) as network:
        stream = await network.connect()
        await stream.send_all(request_bytes(messages("why")))
        await trio.testing.wait_all_tasks_blocked()
        assert only(simulator).ending is None
        assert simulator.journal.totals().in_flight == 1
    assert (only(simulator).ending, only(simulator).events) == (Ending.STOPPED, 2)


async def test_a_slow_reader_slows_the_provider():
    simulator = Simulator(Generated(tokens=5000))
    async with (
        open_network(simulator, buffer=2048) as network,
        on_network(network) as client,
        client.stream("POST", PATH, json=messages("why", max_tokens=9999)) as response,
    ):
        await trio.testing.wait_all_tasks_blocked()
        halted = only(simulator)
        assert halted.ending is None
        assert halted.events < 200
        await response.aread()
    assert only(simulator).ending is Ending.COMPLETE


async def test_two_runs_of_one_seed_meet_the_same_weather_in_any_order(autojump_clock):
    async def run(prompts):
        simulator = Simulator(plan=Plan.parse("seed=7 cut=0.2 status529=0.2 truncate=0.2"), pacing=Pacing(1, 10))
        async with (
            open_network(simulator) as network,
            on_network(network, 500) as client,
            trio.open_nursery() as nursery,
        ):
            for prompt in prompts:
                nursery.start_soon(read_stream, client, PATH, messages(prompt))
        unordered = ("number", "started", "ended", "first_event")
        lines = [json.loads(line) for line in simulator.journal.lines()]
        return sorted(json.dumps({k: v for k, v in line.items() if k not in unordered}) for line in lines)

    prompts = [f"prompt {n}" for n in range(50)]
    assert await run(prompts) == await run(prompts[::-1])


async def test_a_thousand_streams_at_once(autojump_clock):
    simulator = Simulator(pacing=Pacing(first_token=0.5, events_per_second=30))
    wrong = []

    async def ask(prompt):
        body = await read_plainly(await network.connect(), messages(prompt))
        if text_of(body) != expected_text(prompt):
            wrong.append(prompt)

    async with open_network(simulator) as network, trio.open_nursery() as nursery:
        for number in range(1000):
            nursery.start_soon(ask, f"prompt {number}")
    assert wrong == []
    totals = simulator.journal.totals()
    assert (totals.requests, totals.in_flight, totals.endings) == (1000, 0, {"complete": 1000})
    assert trio.current_time() < 10


async def test_no_key_is_in_the_journal():
    simulator = Simulator()
    async with memory_client(simulator) as client:
        await read_stream(client, PATH + "?key=sk-in-the-query", messages("why"))
    (line,) = simulator.journal.lines()
    assert "secret" not in line
    assert "sk-in-the-query" not in line
    assert json.loads(line)["headers"]["anthropic-version"] == "2023-06-01"


async def test_an_unreachable_host_refuses_connections():
    async with memory_client(Simulator()) as client:
        client.network.unreachable.add("api.example")
        with pytest.raises(httpx2.ConnectError):
            await client.post(PATH, json=messages("why"))
