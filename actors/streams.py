"""Where everything is wired: the stream service as a child of any tree, and as a tree of its own.

The service owns the connection pool and the providers of its incarnation; callers hold `Streams`, which outlives a restart of both.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from os import environ

import trio

from actors.config import Settings
from actors.policy.brakes import BRAKES, Brakes
from actors.providers.table import Network, open_providers
from actors.runtime.attempt import World
from actors.runtime.shared import Shared
from actors.runtime.streams import Home, Streams
from actors.runtime.timers import Timers
from actors.source import Provider
from supervisor import Child, Record, Restart, keep, open_supervisor


async def serve_streams(
    *,
    settings: Settings | None = None,
    providers: Mapping[str, Provider] | None = None,
    network: "Network | None" = None,
    brakes: Brakes = BRAKES,
    seed: int | None = None,
    task_status: trio.TaskStatus[Streams] = trio.TASK_STATUS_IGNORED,
) -> None:
    """The stream service, to be run as a child: `Child("streams", serve_streams)`; ready with a `Streams`.

    `settings` are read from the environment where not given; raises `SettingError` where they are wrong.  `providers` adds providers by
    name, or replaces known ones.  `network` replaces the sockets, `brakes` the circuit breaker and the retry
    budget, `seed` makes trace ids repeatable.
    """
    streams = keep(partial(Streams, seed), "streams")
    timers, shared = Timers(), Shared(brakes)
    async with (
        open_providers(settings or Settings.read(environ), providers or {}, network) as known,
        open_supervisor(Child("timers", timers.run), name="service", conditions=shared.now) as tree,
    ):
        streams.settle(Home(tree, World(known, timers, shared), known.admit))
        try:
            task_status.started(streams)
            await trio.sleep_forever()
        finally:
            streams.settle(None)


@asynccontextmanager
async def open_streams(
    *,
    settings: Settings | None = None,
    providers: Mapping[str, Provider] | None = None,
    network: "Network | None" = None,
    brakes: Brakes = BRAKES,
    hook: Callable[[Record], object] | None = None,
    seed: int | None = None,
) -> AsyncGenerator[Streams]:
    """Open a root supervisor with the stream service in it, to be used in `async with`; gives `Streams`.

    Leaving the block stops every stream.  `hook` is told every lifecycle record; the rest is as for `serve_streams`.
    """
    settings = settings or Settings.read(environ)
    service = partial(serve_streams, settings=settings, providers=providers, network=network, brakes=brakes, seed=seed)
    async with open_supervisor(hook=hook, seed=seed) as tree:
        ref = await tree.start(Child("streams", service, restart=Restart.PERMANENT))
        streams: Streams = ref.value
        try:
            yield streams
        finally:
            streams.close()
