"""Streams against the simulator on the in-memory network: the official client, our pool and our decoder, no socket."""

from contextlib import asynccontextmanager

import pytest

from actors import Settings, open_streams
from actors.chaos.network import open_network
from actors.chaos.plan import Plan
from actors.chaos.simulator import Pacing, Simulator
from actors.chaos.sources import Generated

SETTINGS = Settings.read({"ANTHROPIC_API_KEY": "sk-test-key", "ANTHROPIC_BASE_URL": "http://anthropic.test"})
ONE, TWO = "anthropic:claude-one", "anthropic:claude-two"


class World:
    """A simulator, its network and the streams over both."""

    def __init__(self, simulator, network, streams, records):
        self.simulator = simulator
        self.network = network
        self.streams = streams
        self.records = records

    @property
    def entries(self):
        return self.simulator.journal.entries


@asynccontextmanager
async def a_world(plan="", *, tokens=24, pacing=None, answers=None, seed=1, settings=SETTINGS, providers=None):
    simulator = Simulator(answers or Generated(tokens=tokens), Plan.parse(plan), pacing or Pacing())
    records = []
    async with open_network(simulator) as network:
        options = {"providers": providers, "hook": records.append, "seed": seed}
        async with open_streams(settings=settings, network=network, **options) as streams:
            yield World(simulator, network, streams, records)
        assert network.open_connections == 0


@pytest.fixture
def world():
    return a_world
