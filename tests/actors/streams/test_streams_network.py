"""Trouble on the way to a provider, met for real on the loopback: names, handshakes, strangers, silence."""

import socket
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from structlog.testing import capture_logs

from actors import Backoff, Clocks, FailureKind, Ladder, Phase, Retry, Route, Settings, Switch, open_streams
from actors.failure import Category, Disposition
from actors.lifecycle import AttemptEnded
from actors.observe.logs import StreamLogs
from actors.policy.brakes import Brakes

SOON = Retry(5, Backoff(initial=0.01, cap=0.02))
SHORT = Clocks(connect=2.0, first_event=0.1)


class Names:
    """A resolver that knows no name, and says why."""

    def __init__(self, number):
        self.number = number
        self.asked = 0

    async def getaddrinfo(self, host, *_):
        if host != "localhost":
            self.asked += 1
            await trio.lowlevel.checkpoint()
            raise socket.gaierror(self.number, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    async def getnameinfo(self, *_):
        raise NotImplementedError


@asynccontextmanager
async def streams_to(url, told=None):
    keys = {"ANTHROPIC_API_KEY": "k" * 10, "ANTHROPIC_BASE_URL": url}
    hook = None if told is None else told.append
    async with open_streams(settings=Settings.read(keys), hook=hook, brakes=Brakes(None, None)) as streams:
        yield streams


@asynccontextmanager
async def a_server(serve):
    """A listener on the loopback; gives its port."""
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@pytest.mark.row("A23", "X5", "B3")
@pytest.mark.parametrize(
    ("number", "kind", "asked"),
    [(socket.EAI_NONAME, FailureKind.DNS_PERMANENT, 1), (socket.EAI_AGAIN, FailureKind.DNS_TEMPORARY, 3)],
)
async def test_a_name_that_is_not_there_is_final_and_one_not_found_for_now_is_not(number, kind, asked):
    names = Names(number)
    before = trio.socket.set_custom_hostname_resolver(names)
    try:
        async with streams_to("http://nowhere.test") as streams:
            outcome = await streams.ask("hello", Ladder("anthropic:model", SOON))
    finally:
        trio.socket.set_custom_hostname_resolver(before)
    assert (outcome.failure.kind, outcome.failure.phase, names.asked) == (kind, Phase.CONNECTION, asked)
    assert outcome.exhausted is (asked > 1)


async def plain(stream):
    """A server of plain HTTP that was not asked in HTTP."""
    async with stream:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


async def shell(stream):
    """A server of something else altogether."""
    async with stream:
        await stream.send_all(b"SSH-2.0-OpenSSH_9.2\r\n")
        await stream.receive_some()


@pytest.mark.row("A24", "B3", "B4")
@pytest.mark.parametrize(
    ("scheme", "serve", "kind"),
    [("https", plain, FailureKind.TLS), ("http", shell, FailureKind.PROTOCOL)],
)
async def test_a_broken_handshake_and_a_stranger_are_final_on_that_route(scheme, serve, kind):
    connections = []

    async def counting(stream):
        connections.append(stream)
        await serve(stream)

    async with a_server(counting) as port, streams_to(f"{scheme}://127.0.0.1:{port}") as streams:
        outcome = await streams.ask("hello", Ladder("anthropic:model", SOON))
        assert streams.gauges()["idle_connections"] == 0
    assert (outcome.failure.kind, len(connections), outcome.exhausted) == (kind, 1, False)


@pytest.mark.row("A25", "A3", "D18")
async def test_a_local_endpoint_that_stalls_is_a_timeout_and_its_connection_is_not_used_again():
    connections = []

    async def stalls(stream):
        async with stream:
            connections.append(stream)
            while await stream.receive_some():
                pass

    route = Route("anthropic", "model", clocks=SHORT)
    async with a_server(stalls) as port, streams_to(f"http://127.0.0.1:{port}") as streams:
        outcome = await streams.ask("hello", Ladder(route, Retry(3, Backoff(initial=0.01))))
        assert streams.gauges()["connections"] == streams.gauges()["idle_connections"] == 0
    assert outcome.failure.kind is FailureKind.FIRST_EVENT_TIMEOUT
    assert len(connections) == len(outcome.attempts) == 3


@pytest.mark.row("A22", "X4")
async def test_a_closed_port_is_asked_three_times_and_then_another_route():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        told = []
        async with streams_to(f"http://127.0.0.1:{taken.getsockname()[1]}", told) as streams:
            await streams.ask("hello", Ladder("anthropic:one", SOON, Switch("anthropic:two")))
    failed = [record for record in told if isinstance(record, AttemptEnded)]
    assert [(one.attempt.route.model, one.failure.kind.label) for one in failed] == [
        ("one", "refused"),
        ("one", "refused"),
        ("one", "refused"),
        ("two", "refused"),
    ]


@pytest.mark.row("B8", "X16")
async def test_every_failure_that_is_logged_has_its_class_beside_it(world, autojump_clock):
    plan = "claude-one#1=status503 claude-one#2=status429:1 claude-one#3=status401"
    with capture_logs() as logs:
        async with world(plan) as w:
            hook = StreamLogs()
            await w.streams.ask("hello", Ladder("anthropic:claude-one", Retry(5)))
            for record in w.records:
                hook(record)
    failed = [line for line in logs if "error_type" in line]
    assert [line["error_type"] for line in failed][:3] == ["unavailable", "rate_limit", "invalid_key"]
    for line in failed:
        assert Category(line["category"])
        assert Disposition(line["disposition"])
        assert line["phase"] == "connection"
