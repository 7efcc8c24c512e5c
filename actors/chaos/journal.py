"""What the server saw: one entry a request, and totals that a client's own report must agree with.

Entries are values.  Events and bytes count what was handed to the network after it was taken, bytes being those of the
body without HTTP's framing.  Of the headers only those on a list are kept, and no key is on it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum

import msgspec
from attrs import asdict, field, frozen

from actors.chaos.answers import Visit
from actors.chaos.faults import Fault


class Ending(Enum):
    """How a response ended, as the server saw it."""

    COMPLETE = "complete"
    ERROR = "error"
    TRUNCATED = "truncated"
    GARBLED = "garbled"
    CUT = "cut"
    RESET = "reset"
    REFUSED = "refused"
    CLIENT_LEFT = "client left"
    STOPPED = "simulator stopped"


HEADERS_OF_INTEREST = frozenset(
    {"accept", "anthropic-beta", "anthropic-version", "content-type", "host", "idempotency-key", "user-agent"}
    | {"x-goog-api-client", "x-stainless-lang", "x-stainless-retry-count", "x-stainless-timeout", "traceparent"}
)


@frozen
class Entry:
    """One request and what became of it; `ending` is None while it is in flight.

    `key` is the short name of its conversation, `attempt` its number among the requests of that conversation to that
    model; `status` is None before a status line was sent; times are seconds on trio's clock.
    """

    number: int
    provider: str
    model: str
    path: str
    streaming: bool
    key: str
    attempt: int
    headers: dict[str, str]
    fault: Fault | None
    status: int | None
    events: int
    bytes: int
    ending: Ending | None
    started: float
    first_event: float | None
    ended: float | None

    def line(self) -> str:
        """The entry as one line of JSON."""
        fields = asdict(self, recurse=False)
        fields["fault"] = None if self.fault is None else str(self.fault)
        fields["ending"] = None if self.ending is None else self.ending.value
        return msgspec.json.encode(fields).decode()


@frozen
class Totals:
    """Sums over entries; endings, faults and statuses by their written form, in order of first appearance."""

    requests: int
    in_flight: int
    events: int
    bytes: int
    endings: dict[str, int] = field(factory=dict[str, int])
    faults: dict[str, int] = field(factory=dict[str, int])
    statuses: dict[int, int] = field(factory=dict[int, int])
    providers: dict[str, int] = field(factory=dict[str, int])

    @staticmethod
    def of(entries: Iterable[Entry]) -> "Totals":
        """The totals of these entries."""
        entries = tuple(entries)
        return Totals(
            requests=len(entries),
            in_flight=sum(entry.ending is None for entry in entries),
            events=sum(entry.events for entry in entries),
            bytes=sum(entry.bytes for entry in entries),
            endings=dict(Counter(entry.ending.value for entry in entries if entry.ending)),
            faults=dict(Counter(str(entry.fault).partition(":")[0] for entry in entries if entry.fault)),
            statuses=dict(Counter(entry.status for entry in entries if entry.status)),
            providers=dict(Counter(entry.provider for entry in entries)),
        )


class Note:
    """The open page of one request: the simulator counts on it until the response has ended."""

    def __init__(self, visit: Visit, path: str, headers: Mapping[str, str], started: float) -> None:
        self.fault: Fault | None = None
        self.status: int | None = None
        self.events = 0
        self.bytes = 0
        self.ending: Ending | None = None
        self.first_event: float | None = None
        self._ended: float | None = None
        self._started = started
        self.ask = visit.ask
        self._visit = visit
        self._path = path
        self._headers = {name: value for name, value in headers.items() if name in HEADERS_OF_INTEREST}

    def sent(self, size: int, events: int, status: int, now: float) -> None:
        """So many bytes of the body, holding so many events, are on their way; or a head with its status."""
        self.bytes += size
        if status:
            self.status = status
        if events:
            self.events += events
            if self.first_event is None:
                self.first_event = now

    def end(self, ending: Ending, now: float) -> None:
        """The response ended so."""
        self.ending, self._ended = ending, now

    def entry(self) -> Entry:
        """The page as it stands."""
        visit, ask = self._visit, self.ask
        return Entry(
            number=visit.number,
            provider=ask.provider,
            model=ask.model,
            path=self._path,
            streaming=ask.streaming,
            key=ask.key,
            attempt=visit.attempt,
            headers=self._headers,
            fault=self.fault,
            status=self.status,
            events=self.events,
            bytes=self.bytes,
            ending=self.ending,
            started=self._started,
            first_event=self.first_event,
            ended=self._ended,
        )


class Journal:
    """All requests of one simulator, in the order in which they came."""

    def __init__(self) -> None:
        self._notes: list[Note] = []

    def open(self, note: Note) -> Note:
        """Take up a new page."""
        self._notes.append(note)
        return note

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every request so far, those in flight too."""
        return tuple(note.entry() for note in self._notes)

    def lines(self) -> list[str]:
        """Every request so far as a line of JSON."""
        return [entry.line() for entry in self.entries]

    def totals(self) -> Totals:
        """What the entries add up to."""
        return Totals.of(self.entries)

    def __repr__(self) -> str:
        """How much is in it."""
        return f"<Journal: {len(self._notes)} requests>"
