"""What a wire dialect is: four pure functions and a reader.

The runtime knows dialects only by this shape.  A reader takes any slicing of the bytes, never raises and never loses what it read
before a fault in the same bytes: the fault waits in `fault` until the deltas before it are delivered.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import attrs

from actors.deltas import Delta
from actors.request import Request
from actors.route import Route
from actors.source import RefusedError, WireError


class Reader(Protocol):
    """Reads one streamed answer."""

    @property
    def finished(self) -> bool:
        """Whether the provider's terminal event was read."""
        ...

    @property
    def fault(self) -> WireError | None:
        """What stopped the reading, once everything before it was returned."""
        ...

    def feed(self, octets: bytes) -> Sequence[Delta]:
        """The deltas in these bytes, maybe none; bytes after the terminal event or a fault are ignored."""
        ...

    def close(self) -> Sequence[Delta]:
        """The deltas that the end of the bytes completes; without the terminal event the end is a fault (P7).

        A provider may say nothing after its last words (Gemini), or leave out the last line's end: then the end says it.
        """
        ...


@attrs.frozen
class Dialect:
    """One provider's spelling of requests and answers.

    `encode` gives the JSON body of a request and raises `EncodingError` where the route cannot do what is asked; `reader` starts the
    reading of a streamed answer; `read_reply` reads a buffered one (whole bytes in, deltas up to `Finished` out) and raises
    `WireError`; `read_error` reads an answer of status 400 or more (status, lower-case headers, body).
    """

    encode: Callable[[Request, Route], bytes]
    reader: Callable[[], Reader]
    read_reply: Callable[[bytes], Sequence[Delta]]
    read_error: Callable[[int, Mapping[str, str], bytes], RefusedError]
