"""The one place that opens processes: a program is given its input, its output is read as it comes, and it is gone when the block is left.

The one rule (P1): whatever ends the block, the program and all that it started in its process group are dead, it is reaped, and no file is
left open.  It is asked first: interrupted, then terminated, then killed, each with its share of the grace.
"""

import math
import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import trio

from supervisor import cleanup

CHUNK = 65536
"""Bytes read at once."""

STDERR_KEPT = 8192
"""Bytes kept of what a program wrote last to standard error."""

STOPPING = ((signal.SIGINT, 2.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 1.0))
"""How a program is stopped: each signal, and the seconds it has to take effect; together less than the grace of a stream's actor."""

DRAINING = 1.0
"""Seconds to read on after a program's death, where somebody outside of its group still holds its output open."""

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class Process:
    """A program that runs: `receive` reads its standard output, `ended` says how it ended, `stderr` what it complained of last."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._tail = b""
        self._told = trio.Event()
        self._reading = trio.CancelScope()
        self._until = math.inf
        self._buried = False

    @property
    def pid(self) -> int:
        """The number of the process and of its group."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """The last of what the program wrote to standard error."""
        return self._tail.decode("utf-8", "replace")

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; `None` while the program runs."""
        return self._process.returncode

    async def receive(self) -> bytes:
        """The next bytes of standard output, empty at the end of it or of the program."""
        assert self._process.stdout is not None
        with trio.CancelScope(deadline=self._until) as self._reading:
            return bytes(await self._process.stdout.receive_some(CHUNK))
        return b""

    async def ended(self, seconds: float) -> int | None:
        """The exit status, negative for a signal; `None` where the program still runs after so many seconds."""
        with trio.move_on_after(seconds):
            await self._process.wait()
            await self._told.wait()
        return self._process.returncode

    async def feed(self, octets: bytes) -> None:
        """Write standard input and close it; a program that does not read it may do so."""
        assert self._process.stdin is not None
        with suppress(*_GONE):
            await self._process.stdin.send_all(octets)
        _close(self._process.stdin)

    async def listen(self) -> None:
        """Read standard error, so that the program never waits for that, and keep the last of it."""
        assert self._process.stderr is not None
        with suppress(*_GONE):
            while octets := await self._process.stderr.receive_some(CHUNK):
                self._tail = (self._tail + octets)[-STDERR_KEPT:]
        self._told.set()

    async def mourn(self) -> None:
        """Wait for the program's own end, and clear up behind it."""
        await self._process.wait()
        self._bury()
        self._until = self._reading.deadline = trio.current_time() + DRAINING

    async def stop(self) -> None:
        """Make an end of the program; its pipes are closed first, so that it cannot hang on one."""
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            _close(stream)
        try:
            for number, seconds in STOPPING:
                if self._process.returncode is not None:
                    break
                self._signal(number)
                with trio.move_on_after(seconds):
                    await self._process.wait()
        finally:
            self._bury()

    def _signal(self, number: signal.Signals) -> None:
        """The interrupt is for the program, which passes on what it likes; the rest is for all of its group."""
        if number is signal.SIGINT:
            self._process.send_signal(number)
        else:
            _signal_group(self.pid, number)

    def _bury(self) -> None:
        """Kill what is left of the group: once, and at once, as the number may be given to somebody else when it is free."""
        if not self._buried:
            self._buried = True
            _signal_group(self.pid, signal.SIGKILL)


@asynccontextmanager
async def open_program(
    command: Sequence[str], octets: bytes, environment: Mapping[str, str]
) -> AsyncGenerator[Process]:
    """Start a program with `octets` as its standard input, in a session of its own; it is stopped when the block is left.

    Raises `OSError` where it cannot be started.
    """
    process = Process(
        await trio.lowlevel.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    )
    error: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(process.feed, octets)
            nursery.start_soon(process.listen)
            nursery.start_soon(process.mourn)
            try:
                yield process
            except BaseException as caught:  # noqa: BLE001 -- raised again below, out of the nursery's exception group
                error = caught
            with cleanup(sum(seconds for _, seconds in STOPPING)):
                await process.stop()
            nursery.cancel_scope.cancel(reason="the program is gone")
    except trio.Cancelled:
        if error is None:
            raise
    try:
        if error is not None:
            raise error
    finally:
        del error  # its traceback holds this frame


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(group, number)


def _close(stream: object) -> None:
    if isinstance(stream, trio.lowlevel.FdStream):
        stream.close()
