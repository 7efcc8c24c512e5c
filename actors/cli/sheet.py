"""Where outcomes are written: each as it ends, in the file's or the reader's own time.

An outcome handed over is written even when everything else is being stopped; whoever hands it over may wait for that, so a slow reader
slows the streams, never the clocks.
"""

import errno
import math
import os
import select
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TypeAlias

import trio
from msgspec import json
from rich.console import Console

from actors.observe.printing import outcome_text
from actors.observe.records import outcome_record
from actors.outcome import Outcome

ATOM = 4096
"""Bytes a pipe that is ready takes without blocking (POSIX's PIPE_BUF on Linux)."""

_SEPARATORS = {"\x85".encode(): b"\\u0085", "\u2028".encode(): b"\\u2028", "\u2029".encode(): b"\\u2029"}
"""Line ends to some readers (Node's readline, Python's splitlines), though not to JSON: written as escapes."""

BATCH = 50
"""Outcomes written in a row before others have their turn."""

Write: TypeAlias = Callable[[str, Outcome], Awaitable[None]]
_Handed: TypeAlias = tuple[str, Outcome, trio.Event]


class Sheet:
    """Outcomes on their way to a writer; `broken` is called once, when the reader is gone or the disk is full."""

    def __init__(self, write: Write, broken: Callable[[], None]) -> None:
        self._write = write
        self._broken = broken
        self._send, self._receive = trio.open_memory_channel[_Handed](math.inf)
        self._finished = trio.Event()
        self.error: OSError | None = None

    def keep(self, name: str, outcome: Outcome) -> trio.Event:
        """Hand an outcome over, without waiting; the event says when it is written."""
        written = trio.Event()
        self._send.send_nowait((name, outcome, written))
        return written

    async def run(self) -> None:
        """Write what is handed over, until `finish`; after the first error take it and drop it."""
        async for first in self._receive:
            for name, outcome, written in (first, *self._others()):
                if self.error is None:
                    await self._try(name, outcome)
                written.set()
        self._finished.set()

    def _others(self) -> Iterator[_Handed]:
        """What else is there already: a turn of a busy event loop for each would make everybody wait for the writer."""
        with suppress(trio.WouldBlock, trio.EndOfChannel):
            for _ in range(BATCH):
                yield self._receive.receive_nowait()

    async def _try(self, name: str, outcome: Outcome) -> None:
        try:
            await self._write(name, outcome)
        except OSError as error:
            self.error = error
            self._broken()

    async def finish(self) -> None:
        """Wait until everything handed over is written."""
        self._send.close()
        await self._finished.wait()


def deserted(error: OSError | None) -> bool:
    """Whether nobody reads any more, as under `| head`."""
    return error is not None and error.errno in {errno.EPIPE, errno.ECONNRESET}


def as_json_lines(fd: int) -> Write:
    """Writes JSON lines to a file descriptor, without ever blocking the event loop on a slow reader."""

    async def write(name: str, outcome: Outcome) -> None:
        rest = memoryview(_line(name, outcome))
        while rest:
            await _writable(fd)
            rest = rest[os.write(fd, rest[:ATOM]) :]

    return write


def _line(name: str, outcome: Outcome) -> bytes:
    line = json.encode(outcome_record(name, outcome))
    for separator, escaped in _SEPARATORS.items():
        line = line.replace(separator, escaped)
    return line + b"\n"


def as_text(console: Console) -> Write:
    """Writes for a person, above the live tree if there is one."""

    async def write(name: str, outcome: Outcome) -> None:
        await trio.lowlevel.checkpoint()
        console.print(outcome_text(name, outcome), soft_wrap=True)

    return write


async def to_nobody(name: str, outcome: Outcome) -> None:  # noqa: ARG001 -- the shape of a writer
    """Writes nothing: the report is all that is wanted."""
    await trio.lowlevel.checkpoint()


async def _writable(fd: int) -> None:
    """Wait until a write would not block; a file, or whoever reads fast enough, costs no turn of the event loop."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    if not poll.poll(0):
        await trio.lowlevel.wait_writable(fd)
