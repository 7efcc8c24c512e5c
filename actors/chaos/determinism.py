"""The same run again: trio's scheduler under a seed.

trio shuffles each batch of runnable tasks on purpose.  For property tests it can be told to sort the batch first and to shuffle with a
generator that is seeded; there is no public switch, so this is the one place that touches the private one.
"""

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from random import Random


@contextmanager
def deterministic(seed: int) -> Generator[None]:
    """Every `trio.run` in this block schedules its tasks in an order that depends on `seed` alone.

    Use with `trio.testing.MockClock` and an in-memory network: sockets, threads and the wall clock have orders of their own.
    """
    scheduler = import_module("trio._core._run").__dict__
    switches = {"_ALLOW_DETERMINISTIC_SCHEDULING": True, "_r": Random(seed)}  # noqa: S311 -- an order is no secret
    before = {name: scheduler[name] for name in switches}
    scheduler.update(switches)
    try:
        yield
    finally:
        scheduler.update(before)
