"""Settings alone say what is sent: what else the environment holds for the official clients reaches nobody."""

import pytest
from provider_world import ENVIRONMENT, KEY, PROVIDERS, RICH, assembled, deltas_of, providers
from scripted_peer import Peer, sized

from actors.chaos import Scripted, Simulator, open_network
from actors.config import Settings
from actors.providers.table import open_providers
from actors.request import Request, Tool
from actors.source import WireError

STRAY = "stray-of-the-environment"
STRAYS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_VERTEX_BASE_URL",
    "ANTHROPIC_VERTEX_PROJECT_ID",
    "ANTHROPIC_BEDROCK_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_ADMIN_KEY",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "OPENAI_BASE_URL",
    "OPENAI_API_VERSION",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_ENDPOINT",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_VERTEX_BASE_URL",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "CLOUD_ML_REGION",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "HTTPS_PROXY",
    "HTTP_PROXY",
)
EACH = pytest.mark.parametrize("named", PROVIDERS, ids=str)


async def request_of(named, environment):
    """The one request of a provider that is made of these settings."""
    peer = Peer([[sized(b"{}")]])
    async with open_network(peer) as network, open_providers(Settings.read(environment), {}, network) as known:
        with pytest.raises(WireError):
            await deltas_of(known, named.route)
    (request,) = peer.requests
    return request.partition(b"\r\n\r\n")[0].decode()


@pytest.fixture
def strays(monkeypatch):
    for name in STRAYS:
        url = name.endswith(("_URL", "_ENDPOINT", "_PROXY"))
        monkeypatch.setenv(name, f"http://{STRAY}.test" if url else "true" if "_USE_" in name else STRAY)


@pytest.mark.promise("P13")
@EACH
async def test_no_stray_variable_reaches_the_wire(strays, named):
    head = await request_of(named, ENVIRONMENT)
    assert STRAY not in head
    assert KEY in head


@EACH
async def test_addresses_that_are_not_set_are_the_providers_own(strays, named):
    bases = {name for name in ENVIRONMENT if name.endswith("_BASE_URL")}
    head = await request_of(named, {name: text for name, text in ENVIRONMENT.items() if name not in bases})
    assert STRAY not in head
    host = next(line for line in head.splitlines() if line.lower().startswith("host:")).split()[1]
    assert (
        host
        == {
            "anthropic": "api.anthropic.com",
            "openai": "api.openai.com",
            "openai-chat": "api.openai.com",
            "google": "generativelanguage.googleapis.com",
            "azure": "peer",
            "azure-chat": "peer",
            "vertex": "aiplatform.eu.rep.googleapis.com",
            "anthropic-vertex": "aiplatform.eu.rep.googleapis.com",
            "bedrock": "bedrock-runtime.eu-west-1.amazonaws.com",
        }[named.name]
    )


@pytest.mark.row("C8")
@pytest.mark.parametrize("flag", ["true", "false", ""])
@pytest.mark.parametrize("tools", [(), (Tool("weather"), Tool("now"))], ids=["plain", "tools"])
@EACH
async def test_streaming_is_switched_off_for_openai_and_azure_with_tools_and_without(named, flag, tools):
    simulator = Simulator(Scripted(RICH))
    async with providers(simulator, OPENAI_DISABLE_STREAMING=flag) as known:
        deltas = await deltas_of(known, known.admit(named.route), Request("hi", tools=tools))
    assert len(assembled(deltas).ready) == 2
    whole = flag == "true" and named.name in {"openai", "openai-chat", "azure", "azure-chat"}
    assert [entry.streaming for entry in simulator.journal.entries] == [not whole]
