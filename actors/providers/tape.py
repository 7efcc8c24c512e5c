"""One attempt under way, as its line of a recording will tell it.

Whoever reads an answer finds the tape in `TAPE` and leaves a copy of what came, before anybody makes sense of it.  The one rule: a tape
takes and never gives, so that an answer is the same with one and without.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar

import msgspec
import trio

from actors.deltas import Delta
from actors.request import Request
from actors.route import Route
from actors.source import RefusedError, WireError
from actors.wire.recording import Carrier, Ended, Fact, Line, asked, body_fields, kept_headers, told
from supervisor import NotAChild, current_child


class Tape:
    """One attempt under way; `number` is its place in the recording, `run` counts the openings of its file."""

    def __init__(
        self,
        number: int,
        began: float,
        request: Request,
        route: Route,
        carrier: Carrier = Carrier.HTTP,
        *,
        run: int = 1,
    ) -> None:
        self._number, self._run = number, run
        self._began = began  # on trio's clock, like `_started`
        self._started = trio.current_time()
        self._request, self._route, self._carrier = request, route, carrier
        self._stream, self._attempt = _place()
        self._sent: bytes | None = None
        self._status = 0
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._deltas: list[Delta] = []
        self._slices: list[tuple[float, int]] = []
        self._exit: int | msgspec.UnsetType | None = msgspec.UNSET
        self._stderr: str | msgspec.UnsetType = msgspec.UNSET
        self.ended = Ended.LEFT
        self.overdue = False
        self.error: tuple[Fact, ...] = ()
        self.request_id = ""

    @property
    def number(self) -> int:
        """Its place among all attempts that were begun."""
        return self._number

    @property
    def worth_keeping(self) -> bool:
        """Whether anything was sent, or would have been; nobody sees what a client of somebody's own sends."""
        return self._sent is not None or self._carrier is Carrier.DELTAS

    def sends(self, content: bytes) -> None:
        """A request is about to go out."""
        self._sent = content

    def runs(self, content: bytes) -> None:
        """A program is about to be given this."""
        self._carrier = Carrier.PROGRAM
        self.sends(content)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of the answer is here."""
        self._status = status
        self._headers = kept_headers(headers)

    def took(self, octets: bytes) -> None:
        """Bytes of the body are here."""
        self._pieces.append(octets)
        self._slices.append((self._seconds(), len(octets)))

    def heard(self, deltas: Sequence[Delta]) -> None:
        """Deltas are here, or a sign of life."""
        self._deltas += deltas
        self._slices.append((self._seconds(), len(deltas)))

    def exited(self, status: int | None, stderr: str) -> None:
        """The program ended with this status, or had not when it was left; and what it wrote last to standard error."""
        self._exit, self._stderr = status, stderr

    def failed(self, error: Exception, facts: Sequence[Fact]) -> None:
        """The attempt ended with this, of which `facts` are what is known of the network."""
        if isinstance(error, RefusedError) and not error.in_stream:
            self.ended = Ended.REFUSED
        else:
            self.ended = Ended.CUT if facts and not isinstance(error, WireError) else Ended.FAILED
        facts = facts or (Fact(type(error).__name__, str(error)),)
        self.error = tuple(msgspec.structs.replace(fact, message=_whole(fact.message)) for fact in facts)

    def line(self, secrets: Sequence[str]) -> Line:
        """The attempt, over now."""
        body, exact = body_fields(b"".join(self._pieces), secrets)
        return Line(
            number=self._number,
            run=self._run,
            stream=self._stream,
            attempt=self._attempt,
            carrier=self._carrier,
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
            overdue=self.overdue,
            error=self.error,
            slices=tuple(self._slices),
            exit=self._exit,
            stderr=self._stderr,
            deltas=tuple(map(told, self._deltas)) if self._carrier is Carrier.DELTAS else msgspec.UNSET,
        )

    def _seconds(self) -> float:
        return round(trio.current_time() - self._started, 6)


def _whole(text: str) -> str:
    """The text without halves of characters, which no file can hold."""
    return text.encode(errors="replace").decode()


def _place() -> tuple[str, int]:
    """The stream that the running code is an attempt of, and which attempt; nothing where it is of none."""
    try:
        child = current_child()
    except NotAChild:
        return "", 0
    return child.id, child.generation


TAPE: ContextVar[Tape | None] = ContextVar("TAPE", default=None)
"""The tape of the attempt that the running code is part of: between a provider and what it reads from stands a client that knows of neither."""
