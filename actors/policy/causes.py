"""The exceptions behind an exception: which it was raised from, how they are named, and the same ones fit to be kept.

The one rule: only what was raised `from` another error names its cause; an error that merely happened while another was being treated
is a bug of its own.
"""

from collections.abc import Iterator
from typing import TypeGuard

from actors.redaction import shown
from actors.source import RefusedError, WireError

KEPT_BYTES = 256
"""Of the words of an exception that is kept."""


def causes(error: BaseException) -> list[BaseException]:
    """The innermost cause first: the system's own word is more exact than a client's wrapping of it."""
    chain: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and seen not in chain:
        chain.insert(0, seen)
        if isinstance(seen, WireError) or is_group(seen):
            break
        seen = seen.__cause__
    return chain


def is_group(error: BaseException) -> TypeGuard["BaseExceptionGroup[BaseException]"]:
    """Whether several exceptions travel as one."""
    return isinstance(error, BaseExceptionGroup)


def named(error: BaseException) -> str:
    """The classes of an exception and of its causes, the outermost first; empty for what a provider's answer or our own reading says."""
    chain = causes(error)
    if isinstance(chain[0], WireError):
        return ""
    return " from ".join(type(cause).__name__ for cause in reversed(chain))


def kept(error: BaseException) -> BaseException:
    """The exception as it may hang beside an outcome: without frames, and its words as far as they may be shown (P13)."""
    for each in _connected(error):
        each.__traceback__ = None
        each.args = tuple(shown(word, KEPT_BYTES) if isinstance(word, str) else word for word in each.args)
        if isinstance(each, OSError) and each.strerror:
            each.strerror = shown(each.strerror, KEPT_BYTES)
    if not isinstance(error, RefusedError):
        return error
    words = shown(error.message, KEPT_BYTES)
    return RefusedError(words, status=error.status, kind=error.kind, code=error.code, in_stream=error.in_stream)


def _connected(error: BaseException) -> Iterator[BaseException]:
    """The exception and every other one that hangs on it, each once."""
    found: dict[int, BaseException] = {}
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in found:
            continue
        found[id(each)] = each
        waiting += [each.__cause__, each.__context__, *(each.exceptions if is_group(each) else ())]
    yield from found.values()
