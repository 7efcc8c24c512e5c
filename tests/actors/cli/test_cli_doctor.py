"""`doctor` against providers on the loopback: good keys, wrong ones, models that are not there, and nobody at all."""

import json
import os
import shutil

import httpx
import pytest

from actors.chaos import Listing, Simulator
from actors.cli import main
from actors.failure import Failure, FailureKind
from actors.observe.checkup import Finding, Mark, of_answer, of_file_limit, of_model, of_models, sound

GOOD, BAD = "sk-ant-good-0123456789", "sk-ant-canary-0123456789"
MODELS = ("claude-sonnet-4-5", "gpt-5-mini", "gemini-2.5-flash")
PROVIDERS = {
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "", "ANTHROPIC_MODEL", MODELS[0]),
    "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1", "OPENAI_MODEL", MODELS[1]),
    "google": ("GEMINI_API_KEY", "GEMINI_BASE_URL", "", "GEMINI_MODEL", MODELS[2]),
}

pytestmark = pytest.mark.usefixtures("bare_environment", "elsewhere")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """No `.env` of this checkout is read, and no `claude` of this machine is found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def provider(serving, monkeypatch):
    """A provider that knows one key; gives a function that points the environment at it."""
    simulator = Simulator(listing=Listing(MODELS, frozenset({GOOD})))
    with serving(simulator) as url:

        def point(name, key, model=""):
            key_name, url_name, path, model_name, _ = PROVIDERS[name]
            monkeypatch.setenv(key_name, key)
            monkeypatch.setenv(url_name, url + path)
            monkeypatch.setenv(model_name, model)
            return simulator

        yield point


def examined(capfd, *words):
    status = main(["doctor", *words])
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert BAD not in out + err
    assert GOOD not in out + err
    return status, out


@pytest.mark.row("K7", "K8", "L6", "L12")
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_good_key_is_accepted_and_the_configured_model_is_found(provider, capfd, name):
    simulator = provider(name, GOOD, PROVIDERS[name][4])
    status, out = examined(capfd)
    assert status == 0, out
    assert "the key accepted in" in out
    assert "3 models" in out
    assert f"model {PROVIDERS[name][4]} ({PROVIDERS[name][3]}) is available" in out
    assert "Nothing is wrong." in out
    assert len(simulator.journal.entries) == 1


@pytest.mark.row("K7", "L6")
@pytest.mark.promise("P13")
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_wrong_key_is_invalid_credentials_and_no_part_of_it_is_shown(provider, capfd, name):
    provider(name, BAD)
    status, out = examined(capfd)
    assert status == 1
    assert "Invalid credentials" in out
    assert f"Check {PROVIDERS[name][0]}" in out
    assert "canary" not in out


@pytest.mark.row("L12")
def test_a_model_that_is_not_offered_is_told_with_one_that_is(provider, capfd):
    provider("anthropic", GOOD, "claude-sonet-4-5")
    status, out = examined(capfd)
    assert status == 1
    assert "Model unavailable: claude-sonet-4-5 (ANTHROPIC_MODEL)" in out
    assert "Name one that is: claude-sonnet-4-5" in out


@pytest.mark.row("K7")
def test_every_one_of_several_keys_is_tried(provider, capfd):
    simulator = provider("anthropic", f"{GOOD},{BAD}", MODELS[0])
    status, out = examined(capfd)
    assert status == 1
    assert "key 1 of 2 accepted" in out
    assert "Invalid credentials (key 2 of 2)" in out
    assert len(simulator.journal.entries) == 2


@pytest.mark.row("L5")
def test_the_status_page_and_the_portal_are_told_without_a_key_and_without_a_request(capfd):
    for name, page in (
        ("anthropic", "status.anthropic.com"),
        ("openai", "status.openai.com"),
        ("google", "status.cloud"),
    ):
        _, out = examined(capfd, "--provider", name, "--offline")
        assert f"status page: https://{page}" in out.replace("\n       ", " ")


def test_offline_sends_nothing(provider, capfd):
    simulator = provider("anthropic", GOOD)
    status, out = examined(capfd, "--offline")
    assert status == 0
    assert "not asked: --offline" in out
    assert simulator.journal.entries == ()


def test_without_any_key_that_is_what_is_wrong(capfd):
    status, out = examined(capfd)
    assert status == 1
    assert "No credentials configured" in out
    assert "Export one of ANTHROPIC_API_KEY, OPENAI_API_KEY and GEMINI_API_KEY" in out


@pytest.mark.row("L6")
def test_what_is_set_is_told_with_where_it_is_from_and_what_cannot_be_read_is_wrong(capfd, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", GOOD)
    monkeypatch.setenv("LOG_LEVEL", "loud")
    status, out = examined(capfd, "--offline")
    assert status == 1
    assert "ANTHROPIC_API_KEY is set, 22 characters (environment)" in out
    assert "LOG_LEVEL is 'loud'; say one of" in out


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "what answers is no list of models"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "Not an HTTP answer"),
        (b"", "Connection lost"),
        (b"HTTP/1.1 503 no\r\ncontent-length: 0\r\n\r\n", "Service unavailable"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://evil/\r\ncontent-length: 0\r\n\r\n", "Check OPENAI_BASE_URL"),
    ],
)
def test_whoever_answers_instead_is_told_in_one_line(capfd, monkeypatch, one_answer, answer, told):
    monkeypatch.setenv("OPENAI_API_KEY", GOOD)
    monkeypatch.setenv("OPENAI_BASE_URL", one_answer(answer))
    status, out = examined(capfd)
    assert status == 1
    assert told in out


def test_nobody_there_is_a_refused_connection(capfd, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", GOOD)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    status, out = examined(capfd)
    assert status == 1
    assert "Connection refused" in out
    assert "Check ANTHROPIC_BASE_URL and that the server runs" in out


@pytest.mark.promise("P13")
@pytest.mark.parametrize("head", [b"HTTP/1.1 401 no", b"HTTP/1.1 200 OK"])
def test_a_stranger_that_says_the_key_again_is_not_repeated(capfd, monkeypatch, one_answer, head):
    key = "a-plain-word-of-my-own"
    said = b'{"error": {"message": "bad key %b"}, "data": [{"id": "%b"}]}' % (key.encode(), key.encode())
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", key)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", one_answer(head + b"\r\ncontent-length: %d\r\n\r\n" % len(said) + said))
    _, out = examined(capfd)
    assert "***" in out
    assert key not in out


@pytest.mark.promise("P13")
def test_a_password_in_an_address_is_not_shown(capfd, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:my-password-77@127.0.0.1:9/v1")
    _, out = examined(capfd)
    assert "my-password" not in out
    assert "http://***@127.0.0.1:9/v1" in out


@pytest.fixture
def one_answer():
    """A server on the loopback that says this to whoever comes, and closes; gives a function that gives its address."""
    import socket  # noqa: PLC0415 -- only here
    import threading  # noqa: PLC0415 -- the same

    servers = []

    def serve(answer):
        server = socket.create_server(("127.0.0.1", 0))

        def answer_once():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield serve
    for server, thread in servers:
        thread.join()
        server.close()


def claude(folder, script):
    program = folder / "claude"
    program.write_text(f"#!{shutil.which('sh', path=os.defpath)}\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "status", "told"),
    [
        ("echo '2.1.0 (Claude Code)'", 0, "version 2.1.0 (Claude Code)"),
        ("exit 3", 1, "claude does not tell its version"),
        ("while :; do echo sk-ant-canary-0123456789; done", 0, "version ***"),
    ],
)
def test_the_program_of_claude_code_is_asked_for_its_version(capfd, tmp_path, script, status, told):
    claude(tmp_path, script)
    ended, out = examined(capfd, "--provider", "claude-code", "--offline")
    assert (ended, told in " ".join(out.split())) == (status, True), out


def test_a_program_that_is_wanted_and_not_there_is_wrong(capfd):
    status, out = examined(capfd, "--provider", "claude-code")
    assert status == 1
    assert "npm install -g @anthropic-ai/claude-code" in out


@pytest.mark.row("L12")
def test_for_programs_there_is_one_json_object_with_all_models(provider, capfd):
    provider("openai", GOOD, MODELS[1])
    status, out = examined(capfd, "--json", "--models")
    record = json.loads(out)
    assert (status, record["ok"]) == (0, True)
    assert record["models"] == {"openai": list(MODELS)}
    assert record["places"]["openai"]["status_page"] == "https://status.openai.com"
    assert {one["mark"] for one in record["findings"]} <= {"ok", "note"}


def test_an_unknown_provider_is_refused(capfd):
    assert main(["doctor", "--provider", "mistral"]) == 2
    assert "there is no provider 'mistral'" in capfd.readouterr().err


# -- the judgement alone


def test_a_server_that_lists_no_models_is_not_wrong():
    finding = of_answer("openai-chat", "the key", (), Failure(FailureKind.MODEL_UNAVAILABLE, status=404), 0.1)
    assert finding.mark is Mark.NOTE
    assert "lists no models (404)" in finding.said


def test_models_are_few_unless_all_are_wanted():
    names = [f"m-{number}" for number in range(20)]
    assert of_models("x", names, all_of_them=False).said.endswith("and 14 more (--models lists them)")
    assert "m-19" in of_models("x", names, all_of_them=True).said


def test_no_list_at_all_suggests_nothing():
    assert of_model("x", "m", "M", []).do == "Ask for access, or name another one"


@pytest.mark.parametrize(("limit", "mark"), [(None, Mark.FINE), (1024, Mark.NOTE), (65536, Mark.FINE)])
def test_a_low_limit_of_files_is_noted(limit, mark):
    assert of_file_limit(limit).mark is mark


def test_one_wrong_finding_is_enough():
    assert sound([Finding("x", Mark.FINE, ""), Finding("x", Mark.NOTE, "")])
    assert not sound([Finding("x", Mark.WRONG, "")])


@pytest.mark.parametrize(
    ("name", "route"), [("anthropic", "anthropic:claude-a"), ("openai", "openai:gpt-a"), ("google", "google:gemini-a")]
)
def test_a_key_that_doctor_refuses_is_refused_to_streams_as_well(provider, capfd, name, route):
    provider(name, BAD)
    assert main(["run", "Why?", "--route", route]) == 11
    provider(name, GOOD)
    assert main(["run", "Why?", "--route", route]) == 0
    out, err = capfd.readouterr()
    assert BAD not in out + err


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_list_is_given_to_nobody_without_a_key_and_only_for_get(provider, name):
    provider(name, GOOD)
    _, url_name, _, _, _ = PROVIDERS[name]
    address = os.environ[url_name] + (
        "/models" if name == "openai" else "/v1/models" if name == "anthropic" else "/v1beta/models"
    )
    headers = {"anthropic-version": "2023-06-01"} if name == "anthropic" else {}
    assert httpx.get(address, headers=headers).status_code in {401, 403}
    assert httpx.post(address, headers=headers).status_code == 404
