"""What the death of the program means: its own words count, whole words only, and an end that nobody explains is a cut."""

import pytest

from actors.failure import FailureKind, Phase
from actors.policy.classify import classify
from actors.source import TruncatedError
from actors.wire.claude_code import ended

K = FailureKind

ENDINGS = [
    (1, "error: unknown option '--tools='", False, K.PROGRAM),
    (1, "error: option '--output-format <format>' argument 'stream-json' is invalid", False, K.PROGRAM),
    (1, "Error: When using --print, --output-format=stream-json requires --verbose", False, K.PROGRAM),
    (127, "env: node: No such file or directory", False, K.PROGRAM),
    (1, "", False, K.PROGRAM),
    (1, "Invalid API key · Please run /login", True, K.INVALID_KEY),
    (1, "Not logged in", False, K.INVALID_KEY),
    (1, "Your credit balance is too low", True, K.QUOTA),
    (1, "Error: rate limited, try later", True, K.RATE_LIMIT),
    (1, "API is overloaded", True, K.OVERLOADED),
    (1, "TypeError: fetch failed", True, K.UNAVAILABLE),
    (1, "connect ECONNREFUSED 127.0.0.1:1", False, K.UNAVAILABLE),
    (1, "something broke", True, K.TRUNCATED),
    (0, "", False, K.TRUNCATED),
    (0, "", True, K.TRUNCATED),
    (-9, "", False, K.TRUNCATED),
    (-9, "", True, K.TRUNCATED),
    (143, "", True, K.TRUNCATED),
    (None, "", True, K.TRUNCATED),
    (1, "deadline exceeded", True, K.TRUNCATED),  # of its own making or the model's: it does not say
    (1, "an unoverloaded prefetch failedness", True, K.TRUNCATED),
    (1, "see the iterate limits", True, K.TRUNCATED),
]


@pytest.mark.parametrize(("status", "stderr", "spoke", "kind"), ENDINGS)
@pytest.mark.row("C12", "A32")
def test_an_ending_is_what_the_program_says_it_is(status, stderr, spoke, kind):
    failure = classify(ended(status, stderr, spoke=spoke), Phase.STREAMING, "claude-code", "claude-a")
    assert failure.kind is kind
    assert stderr in failure.message


def test_the_message_says_how_it_ended_and_keeps_the_last_words_short():
    error = ended(-15, "x" * 5000 + "\n  the   end\n", spoke=True)
    assert isinstance(error, TruncatedError)
    assert str(error).startswith("claude was ended by signal 15 without a result: xxx")
    assert str(error).endswith("x the end")
    assert len(str(error)) < 260
    assert str(ended(None, "", spoke=True)) == "claude closed its output without a result"
