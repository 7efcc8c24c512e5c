"""What providers say is shown short, on one line, and without the secrets it echoes."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.failure import Failure, FailureKind, Phase
from actors.redaction import BLOT, scrubbed, shown

SECRETS = [
    "sk-ant-api03-AbCdEf0123456789_-xyzAA",
    "sk-proj-0123456789abcdefABCDEF",
    "sk_live_0123456789abcdef",
    "gsk_0123456789abcdefABCDEF",
    "AIzaSyA1234567890abcdefghijklmnopqrstuvw",
    "ya29.a0AfH6SMBx-abcdefgh",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP",
]
FRAMES = [
    "Incorrect API key provided: {}. You can find yours online.",
    '{{"error":"bad key {}"}}',
    "Authorization: Bearer {} was refused",
    "BEARER {}",
    "GET https://provider.test/v1?key={}&alt=sse failed",
    "{}",
]


@pytest.mark.promise("P13")
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_that_is_echoed_is_blotted_out(secret, frame):
    failure = Failure(FailureKind.INVALID_KEY, frame.format(secret), code=secret, request_id=secret)
    assert BLOT in failure.message
    assert secret not in repr(failure) + str(failure)
    assert secret[8:] not in repr(failure) + str(failure)


@pytest.mark.promise("P13")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Authorization: Bearer opaque-token-12345 refused", "Authorization: Bearer *** refused"),
        ("authorization: basic dXNlcjpwYXNzd29yZA== refused", "authorization: basic *** refused"),
        ("no route to https://user:hunter2@proxy.test/", "no route to https://***@proxy.test/"),
        ("POST /v1?api_key=0123abcd&x=1", "POST /v1?api_key=***&x=1"),
    ],
)
def test_what_carries_a_secret_stays_readable(said, told):
    assert shown(said, 256) == told


@pytest.mark.parametrize(
    "said",
    [
        "Your risk-management plan is too long: 200000 tokens > 199999 maximum",
        "model: claude-sonnet-4-5-20250929",
        "max_tokens: 100000 > 64000, which is the maximum for gpt-5-mini-2025-08-07",
        "Bearer of bad news",
        "https://docs.provider.test/api/errors",
    ],
)
def test_plain_words_are_left_as_they_are(said):
    assert shown(said, 256) == said


def test_a_secret_is_blotted_out_before_the_text_is_cut():
    said = "x" * 240 + " " + SECRETS[0]
    assert "sk-" not in shown(said, 256)


def test_a_key_is_met_where_an_escape_is_glued_to_its_front():
    assert shown(r"bad key:\nsk-ant-api03-0123456789abcdef\n", 256) == r"bad key:\n***\n"


def test_nothing_that_moves_a_cursor_is_shown():
    assert shown("\x1b[31mred\r\n\x07\u202eevil  twice", 256) == "[31mred evil twice"


@pytest.mark.promise("P14")
@given(st.text(max_size=6000), st.text(max_size=300), st.text(max_size=300))
def test_a_failure_is_below_a_kilobyte_whatever_is_said(message, code, request_id):
    model = "claude-sonnet-4-5-20250929"
    failure = Failure(
        FailureKind.RATE_LIMIT, message, Phase.STREAMING, "anthropic", model, 429, code, 123.456, request_id
    )
    packed = pickle.dumps(failure)
    assert len(packed) < 1024
    assert pickle.loads(packed) == failure
    assert not any(letter < " " for letter in failure.message)


# -- what is kept

KEPT_OUT = {
    "a key after a line break in JSON": (rb'"see\nsk-ant-api03-AbCdEf0123456789"', rb'"see\n***"'),
    "a key of Google": (b"AIzaSyA1234567890abcdefghijklmnopqrstuvw", b"***"),
    "a header": (b"Authorization: Bearer abc.123-def456ghi7==", b"Authorization: Bearer ***"),
    "a signed address": (
        b"https://s3.test/a?X-Amz-Date=1&X-Amz-Signature=0ff1ce00&n=1",
        b"https://s3.test/a?X-Amz-Date=1&X-Amz-Signature=***&n=1",
    ),
    "an ampersand in JSON": (rb"?a=1\u0026sig=abcdef123", rb"?a=1\u0026sig=***"),
    "a password in an address": (b"https://me:secret99@host/", b"https://***@host/"),
    "a token of JSON": (b"eyJhbGciOiJI.eyJzdWIiOiIx.sig", b"***"),
}
HARMLESS = [
    "a basic understanding of bearer certificates",
    "task-2024-quarterly-report and risk-adjusted-returns-2023",
    "hf_hub_download, pk_users_by_name and sk-learn",
    "https://x.test/a?page=2&sort=key",
    "the token=5 case",
]


@pytest.mark.promise("P13")
@pytest.mark.parametrize("case", KEPT_OUT)
def test_a_credential_is_kept_out_of_what_is_kept(case):
    octets, kept = KEPT_OUT[case]
    assert scrubbed(octets) == kept


@pytest.mark.promise("P13")
@pytest.mark.parametrize("secret", SECRETS)
def test_every_key_of_a_known_make_is_kept_out(secret):
    assert secret.encode() not in scrubbed(f'"text": "it is {secret}, yes"'.encode())


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_credential_is_kept_as_it_was(text):
    assert scrubbed(text.encode()) == text.encode()


def test_a_secret_that_is_known_is_kept_out_whatever_it_looks_like_but_a_word_is_not():
    assert scrubbed(b"correct horse, abc", ["correct horse", "abc"]) == b"***, abc"


@pytest.mark.parametrize("piece", [b"sk-", b"eyJ-", b"://a:", b"?key", b"-eyJ.", b"Bearer ", b" basic", b"?sig="])
def test_hostile_bytes_take_no_longer_than_others(piece):
    scrubbed(piece * 100_000)  # would take minutes, were a place looked at twice
