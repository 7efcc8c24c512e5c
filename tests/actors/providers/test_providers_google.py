"""What is Gemini's own: a client that only writes, two addresses for a model, an end that is the end of the bytes."""

import pytest
from provider_world import ENVIRONMENT, KEY, NAMED, ROUTES, deltas_of, finished, providers, text
from scripted_peer import CHUNKED, END, Peer, chunk, sized

from actors.chaos import Simulator, expected_text
from actors.config import Endpoint, Settings
from actors.errors import SettingError
from actors.providers import google as module
from actors.providers.connections import Connections
from actors.request import Request
from actors.route import Route
from actors.source import RefusedError, TruncatedError, WireError
from actors.wire.gemini import DIALECT

ROUTE = Route("google", "model-one")
GOOGLE = [route for route in ROUTES if route.provider == "google"]


@pytest.mark.parametrize("route", GOOGLE, ids=str)
async def test_our_body_goes_out_under_the_clients_head(route):
    peer = Peer([[sized(b"{}")]])
    async with providers(peer) as known:
        for prompt in ("hello", "and again, longer"):
            with pytest.raises(WireError):
                await deltas_of(known, route, prompt)
            head, _, body = peer.requests[-1].partition(b"\r\n\r\n")
            assert head.startswith(f"POST {NAMED['google'].target(route)} HTTP/1.1".encode())
            assert b"google-genai-sdk/" in head
            assert body == DIALECT.encode(Request(prompt), route)


async def test_each_model_and_mode_has_an_address_of_its_own():
    peer = Peer([[sized(b"{}")]])
    async with providers(peer) as known:
        for route in (ROUTE, Route("google", "model-two"), ROUTE.buffered, ROUTE, Route("google", "models/model-two")):
            with pytest.raises(WireError):
                await deltas_of(known, route)
    assert [request.split()[1].rpartition(b"/")[2] for request in peer.requests] == [
        b"model-one:streamGenerateContent?alt=sse",
        b"model-two:streamGenerateContent?alt=sse",
        b"model-one:generateContent",
        b"model-one:streamGenerateContent?alt=sse",
        b"model-two:streamGenerateContent?alt=sse",
    ]


async def test_the_client_writes_once_for_a_model(monkeypatch):
    written = []
    write = module._write

    async def counted(client, model, *, streams):
        written.append((model, streams))
        return await write(client, model, streams=streams)

    monkeypatch.setattr(module, "_write", counted)
    async with providers(Simulator()) as known:
        for prompt in ("one", "two", "three"):
            assert text(await deltas_of(known, ROUTE, prompt)) == expected_text(prompt)
        assert written == [("model-one", True)]


async def test_what_else_the_environment_says_to_the_client_does_not_divert_it(monkeypatch):
    for name, value in {
        "GOOGLE_API_KEY": "another-key",
        "GOOGLE_GEMINI_BASE_URL": "http://elsewhere",
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_API_VERSION": "v9",
        "GOOGLE_CLOUD_PROJECT": "project",
    }.items():
        monkeypatch.setenv(name, value)
    peer = Peer([[sized(b"{}")]])
    async with providers(peer) as known:
        with pytest.raises(WireError):
            await deltas_of(known, ROUTE)
    (request,) = peer.requests
    assert request.startswith(b"POST /v1beta/models/model-one:streamGenerateContent?alt=sse HTTP/1.1")
    assert f"x-goog-api-key: {KEY}".encode() in request
    assert b"another-key" not in request
    assert b"Host: peer\r\n" in request


def chunks(*payloads):
    return [CHUNKED, *(chunk(b"data: " + payload + b"\r\n\r\n") for payload in payloads), END]


SAID = b'{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"}}],"responseId":"r"}'
ENDED = (
    b'{"candidates":[{"content":{"parts":[{"text":" you"}],"role":"model"},"finishReason":"STOP"}],"responseId":"r"}'
)


async def test_the_end_of_the_bytes_finishes_an_answer_that_said_why():
    async with providers(Peer([chunks(SAID, ENDED)])) as known:
        deltas = await deltas_of(known, ROUTE)
    assert text(deltas) == "hi you"
    assert deltas[-1:] == finished(deltas)


async def test_without_a_reason_the_end_of_the_bytes_is_a_truncation():
    async with providers(Peer([chunks(SAID)])) as known:
        with pytest.raises(TruncatedError):
            await deltas_of(known, ROUTE)


async def test_the_quota_and_the_wait_are_read_out_of_the_details():
    body = (
        b'{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":['
        b'{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDay"}]},'
        b'{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17s"}]}}'
    )
    peer = Peer([[b"HTTP/1.1 429 Too Many\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)]])
    async with providers(peer) as known:
        with pytest.raises(RefusedError) as told:
            await deltas_of(known, ROUTE)
    assert (told.value.retry_after, "PerDay" in told.value.code) == (17.0, True)


def test_a_missing_key_is_one_sentence():
    with pytest.raises(SettingError, match="GEMINI_API_KEY is not set"):
        module.GoogleProvider(Endpoint("google", "http://peer", ()), Connections())
    settings = Settings.read({name: value for name, value in ENVIRONMENT.items() if name != "GEMINI_API_KEY"})
    with pytest.raises(SettingError, match="GEMINI_API_KEY is not set"):
        settings.admit(ROUTE)
