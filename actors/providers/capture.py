"""What a failed attempt sent and got, word for word, for who debugs it: bounded, and without secrets.

The bytes are copied where they come off the connection, as for a recording, and told only when the attempt fails; a service that nobody
debugs copies nothing.  The one rule: whatever is told went through `redaction` whole, not only its beginning (P13).
"""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import trio

from actors.lifecycle import SPAN, Captured, Tell
from actors.providers.tape import TAPE, Tape
from actors.redaction import disclosed
from actors.request import Request
from actors.route import Route
from actors.source import Provider, Source

MOST = 256 * 1024
"""Bytes told of a request and of an answer; what came later is counted."""

_KEPT = MOST + 4096
"""So that a secret which begins in what is told is met whole."""


def _nobody(_: Captured) -> None:
    """Whom nothing is told any more."""


class Glance(Tape):
    """A tape that keeps the beginnings only."""

    def __init__(self, request: Request, route: Route) -> None:
        super().__init__(0, trio.current_time(), request, route)
        self.route = route
        self.status = 0
        self.request, self.response = b"", bytearray()
        self.request_bytes = self.response_bytes = 0

    def sends(self, content: bytes) -> None:
        """A request is about to go out."""
        self.request, self.request_bytes = content[:_KEPT], len(content)

    def answered(self, status: int, headers: object) -> None:  # noqa: ARG002 -- the shape of a tape
        """The head of the answer is here."""
        self.status = status

    def took(self, octets: bytes) -> None:
        """Bytes of the body are here."""
        self.response += octets[: _KEPT - len(self.response)]
        self.response_bytes += len(octets)

    def told(self, secrets: Sequence[str]) -> Captured:
        """What there is to say of the attempt that runs."""
        trace_id, span_id = SPAN.get() or ("", "")
        request, response = (disclosed(octets, secrets, MOST) for octets in (self.request, bytes(self.response)))
        return Captured(
            trace_id, span_id, self.route, self.status, request, response, self.request_bytes, self.response_bytes
        )


RENEWED = 32
"""Keys made at run time that are kept out, the last ones: an attempt hardly outlives so many."""


class Capture:
    """Tells of every attempt over HTTP that fails, or is left before its end; `secrets` are the keys that must not be in it."""

    def __init__(self, tell: Tell, secrets: Sequence[str] = ()) -> None:
        self._tell: Tell = tell
        self._secrets = secrets
        self._renewed: deque[str] = deque(maxlen=RENEWED)

    def over(self, provider: Provider) -> Provider:
        """The same provider, watched."""
        return CapturedProvider(provider, self)

    def over_own(self, provider: Provider) -> Provider:
        """The provider itself: nobody sees what a client of somebody's own sends."""
        return provider

    def keep_out(self, secret: str) -> None:
        """A key that was not there before, to be kept out from now on."""
        self._renewed.append(secret)

    def close(self) -> None:
        """Tell no more."""
        self._tell = _nobody

    def failed(self, glance: Glance) -> None:
        """An attempt has failed; one that sent nothing has nothing to tell."""
        if glance.request_bytes:
            self._tell(glance.told((*self._secrets, *self._renewed)))


class CapturedProvider:
    """A provider whose failed attempts are told of."""

    def __init__(self, provider: Provider, capture: Capture) -> None:
        self._provider = provider
        self._capture = capture

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """What the provider opens, raising what it raises."""
        glance = Glance(request, route)
        before = TAPE.set(glance)
        try:
            async with self._provider.open(request, route) as source:
                yield source
        except BaseException:  # a clock that ran out arrives as a cancellation
            self._capture.failed(glance)
            raise
        finally:
            TAPE.reset(before)
