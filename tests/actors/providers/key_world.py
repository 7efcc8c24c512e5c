"""A provider that looks at keys, and somebody who makes them."""

from contextlib import asynccontextmanager

import trio

from actors import (
    FailureKind,
    Settings,
    open_streams,
)
from actors.chaos import Generated, Plan, Simulator, open_network
from actors.chaos.answers import Ask
from actors.chaos.conversation import Reply
from actors.chaos.faults import ErrorKind
from actors.chaos.performance import page
from actors.chaos.speech.dialect import Complaint
from actors.chaos.speech.table import dialect_of

K = FailureKind
OLD, NEW, THIRD = "sk-key-of-old-00000001", "sk-key-of-new-00000002", "sk-key-of-third-000003"
ROUTES = {
    "anthropic": "anthropic:m",
    "openai": "openai:m",
    "openai-chat": "openai-chat:m",
    "google": "google:m",
    "azure": "azure:m",
    "azure-chat": "azure-chat:m",
    "vertex": "vertex:m",
    "anthropic-vertex": "anthropic-vertex:m",
    "bedrock": "bedrock:m",
}
PLACES = {
    "AZURE_OPENAI_ENDPOINT": "http://peer",
    "GOOGLE_CLOUD_PROJECT": "p",
    "AWS_REGION": "eu-west-1",
    "GEMINI_API_KEY": THIRD,
}
VARIABLES = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "openai-chat": "OPENAI_API_KEY",
    "google": "GEMINI_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY",
    "azure-chat": "AZURE_OPENAI_API_KEY",
    "vertex": "GOOGLE_OAUTH_ACCESS_TOKEN",
    "anthropic-vertex": "GOOGLE_OAUTH_ACCESS_TOKEN",
    "bedrock": "AWS_BEARER_TOKEN_BEDROCK",
}


class Gate(Simulator):
    """A provider that looks at keys: `verdicts` gives a status for those it does not like; `seen` are all it was shown."""

    def __init__(self, verdicts=None, *, retry_after=None, plan="seed=1", pacing=None):
        super().__init__(Generated(tokens=6), Plan.parse(plan), **({} if pacing is None else {"pacing": pacing}))
        self.verdicts = verdicts or {}
        self.retry_after = retry_after
        self.seen = []

    def _reply(self, request):
        headers = request.headers
        key = headers.get("x-goog-api-key") or headers.get("api-key") or headers.get("authorization", "")
        key = key.removeprefix("Bearer ")
        self.seen.append(key)
        verdict = self.verdicts.get(key, self.verdicts.get("*"))
        if verdict is None:
            return super()._reply(request)
        dialect = dialect_of(request)
        visit = self._visit(Ask(dialect.provider, "m", ()))
        kind = ErrorKind.AUTHENTICATION if verdict == 401 else None
        said = dialect.error(Complaint(verdict, kind, retry_after=self.retry_after), self._stamp(visit))
        return Reply(self._note(visit, request), page(said))


@asynccontextmanager
async def served(gate, keys=(OLD,), provider="anthropic", **given):
    environment = PLACES | ({VARIABLES[provider]: ",".join(keys)} if keys else {})
    if provider == "anthropic-vertex":
        environment |= {"ANTHROPIC_VERTEX_PROJECT_ID": "p"}
    settings = Settings.read(environment)
    async with open_network(gate) as network, open_streams(settings=settings, network=network, **given) as streams:
        yield streams


class Maker:
    """Makes keys, one after the other, and counts how often it was asked."""

    def __init__(self, *keys, seconds=0.0, fails=()):
        self.keys = list(keys)
        self.calls = 0
        self.cancelled = 0
        self.seconds = seconds
        self.fails = list(fails)

    async def __call__(self):
        self.calls += 1
        try:
            await trio.sleep(self.seconds)
        except trio.Cancelled:
            self.cancelled += 1
            raise
        if self.fails:
            raise self.fails.pop(0)
        return self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]
