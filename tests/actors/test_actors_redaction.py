"""What providers say is shown short, on one line, and without the secrets it echoes."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.failure import Failure, FailureKind, Phase
from actors.redaction import BLOT, shown

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
