"""Claude Code as a provider: one run of the program `claude` an attempt.

The one rule: the program is a client of the model's API and repeats nothing on its own (P5); what it says in answers is read as everybody's
is, and what it says in dying words is the failure.
"""

import errno
import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from actors.config import Endpoint
from actors.deltas import Delta
from actors.errors import SettingError
from actors.providers.processes import open_program
from actors.providers.tape import TAPE, Tape
from actors.request import Request
from actors.route import Route
from actors.source import RefusedError, Source, TruncatedError
from actors.wire.claude_code import DIALECT, PROGRAM, arguments, ended, environment, inherited
from actors.wire.dialect import Reader

if TYPE_CHECKING:
    from actors.providers.connections import Connections

COMMAND = "claude"
"""The program, looked for in PATH."""

LINGERING = 1.0
"""Seconds the program has to end by itself, after its result or after its output."""

_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What keeps a program from starting that has nothing to do with it."""


class ClaudeCodeProvider:
    """Answers requests with runs of the program; raises `SettingError` where it is not installed."""

    def __init__(self, endpoint: Endpoint, connections: "Connections") -> None:
        del connections  # it has an account and connections of its own
        check(endpoint)

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Start the program and give its answer; the program is gone when the block is left.

        Raises `EncodingError` for what the program cannot be asked, and `RefusedError` where it cannot be started.
        """
        octets = DIALECT.encode(request, route)
        command = (_program(), *arguments(request, route))
        async with AsyncExitStack() as stack:
            if (tape := TAPE.get()) is not None:
                tape.runs(octets)
            running = open_program(command, octets, {**inherited(os.environ), **environment(request)})
            try:
                process = await stack.enter_async_context(running)
            except OSError as error:
                if error.errno in _PASSING:
                    raise
                raise _unusable(f"claude cannot be started: {error}") from error
            source = ProgramSource(process, DIALECT.reader(), tape)
            try:
                yield source
                if source.finished:
                    await process.ended(LINGERING)
            finally:
                if tape is not None:
                    tape.exited(process.status, process.stderr)


class Run(Protocol):
    """A program that runs, or ran when it was recorded."""

    @property
    def stderr(self) -> str:
        """The last of what it wrote to standard error."""
        ...

    async def receive(self) -> bytes:
        """The next bytes of its standard output, empty at the end."""
        ...

    async def ended(self, seconds: float) -> int | None:
        """Its exit status; `None` where it still runs after so many seconds."""
        ...


class ProgramSource:
    """The answer in a run, as the program writes it; a `tape` gets a copy."""

    request_id = ""

    def __init__(self, run: Run, reader: Reader, tape: Tape | None = None) -> None:
        self._run = run
        self._reader = reader
        self._tape = tape
        self._spoke = False
        self._silent = False

    @property
    def finished(self) -> bool:
        """Whether the program has given its result."""
        return self._reader.finished

    async def receive(self) -> Sequence[Delta] | None:
        """The next deltas, `None` after the result; raises the reader's fault or what the end of the program means."""
        reader = self._reader
        if reader.fault is None and not reader.finished:
            octets = await self._run.receive()
            if octets and self._tape is not None:
                self._tape.took(octets)
            self._spoke, self._silent = self._spoke or bool(octets), not octets
            if deltas := reader.feed(octets) if octets else reader.close():
                return deltas
            if octets:
                return ()
        if self._silent and isinstance(reader.fault, TruncatedError):
            raise ended(await self._run.ended(LINGERING), self._run.stderr, spoke=self._spoke) from reader.fault
        if reader.fault is not None:
            raise reader.fault
        return None


def check(_: Endpoint) -> None:
    """Raises `SettingError` where the program is not installed."""
    if shutil.which(COMMAND) is None:
        raise SettingError(
            "claude is not in PATH, and routes of claude-code run it: npm install -g @anthropic-ai/claude-code"
        )


def _program() -> str:
    program = shutil.which(COMMAND)
    if program is None:
        raise _unusable("claude is not in PATH any more")
    return program


def _unusable(message: str) -> RefusedError:
    return RefusedError(message, status=0, kind=PROGRAM)
