"""Time for cleanup that a stop can count on: shielded, with a deadline, and cut at the end of the child's grace."""

from collections.abc import Generator
from contextlib import contextmanager

import trio

from supervisor.runtime.incarnation import enclosing


@contextmanager
def cleanup(seconds: float) -> Generator[trio.CancelScope]:
    """A shielded scope with a deadline, for awaiting in a `finally`.

    It protects from cancellation for at most `seconds`. Inside a supervised child the supervisor cuts it at the end of the child's grace,
    so cleanup can delay a stop, but never without bound. Works anywhere in trio.
    """
    scope = trio.CancelScope(deadline=trio.current_time() + seconds, shield=True)
    incarnation = enclosing()
    if incarnation is None:
        with scope:
            yield scope
        return
    incarnation.hold(scope)
    try:
        with scope:
            yield scope
    finally:
        incarnation.release(scope)
