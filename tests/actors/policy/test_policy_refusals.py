"""What providers say when they refuse, and what it means: by status, by their own word, by an anchored phrase."""

import httpx2
import pytest
import trio

from actors.failure import FailureKind, Phase
from actors.policy.classify import classify
from actors.source import EncodingError, MalformedError, TruncatedError, WireError

K = FailureKind
REQUEST = httpx2.Request("POST", "https://api.example.com/v1/messages")


def kind(error, phase=Phase.STREAMING):
    failure = classify(error, phase, "anthropic", "m")
    return None if failure is None else failure.kind


def caused(error, *causes):
    """The error raised `from` its causes, the nearest first."""
    last = error
    for cause in causes:
        last.__cause__ = cause
        last = cause
    return error


WIRE = [
    (MalformedError("what"), K.MALFORMED),
    (caused(MalformedError("what"), ConnectionResetError()), K.MALFORMED),
    (WireError("what"), K.MALFORMED),
    (TruncatedError("cut"), K.TRUNCATED),
    (EncodingError("no images"), K.INVALID_REQUEST),
]


@pytest.mark.parametrize(("error", "expected"), WIRE, ids=repr)
def test_a_wire_error_says_itself_what_it_is(error, expected):
    assert kind(error) is expected


def test_a_silent_exception_is_told_by_what_wraps_it_or_by_its_name():
    assert classify(caused(httpx2.ReadTimeout("5 s over"), trio.TooSlowError()), Phase.STREAMING).message == "5 s over"
    assert classify(trio.BrokenResourceError(), Phase.STREAMING).message == "BrokenResourceError"
