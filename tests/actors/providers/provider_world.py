"""Every provider that is reached over HTTP, made as the stream layer makes it: out of an environment, over one network."""

from contextlib import asynccontextmanager

import attrs
import trio

from actors.chaos import Answer, Text, Thinking, ToolUse, expected_text, open_network
from actors.config import Settings
from actors.deltas import Finished, TextDelta, UsageDelta
from actors.policy.assemble import Assembly
from actors.providers.table import open_providers
from actors.request import Request
from actors.route import Route

KEY = "sk-of-nobody-1234567"
ENVIRONMENT = {
    "ANTHROPIC_API_KEY": KEY,
    "ANTHROPIC_BASE_URL": "http://peer",
    "OPENAI_API_KEY": KEY,
    "OPENAI_BASE_URL": "http://peer/v1",
    "GEMINI_API_KEY": KEY,
    "GEMINI_BASE_URL": "http://peer",
    "AZURE_OPENAI_API_KEY": KEY,
    "AZURE_OPENAI_ENDPOINT": "http://peer",
    "GOOGLE_OAUTH_ACCESS_TOKEN": KEY,
    "GOOGLE_CLOUD_PROJECT": "p",
    "GOOGLE_CLOUD_LOCATION": "eu",
    "GOOGLE_VERTEX_BASE_URL": "http://peer",
    "ANTHROPIC_VERTEX_BASE_URL": "http://peer/v1",
    "AWS_BEARER_TOKEN_BEDROCK": KEY,
    "AWS_REGION": "eu-west-1",
    "ANTHROPIC_BEDROCK_BASE_URL": "http://peer",
}


@attrs.frozen
class Named:
    """A provider: its name in routes, the header that holds its key, where it streams and where it answers at once."""

    name: str
    key_header: str
    streamed: str
    buffered: str
    request_id: str = ""

    @property
    def route(self):
        return Route(self.name, "model-one")

    def target(self, route):
        return self.streamed if route.streams else self.buffered

    def __str__(self):
        return self.name


BEARER = f"authorization: Bearer {KEY}"
VERSION = "?api-version=2025-04-01-preview"
AZURE = f"/openai/deployments/model-one/chat/completions{VERSION}"
PLACE = "/projects/p/locations/eu/publishers/"
VERTEX, CLAUDE = f"/v1beta1{PLACE}", f"/v1{PLACE}"
STREAM_GEMINI = "models/model-one:streamGenerateContent?alt=sse"
BEDROCK = "/model/model-one/invoke"
GEMINI = "/v1beta/models/model-one:"
PROVIDERS = [
    Named("anthropic", BEARER, "/v1/messages", "/v1/messages", "request-id"),
    Named("openai", BEARER, "/v1/responses", "/v1/responses", "x-request-id"),
    Named("openai-chat", BEARER, "/v1/chat/completions", "/v1/chat/completions", "x-request-id"),
    Named("azure", f"api-key: {KEY}", f"/openai/responses{VERSION}", f"/openai/responses{VERSION}", "x-request-id"),
    Named("azure-chat", f"api-key: {KEY}", AZURE, AZURE, "x-request-id"),
    Named("vertex", BEARER, f"{VERTEX}google/{STREAM_GEMINI}", f"{VERTEX}google/models/model-one:generateContent"),
    Named(
        "anthropic-vertex",
        BEARER,
        f"{CLAUDE}anthropic/models/model-one:streamRawPredict",
        f"{CLAUDE}anthropic/models/model-one:rawPredict",
        "request-id",
    ),
    Named("bedrock", BEARER, f"{BEDROCK}-with-response-stream", BEDROCK, "x-amzn-requestid"),
    Named("google", f"x-goog-api-key: {KEY}", GEMINI + "streamGenerateContent?alt=sse", GEMINI + "generateContent"),
]
ROUTES = [route for one in PROVIDERS for route in (one.route, one.route.buffered)]
NAMED = {one.name: one for one in PROVIDERS}

WORDS = expected_text("words", tokens=30)
RICH = Answer((Thinking("let me see"), Text(WORDS), ToolUse("weather", '{"city": "Zürich"}'), ToolUse("now", "{}")))


@asynccontextmanager
async def providers(server, **environment):
    """All providers over a network in memory, `.network`; when left, nothing may be lent and no task be there that was not."""
    settings = Settings.read(ENVIRONMENT | environment)
    async with open_network(server) as network:
        async with open_providers(settings, {}, network) as known:
            known.network = network
            yield known
            assert known._pool.statistics().in_use == 0
        assert network.open_connections == 0


@asynccontextmanager
async def providers_over_sockets(simulator):
    """The same over sockets of the loopback."""
    async with trio.open_nursery() as nursery:
        url = await nursery.start(simulator.listen)
        environment = {name: value.replace("http://peer", url) for name, value in ENVIRONMENT.items()}
        async with open_providers(Settings.read(environment), {}, None) as known:
            yield known
        nursery.cancel_scope.cancel()


async def deltas_of(known, route, prompt="hello", deltas=None):
    """Every delta of an answer, read to its end and once beyond; `deltas` is a list that has what came in any case."""
    deltas = [] if deltas is None else deltas
    async with known[route.provider].open(prompt if isinstance(prompt, Request) else Request(prompt), route) as source:
        while (some := await source.receive()) is not None:
            deltas += some
        assert await source.receive() is None
    return deltas


def text(deltas):
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def assembled(deltas):
    assembly = Assembly()
    for delta in deltas:
        assembly.add(delta)
    return assembly


def usages(deltas):
    return [delta.usage for delta in deltas if isinstance(delta, UsageDelta)]


def finished(deltas):
    return [delta for delta in deltas if isinstance(delta, Finished)]
