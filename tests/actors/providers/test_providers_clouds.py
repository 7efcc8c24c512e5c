"""What only clouds have: tokens that Google's library gets over our connections, requests signed for Amazon, extras that may be missing."""

import json
import subprocess
import sys
import time
from contextlib import asynccontextmanager

import pytest
import trio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from provider_world import ENVIRONMENT, KEY
from scripted_peer import Peer, stall

from actors import FailureKind, Ladder, Route, SettingError, Settings, Status, open_streams
from actors.chaos import Generated, Plan, Simulator, expected_text, open_network
from actors.chaos.answers import Ask
from actors.chaos.conversation import Reply
from actors.chaos.performance import page
from actors.chaos.speech.dialect import Page

K = FailureKind
TOKEN = "ya29.token-of-nobody-0001"
AKID, SECRET, SESSION = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY", "session-token-of-nobody"
VERTEX = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "eu"}
BOTH = pytest.mark.parametrize("route", ["vertex:m", "anthropic-vertex:m"])


class Cloud(Simulator):
    """A provider and its token server; `tokens` gives status and body for each time it is asked."""

    def __init__(self, *tokens, weather="seed=1"):
        super().__init__(Generated(tokens=6), Plan.parse(weather))
        self.tokens = list(tokens)
        self.asked = []
        self.headers = []

    def _reply(self, request):
        if request.path != "/token":
            self.headers.append(request.headers)
            return super()._reply(request)
        self.asked.append((request.headers["host"], request.body.decode()))
        status, body = self.tokens.pop(0)
        said = Page(status, (("content-type", "application/json"),), json.dumps(body).encode())
        return Reply(self._note(self._visit(Ask("", "", ())), request), page(said))


def granted(token=TOKEN, seconds=3600):
    return 200, {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch, tmp_path):
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "AWS_PROFILE", "AWS_CONFIG_FILE", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws"))
    return tmp_path


@pytest.fixture
def user_file(tmp_path):
    """Credentials as `gcloud auth application-default login` leaves them."""
    fields = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r-of-nobody"}
    path = tmp_path / "adc.json"
    path.write_text(json.dumps(fields))
    return path


@asynccontextmanager
async def streams_at(server, **environment):
    settings = Settings.read(VERTEX | {"AWS_REGION": "eu-west-1"} | environment)
    async with open_network(server) as network, open_streams(settings=settings, network=network) as streams:
        yield streams


# -- Google


@BOTH
async def test_a_token_is_got_once_and_used_for_every_request(route, user_file):
    cloud = Cloud(granted())
    async with streams_at(cloud, GOOGLE_APPLICATION_CREDENTIALS=str(user_file)) as streams:
        for prompt in ("one", "two"):
            outcome = await streams.ask(prompt, route)
            assert (outcome.status, outcome.text) == (Status.COMPLETED, expected_text(prompt, tokens=6))
    assert [host for host, _ in cloud.asked] == ["oauth2.googleapis.com"]
    assert "refresh_token=r-of-nobody" in cloud.asked[0][1]
    assert [headers["authorization"] for headers in cloud.headers] == [f"Bearer {TOKEN}"] * 2


async def test_a_service_account_signs_for_its_token(tmp_path):
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fields = {
        "type": "service_account",
        "client_email": "me@p.iam.gserviceaccount.com",
        "private_key": key.decode(),
        "private_key_id": "1",
        "token_uri": "https://tokens.test/token",
    }
    (tmp_path / "sa.json").write_text(json.dumps(fields))
    cloud = Cloud(granted())
    async with streams_at(cloud, GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "sa.json")) as streams:
        assert (await streams.ask("one", "vertex:m")).completed
    ((host, body),) = cloud.asked
    assert (host, "assertion=eyJ" in body) == ("tokens.test", True)


async def test_the_credentials_of_gcloud_are_found_where_gcloud_leaves_them(tmp_path, user_file):
    (tmp_path / ".config" / "gcloud").mkdir(parents=True)
    user_file.rename(tmp_path / ".config" / "gcloud" / "application_default_credentials.json")
    async with streams_at(Cloud(granted())) as streams:
        assert (await streams.ask("one", "vertex:m")).completed


@pytest.mark.row("A14")
async def test_a_token_that_is_refused_is_renewed_once(user_file):
    cloud = Cloud(granted(), granted("ya29.another-of-nobody-2"), weather="vertex#2=status401")
    async with streams_at(cloud, GOOGLE_APPLICATION_CREDENTIALS=str(user_file)) as streams:
        assert (await streams.ask("one", "vertex:m")).completed
        outcome = await streams.ask("two", Ladder("vertex:m"))
        assert (outcome.status, len(outcome.attempts)) == (Status.COMPLETED, 2)
    assert len(cloud.asked) == 2


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            (400, {"error": "invalid_grant", "error_description": "Token has been revoked."}),
            K.INVALID_KEY,
            "RefreshError",
        ),
        ((503, {}), K.UNAVAILABLE, "Google's token server answered with status 503"),
        ((429, {}), K.UNAVAILABLE, "Google's token server answered with status 429"),
    ],
)
async def test_a_token_server_that_refuses_or_is_ill_is_told_after_one_request(user_file, answer, kind, said):
    cloud = Cloud(answer)
    start = time.monotonic()
    async with streams_at(cloud, GOOGLE_APPLICATION_CREDENTIALS=str(user_file)) as streams:
        outcome = await streams.ask("one", Ladder("vertex:m"))
    assert outcome.failure.kind is kind
    assert said in outcome.failure.message
    assert "r-of-nobody" not in repr(outcome)
    assert (len(cloud.asked), cloud.headers) == (1, [])
    assert time.monotonic() - start < 3


@pytest.mark.promise("P1")
@pytest.mark.promise("P4")
async def test_a_cancel_while_the_token_server_is_silent_is_felt_at_once_and_leaves_no_thread(user_file):
    peer = Peer([[stall]])
    async with streams_at(peer, GOOGLE_APPLICATION_CREDENTIALS=str(user_file)) as streams:
        start = trio.current_time()
        with trio.move_on_after(0.3) as scope:
            await streams.ask("one", "vertex:m")
        assert scope.cancelled_caught
        assert trio.current_time() - start < 1.0
        assert len(peer.requests) == 1
        assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0


async def test_streams_that_need_a_token_at_once_share_one(user_file):
    cloud = Cloud(granted())
    outcomes = []
    async with (
        streams_at(cloud, GOOGLE_APPLICATION_CREDENTIALS=str(user_file)) as streams,
        trio.open_nursery() as nursery,
    ):

        async def ask(number):
            outcomes.append(await streams.ask(f"q{number}", "anthropic-vertex:m"))

        for number in range(20):
            nursery.start_soon(ask, number)
    assert len(cloud.asked) == 1
    assert all(outcome.completed for outcome in outcomes)


@pytest.mark.promise("P13")
async def test_a_recording_holds_neither_token_nor_credentials(user_file, tmp_path):
    settings = Settings.read(VERTEX | {"GOOGLE_APPLICATION_CREDENTIALS": str(user_file)})
    path = tmp_path / "record.jsonl"
    async with (
        open_network(Cloud(granted())) as network,
        open_streams(settings=settings, network=network, record=path) as streams,
    ):
        assert (await streams.ask("one", "vertex:m")).completed
    recorded = path.read_text()
    assert "one" in recorded
    for secret in (TOKEN, "r-of-nobody", "client_secret"):
        assert secret not in recorded


@pytest.mark.row("A13")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "GOOGLE_APPLICATION_CREDENTIALS is .*, where no file is"),
        ("{}", "holds no Google credentials"),
        ("not json", "holds no Google credentials"),
    ],
)
@BOTH
async def test_credentials_that_are_none_are_said_before_anything_opens(route, tmp_path, text, said):
    path = tmp_path / "x.json"
    if text is not None:
        path.write_text(text)
    peer = Peer([[]])
    async with streams_at(peer, GOOGLE_APPLICATION_CREDENTIALS=str(path)) as streams:
        with pytest.raises(SettingError, match=said):
            await streams.ask("one", route)
    assert peer.requests == []


# -- Amazon


async def test_requests_are_signed_where_no_bedrock_key_is_set():
    cloud = Cloud()
    keys = {"AWS_ACCESS_KEY_ID": AKID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SESSION}
    async with streams_at(cloud, **keys) as streams:
        outcome = await streams.ask("one", "bedrock:m")
        assert (outcome.status, outcome.text) == (Status.COMPLETED, expected_text("one", tokens=6))
        assert (await streams.ask("one", Route("bedrock", "m").buffered)).completed
    for headers in cloud.headers:
        assert headers["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={AKID}/")
        assert "/eu-west-1/bedrock/aws4_request" in headers["authorization"]
        assert headers["x-amz-security-token"] == SESSION
        assert headers["host"] == "bedrock-runtime.eu-west-1.amazonaws.com"
        assert SECRET not in str(headers)


async def test_a_profile_of_the_configuration_files_signs_too(monkeypatch, tmp_path):
    (tmp_path / "aws").write_text(
        f"[default]\naws_access_key_id=AKIADEFAULT\naws_secret_access_key=x\n[work]\naws_access_key_id={AKID}\naws_secret_access_key={SECRET}\n"
    )
    for environment, key in (({}, "AKIADEFAULT"), ({"AWS_PROFILE": "work"}, AKID)):
        cloud = Cloud()
        async with streams_at(cloud, **environment) as streams:
            assert (await streams.ask("one", "bedrock:m")).completed
        assert f"Credential={key}/" in cloud.headers[0]["authorization"]


async def test_credentials_that_cannot_be_looked_up_after_all_fail_the_stream_and_not_the_tree(tmp_path):
    cloud = Cloud()
    (tmp_path / "aws").write_text("[work]\nregion=eu-west-1\n")
    async with streams_at(cloud, AWS_PROFILE="work") as streams:
        outcome = await streams.ask("one", Ladder("bedrock:m"))
        assert (outcome.failure.kind, outcome.failure.message) == (
            K.INVALID_KEY,
            "no AWS credentials were found after all",
        )
        (tmp_path / "aws").write_text("[work]\ncredential_process=false\n")
    async with streams_at(cloud, AWS_PROFILE="work") as streams:
        outcome = await streams.ask("one", Ladder("bedrock:m"))
        assert outcome.failure.kind is K.INVALID_KEY
        assert outcome.failure.message.startswith("AWS credentials cannot be looked up: ")
    assert cloud.headers == []


@pytest.mark.row("A13")
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "there are no AWS credentials, and routes of bedrock need them"),
        ({"AWS_PROFILE": "nobody"}, "AWS_PROFILE is 'nobody', which the AWS configuration files do not have"),
        ({"AWS_ACCESS_KEY_ID": AKID}, "AWS_SECRET_ACCESS_KEY is not set, and the other half"),
        ({"AWS_SECRET_ACCESS_KEY": SECRET}, "AWS_ACCESS_KEY_ID is not set, and the other half"),
    ],
)
async def test_credentials_that_are_missing_are_said_before_anything_opens_at_amazon(environment, said):
    peer = Peer([[]])
    async with streams_at(peer, **environment) as streams:
        with pytest.raises(SettingError, match=said) as caught:
            await streams.ask("one", "bedrock:m")
    assert peer.requests == []
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("ExpiredTokenException", 403, K.EXPIRED_KEY),
        ("UnrecognizedClientException", 403, K.INVALID_KEY),
        ("AccessDeniedException", 403, K.PERMISSION),
        ("ThrottlingException", 429, K.RATE_LIMIT),
        ("ServiceQuotaExceededException", 400, K.QUOTA),
        ("ValidationException", 400, K.INVALID_REQUEST),
        ("ModelErrorException", 424, K.SERVER),
        ("ServiceUnavailableException", 503, K.UNAVAILABLE),
    ],
)
async def test_amazons_errors_mean_what_they_say(name, status, kind):
    body = b'{"message":"because"}'
    answer = (
        f"HTTP/1.1 {status} X\r\nx-amzn-ErrorType: {name}:http://internal.amazon.com/\r\nx-amzn-RequestId: r-1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    async with streams_at(Peer([[answer]]), AWS_BEARER_TOKEN_BEDROCK="bedrock-key-of-nobody") as streams:
        outcome = await streams.ask("one", Ladder("bedrock:m"))
    assert (outcome.failure.kind, outcome.failure.message, outcome.failure.status) == (kind, "because", status)


# -- recordings


@pytest.mark.parametrize("provider", ["azure", "azure-chat", "vertex", "anthropic-vertex", "bedrock"])
@pytest.mark.parametrize("weather", ["seed=1", "status429=1", "error:overloaded:4=1", "truncate:5=1"])
async def test_what_a_cloud_said_is_recorded_and_replayed_without_one(autojump_clock, tmp_path, provider, weather):
    path, route = tmp_path / "record.jsonl", Route(provider, "model-one")
    seen = []
    async with (
        open_network(Simulator(Generated(tokens=8), Plan.parse(weather))) as network,
        open_streams(settings=Settings.read(ENVIRONMENT), network=network, record=path) as streams,
    ):
        seen += [await streams.ask("hi", Ladder(route)), await streams.ask("hi", Ladder(route.buffered))]
    async with open_streams(settings=Settings.read({}), replay=path) as streams:
        again = [await streams.ask("hi", Ladder(route)), await streams.ask("hi", Ladder(route.buffered))]
    assert KEY not in path.read_text()
    assert [outcome.text for outcome in again] == [outcome.text for outcome in seen]
    assert [outcome.failure for outcome in again] == [outcome.failure for outcome in seen]
    assert seen[0].completed is (weather == "seed=1")


# -- extras


@pytest.mark.parametrize(
    ("absent", "environment", "route", "extra"),
    [
        ("boto3", {"AWS_REGION": "x", "AWS_PROFILE": "default"}, "bedrock:m", "trio-supervisor[bedrock]"),
        ("google.auth", VERTEX, "vertex:m", "trio-supervisor[vertex]"),
        ("google.auth", VERTEX, "anthropic-vertex:m", "trio-supervisor[vertex]"),
    ],
)
def test_what_is_not_installed_is_named_with_the_extra_that_has_it(absent, environment, route, extra):
    code = f"""
import sys, importlib.abc

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {absent!r} or name.startswith({absent!r} + "."):
            raise ModuleNotFoundError(name)

import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {absent!r} else real(name, *rest)
sys.meta_path.insert(0, Absent())
import trio
from actors import SettingError, Settings, open_streams

async def main():
    async with open_streams(settings=Settings.read({environment!r})) as streams:
        try:
            await streams.ask("q", {route!r})
        except SettingError as error:
            print(error)

trio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert f"pip install '{extra}'" in done.stdout, done.stderr
