"""Real servers for a session: two that every test shares, and one for a test to kill."""

import prepare
import prepare_claude
import pytest
from live_server import KEY, Server

from actors import Settings

REASONS = {
    "test_live_llama": prepare.why_not(),
    "test_live_claude_code": prepare_claude.why_not(),
}
"""Why the tests of each file cannot run here; empty where they can."""


def pytest_collection_modifyitems(items):
    for item in items:
        if reason := REASONS.get(item.path.stem):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """Two servers: one with two slots of 512 tokens, one with four of 1,024."""
    started = []
    try:
        for slots, context in ((2, 512), (4, 1024)):
            started.append(Server(tmp_path_factory.mktemp("server"), slots, context))
        yield [server.until_ready() for server in started]
    finally:
        for server in started:
            server.kill()


@pytest.fixture
def one(servers):
    yield servers[0]
    servers[0].thaw()


@pytest.fixture
def two(servers):
    return servers[1]


@pytest.fixture
def victim(tmp_path):
    server = Server(tmp_path, slots=1, context=1024)
    yield server.until_ready()
    server.kill()


@pytest.fixture
def settings_for():
    """Settings with `anthropic:` at one server and both formats of OpenAI at another."""

    def settings(anthropic, openai, key=KEY):
        return Settings.read(
            {
                "ANTHROPIC_API_KEY": key,
                "ANTHROPIC_BASE_URL": anthropic.url,
                "OPENAI_API_KEY": key,
                "OPENAI_BASE_URL": f"{openai.url}/v1",
            }
        )

    return settings
