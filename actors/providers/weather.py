"""What broke a connection, as facts that fit into a line, and the same exceptions made of them again.

The one rule: what is made again means the same to whoever judges it: the same classes in the same order, the same numbers.
"""

import socket
import ssl
from collections.abc import Iterator, Sequence
from itertools import pairwise

import httpx2
import trio

from actors.wire.recording import Fact


def _descendants(cls: type[Exception]) -> Iterator[type[Exception]]:
    yield cls
    for below in cls.__subclasses__():
        yield from _descendants(below)


_HTTP = {cls.__name__: cls for cls in _descendants(httpx2.TransportError) if cls.__module__.startswith("httpx2")}
_LINE: dict[str, type[Exception]] = {
    cls.__name__: cls for cls in (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
}
_SYSTEM: dict[str, type[OSError]] = {
    "gaierror": socket.gaierror,
    "OSError": OSError,
    **{cls.__name__: cls for cls in (ssl.SSLError, *ssl.SSLError.__subclasses__())},
}


def facts_of(error: BaseException) -> tuple[Fact, ...]:
    """The chain of causes, the outermost first; empty where nothing of it is the network's."""
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


def error_of(facts: Sequence[Fact]) -> Exception:
    """The outermost exception, with its causes behind it; what nobody knows is a connection that broke."""
    made = [_made(fact) for fact in facts or (Fact("NetworkError", "the connection broke"),)]
    for error, cause in pairwise(made):
        error.__cause__ = cause
    return made[0]


def _fact(error: BaseException) -> Fact | None:
    names = [cls.__name__ for cls in type(error).__mro__]
    if isinstance(error, httpx2.TransportError):
        return Fact(next(name for name in names if name in _HTTP), str(error))
    if isinstance(error, OSError):
        return Fact(next(name for name in names if name in _SYSTEM), error.strerror or str(error), error.errno)
    name = next((name for name in names if name in _LINE), "")
    return Fact(name, str(error)) if name else None


def _made(fact: Fact) -> Exception:
    if (system := _SYSTEM.get(fact.type)) is not None:
        return system(fact.message) if fact.number is None else system(fact.number, fact.message)
    return (_HTTP.get(fact.type) or _LINE.get(fact.type) or httpx2.NetworkError)(fact.message)
