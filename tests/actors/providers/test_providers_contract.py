"""What holds for every provider that is reached over HTTP: one table of situations, every provider in each of them."""

import json
import subprocess
import sys
import threading

import httpx2
import pytest
import trio
from provider_world import (
    ENVIRONMENT,
    KEY,
    NAMED,
    PROVIDERS,
    RICH,
    ROUTES,
    WORDS,
    assembled,
    deltas_of,
    finished,
    providers,
    providers_over_sockets,
    text,
    usages,
)
from scripted_peer import OK, Peer, chunk, fin, pause, rst, sized, stall

from actors.chaos import Ending, Generated, Pacing, Plan, Scripted, Simulator, expected_text, open_network
from actors.config import Settings
from actors.deltas import FinishReason
from actors.errors import SettingError
from actors.messages import Text, Thinking
from actors.providers.connections import Connections
from actors.providers.table import Providers, open_providers
from actors.request import Limits, Request
from actors.route import Clocks, Route
from actors.source import EncodingError, MalformedError, RefusedError, TruncatedError, WireError

EACH_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=str)
EACH_PROVIDER = pytest.mark.parametrize("named", PROVIDERS, ids=str)


# -- answers


@EACH_ROUTE
@pytest.mark.row("C1", "M9", "E15")
async def test_an_answer_has_its_parts_its_calls_its_usage_and_its_finish(route):
    simulator = Simulator(Scripted(RICH))
    async with providers(simulator) as known:
        deltas = await deltas_of(known, route)
    assembly = assembled(deltas)
    thinking, words, weather, now = assembly.parts
    assert (thinking.text, words.text) == ("let me see", WORDS)
    assert (type(thinking), type(words)) == (Thinking, Text)
    assert [(call.name, call.arguments) for call in (weather, now)] == [("weather", {"city": "Zürich"}), ("now", {})]
    assert [ready.call for ready in assembly.ready] == [weather, now]
    assert weather.id != now.id
    assert (assembly.finish.reason, assembly.finish.releases) == (FinishReason.TOOL_CALLS, True)
    assert deltas[-1:] == finished(deltas)
    assert usages(deltas)[-1].output_tokens == RICH.tokens
    assert usages(deltas)[-1].input_tokens > 0
    assert len(simulator.journal.entries) == 1


@EACH_ROUTE
async def test_one_connection_serves_answer_after_answer(route):
    async with providers(Simulator(Generated(seed=3))) as known:
        for prompt in ("one", "two", "three"):
            assert text(await deltas_of(known, route, prompt)) == expected_text(prompt, seed=3)
        assert known.network.opened == 1


@EACH_ROUTE
async def test_an_answer_over_a_real_socket_is_the_same(route):
    async with providers_over_sockets(Simulator(Generated(seed=3))) as known:
        assert text(await deltas_of(known, route, "one")) == expected_text("one", seed=3)


@EACH_ROUTE
async def test_the_request_id_is_the_providers(route):
    simulator = Simulator(Scripted("hi"))
    async with providers(simulator) as known, known[route.provider].open(Request("hi"), route) as source:
        assert bool(source.request_id) == bool(NAMED[route.provider].request_id)
        while await source.receive() is not None:
            pass


@EACH_ROUTE
async def test_long_buffered_answers_are_waited_for(autojump_clock, route):
    simulator = Simulator(Generated(tokens=5), pacing=Pacing(first_token=900.0))
    async with providers(simulator) as known:
        deltas = await deltas_of(known, route, Request("hi", limits=Limits(max_tokens=100_000)))
    assert text(deltas) == expected_text("hi", tokens=5)


# -- requests


async def request_of(route, **environment):
    """The one request as it stood on the wire: head lines and body."""
    peer = Peer([[sized(b"{}")]])
    async with providers(peer, **environment) as known:
        with pytest.raises(WireError):
            await deltas_of(known, route)
    (request,) = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


@pytest.mark.promise("P13")
@EACH_ROUTE
async def test_the_key_stands_in_its_header_and_nowhere_else(route):
    (line, *headers), body = await request_of(route)
    with_key = [header for header in headers if KEY.encode() in header]
    assert [header.decode().lower() for header in with_key] == [NAMED[route.provider].key_header.lower()]
    assert KEY.encode() not in line + body


@EACH_ROUTE
async def test_a_request_is_plain_json_at_the_address_of_its_mode(route):
    (line, *headers), body = await request_of(route)
    named = NAMED[route.provider]
    fields = {name.strip().lower(): value.strip() for name, _, value in (header.partition(b":") for header in headers)}
    assert line == f"POST {named.target(route)} HTTP/1.1".encode()
    assert fields[b"host"] == b"peer"
    assert fields[b"content-type"] == b"application/json"
    assert fields[b"accept-encoding"] == b"identity"
    assert b"hello" in body
    assert json.loads(body)
    assert len([header for header in headers if header.lower().startswith(b"content-length")]) == 1


@EACH_PROVIDER
async def test_a_base_address_of_ones_own_is_where_requests_go(named):
    gateway = "https://gateway.test:8443/llm"
    bases = {name: gateway for name in ENVIRONMENT if name.endswith(("_BASE_URL", "_ENDPOINT"))}
    (line, *headers), _ = await request_of(named.route, **bases)
    versioned = named.name in {"openai", "openai-chat", "anthropic-vertex"}
    assert line.split()[1].decode() == "/llm" + named.streamed.removeprefix("/v1" if versioned else "")
    assert b"host: gateway.test:8443" in [header.lower() for header in headers]


@EACH_PROVIDER
async def test_a_request_that_cannot_be_encoded_is_never_sent(named):
    peer = Peer([[]])
    async with providers(peer) as known:
        with pytest.raises(EncodingError):
            await deltas_of(known, named.route, Request(()))
    assert peer.requests == []


# -- refusals

STATUSES = [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529]


@pytest.mark.promise("P5")
@EACH_ROUTE
@pytest.mark.row("C1", "C2", "M9")
async def test_every_error_status_is_told_after_one_request(route):
    async with providers(simulator := Simulator(plan=every_status())) as known:
        for sent, status in enumerate(STATUSES, 1):
            with pytest.raises(RefusedError) as told:
                await deltas_of(known, route)
            assert told.value.status == status
            assert str(told.value)
            assert KEY not in repr(told.value) + str(told.value) + repr(told.value.headers)
            assert len(simulator.journal.entries) == sent


def every_status():
    return Plan.parse(" ".join(f"model-one#{number}=status{status}" for number, status in enumerate(STATUSES, 1)))


@EACH_ROUTE
async def test_a_wait_that_the_provider_asks_for_is_told(route):
    async with providers(Simulator(plan=Plan.parse("status429:7=1"))) as known:
        with pytest.raises(RefusedError) as told:
            await deltas_of(known, route)
    assert told.value.retry_after == 7.0


@pytest.mark.promise("P13")
@EACH_ROUTE
async def test_a_key_that_the_server_repeats_is_not_repeated(route):
    body = json.dumps({"error": {"message": f"Received API key {KEY}, which is none", "type": "nope"}}).encode()
    peer = Peer([[b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)]])
    async with providers(peer) as known:
        with pytest.raises(RefusedError, match=r"Received API key \*\*\*, which is none"):
            await deltas_of(known, route)


@EACH_ROUTE
@pytest.mark.parametrize("tail", [[stall], [fin], [rst], [b"nonsense\r\n"]], ids=["stall", "fin", "rst", "garbage"])
async def test_a_refusal_whose_body_never_ends_well_is_still_that_refusal(autojump_clock, route, tail):
    head = b"HTTP/1.1 503 Unavailable\r\nretry-after: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    peer = Peer([[head, chunk(b"<html>"), pause(0.1), *tail]])
    async with providers(peer) as known:
        with pytest.raises(RefusedError) as told:
            await deltas_of(known, route)
    assert (told.value.status, told.value.retry_after, len(peer.requests)) == (503, 3.0, 1)


@pytest.mark.promise("P5")
@EACH_ROUTE
@pytest.mark.row("C6")
async def test_a_server_that_asks_for_a_retry_gets_none_from_the_client(autojump_clock, route):
    head = b"HTTP/1.1 429 Slow down\r\nx-should-retry: true\r\nretry-after-ms: 10\r\nContent-Length: 2\r\n\r\n{}"
    peer = Peer([[head]])
    async with providers(peer) as known:
        with pytest.raises(RefusedError):
            await deltas_of(known, route)
    assert len(peer.requests) == 1


@EACH_ROUTE
async def test_a_redirect_is_told_and_not_followed(route):
    peer = Peer([[b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"]])
    async with providers(peer) as known:
        with pytest.raises(RefusedError) as told:
            await deltas_of(known, route)
    assert (told.value.status, len(peer.requests)) == (307, 1)


# -- broken answers

FAULTS = {
    "refuse": (httpx2.RemoteProtocolError, httpx2.ReadError),
    "cut:9": (httpx2.RemoteProtocolError,),
    "reset:9": (httpx2.ReadError,),
    "tear:9": (httpx2.RemoteProtocolError,),
    "truncate:9": (TruncatedError,),
    "garble:9": (MalformedError,),
    "error:overloaded:9": (RefusedError,),
}


@pytest.mark.promise("P7")
@EACH_PROVIDER
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.row("C1", "M9")
async def test_a_broken_stream_gives_what_came_and_its_own_exception(autojump_clock, named, fault):
    pieces = []
    async with providers(simulator := Simulator(Generated(), Plan.parse(f"{fault}=1"))) as known:
        with pytest.raises(FAULTS[fault]):
            await deltas_of(known, named.route, "hello", pieces)
        assert len(simulator.journal.entries) == 1
    assert finished(pieces) == []
    assert expected_text("hello").startswith(text(pieces))
    assert bool(text(pieces)) == (fault != "refuse")


@EACH_PROVIDER
async def test_a_compressed_stream_is_refused(named):
    peer = Peer([[OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"]])
    async with providers(peer) as known:
        with pytest.raises(MalformedError, match="gzip"):
            await deltas_of(known, named.route)


@EACH_PROVIDER
async def test_half_a_buffered_answer_says_so(named):
    peer = Peer([[sized(b'{"id":"x","cand')]])
    async with providers(peer) as known:
        with pytest.raises(MalformedError):
            await deltas_of(known, named.route.buffered)


@EACH_PROVIDER
async def test_an_unreachable_host_is_a_connect_error_without_wrapping(named):
    async with providers(Peer([[]])) as known:
        known.network.unreachable.add("peer")
        with pytest.raises(httpx2.ConnectError, match="refused"):
            await deltas_of(known, named.route)


@EACH_PROVIDER
async def test_the_connect_clock_of_the_route_is_kept(autojump_clock, named):
    class Silent:
        async def connect_tcp(self, *_args, **_kwargs):
            await trio.sleep_forever()

    known = Providers(Settings.read(ENVIRONMENT), {}, Connections(Silent()))
    start = trio.current_time()
    with pytest.raises(httpx2.ConnectTimeout):
        await deltas_of(known, Route(named.name, "m", clocks=Clocks(connect=4)))
    assert trio.current_time() - start == 4


# -- cancels

MOMENTS = {
    "before the head": Plan.parse("slow:60=1"),
    "within the stream": Plan.parse("stall:7=1"),
    "before the first event": Plan.parse("stall:0=1"),
}


@pytest.mark.promise("P1")
@pytest.mark.promise("P4")
@EACH_ROUTE
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_cancel_reaches_the_server_at_once_and_leaves_nothing(autojump_clock, route, moment):
    async with providers(simulator := Simulator(plan=MOMENTS[moment])) as known:
        with trio.move_on_after(5) as scope:
            await deltas_of(known, route)
        assert scope.cancelled_caught
        assert trio.current_time() == 5
        await trio.testing.wait_all_tasks_blocked()
        assert known._pool.statistics().open == 0
        assert [entry.ending for entry in simulator.journal.entries] == [Ending.CLIENT_LEFT]


@EACH_ROUTE
async def test_a_cancel_within_the_body_of_an_error_leaves_nothing(autojump_clock, route):
    peer = Peer([[b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n{", stall]])
    async with providers(peer) as known:
        with trio.move_on_after(1) as scope:
            await deltas_of(known, route)
        assert scope.cancelled_caught
        assert known._pool.statistics().open == 0


@EACH_PROVIDER
async def test_a_stream_left_early_is_closed(autojump_clock, named):
    async with providers(Simulator(plan=Plan.parse("stall:7=1"))) as known:
        async with known[named.name].open(Request("hi"), named.route) as source:
            assert await source.receive()
        assert known.network.open_connections == 0


# -- clients


@EACH_ROUTE
async def test_a_cold_client_asks_no_thread_so_the_clock_stands_still(autojump_clock, route):
    threads = threading.active_count()
    async with providers(Simulator()) as known:
        start = trio.current_time()
        await deltas_of(known, route)
        assert trio.current_time() == start
    assert threading.active_count() == threads


@pytest.mark.row("A13")
@EACH_PROVIDER
async def test_a_missing_key_is_one_sentence_before_anything_opens(named, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    without = {name: text for name, text in ENVIRONMENT.items() if text != KEY and not name.startswith("OPENAI")}
    async with open_network(Peer([[]])) as network, open_providers(Settings.read(without), {}, network) as known:
        with pytest.raises(SettingError, match=r"_API_KEY is not set|no Google credentials|no AWS credentials"):
            known.admit(named.route)
        assert network.opened == 0


def test_an_official_client_is_imported_by_its_provider_and_not_before():
    code = """
import sys
import actors
from actors.config import Settings
from actors.providers.connections import Connections
from actors.providers.table import Providers

names = {"anthropic": "anthropic", "openai": "openai", "openai-chat": "openai", "google": "google.genai"}
known = Providers(Settings.read({"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k", "GEMINI_API_KEY": "k"}), {}, Connections())
assert not sys.modules.keys() & set(names.values())
for name, package in names.items():
    known[name]
    assert package in sys.modules, name
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
