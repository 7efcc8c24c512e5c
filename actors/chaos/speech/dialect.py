"""What the simulator must know of a wire format, as one frozen value of plain functions.

Written against the providers' documents and recordings, and apart from the decoders that read them: a mistake of a
decoder must not find the same mistake here.
"""

from collections.abc import Callable, Sequence
from email.utils import formatdate
from hashlib import blake2b
from re import Pattern
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

from attrs import field, frozen

from actors.chaos.answers import Answer, Ask
from actors.chaos.faults import ErrorKind

Headers: TypeAlias = tuple[tuple[str, str], ...]


@frozen
class Request:
    """One HTTP request: `headers` by lower-case name."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The target's query."""
        return dict(parse_qsl(urlsplit(self.target).query))


@frozen
class Stamp:
    """What makes one response's ids and dates its own, and the same in every run: a name and seconds since 1970."""

    name: str
    at: float

    def id(self, prefix: str, length: int = 24, salt: str = "") -> str:
        """An id in the provider's manner, made of the name."""
        digest = blake2b(f"{salt}{self.name}".encode(), digest_size=32).hexdigest()
        return prefix + digest[:length]

    @property
    def date(self) -> str:
        """The moment as HTTP writes it."""
        return formatdate(self.at, usegmt=True)


@frozen
class Complaint:
    """An error answer to be spelled: `message` where the request itself was wrong, `param` the field, `detail` the code."""

    code: int
    kind: ErrorKind | None = None
    message: str = ""
    retry_after: float | None = None
    model: str = ""
    param: str | None = None
    detail: str | None = None


class Refused(Exception):
    """The request is not one that the real service would take."""

    def __init__(
        self, code: int, kind: ErrorKind, message: str = "", *, param: str | None = None, detail: str | None = None
    ) -> None:
        self.complaint = Complaint(code, kind, message, param=param, detail=detail)
        super().__init__(message)


@frozen
class Page:
    """A whole response that is not an answer."""

    status: int
    headers: Headers
    body: bytes


@frozen
class Script:
    """A streamed answer: its events, how many come before content, and the index of the first terminal one."""

    events: Sequence[bytes]
    preamble: int
    terminal: int


@frozen
class Dialect:
    """One wire format.

    `failure` are the events that say, after so many others, that the stream failed; `buffered_code` is the status that
    says the same of a buffered answer.  `ping` is a sign of life between events.  Where the service keeps responses that
    run in the background, `kept_as` is the id to ask for the rest by.
    """

    provider: str
    paths: Pattern[str]
    read: Callable[[Request], Ask]
    answer_headers: Callable[[Stamp, Ask], Headers]
    stream: Callable[[Ask, Answer, Stamp], Script]
    whole: Callable[[Ask, Answer, Stamp], bytes]
    error: Callable[[Complaint, Stamp], Page]
    failure: Callable[[ErrorKind, Ask, Stamp, int], Sequence[bytes]]
    buffered_code: Callable[[ErrorKind], int]
    ping: bytes
    methods: frozenset[str] = frozenset({"POST"})
    kept_as: Callable[[Stamp], str] | None = None
