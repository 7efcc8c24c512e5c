"""A provider on the loopback, in a thread of its own, for commands that run an event loop themselves."""

import queue
import threading
from contextlib import ExitStack, contextmanager

import pytest
import trio

from actors.chaos import Generated, Plan, Simulator
from actors.config import VARIABLES


@contextmanager
def served(simulator):
    """The base URL of a simulator that serves until the block is left."""
    ready = queue.SimpleQueue()

    async def serve():
        async with trio.open_nursery() as nursery:
            url = await nursery.start(simulator.listen)
            ready.put((url, trio.lowlevel.current_trio_token(), nursery.cancel_scope))

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    url, token, scope = ready.get(timeout=10)
    try:
        yield url
    finally:
        token.run_sync_soon(scope.cancel)
        thread.join()


@pytest.fixture
def serving():
    """`served`, for a test that brings its own simulator."""
    return served


@pytest.fixture
def bare_environment(monkeypatch):
    """Whatever this machine has set, no command of a test sees it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def provide(monkeypatch):
    """Start a provider with this weather and point the environment at it; gives its simulator."""
    with ExitStack() as stack:

        def start(weather="seed=1", *, tokens=8, pacing=None, answers=None):
            extra = {} if pacing is None else {"pacing": pacing}
            simulator = Simulator(answers or Generated(tokens=tokens), Plan.parse(weather), **extra)
            url = stack.enter_context(served(simulator))
            monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary-77")
            monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
            return simulator

        yield start
