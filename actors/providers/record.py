"""A recording as it is made: every attempt is a line of a file, however it ended.

What came is kept where it came, below every decoder, and written as one line when the attempt is over: the file is valid after a crash,
which costs the attempts under way and no other. The one rule: nothing waits for the file and nothing is changed on its account, not
even where it cannot be written any more; only secrets are kept out of it (P13).
"""

import json
import os
import stat
import warnings
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path

import httpcore2
import httpx2
import trio

from actors.deltas import Delta
from actors.errors import RecordingStopped, SettingError
from actors.providers.bodies import Body
from actors.providers.connections import Connections
from actors.providers.exchange import Head
from actors.providers.tape import TAPE, Tape
from actors.providers.weather import facts_of
from actors.request import Request
from actors.route import Route
from actors.runtime.watch import OVERDUE
from actors.source import Provider, Source
from actors.wire.recording import BadLine, Carrier, Ended, Line, read, written

RENEWED = 96
"""Forms of keys made at run time that are kept out, the last ones: an attempt hardly outlives thirty keys."""


class Recorder:
    """A recording that is open; `secrets` are the keys that must not get into it.

    Adds to a file that is there: a line torn by a crash goes first. Raises `SettingError` where the file is none of ours or cannot be
    written.
    """

    def __init__(self, path: str | Path, secrets: Sequence[str] = ()) -> None:
        self._path = Path(path)
        self._secrets = tuple({form for secret in secrets for form in _forms(secret)})
        self._renewed: deque[str] = deque(maxlen=RENEWED)
        self._began = trio.current_time()
        try:
            self._file = open(path, "a+b", buffering=0, opener=partial(os.open, mode=0o600))  # noqa: SIM115 -- private from the start; closed by `close`
        except OSError as error:
            raise SettingError(f"cannot record to {path}: {error.strerror}; name a file that can be written") from error
        self._stopped = False
        self._kept = 0
        try:
            known = self._known()
        except BaseException:
            self._file.close()
            raise
        self._numbers = count(max((line.number for line in known), default=0) + 1)
        self._run = max((line.run for line in known), default=0) + 1

    def _known(self) -> Sequence[Line]:
        """What is in the file, which is whole afterwards; nothing in a pipe or a device."""
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            return ()
        self._file.seek(0)
        content = self._file.read()
        try:
            lines = read(content)
        except BadLine as error:
            raise SettingError(f"cannot record to {self._path}: {error}; name another file, or remove it") from error
        self._file.truncate(content.rfind(b"\n") + 1)
        return lines

    def over(self, provider: Provider) -> Provider:
        """The same provider, recorded as it reads: bytes that come over HTTP or out of a program."""
        return RecordedProvider(provider, self, Carrier.HTTP)

    def over_own(self, provider: Provider) -> Provider:
        """A provider of somebody's own, of whom nothing is known but the deltas it gives, recorded."""
        return RecordedProvider(provider, self, Carrier.DELTAS)

    def begin(self, request: Request, route: Route, carrier: Carrier) -> Tape:
        """The tape for an attempt that begins now."""
        return Tape(next(self._numbers), self._began, request, route, carrier, run=self._run)

    def keep_out(self, secret: str) -> None:
        """A key that was not there before, to be kept out from now on."""
        self._renewed.extend(_forms(secret))

    def keep(self, tape: Tape) -> None:
        """Write the line of an attempt that is over; where that cannot be done, this line and all after it are given up."""
        if self._stopped or not tape.worth_keeping:
            return
        secrets = (*self._secrets, *self._renewed)
        octets = written(tape.line(secrets), secrets)
        try:
            done = self._file.write(octets)
        except OSError as error:
            self._stop(error.strerror or str(error))
        else:
            if done == len(octets):
                self._kept += 1
            else:
                self._tear(done)
                self._stop(f"the disk took {done} of {len(octets)} bytes")

    def _tear(self, done: int) -> None:
        """Take back the beginning of a line; where even that fails, readers pass over it."""
        with suppress(OSError):
            self._file.truncate(os.fstat(self._file.fileno()).st_size - done)

    def _stop(self, why: str) -> None:
        self._stopped = True
        message = (
            f"cannot go on recording to {self._path}: {why}; it has {self._kept} attempts of this run and gets no more,"
            " the streams go on: make room and record anew"
        )
        warnings.warn(message, RecordingStopped, stacklevel=2)

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def _forms(secret: str) -> tuple[str, ...]:
    """A text as it stands in JSON, and in JSON within JSON."""
    once = json.dumps(secret)[1:-1]
    return secret, once, json.dumps(once)[1:-1]


class RecordedProvider:
    """A provider whose attempts are recorded."""

    def __init__(self, provider: Provider, recorder: Recorder, carrier: Carrier) -> None:
        self._provider = provider
        self._recorder = recorder
        self._carrier = carrier

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """What the provider opens, raising what it raises; a line is written as the block is left."""
        tape = self._recorder.begin(request, route, self._carrier)
        own = self._carrier is Carrier.DELTAS
        before = TAPE.set(None if own else tape)
        try:
            async with self._provider.open(request, route) as source:
                tape.request_id = source.request_id
                yield TapedSource(source, tape) if own else source
            tape.ended = Ended.COMPLETE
        except trio.Cancelled as cancelled:
            tape.overdue = cancelled.reason == OVERDUE
            raise
        except Exception as error:
            tape.failed(error, facts_of(error))
            raise
        finally:
            TAPE.reset(before)
            self._recorder.keep(tape)


class TapedSource:
    """A source that leaves a copy of its deltas."""

    def __init__(self, source: Source, tape: Tape) -> None:
        self._source = source
        self._tape = tape

    @property
    def request_id(self) -> str:
        """As it is with the source."""
        return self._source.request_id

    async def receive(self) -> Sequence[Delta] | None:
        """As it is with the source."""
        deltas = await self._source.receive()
        if deltas is not None:
            self._tape.heard(deltas)
        return deltas


class TapedBody(Body):
    """A body that leaves a copy of its bytes."""

    __slots__ = ("_tape",)

    def __init__(
        self,
        line: httpcore2.AsyncNetworkStream,
        head: Head,
        release: Callable[[bool], Awaitable[None]],
        timeout: float | None = None,
    ) -> None:
        super().__init__(line, head, release, timeout)
        self._tape = TAPE.get()

    async def receive(self) -> bytes:
        """As it is with every body."""
        octets = await super().receive()
        if octets and self._tape is not None:
            self._tape.took(octets)
        return octets


class TapedConnections(Connections):
    """A pool whose answers leave a copy."""

    body = TapedBody

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """As it is with every pool."""
        tape = TAPE.get()
        if tape is None:
            return await super().handle_async_request(request)
        tape.sends(await request.aread())
        response = await super().handle_async_request(request)
        tape.answered(response.status_code, response.headers)
        return response
