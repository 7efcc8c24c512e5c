"""Streams over all providers at once, against the simulator on a network in memory; and providers that are played."""

from contextlib import asynccontextmanager
from inspect import isawaitable
from itertools import pairwise

import trio
from stream_world import ENVIRONMENT

from actors import Settings, open_streams
from actors.chaos import Generated, Pacing, Plan, Simulator, open_network
from actors.deltas import Finish, Finished, FinishReason
from actors.policy.brakes import Brakes

ROUTES = ("anthropic:model-one", "openai:model-one", "openai-chat:model-one", "google:model-one")
ONE, TWO = "anthropic:model-one", "anthropic:model-two"
NO_BRAKES = Brakes(None, None)


class World:
    """A simulator, its network, the streams over both, and what the tree's hook was told."""

    def __init__(self, simulator, network, streams, records):
        self.simulator, self.network, self.streams, self.records = simulator, network, streams, records

    @property
    def entries(self):
        return self.simulator.journal.entries

    @property
    def waits(self):
        """Seconds between the beginnings of the requests."""
        begun = [entry.started for entry in self.entries]
        return [round(after - before, 6) for before, after in pairwise(begun)]


@asynccontextmanager
async def a_world(plan="", *, answers=None, pacing=None, brakes=NO_BRAKES, hook=None, **options):
    simulator = Simulator(answers or Generated(tokens=24), Plan.parse(plan), pacing or Pacing())
    records = []
    options = {"settings": Settings.read(ENVIRONMENT), "seed": 1, **options}
    async with open_network(simulator) as network:
        async with open_streams(network=network, brakes=brakes, hook=hook or records.append, **options) as streams:
            yield World(simulator, network, streams, records)
        assert network.open_connections == 0


def always(fault, model="model-one", times=40):
    """A plan in which every request to a model meets the same fault."""
    return f"down:{model}=1..{times}@{fault}"


DONE = [Finished(Finish(FinishReason.STOP, "stop", releases=True))]


class Played:
    """A provider whose attempts go as scripted, the last for ever: deltas are given, errors raised, floats waited for, calls called.

    `closing` is done when an attempt's source is closed.  `opened` and `closed` count.
    """

    def __init__(self, *attempts, closing=()):
        self.attempts, self.closing = list(attempts), closing
        self.opened = self.closed = 0

    @asynccontextmanager
    async def open(self, *_):
        script = self.attempts[min(self.opened, len(self.attempts) - 1)]
        self.opened += 1
        try:
            yield PlayedSource(script)
        finally:
            self.closed += 1
            for step in self.closing:
                await _play(step)


class PlayedSource:
    request_id = "played"

    def __init__(self, script):
        self.script = iter(script)

    async def receive(self):
        await trio.lowlevel.checkpoint()
        for step in self.script:
            deltas = await _play(step)
            if deltas is not None:
                return deltas
        return None


async def _play(step):
    if isinstance(step, BaseException):
        raise step
    if isinstance(step, float):
        await trio.sleep(step)
        return None
    if callable(step):
        answer = step()
        return await answer if isawaitable(answer) else answer
    return step
