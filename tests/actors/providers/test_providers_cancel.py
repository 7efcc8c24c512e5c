import random

import httpx2
import pytest
import trio
from scripted_peer import CHUNKED, END, Peer, chunk, memory, pause

from actors.chaos import open_network
from actors.providers.bodies import Body
from actors.providers.connections import Connections


class CancelAtStep(trio.abc.Instrument):
    """Cancels a scope when one task is about to take its n-th step."""

    def __init__(self, task, scope, step):
        self.task, self.scope, self.left = task, scope, step

    def before_task_step(self, task):
        if task is self.task:
            self.left -= 1
            if self.left == 0:
                self.scope.cancel()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("most", [None, 1])
async def test_cancelled_at_every_single_step_nothing_stays_open_or_lost(scheme, most):
    """A first request, one on the used connection, one beside it: all steps that the task takes, one after another."""
    peer = Peer([[CHUNKED, chunk(b"one"), chunk(b"two"), END]])
    step, cancelled = 0, True
    async with open_network(peer) as network:
        while cancelled:
            step += 1
            pool = Connections(network, most=most, ssl_context=httpx2.create_ssl_context(verify=False))
            async with httpx2.AsyncClient(transport=pool, base_url=f"{scheme}://peer", timeout=None) as client:
                with trio.CancelScope() as scope:
                    watch = CancelAtStep(trio.lowlevel.current_task(), scope, step)
                    trio.lowlevel.add_instrument(watch)
                    try:
                        await client.get("/")
                        await client.get("/")
                        async with client.stream("GET", "http://other/") as response:
                            await Body.of(response).receive()
                    finally:
                        trio.lowlevel.remove_instrument(watch)
                cancelled = scope.cancelled_caught
                statistics = pool.statistics()
                assert (statistics.in_use, statistics.waiting) == (0, 0)
                assert statistics.idle == network.open_connections
            assert network.open_connections == 0
    assert step > 15


async def test_cancelled_at_random_moments_among_others_nothing_stays_open_or_lost(autojump_clock):
    chance = random.Random(7)
    peer = Peer([[pause(0.5), CHUNKED, pause(0.5), chunk(b"one"), pause(0.5), chunk(b"two"), END]])
    endings = {"read": 0, "cancelled": 0}

    async def visit():
        await trio.sleep(chance.random() * 20)
        with trio.move_on_after(chance.random() * 4) as scope:
            async with client.stream("GET", f"http://host{chance.randrange(3)}/") as response:
                assert await Body.of(response).read() == b"onetwo"
        endings["cancelled" if scope.cancelled_caught else "read"] += 1

    async with memory(peer, most=40) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(500):
                nursery.start_soon(visit)
        statistics = client.pool.statistics()
        assert (statistics.in_use, statistics.waiting) == (0, 0)
        assert statistics.idle == client.network.open_connections
        assert min(endings.values()) > 50
    assert client.network.open_connections == 0
