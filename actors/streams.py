"""Where everything is wired: the stream service as a child of any tree, and as a tree of its own.

The service owns the connection pool and the providers of its incarnation; callers hold `Streams`, which outlives a restart of both.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from actors.config import Refresh, Settings, checked
from actors.errors import SettingError
from actors.policy.brakes import BRAKES, Brakes
from actors.providers.replay import from_recording
from actors.providers.table import Network, open_providers
from actors.redaction import shown
from actors.runtime.attempt import World
from actors.runtime.shared import Shared
from actors.runtime.streams import Home, Streams
from actors.runtime.timers import Timers
from actors.source import Provider
from supervisor import Child, Record, Restart, current_child, keep, open_supervisor

if TYPE_CHECKING:
    from actors.providers.capture import Tell

CRASH_BYTES = 300
"""What is kept of the message of a crash; a client's words may be in it."""

_redacted = partial(shown, limit=CRASH_BYTES)


async def serve_streams(  # noqa: PLR0913 -- a name for each thing that a service may be given
    *,
    settings: Settings | None = None,
    providers: Mapping[str, Provider] | None = None,
    network: "Network | None" = None,
    brakes: Brakes = BRAKES,
    seed: int | None = None,
    record: str | Path | None = None,
    replay: str | Path | Provider | None = None,
    capture: "Tell | None" = None,
    refresh: Mapping[str, Refresh] | None = None,
    task_status: trio.TaskStatus[Streams] = trio.TASK_STATUS_IGNORED,
) -> None:
    """The stream service, to be run as a child: `Child("streams", serve_streams)`; ready with a `Streams`.

    `settings` are read from the environment where not given; raises `SettingError` where they are wrong.  `providers` adds providers by
    name, or replaces known ones.  `network` replaces the sockets, `brakes` the circuit breaker and the retry
    budget, `seed` makes trace ids repeatable.

    `record` names a file that every attempt is added to; `replay` one (or what `from_recording` made of it) that answers
    instead of the providers, which then need no network and no key.  `capture`, for debugging, is told what attempts that fail over HTTP sent
    and got, unless they are recorded or replayed.

    `refresh` names for a provider who gives a new key: an async function, called once when a key of that provider was refused (401) or has
    run out, and first of all where none is set.  Every stream refused at the same moment waits for that one call, and is asked again with
    the new key; a second refusal stands.
    """
    settings = settings or Settings.read(environ)
    replayed = keep(partial(_replayed, replay, settings), "replay")
    streams = keep(partial(Streams, seed), "streams")
    current_child().on_end(streams.ended)
    timers, shared = Timers(), Shared(brakes)
    async with (
        open_providers(
            settings,
            providers or {},
            network,
            record=_recordable(record, replay),
            replay=replayed,
            capture=capture,
            refresh=refresh,
        ) as known,
        open_supervisor(Child("timers", timers.run), name="service", conditions=shared.now, redact=_redacted) as tree,
    ):
        streams.settle(Home(tree, World(known, timers, shared), known.admit, known.gauges))
        try:
            task_status.started(streams)
            await trio.sleep_forever()
        finally:
            streams.settle(None)


@asynccontextmanager
async def open_streams(  # noqa: PLR0913 -- the same
    *,
    settings: Settings | None = None,
    providers: Mapping[str, Provider] | None = None,
    network: "Network | None" = None,
    brakes: Brakes = BRAKES,
    hook: Callable[[Record], object] | None = None,
    seed: int | None = None,
    record: str | Path | None = None,
    replay: str | Path | Provider | None = None,
    capture: "Tell | None" = None,
    refresh: Mapping[str, Refresh] | None = None,
) -> AsyncGenerator[Streams]:
    """Open a root supervisor with the stream service in it, to be used in `async with`; gives `Streams`.

    Leaving the block stops every stream.  `hook` is told every record of the tree and of the streams; the rest is as for `serve_streams`.
    """
    settings = settings or Settings.read(environ)
    recorded, replayed = _recordable(record, replay), _replayed(replay, settings)
    given = {"settings": settings, "providers": providers, "network": network, "brakes": brakes, "seed": seed}
    service = partial(
        serve_streams, **given, record=recorded, replay=replayed, capture=capture, refresh=checked(refresh)
    )
    async with open_supervisor(hook=hook, seed=seed, redact=_redacted) as tree:
        ref = await tree.start(Child("streams", service, restart=Restart.PERMANENT))
        streams: Streams = ref.value
        try:
            yield streams
        finally:
            streams.close()


def _recordable(record: str | Path | None, replay: object) -> str | Path | None:
    """The same path, which can be recorded to; raises `SettingError` where it cannot, before anything is asked."""
    if record is None:
        return None
    if replay is not None:
        raise SettingError(f"record={str(record)!r} and replay={str(replay)!r} exclude each other: leave one out")
    from actors.providers.record import Recorder  # noqa: PLC0415 -- whoever records nothing waits for no HTTP client

    Recorder(record).close()
    return record


def _replayed(replay: str | Path | Provider | None, settings: Settings) -> Provider | None:
    return from_recording(replay, settings.secrets) if isinstance(replay, str | Path) else replay
