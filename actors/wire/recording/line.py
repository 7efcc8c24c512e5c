"""What a recording is: a file of JSON lines, each of them one attempt with its request and its answer.

Pure.  The one rule: a line holds what came in the form in which it came, before anybody read it: the bytes of an HTTP answer or of a
program's output, the deltas of a client that nobody here knows.  `status`, `response_headers` and `response_body` are what the
simulator serves too.
"""

import base64
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import Enum

import msgspec

from actors.deltas import Delta
from actors.kinds import NextKey
from actors.redaction import scrubbed
from actors.route import Mode, Route
from actors.wire.recording.asked import key_of, request_of
from actors.wire.recording.told import deltas_of

VERSION = 1
"""Of what is written; one that is newer is not read."""


class Carrier(Enum):
    """In which form an answer came: over HTTP, from a program, or as the deltas of a client of somebody's own."""

    HTTP = "http"
    PROGRAM = "program"
    DELTAS = "deltas"


class Ended(Enum):
    """How an attempt ended, as its answer told it.

    `COMPLETE`: with the terminal event.  `REFUSED`: with a status of 300 or more, or by a program that cannot do its work.  `CUT`: the
    network failed, `error` says how.  `FAILED`: the answer could not be read, or said that it failed.  `LEFT`: nobody waited any longer.
    """

    COMPLETE = "complete"
    REFUSED = "refused"
    CUT = "cut"
    FAILED = "failed"
    LEFT = "left"


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One exception of a chain: the name of its class, what it said, the system's number for it.

    The rest is what a refusal states, see `RefusedError`.
    """

    type: str
    message: str = ""
    number: int | None = None
    status: int = 0
    kind: str = ""
    code: str = ""
    in_stream: bool = False
    retry_after: float | None = None
    next_key: NextKey = NextKey.NONE
    headers: dict[str, str] = {}


KEPT = frozenset(
    (
        "content-type content-encoding date request-id x-request-id retry-after retry-after-ms x-should-retry "
        "x-amzn-requestid x-amzn-errortype"
    ).split()
)
KEPT_BEGINNINGS = ("anthropic-ratelimit-", "x-ratelimit-")
"""The headers of an answer that are kept; whatever else it has may name an account or let somebody in."""


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that are known to tell nothing of anybody."""
    return {
        name: value
        for name, value in headers.items()
        if name.lower() in KEPT or name.lower().startswith(KEPT_BEGINNINGS)
    }


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt.

    `number` is its place among all that were begun, `at` when it began (seconds since the recording did).  `request` is what
    `asked` makes of it, `request_body` what was sent.  `status` is 0 where no answer came.  `response_base64` has the bytes where they
    are no UTF-8; `slices` how they came: seconds since the attempt began, and bytes.  `error` is the chain of exceptions, the outermost first.

    `overdue` says of one that nobody waited for any longer that a clock of its route was over.

    `stream` names the stream, `attempt` counts its attempts, `run` the openings of the file.  A program's input and output stand as bodies,
    beside them the last it wrote to standard error, and its `exit` status: `None` where it had not ended, unset where it did not start.
    `deltas` are those of a client without bytes; then `slices` count deltas.
    """

    recording: int = VERSION
    number: int
    run: int = 1
    stream: str = ""
    attempt: int = 0
    carrier: Carrier = Carrier.HTTP
    provider: str
    model: str
    mode: Mode
    at: float
    seconds: float
    request: dict[str, object]
    request_body: str = ""
    status: int = 0
    response_headers: dict[str, str] = {}
    response_body: str = ""
    response_base64: str | msgspec.UnsetType = msgspec.UNSET
    request_id: str = ""
    ended: Ended = Ended.COMPLETE
    overdue: bool = False
    error: tuple[Fact, ...] = ()
    slices: tuple[tuple[float, int], ...] = ()
    exit: int | msgspec.UnsetType | None = msgspec.UNSET
    stderr: str | msgspec.UnsetType = msgspec.UNSET
    deltas: tuple[dict[str, object], ...] | msgspec.UnsetType = msgspec.UNSET

    @property
    def octets(self) -> bytes:
        """The bytes of the answer."""
        return base64.b64decode(self.response_base64) if self.response_base64 else self.response_body.encode()

    @property
    def heard(self) -> tuple[Delta, ...]:
        """The deltas of the answer."""
        return () if self.deltas is msgspec.UNSET else deltas_of(self.deltas)

    @property
    def route(self) -> Route:
        """Where the attempt ran."""
        return Route(self.provider, self.model, self.mode)

    @property
    def key(self) -> bytes:
        """What a request must be to get this answer."""
        return key_of(self.provider, self.model, self.mode, self.request)


class BadLine(ValueError):
    """A line is none of a recording; the sentence goes behind the name of the file."""


_DECODER = msgspec.json.Decoder(Line)


def written(line: Line, secrets: Iterable[str] = ()) -> bytes:
    """The line as it stands in the file, its line feed included and secrets left out (P13)."""
    return scrubbed(msgspec.json.encode(line), secrets) + b"\n"


def body_fields(octets: bytes, secrets: Iterable[str] = ()) -> tuple[str, str | msgspec.UnsetType]:
    """`response_body` and `response_base64`: the second only where the bytes are no UTF-8, cut within a character, say."""
    try:
        return octets.decode(), msgspec.UNSET
    except UnicodeDecodeError:
        plain = scrubbed(octets, secrets)
        return plain.decode(errors="replace"), base64.b64encode(plain).decode()


def read(content: bytes) -> tuple[Line, ...]:
    """The lines of a file; a last one that was torn by a crash is left out.

    Raises `BadLine` for any other that is no attempt.
    """
    *whole, last = content.split(b"\n")
    lines = [_read(text, number) for number, text in enumerate(whole, 1) if text.strip()]
    if last:
        with suppress(BadLine):
            lines.append(_read(last, len(whole) + 1))
    return tuple(lines)


def _read(text: bytes, number: int) -> Line:
    try:
        line = _DECODER.decode(text)
        _check(line)
    except (ValueError, TypeError) as error:
        raise BadLine(f"line {number} is no attempt that was recorded: {error}") from error
    return line


def _check(line: Line) -> None:
    """What the types do not say; raises `ValueError`."""
    if line.recording > VERSION:
        raise ValueError(f"it is of version {line.recording}, and this program reads version {VERSION}")
    _ = line.octets, line.heard
    request_of(line.request, line.provider)
