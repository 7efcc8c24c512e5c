import json

import httpx
import httpx2
import pytest
import trio
import trio.testing
from chaos_client import (
    NETWORKS,
    PATH,
    events_of,
    memory_client,
    messages,
    only,
    read_stream,
    request_bytes,
    stream_once,
    text_of,
)

from actors.chaos import Ending, Plan, Simulator, expected_text, open_network, prompt_key


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


async def test_a_client_that_leaves_before_its_request_is_looked_at_is_not_held_for():
    simulator = Simulator(plan=Plan.parse("hang=1"))
    async with open_network(simulator) as network:
        async with await network.connect() as stream:
            await stream.send_all(request_bytes(messages("why")))
        with trio.fail_after(5):
            await trio.testing.wait_all_tasks_blocked()
            await simulator.quiet()
    assert only(simulator).ending is Ending.CLIENT_LEFT


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
