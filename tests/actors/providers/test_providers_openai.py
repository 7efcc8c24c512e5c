"""What is OpenAI's own: two formats under one address, servers that want no key, servers that cannot stream."""

import json

import openai
import pytest
from provider_world import ENVIRONMENT, KEY, deltas_of, providers, text
from scripted_peer import Peer, sized

from actors.chaos import Simulator, expected_text
from actors.config import Settings
from actors.errors import SettingError
from actors.providers.connections import Connections
from actors.providers.table import Providers
from actors.route import Mode, Route
from actors.source import WireError

RESPONSES, CHAT = Route("openai", "gpt-5-mini"), Route("openai-chat", "gpt-5-mini")


async def asked(known, peer, route):
    """The request as the server got it: head and body."""
    with pytest.raises(WireError):
        await deltas_of(known, route)
    head, _, body = peer.requests[-1].partition(b"\r\n\r\n")
    return head.decode(), json.loads(body)


async def test_each_format_has_its_path_and_its_body():
    peer = Peer([[sized(b"{}")]])
    async with providers(peer) as known:
        head, body = await asked(known, peer, RESPONSES)
        assert head.startswith("POST /v1/responses HTTP/1.1")
        assert (body["input"][0]["role"], body["store"], body["stream"]) == ("user", False, True)
        head, body = await asked(known, peer, CHAT.buffered)
        assert head.startswith("POST /v1/chat/completions HTTP/1.1")
        assert (body["messages"], body["stream"]) == ([{"role": "user", "content": "hello"}], False)


@pytest.mark.parametrize("route", [RESPONSES, CHAT], ids=str)
async def test_a_server_of_ones_own_needs_no_key_and_gets_none_that_lies_about(monkeypatch, route):
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    peer = Peer([[sized(b"{}")]])
    async with providers(peer, OPENAI_API_KEY="", OPENAI_BASE_URL="http://peer/v1") as known:
        head, _ = await asked(known, peer, route)
    assert "authorization" not in head.lower()
    assert KEY not in head


@pytest.mark.parametrize("route", [RESPONSES, CHAT], ids=str)
def test_openai_itself_wants_a_key(route):
    known = Providers(Settings.read({}), {}, Connections())
    for ask in (known.admit, lambda route: known[route.provider]):
        with pytest.raises(SettingError, match=f"OPENAI_API_KEY is not set, and routes of {route.provider} need it"):
            ask(route)


@pytest.mark.parametrize("route", [RESPONSES, CHAT], ids=str)
async def test_with_streaming_disabled_routes_are_asked_in_one_piece(route):
    async with providers(simulator := Simulator(), OPENAI_DISABLE_STREAMING="true") as known:
        admitted = known.admit(route)
        assert admitted.mode is Mode.BUFFERED
        assert text(await deltas_of(known, admitted)) == expected_text("hello")
        assert known.admit(Route("anthropic", "m")).mode is Mode.STREAMING
    assert [entry.streaming for entry in simulator.journal.entries] == [False]


def test_settings_have_no_say_in_a_provider_that_the_caller_brought():
    own = object()
    known = Providers(Settings.read(ENVIRONMENT | {"OPENAI_DISABLE_STREAMING": "yes"}), {"openai": own}, Connections())
    assert known["openai"] is own
    assert known.admit(RESPONSES) == RESPONSES


@pytest.mark.parametrize("route", [RESPONSES, CHAT], ids=str)
async def test_the_client_makes_no_stream_of_its_own(monkeypatch, route):
    def never(*_args, **_kwargs):
        raise AssertionError("the client reads the stream")

    monkeypatch.setattr(openai.AsyncStream, "__init__", never)
    async with providers(Simulator()) as known:
        assert text(await deltas_of(known, route)) == expected_text("hello")
