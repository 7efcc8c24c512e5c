"""The work of a run: prompts in, one outcome each, written as it ends, and a report.

A fixed number of workers takes one prompt at a time, so as many are in memory as are answered.  What stops a run (Ctrl-C, a reader gone, a
line that is no prompt) stops the workers in order; the sheet stands outside of that and writes the last word of each.
"""

import signal
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeAlias

import attrs
import trio

from actors.cli import status
from actors.cli.inlet import Inlet
from actors.cli.interrupts import Interrupts
from actors.cli.jobs import Job
from actors.cli.logbook import Logbook
from actors.cli.sheet import Sheet, Write, deserted
from actors.config import Settings
from actors.errors import SettingError
from actors.ladder import Ladder, Seam
from actors.observe.board import Board
from actors.observe.report import Report
from actors.policy.brakes import BRAKES, Brakes
from actors.providers.table import open_providers
from actors.route import Route
from actors.runtime.streams import Streams
from actors.source import Provider
from actors.streams import open_streams

Show: TypeAlias = Callable[[Board], Awaitable[None]]


@attrs.frozen
class Tape:
    """What a run is recorded to, or what answers it instead of the providers."""

    record: Path | None = None
    replay: Path | Provider | None = None


def unbounded(_: Job) -> AbstractContextManager[object]:
    """An outcome is waited for as long as it takes."""
    return nullcontext()


@attrs.frozen
class Plan:
    """What a run is to do: answer the jobs of `inlet`, each on its `ladder` and with `seam`, `concurrency` at a time.

    `routes` are those known beforehand; each outcome is waited for within what `bounds` gives.
    """

    title: str
    settings: Settings
    routes: tuple[Route, ...]
    inlet: Inlet
    ladder: Callable[[Job], Ladder]
    concurrency: int
    seam: Seam = Seam.RESTART
    seed: int | None = None
    brakes: Brakes = BRAKES
    tape: Tape = attrs.field(factory=Tape)
    bounds: Callable[[Job], AbstractContextManager[object]] = unbounded


@attrs.frozen
class Audience:
    """Who follows a run: `show` draws its board, `write` takes its outcomes, `log` is told what happens in the tree."""

    show: Show
    write: Write
    log: Logbook = attrs.field(factory=Logbook)


@attrs.frozen
class Ending:
    """How a run ended: its figures, the signal that stopped it, what was wrong with its input, why it could not be written.

    `unrecorded` says that its recording stopped before it did.
    """

    report: Report
    expected: int | None = None
    signal: int | None = None
    complaint: str = ""
    error: OSError | None = None
    unrecorded: bool = False

    @property
    def unasked(self) -> int:
        """Prompts that were never asked, where it is known how many there were."""
        return 0 if self.expected is None else max(0, self.expected - self.report.streams)

    @property
    def status(self) -> int:
        """The exit status, see `actors.cli.status`."""
        if self.signal is not None:
            return status.SIGNALLED + self.signal
        if self.complaint:
            return status.USAGE
        return status.of_report(self.report) or int(self.error is not None or self.unrecorded)


async def carry_out(plan: Plan, audience: Audience) -> Ending:
    """Run a plan to its end."""
    board = Board(plan.title, trio.current_time(), plan.inlet.count)
    with Interrupts() as interrupts:
        sheet = Sheet(audience.write, interrupts.stop)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(audience.show, board)
            nursery.start_soon(sheet.run)
            await _import_clients(plan)
            board.started = trio.current_time()
            crew = _Crew(plan, board, sheet)
            try:
                log = audience.log
                async with open_streams(
                    settings=plan.settings,
                    seed=plan.seed,
                    hook=log.hook,
                    capture=log.capture,
                    record=plan.tape.record,
                    replay=plan.tape.replay,
                    brakes=plan.brakes,
                ) as streams:
                    log.gauges.watch(streams)
                    with interrupts.scope:
                        await crew.answer_all(streams)
            finally:
                await sheet.finish()
            nursery.cancel_scope.cancel()
    return Ending(
        board.tally.report(trio.current_time() - board.started),
        plan.inlet.count,
        signal.SIGPIPE if deserted(sheet.error) else interrupts.received,
        crew.complaint,
        sheet.error,
    )


async def _import_clients(plan: Plan) -> None:
    """Importing a provider's client takes a second in which nothing else happens: not while the clock of a stream runs."""
    if plan.tape.replay is not None:
        return
    await trio.sleep(0.01)  # the first picture is drawn meanwhile
    async with open_providers(plan.settings, {}, None) as providers:
        for name in {route.provider for route in plan.routes}:
            providers[name]


class _Crew:
    """The workers of a run and the one that feeds them."""

    def __init__(self, plan: Plan, board: Board, sheet: Sheet) -> None:
        self._plan = plan
        self._board = board
        self._sheet = sheet
        self.complaint = ""

    async def answer_all(self, streams: Streams) -> None:
        """Answer every job of the inlet."""
        plan = self._plan
        send, receive = trio.open_memory_channel[Job](0)
        async with trio.open_nursery() as nursery, receive:
            nursery.start_soon(self._feed, send)
            for _ in range(min(plan.concurrency, plan.inlet.count or plan.concurrency)):
                nursery.start_soon(self._work, streams, receive.clone())

    async def _feed(self, send: "trio.MemorySendChannel[Job]") -> None:
        async def give(job: Job) -> None:
            try:
                send.send_nowait(job)  # a turn of a busy event loop for each would keep workers waiting
            except trio.WouldBlock:
                await send.send(job)

        async with send:
            try:
                await self._plan.inlet.pour(give)
            except SettingError as error:
                self.complaint = str(error)  # what was asked before is answered first

    async def _work(self, streams: Streams, jobs: "trio.MemoryReceiveChannel[Job]") -> None:
        async with jobs:
            async for job in jobs:
                await self._answer(streams, job)

    async def _answer(self, streams: Streams, job: Job) -> None:
        board, ladder = self._board, self._plan.ladder(job)
        track = board.begin(job.name, trio.current_time(), ladder.route)
        stream = streams.open(job.request, ladder, seam=self._plan.seam)
        try:
            with self._plan.bounds(job):
                async with stream:
                    async for event in stream:
                        board.see(track, event, trio.current_time())
        finally:
            outcome = stream.partial
            board.end(track, outcome, trio.current_time())
            written = self._sheet.keep(job.name, outcome)
        await written.wait()
