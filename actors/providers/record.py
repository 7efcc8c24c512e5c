"""A recording as it is made: every attempt that went over HTTP is a line of a file, however it ended.

The bytes are kept where they come off the connection, below every decoder, and written as one line when the attempt is over: the file is
valid after a crash, which costs the attempts under way and no other. The one rule: nothing waits for the file and nothing is
changed on its account; only secrets are kept out of it (P13).
"""

import json
import os
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from itertools import count
from pathlib import Path

import httpcore2
import httpx2
import trio

from actors.errors import ActorsError, SettingError
from actors.providers.bodies import Body
from actors.providers.connections import Connections
from actors.providers.exchange import Head
from actors.providers.weather import facts_of
from actors.request import Request
from actors.route import Route
from actors.source import Provider, RefusedError, Source, WireError
from actors.wire.recording import BadLine, Ended, Fact, Line, asked, body_fields, read, written

KEPT = frozenset(
    "content-type content-encoding date request-id x-request-id retry-after retry-after-ms x-should-retry".split()
)
KEPT_BEGINNINGS = ("anthropic-ratelimit-", "x-ratelimit-")
"""The headers of an answer that are kept; whatever else it has may name an account or let somebody in."""


class RecordingError(ActorsError):
    """A recording cannot be written to its end; the sentence says which and why."""


class Tape:
    """One attempt under way, as its line will tell it."""

    def __init__(self, number: int, began: float, request: Request, route: Route) -> None:
        self._number = number
        self._began = began  # on trio's clock, like `_started`
        self._started = trio.current_time()
        self._request, self._route = request, route
        self._sent: bytes | None = None
        self._status = 0
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._slices: list[tuple[float, int]] = []
        self.ended = Ended.LEFT
        self.error: tuple[Fact, ...] = ()
        self.request_id = ""

    @property
    def worth_keeping(self) -> bool:
        """Whether anything was sent, or would have been."""
        return self._sent is not None

    def sends(self, content: bytes) -> None:
        """A request is about to go out."""
        self._sent = content

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of the answer is here."""
        self._status = status
        self._headers = {name: value for name, value in headers.items() if _is_kept(name)}

    def took(self, octets: bytes) -> None:
        """Bytes of the body are here."""
        self._pieces.append(octets)
        self._slices.append((self._seconds(), len(octets)))

    def failed(self, error: Exception) -> None:
        """The attempt ended with this."""
        self.error = facts_of(error)
        if isinstance(error, RefusedError) and not error.in_stream:
            self.ended = Ended.REFUSED
        else:
            self.ended = Ended.CUT if self.error and not isinstance(error, WireError) else Ended.FAILED
        self.error = self.error or (Fact(type(error).__name__, str(error)),)

    def line(self, secrets: Sequence[str]) -> Line:
        """The attempt, over now."""
        body, exact = body_fields(b"".join(self._pieces), secrets)
        return Line(
            number=self._number,
            provider=self._route.provider,
            model=self._route.model,
            mode=self._route.mode,
            at=round(self._started - self._began, 6),
            seconds=self._seconds(),
            request=asked(self._request, self._route),
            request_body=(self._sent or b"").decode(errors="replace"),
            status=self._status,
            response_headers=self._headers,
            response_body=body,
            response_base64=exact,
            request_id=self.request_id,
            ended=self.ended,
            error=self.error,
            slices=tuple(self._slices),
        )

    def _seconds(self) -> float:
        return round(trio.current_time() - self._started, 6)


def _is_kept(name: str) -> bool:
    return name.lower() in KEPT or name.lower().startswith(KEPT_BEGINNINGS)


TAPE: ContextVar[Tape | None] = ContextVar("TAPE", default=None)
"""The tape of the attempt that opens a connection: between a provider and the pool stands a client that knows of neither."""


class Recorder:
    """A recording that is open; `secrets` are the keys that must not get into it.

    Adds to a file that is there: a line torn by a crash goes first. Raises `SettingError` where the file is none of ours or cannot be
    written.
    """

    def __init__(self, path: str | Path, secrets: Sequence[str] = ()) -> None:
        self._path = Path(path)
        self._secrets = tuple({form for secret in secrets for form in _forms(secret)})
        self._began = trio.current_time()
        try:
            self._file = open(path, "a+b", buffering=0, opener=partial(os.open, mode=0o600))  # noqa: SIM115 -- private from the start; closed by `close`
        except OSError as error:
            raise SettingError(f"cannot record to {path}: {error.strerror}; name a file that can be written") from error
        try:
            self._numbers = count(self._known() + 1)
        except BaseException:
            self._file.close()
            raise

    def _known(self) -> int:
        """The highest number in the file, which is whole afterwards; a pipe or a device has none."""
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            return 0
        self._file.seek(0)
        content = self._file.read()
        try:
            lines = read(content)
        except BadLine as error:
            raise SettingError(f"cannot record to {self._path}: {error}; name another file, or remove it") from error
        self._file.truncate(content.rfind(b"\n") + 1)
        return max((line.number for line in lines), default=0)

    def over(self, provider: Provider) -> Provider:
        """The same provider, recorded."""
        return RecordedProvider(provider, self)

    def begin(self, request: Request, route: Route) -> Tape:
        """The tape for an attempt that begins now."""
        return Tape(next(self._numbers), self._began, request, route)

    def keep(self, tape: Tape) -> None:
        """Write the line of an attempt that is over. Raises `RecordingError`."""
        if not tape.worth_keeping:
            return
        octets = written(tape.line(self._secrets), self._secrets)
        try:
            done = self._file.write(octets)
        except OSError as error:
            raise RecordingError(f"cannot go on recording to {self._path}: {error.strerror}") from error
        if done != len(octets):
            raise RecordingError(f"cannot go on recording to {self._path}: the disk took {done} of {len(octets)} bytes")

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def _forms(secret: str) -> tuple[str, ...]:
    """A text as it stands in JSON, and in JSON within JSON."""
    once = json.dumps(secret)[1:-1]
    return secret, once, json.dumps(once)[1:-1]


class RecordedProvider:
    """A provider whose attempts are recorded, if they go through the pool."""

    def __init__(self, provider: Provider, recorder: Recorder) -> None:
        self._provider = provider
        self._recorder = recorder

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """What the provider opens, raising what it raises; a line is written as the block is left."""
        tape = self._recorder.begin(request, route)
        before = TAPE.set(tape)
        try:
            async with self._provider.open(request, route) as source:
                tape.request_id = source.request_id
                yield source
            tape.ended = Ended.COMPLETE
        except Exception as error:
            tape.failed(error)
            raise
        finally:
            TAPE.reset(before)
            self._recorder.keep(tape)


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
