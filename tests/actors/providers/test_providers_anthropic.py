import json
import subprocess
import sys
from contextlib import asynccontextmanager

import httpx2
import pytest
import trio
from scripted_peer import CHUNKED, END, OK, Peer, chunk, fin, pause, rst, sized, stall

from actors.chaos import Generated, Pacing, Plan, Simulator, expected_text, open_network
from actors.config import Endpoint, Secret
from actors.deltas import Finished, TextDelta
from actors.errors import SettingError
from actors.providers.anthropic import AnthropicProvider
from actors.providers.connections import Connections
from actors.request import Limits, Request
from actors.route import Clocks, Route
from actors.source import EncodingError, MalformedError, RefusedError, TruncatedError

ROUTE = Route("anthropic", "claude-sonnet-4-5")
KEY = "sk-ant-of-nobody"
START = chunk(
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
    b'"model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
)


@asynccontextmanager
async def provider(server):
    """The provider over a network in memory; `.pool` and `.network` are the two below it."""
    async with open_network(server) as network:
        pool = Connections(network)
        made = AnthropicProvider(Endpoint("anthropic", "http://peer", (Secret(KEY),)), pool)
        made.pool, made.network = pool, network
        yield made
        assert pool.statistics().in_use == 0
        await pool.aclose()
        assert network.open_connections == 0


async def deltas_of(anthropic, request="hello", route=ROUTE):
    deltas = []
    async with anthropic.open(request if isinstance(request, Request) else Request(request), route) as source:
        while (some := await source.receive()) is not None:
            deltas += some
        assert await source.receive() is None
    return deltas


def text(deltas):
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


@pytest.mark.parametrize("route", [ROUTE, ROUTE.buffered], ids=str)
async def test_answer_is_complete_and_its_connection_serves_again(route):
    async with provider(Simulator(Generated(seed=3))) as anthropic:
        for prompt in ("one", "two", "three"):
            deltas = await deltas_of(anthropic, prompt, route)
            assert text(deltas) == expected_text(prompt, seed=3)
            assert isinstance(deltas[-1], Finished)
        assert anthropic.network.opened == 1


async def test_request_is_ours_in_body_and_the_clients_in_headers():
    peer = Peer([[OK + b"request-id: req_9\r\nTransfer-Encoding: chunked\r\n\r\n", START, END]])
    request = Request("hi", limits=Limits(max_tokens=77))
    async with provider(peer) as anthropic, anthropic.open(request, ROUTE) as source:
        assert source.request_id == "req_9"
        await source.receive()
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    lines = {line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in head.splitlines()[1:]}
    assert head.startswith(b"POST /v1/messages HTTP/1.1")
    assert KEY.encode() in head
    assert lines[b"accept-encoding"] == b"identity"
    assert lines[b"content-type"] == b"application/json"
    assert lines[b"anthropic-version"]
    assert json.loads(body)["max_tokens"] == 77


async def test_long_buffered_answers_are_not_refused_by_the_client(autojump_clock):
    simulator = Simulator(Generated(tokens=5), pacing=Pacing(first_token=900.0))
    async with provider(simulator) as anthropic:
        deltas = await deltas_of(anthropic, Request("hi", limits=Limits(max_tokens=100_000)), ROUTE.buffered)
    assert text(deltas) == expected_text("hi", tokens=5)


async def test_cold_client_asks_no_thread_so_the_clock_stands_still(autojump_clock):
    async with provider(Simulator()) as anthropic:
        start = trio.current_time()
        await deltas_of(anthropic)
        assert trio.current_time() == start


@pytest.mark.parametrize("route", [ROUTE, ROUTE.buffered], ids=str)
@pytest.mark.parametrize(
    ("plan", "status", "kind", "retry_after"),
    [
        ("status529=1", 529, "overloaded_error", None),
        ("status429:7=1", 429, "rate_limit_error", "7"),
        ("status401=1", 401, "authentication_error", None),
    ],
)
async def test_refusal_is_told_with_status_kind_and_headers_after_one_request(route, plan, status, kind, retry_after):
    simulator = Simulator(plan=Plan.parse(plan))
    async with provider(simulator) as anthropic:
        with pytest.raises(RefusedError) as told:
            await deltas_of(anthropic, route=route)
        assert (told.value.status, told.value.kind) == (status, kind)
        assert told.value.headers.get("retry-after") == retry_after
        assert len(simulator.journal.entries) == 1
        assert KEY not in repr(told.value) + str(told.value)


@pytest.mark.parametrize("tail", [[stall], [fin], [rst], [b"nonsense\r\n"]], ids=["stall", "fin", "rst", "garbage"])
async def test_refusal_whose_body_never_ends_well_is_still_that_refusal(autojump_clock, tail):
    head = b"HTTP/1.1 503 Unavailable\r\nretry-after: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    peer = Peer([[head, chunk(b"<html>"), pause(0.1), *tail]])
    async with provider(peer) as anthropic:
        with pytest.raises(RefusedError) as told:
            await deltas_of(anthropic)
    assert (told.value.status, told.value.headers["retry-after"], len(peer.requests)) == (503, "3", 1)


async def test_redirect_is_told_and_not_followed():
    peer = Peer([[b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"]])
    async with provider(peer) as anthropic:
        with pytest.raises(RefusedError) as told:
            await deltas_of(anthropic)
    assert (told.value.status, len(peer.requests)) == (307, 1)


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        pytest.param([fin], httpx2.RemoteProtocolError, id="no answer"),
        pytest.param([CHUNKED, START, fin], httpx2.RemoteProtocolError, id="cut"),
        pytest.param([CHUNKED, START, pause(1), rst], httpx2.ReadError, id="reset"),
        pytest.param([CHUNKED, START, END], TruncatedError, id="ended without the terminal event"),
        pytest.param([CHUNKED, START, chunk(b"data: {nonsense}\n\n"), END], MalformedError, id="garbled"),
        pytest.param([OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"], MalformedError, id="compressed"),
    ],
)
async def test_broken_answer_is_one_request_and_its_own_exception(autojump_clock, steps, kind):
    peer = Peer([steps])
    async with provider(peer) as anthropic:
        with pytest.raises(kind):
            await deltas_of(anthropic)
        assert len(peer.requests) == 1


async def test_broken_buffered_answer_says_so():
    peer = Peer([[sized(b'{"type":"message"')]])
    async with provider(peer) as anthropic:
        with pytest.raises(MalformedError):
            await deltas_of(anthropic, route=ROUTE.buffered)


async def test_unreachable_host_is_a_connect_error_without_the_clients_wrapping():
    async with provider(Peer([[]])) as anthropic:
        anthropic.network.unreachable.add("peer")
        with pytest.raises(httpx2.ConnectError, match="refused"):
            await deltas_of(anthropic)


async def test_connect_clock_of_the_route_is_kept(autojump_clock):
    class Silent:
        async def connect_tcp(self, *_args, **_kwargs):
            await trio.sleep_forever()

    anthropic = AnthropicProvider(Endpoint("anthropic", "http://peer", (Secret(KEY),)), Connections(Silent()))
    start = trio.current_time()
    with pytest.raises(httpx2.ConnectTimeout):
        await deltas_of(anthropic, route=Route("anthropic", "m", clocks=Clocks(connect=4)))
    assert trio.current_time() - start == 4


async def test_stream_left_early_is_closed_and_the_server_sees_it(autojump_clock):
    peer = Peer([[CHUNKED, START, stall]])
    async with provider(peer) as anthropic:
        async with anthropic.open(Request("hi"), ROUTE) as source:
            assert await source.receive()
        assert anthropic.network.open_connections == 0


async def test_request_that_cannot_be_encoded_is_never_sent():
    peer = Peer([[]])
    async with provider(peer) as anthropic:
        with pytest.raises(EncodingError):
            await deltas_of(anthropic, Request(()))
    assert peer.requests == []


def test_missing_key_is_one_sentence_before_anything_opens():
    with pytest.raises(SettingError, match="ANTHROPIC_API_KEY is not set"):
        AnthropicProvider(Endpoint("anthropic", "http://peer", ()), Connections())


def test_official_client_is_imported_by_the_first_provider_and_not_before():
    code = (
        "import sys, actors, actors.providers.anthropic as module; assert 'anthropic' not in sys.modules;"
        "from actors.config import Endpoint, Secret; from actors.providers.connections import Connections;"
        "module.AnthropicProvider(Endpoint('anthropic', 'http://peer', (Secret('k'),)), Connections());"
        "assert 'anthropic' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
