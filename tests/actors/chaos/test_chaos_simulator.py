import json

import httpx2
import pytest
import trio
from chaos_client import (
    NETWORKS,
    PATH,
    memory_client,
    messages,
    on_network,
    only,
    plain_stream,
    read_plainly,
    read_stream,
    request_bytes,
    text_of,
)

from actors.chaos import Ending, Generated, Pacing, Plan, Scripted, Simulator, expected_text, open_network
from actors.chaos.connection import reset


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


async def test_unknown_paths_and_methods_are_answered_politely():
    simulator = Simulator()
    async with memory_client(simulator) as client:
        assert (await client.get("/")).status_code == 404
        assert (await client.head("/")).status_code == 404
        assert (await client.get(PATH)).status_code == 405
    assert simulator.journal.totals().endings == {"error": 3}


async def test_a_request_to_no_provider_takes_nobodys_turn():
    async with memory_client(Simulator(Scripted("first", "second"))) as client:
        assert (await client.head("/")).status_code == 404
        _, first, _ = await read_stream(client, PATH, messages("a"))
        assert (await client.get("/favicon.ico")).status_code == 404
        _, second, _ = await read_stream(client, PATH, messages("b"))
    assert (text_of(first), text_of(second)) == ("first", "second")


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


async def test_a_full_provider_takes_its_number_at_once_and_new_ones_when_those_are_done(autojump_clock):
    simulator = Simulator(plan=Plan.parse("full:anthropic=3"), pacing=Pacing(first_token=5))
    async with open_network(simulator) as network, on_network(network) as client:
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                for number in range(10):
                    nursery.start_soon(read_stream, client, PATH, messages(f"prompt {number}"))
    assert simulator.journal.totals().statuses == {200: 6, 429: 14}
