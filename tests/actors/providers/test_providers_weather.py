"""What broke a connection means the same after it went through a line."""

import errno
import socket
import ssl
from itertools import pairwise

import httpcore2
import httpx2
import pytest
import trio

from actors.failure import Phase
from actors.policy.classify import classify
from actors.providers.weather import error_of, facts_of


def chain(*errors):
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


REFUSED = OSError(errno.ECONNREFUSED, "Connection refused")
ERRORS = {
    "refused": chain(httpx2.ConnectError("x"), httpcore2.ConnectError("x"), REFUSED),
    "refused at every address": chain(
        httpx2.ConnectError("x"), OSError("all attempts to connect failed"), ExceptionGroup("", [REFUSED, REFUSED])
    ),
    "no such host": chain(httpx2.ConnectError("x"), socket.gaierror(socket.EAI_NONAME, "Name not known")),
    "no lookup for now": chain(httpx2.ConnectError("x"), socket.gaierror(socket.EAI_AGAIN, "Try again")),
    "connect timeout": chain(httpx2.ConnectTimeout("no connection"), trio.TooSlowError()),
    "reset": chain(httpx2.ReadError("x"), trio.BrokenResourceError(), ConnectionResetError(errno.ECONNRESET, "reset")),
    "broken line": chain(httpx2.ReadError("x"), httpcore2.ReadError("x"), trio.BrokenResourceError()),
    "no answer": httpx2.RemoteProtocolError("the server disconnected without an answer"),
    "no http": httpx2.RemoteProtocolError("illegal status line"),
    "untrusted": chain(httpx2.ConnectError("x"), ssl.SSLCertVerificationError(1, "self-signed")),
    "eof under tls": chain(httpx2.ReadError("x"), ssl.SSLEOFError(8, "EOF")),
    "too many files": chain(httpx2.ConnectError("x"), OSError(errno.EMFILE, "Too many open files")),
}


@pytest.mark.parametrize("phase", [Phase.CONNECTION, Phase.STREAMING])
@pytest.mark.parametrize("case", ERRORS)
def test_an_error_made_again_is_judged_alike(case, phase):
    again = error_of(facts_of(ERRORS[case]))
    first, second = classify(ERRORS[case], phase), classify(again, phase)
    assert first is not None
    assert second.kind is first.kind
    assert type(again) is type(ERRORS[case])


def test_a_bug_is_no_weather():
    assert facts_of(TypeError("no")) == ()
