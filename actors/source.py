"""The one contract between the runtime and whoever can answer a request.

A provider opens one source for one attempt and sends at most one request for it (P5); a source gives deltas until the terminal event.
Leaving the block releases everything the attempt held.  Nothing here knows of HTTP.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from actors.deltas import Delta
from actors.kinds import NextKey
from actors.request import Request
from actors.route import Route


class Source(Protocol):
    """The answer to one request as it arrives."""

    @property
    def request_id(self) -> str:
        """The provider's name for the request, or an empty string."""
        ...

    async def receive(self) -> Sequence[Delta] | None:
        """The next deltas; an empty sequence is a sign of life without content, `None` the end after the terminal event.

        Raises what the wire or the network raised; an end without the terminal event is `TruncatedError`.
        """
        ...


class Provider(Protocol):
    """Whoever can answer a request on a route."""

    def open(self, request: Request, route: Route) -> AbstractAsyncContextManager[Source]:
        """Send the request, once, and give its answer; raises before anything is sent where the request cannot be encoded."""
        ...


class WireError(Exception):
    """The bytes of an answer are not what the provider's format allows; becomes a failure of the attempt."""


class MalformedError(WireError):
    """An event cannot be read; it may have held text, so it is never skipped (P6)."""


class TruncatedError(WireError):
    """The answer ended without the provider's terminal event (P7)."""


class RefusedError(WireError):
    """The provider answered with an error: an HTTP status of 400 or more, or an error inside a 200 (`in_stream`).

    `kind` and `code` are the provider's own words, `status` the HTTP status, `headers` with lower-case names.  `next_key` is set by whoever
    holds the keys.
    """

    def __init__(  # noqa: PLR0913 -- the six facts that a provider states about an error
        self,
        message: str,
        *,
        status: int,
        kind: str = "",
        code: str = "",
        headers: Mapping[str, str] | None = None,
        in_stream: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.headers: Mapping[str, str] = headers or {}
        self.in_stream = in_stream
        self.retry_after = retry_after
        self.next_key = NextKey.NONE


class DivergedError(WireError):
    """A replay is asked what was not recorded, or once too often; the sentence says where the two part."""


class OversizeError(WireError):
    """An answer in one piece is larger than this program may keep."""


class EncodingError(WireError):
    """A request asks for what this route cannot do; raised before anything is sent."""
