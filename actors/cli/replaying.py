"""What `replay` does: asks again, without network or key, what a recording holds, stream by stream, and shows what becomes of it today.

Time is the recording's, not the person's: silence of a minute is over at once.  The one rule: every stream is answered from its own
attempts and from nothing else, so that what differs from the recording is told, never made up.
"""

import sys
from collections.abc import AsyncGenerator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path

import attrs
import trio
from msgspec import json
from rich.table import Table
from rich.text import Text

from actors.cli.inlet import Inlet, Send
from actors.cli.jobs import Job
from actors.cli.options import Logging, Showing
from actors.cli.performing import perform
from actors.cli.run import Plan, Tape
from actors.cli.screen import paper
from actors.cli.surface import Surface
from actors.cli.takes import Take, takes_of
from actors.config import Settings
from actors.errors import SettingError
from actors.ladder import Ladder
from actors.observe.figures import clean, count, counted
from actors.policy.brakes import Brakes
from actors.providers.replay import ReplayProvider, read_recording
from actors.request import Request
from actors.route import Route
from actors.source import Source

NO_BRAKES = Brakes(breaker=None, budget=None)
"""What the brakes of that day held back stands in no recording; nothing is held back again."""

PROMPT_SHOWN = 60
"""Characters of a question in a listing."""

UNCUT = 1000
"""Columns where no terminal has an edge."""


def ask_again(path: Path, showing: Showing, logging: Logging) -> int:
    """Replay every stream of a recording; gives the exit status."""
    cast = Cast(path.name, _takes(path))
    settings = Settings.read({})
    with Surface.open(showing, logging, settings, answers=True) as surface:
        inlet = Inlet(len(cast.jobs), cast.pour)
        title = f"replay of {path.name}"
        plan = Plan(
            title, settings, (), inlet, cast.ladder, 1, brakes=NO_BRAKES, tape=Tape(replay=cast), bounds=cast.leaving
        )
        ending = perform(plan, surface.audience)
        status = surface.close(ending)
    if (left := cast.left) and ending.signal is None:
        told = f"{counted(left, 'recorded attempt')} of {path.name} not asked for again: what comes of the others has changed"
        print(f"trio-supervisor: {told}", file=sys.stderr)
        return status or 1
    return status


def list_takes(path: Path, *, in_json: bool) -> int:
    """Print what a recording holds: a line for each attempt."""
    takes = _takes(path)
    if in_json:
        for take in takes:
            for record in _records(take):
                sys.stdout.buffer.write(json.encode(record) + b"\n")
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("stream", "attempt", "route", "ended", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("bytes or deltas", justify="right", min_width=7)
    table.add_column("asked")
    for take in takes:
        for record in _records(take):
            *told, asked = (clean(_cell(value)) for value in record.values())
            # Room is taken from the question, so the column may wrap and what is in it does not.
            table.add_row(*told, Text(asked, no_wrap=True, overflow="ellipsis"))
    screen = paper(sys.stdout, plain=False)
    if not screen.is_terminal:
        screen.width = UNCUT
    screen.print(table)
    screen.print(f"{counted(len(takes), 'stream')}, {counted(sum(len(take.lines) for take in takes), 'attempt')}")
    return 0


def _cell(value: object) -> str:
    return count(value) if isinstance(value, int) else f"{value:.2f}" if isinstance(value, float) else str(value)


def _records(take: Take) -> list[dict[str, object]]:
    asked = next((message.text for message in reversed(take.request.messages) if message.text), "")
    return [
        {
            "stream": take.name,
            "attempt": number,
            "route": str(line.route),
            "ended": "gave up" if line.overdue else line.ended.value,
            "status": str(line.status or ("" if not line.error else line.error[0].type)),
            "seconds": line.seconds,
            "size": sum(size for _, size in line.slices),
            "asked": " ".join(asked.split())[:PROMPT_SHOWN],
        }
        for number, line in enumerate(take.lines, 1)
    ]


def _takes(path: Path) -> tuple[Take, ...]:
    takes = takes_of(read_recording(path))
    if not takes:
        raise SettingError(f"{path} holds no attempt that was over; make a recording with run --record {path}")
    return takes


class Cast:
    """The streams of a recording, each with a provider that answers from its attempts; itself a provider of them all."""

    def __init__(self, name: str, takes: tuple[Take, ...]) -> None:
        self.jobs = tuple(Job(take.name, take.request, take.ladder.routes) for take in takes)
        self.recorded: AbstractSet[str] = frozenset(line.provider for take in takes for line in take.lines)
        self._takes = dict(zip((job.name for job in self.jobs), takes, strict=True))
        # A request is known by its identity: two streams may ask the very same.
        self._played = {
            id(job.request): _Played(take, ReplayProvider(name, take.lines, encodes=False), trio.CancelScope())
            for job, take in zip(self.jobs, takes, strict=True)
        }

    async def pour(self, send: Send) -> None:
        """Send every job."""
        for job in self.jobs:
            await send(job)

    def ladder(self, job: Job) -> Ladder:
        """The ladder that leads through a stream's attempts."""
        return self._takes[job.name].ladder

    def leaving(self, job: Job) -> AbstractContextManager[object]:
        """What ends the wait for a stream that nobody waited for."""
        played = self._played[id(job.request)]
        return played.scope if played.take.deserted else nullcontext()

    def admit(self, route: Route) -> Route:
        """The route as it was recorded."""
        return route

    @property
    def left(self) -> int:
        """How many attempts were not asked for."""
        return sum(played.replay.left for played in self._played.values())

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """The next attempt of the stream that asks."""
        played = self._played[id(request)]
        if played.replay.left == 1:
            played.scope.deadline = trio.current_time() + played.take.lines[-1].seconds
        async with played.replay.open(request, route) as source:
            yield source


@attrs.frozen
class _Played:
    """A stream under way."""

    take: Take
    replay: ReplayProvider
    scope: trio.CancelScope
