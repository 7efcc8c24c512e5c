"""Every exception class of the clients, the transports and the system: classified, or a bug on purpose, and none forgotten."""

import builtins
import errno
import inspect
import socket
import ssl

import anthropic
import botocore.exceptions
import google.auth.exceptions
import h11
import httpcore2
import httpx
import httpx2
import openai
import pytest
import trio
from google.genai import errors as genai

from actors.failure import FailureKind, Phase
from actors.policy.classify import classify
from actors.policy.meanings import BY_ERRNO, BY_TYPE
from actors.source import RefusedError

K = FailureKind
REQUEST = httpx2.Request("POST", "https://api.example.com/v1")
MODULES = (httpx, httpx2, httpcore2, h11, anthropic, openai, genai, ssl, socket, trio)

BUGS = {
    # our wrong use of a client, of HTTP, of trio
    "httpx": "CookieConflict LocalProtocolError RequestNotRead ResponseNotRead StreamClosed StreamConsumed StreamError",
    "httpx2": "CookieConflict LocalProtocolError RequestNotRead ResponseNotRead StreamClosed StreamConsumed StreamError",
    "httpcore2": "ConnectionNotAvailable LocalProtocolError",
    "h11": "LocalProtocolError",
    "trio": "BusyResourceError ClosedResourceError EndOfChannel NeedHandshakeError RunFinishedError TrioDeprecationWarning "
    "TrioInternalError WouldBlock",
    "socket": "_GiveupOnSendfile",
    # clients set up wrongly, features that no provider here uses, and what asks their own loop to go on
    "anthropic": "AnthropicError RetryableError",
    "openai": "InvalidWebhookSignatureError OpenAIError WebSocketQueueFullError _AmbiguousModuleClientUsageError",
    "google.genai.errors": "ExperimentalWarning FunctionInvocationError UnknownFunctionCallArgumentError UnsupportedFunctionError",
}
NUMBERED = {"error", "socket_error"}
"""Other names of OSError, which means what its number says."""


def classes():
    for module in MODULES:
        for name in dir(module):
            thing = getattr(module, name, None)
            if inspect.isclass(thing) and issubclass(thing, BaseException) and name not in NUMBERED:
                yield pytest.param(module.__name__, name, thing, id=f"{module.__name__}.{name}")


def made(cls):
    """An instance, whatever its constructor wants."""
    error = cls.__new__(cls)
    BaseException.__init__(error, "text that says nothing")
    for field in ("request_id", "status_code", "source", "source_task", "reason"):
        if not isinstance(error, OSError):
            setattr(error, field, None)
    if issubclass(cls, (anthropic.APIError, openai.APIError, httpx.HTTPStatusError, httpx2.HTTPStatusError)):
        status = getattr(cls, "status_code", 500)
        error.status_code = status if isinstance(status, int) else 500
        error.message, error.request, error.body = "", REQUEST, None
        error.response = httpx2.Response(error.status_code, request=REQUEST)
    return error


@pytest.mark.parametrize(("module", "name", "cls"), list(classes()))
def test_no_exception_of_a_client_or_the_system_is_forgotten(module, name, cls):
    found = classify(made(cls), Phase.CONNECTION, "anthropic", "m")
    assert (found is None) == (name in BUGS.get(module, "").split())


@pytest.mark.parametrize(("module", "names"), BUGS.items())
def test_what_is_a_bug_on_purpose_exists(module, names):
    there = {module_.__name__: module_ for module_ in MODULES}[module]
    assert [name for name in names.split() if not hasattr(there, name)] == []


WORDED = [
    (httpx2.TransportError("x"), K.RESET),
    (httpx2.RequestError("x"), K.UNKNOWN),
    (httpx2.HTTPError("x"), K.UNKNOWN),
    (httpx.InvalidURL("no scheme"), K.PROTOCOL),
    (google.auth.exceptions.RefreshError("reauthenticate"), K.EXPIRED_KEY),
    (google.auth.exceptions.DefaultCredentialsError("none"), K.MISSING_KEY),
    (google.auth.exceptions.TransportError("no"), K.RESET),
    (botocore.exceptions.NoCredentialsError(), K.MISSING_KEY),
    (botocore.exceptions.TokenRetrievalError(provider="sso", error_msg="old"), K.EXPIRED_KEY),
    (RuntimeError("can't start new thread"), K.CPU),
    (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), K.CPU),
    (socket.herror(1, "Unknown host"), K.DNS_PERMANENT),
    (KeyboardInterrupt(), K.CANCELLED),
]


@pytest.mark.parametrize(("error", "kind"), WORDED, ids=lambda value: repr(value)[:50])
def test_an_exception_means_what_its_class_says(error, kind):
    assert classify(error, Phase.CONNECTION).kind is kind


@pytest.mark.row("A6", "A19", "A20")
@pytest.mark.parametrize(("number", "kind"), BY_ERRNO.items(), ids=lambda value: errno.errorcode.get(value, str(value)))
def test_an_error_of_the_system_means_what_its_number_says(number, kind):
    assert [classify(OSError(number, "x"), phase).kind for phase in Phase] == [kind] * 4


@pytest.mark.row("A31")
def test_every_other_exception_of_python_is_a_bug():
    weather = set(BY_TYPE) | {"OSError", "MemoryError", "BaseExceptionGroup", "ExceptionGroup"}
    for name, cls in vars(builtins).items():
        if inspect.isclass(cls) and issubclass(cls, Exception) and not weather & {one.__name__ for one in cls.__mro__}:
            error = cls.__new__(cls)
            assert classify(error, Phase.STREAMING) is None, name


def test_a_table_row_is_reached_by_the_class_of_its_name():
    for name, kind in BY_TYPE.items():
        error = type(name, (Exception,), {})("x")
        told = classify(error, Phase.CONNECTION)
        assert told.kind is kind or isinstance(error, RefusedError), name
