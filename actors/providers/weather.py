"""What ended an attempt, as facts that fit into a line, and the same exceptions made of them again.

The one rule: what is made again means the same to whoever judges it: the same classes in the same order, the same numbers and words.
"""

import socket
import ssl
from collections.abc import Iterator, Sequence
from itertools import pairwise

import httpx2
import trio

from actors.policy.classify import refusal
from actors.policy.meanings import BY_TYPE
from actors.source import DivergedError, EncodingError, MalformedError, RefusedError, TruncatedError, WireError
from actors.wire.recording import Fact, kept_headers


def _descendants(cls: type[Exception]) -> Iterator[type[Exception]]:
    yield cls
    for below in cls.__subclasses__():
        yield from _descendants(below)


_HTTP = {cls.__name__: cls for cls in _descendants(httpx2.TransportError) if cls.__module__.startswith("httpx2")}
_LINE: dict[str, type[Exception]] = {
    cls.__name__: cls for cls in (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
}
_WIRE: dict[str, type[WireError]] = {
    cls.__name__: cls for cls in (RefusedError, TruncatedError, MalformedError, EncodingError, DivergedError)
}
_SYSTEM: dict[str, type[OSError]] = {
    "gaierror": socket.gaierror,
    "OSError": OSError,
    **{cls.__name__: cls for cls in (ssl.SSLError, *ssl.SSLError.__subclasses__())},
}


_NUMBERLESS: dict[str, type[OSError]] = {
    cls.__name__: cls for cls in (TimeoutError, ConnectionRefusedError, ConnectionError)
}
"""What somebody raised in the system's name without a number, by which the system itself tells them apart."""


def facts_of(error: BaseException) -> tuple[Fact, ...]:
    """The chain of causes, the outermost first; empty where nothing of it is weather."""
    facts: list[Fact] = []
    cause: BaseException | None = error
    while cause is not None:
        cause = _first(cause)
        if fact := _fact(cause):
            facts.append(fact)
        cause = cause.__cause__
    return tuple(facts)


def _first(error: BaseException) -> BaseException:
    """The first of several that travel as one."""
    several: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _first(several[0]) if several else error


def error_of(facts: Sequence[Fact], *, bug: bool = False) -> Exception:
    """The outermost exception, with its causes behind it; what nobody knows is a connection that broke, or a `bug` under its own name."""
    made = [_made(fact, bug=bug) for fact in facts or (Fact("NetworkError", "the connection broke"),)]
    for error, cause in pairwise(made):
        error.__cause__ = cause
    return made[0]


def _fact(error: BaseException) -> Fact | None:
    names = [cls.__name__ for cls in type(error).__mro__]
    if (told := error if isinstance(error, WireError) else refusal(error)) is not None:
        return _said(told)
    if isinstance(error, httpx2.TransportError):
        return Fact(next(name for name in names if name in _HTTP), str(error))
    if isinstance(error, OSError):
        nameless = _NUMBERLESS if error.errno is None else {}
        name = next(name for name in names if name in _SYSTEM or name in nameless)
        return Fact(name, error.strerror or str(error), error.errno)
    name = next((name for name in names if name in _LINE or name in BY_TYPE or name == MemoryError.__name__), "")
    return Fact(name, str(error)) if name else None


def _said(error: WireError) -> Fact:
    name = next(cls.__name__ for cls in type(error).__mro__ if cls.__name__ in _WIRE or cls is WireError)
    if not isinstance(error, RefusedError):
        return Fact(name, str(error))
    return Fact(
        name,
        error.message,
        status=error.status,
        kind=error.kind,
        code=error.code,
        in_stream=error.in_stream,
        retry_after=error.retry_after,
        next_key=error.next_key,
        headers=kept_headers(error.headers),
    )


def _refused(fact: Fact) -> RefusedError:
    refused = RefusedError(
        fact.message,
        status=fact.status,
        kind=fact.kind,
        code=fact.code,
        headers=fact.headers,
        in_stream=fact.in_stream,
        retry_after=fact.retry_after,
    )
    refused.next_key = fact.next_key
    return refused


def _made(fact: Fact, *, bug: bool) -> Exception:
    if fact.type == RefusedError.__name__:
        return _refused(fact)
    if (wire := _WIRE.get(fact.type)) is not None:
        return wire(fact.message)
    if (system := _SYSTEM.get(fact.type) or _NUMBERLESS.get(fact.type)) is not None:
        return system(fact.message) if fact.number is None else system(fact.number, fact.message)
    known = _HTTP.get(fact.type) or _LINE.get(fact.type) or (MemoryError if fact.type == "MemoryError" else None)
    if known is None and (bug or fact.type in BY_TYPE):
        known = type(fact.type, (Exception,), {})  # of such a one only the name is judged
    return (known or httpx2.NetworkError)(fact.message)
