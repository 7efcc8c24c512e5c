"""One run against the simulator that is recorded, and the same run out of the recording."""

import json
from contextlib import asynccontextmanager

import attrs
import stream_world
from msgspec.structs import replace
from stream_world import KEY

from actors import Attempt, AttemptAbandoned, Settings, TextDelta, open_streams
from actors.chaos import Generated, Pacing, Plan, Simulator, open_network
from actors.providers.table import TABLE

ENVIRONMENT = {
    **stream_world.ENVIRONMENT,
    "AZURE_OPENAI_API_KEY": KEY,
    "AZURE_OPENAI_ENDPOINT": "http://azure.test",
    "GOOGLE_OAUTH_ACCESS_TOKEN": KEY,
    "GOOGLE_CLOUD_PROJECT": "p",
    "GOOGLE_CLOUD_LOCATION": "eu",
    "GOOGLE_VERTEX_BASE_URL": "http://vertex.test",
    "ANTHROPIC_VERTEX_BASE_URL": "http://vertex.test/v1",
    "AWS_BEARER_TOKEN_BEDROCK": KEY,
    "AWS_REGION": "eu-west-1",
    "ANTHROPIC_BEDROCK_BASE_URL": "http://bedrock.test",
}
KEYLESS = Settings.read({})
ROUTE = "anthropic:one"
PROVIDERS = tuple(name for name in TABLE if name != "claude-code")
"""Every provider that is reached over HTTP."""


class NoNetwork:
    """Whoever connects to anything has broken the promise of a replay."""

    async def connect_tcp(self, *_args, **_kwargs):
        raise AssertionError("a replay opened a connection")


@asynccontextmanager
async def recorded(path, plan="", *, answers=None, pacing=None, server=None, unreachable=(), environment=None):
    """Streams against the simulator, or another server, whose attempts go into `path`."""
    server = server or Simulator(answers or Generated(tokens=24), Plan.parse(plan), pacing or Pacing())
    settings = Settings.read(environment or ENVIRONMENT)
    async with (
        open_network(server) as network,
        open_streams(settings=settings, network=network, seed=1, record=path) as streams,
    ):
        network.unreachable.update(unreachable)
        yield streams


async def tape(path, *prompts, plan="", ladder=ROUTE, **world):
    """Record one answer for each prompt."""
    async with recorded(path, plan, **world) as streams:
        for prompt in prompts:
            await streams.ask(prompt, ladder)
    return path


@asynccontextmanager
async def replayed(path):
    """Streams out of `path`, without a key and without a network."""
    async with open_streams(settings=KEYLESS, network=NoNetwork(), seed=1, replay=path) as streams:
        yield streams


async def events_of(streams, prompt, ladder):
    """What a consumer is told, pieces of text joined, and the outcome."""
    told = []
    async with streams.open(prompt, ladder) as stream:
        async for event in stream:
            match event:
                case TextDelta(text) if told and told[-1][0] == "text":
                    told[-1] = ("text", told[-1][1] + text)
                case TextDelta(text):
                    told.append(("text", text))
                case AttemptAbandoned():
                    told.append(("seam", replace(event, after=0.0)))
                case _:
                    told.append(("event", event))
    return told, bare(stream.outcome)


TIMES = {"started": 0.0, "ended": 0.0, "first_event": None, "first_content": None}


def bare(outcome):
    """An outcome without the times it took."""
    named = {field.name for field in attrs.fields(Attempt)}
    times = {name: value for name, value in TIMES.items() if name in named}
    return attrs.evolve(outcome, attempts=tuple(attrs.evolve(one, **times) for one in outcome.attempts))


def lines_of(path):
    """The lines of a recording as JSON has them."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]
