"""What can go wrong between a client and its provider, as values.

A fault says only what the client meets, never how it is brought about: every wire dialect spells it in its own bytes.
Times are seconds, positions are events; a position past a stream's end means just before its terminal event, so a
fault that was chosen always happens.  `str(fault)` is the term a plan writes and `parse_fault` reads.
"""

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from attrs import field, frozen
from attrs.validators import ge, gt, in_, optional


class How(Enum):
    """How a connection ends: FIN in order, RST at once, or FIN after half of the next event went out (TORN)."""

    FIN = "cut"
    RST = "reset"
    TORN = "tear"


class ErrorKind(Enum):
    """What an error answer complains about; a dialect's table knows status, type and sentence for it."""

    INVALID = "invalid"
    CONTEXT = "context"
    AUTHENTICATION = "authentication"
    BILLING = "billing"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    POLICY = "policy"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"


@frozen
class Status:
    """An HTTP error before the stream, with the provider's own body and headers for `code` (and `kind`, if given).

    `retry_after` (seconds) replaces the wait that the provider would announce for it.
    """

    code: int = field(validator=in_(range(400, 600)))
    kind: ErrorKind | None = None
    retry_after: float | None = field(default=None, validator=optional(ge(0)))

    def __str__(self) -> str:
        """The plan term, such as `status429:quota` or `status429:7`."""
        return _term(f"status{self.code}", self.kind, self.retry_after)


@frozen
class Cut:
    """The connection ends after so many events, in the middle of the body."""

    after_events: int = field(validator=ge(0))
    how: How = How.FIN

    def __str__(self) -> str:
        """The plan term: `cut:3`, `reset:3` or `tear:3`."""
        return _term(self.how.value, None, self.after_events)


@frozen
class Stall:
    """Silence after so many events; the connection stays open until the client leaves."""

    after_events: int = field(validator=ge(0))

    def __str__(self) -> str:
        """The plan term: `stall:3`."""
        return _term("stall", None, self.after_events)


@frozen
class ErrorEvent:
    """After so many events of a 200 the provider says in its own words that it failed; nothing else follows."""

    after_events: int = field(validator=ge(0))
    kind: ErrorKind = ErrorKind.OVERLOADED

    def __str__(self) -> str:
        """The plan term: `error:overloaded:3`."""
        return _term("error", self.kind, self.after_events)


@frozen
class Truncate:
    """After so many events the response ends in perfect order, without its terminal event."""

    after_events: int = field(validator=ge(0))

    def __str__(self) -> str:
        """The plan term: `truncate:3`."""
        return _term("truncate", None, self.after_events)


@frozen
class Garble:
    """The event after so many others is malformed; the rest follows as if nothing had been."""

    after_events: int = field(validator=ge(0))

    def __str__(self) -> str:
        """The plan term: `garble:3`."""
        return _term("garble", None, self.after_events)


@frozen
class SlowStart:
    """So many seconds pass before the first content, on top of the usual delay."""

    seconds: float = field(validator=gt(0))

    def __str__(self) -> str:
        """The plan term: `slow:2`."""
        return _term("slow", None, self.seconds)


@frozen
class PingsOnly:
    """Signs of life every `interval` seconds after the first event, and never any content."""

    interval: float = field(validator=gt(0))

    def __str__(self) -> str:
        """The plan term: `pings:5`."""
        return _term("pings", None, self.interval)


@frozen
class Refuse:
    """The connection is closed before any response."""

    def __str__(self) -> str:
        """The plan term: `refuse`."""
        return "refuse"


@frozen
class Hang:
    """The request is read and nothing comes back, not even a status line; the connection stays open."""

    def __str__(self) -> str:
        """The plan term: `hang`."""
        return "hang"


Fault: TypeAlias = Status | Cut | Stall | ErrorEvent | Truncate | Garble | SlowStart | PingsOnly | Refuse | Hang
"""All of them; `match` over it is complete."""


def _term(name: str, kind: ErrorKind | None, number: float | None) -> str:
    """One term: the name, then the kind and the number where there are any."""
    words = [name]
    if kind is not None:
        words.append(kind.value)
    if number is not None:
        words.append(spell_number(number))
    return ":".join(words)


def spell_number(number: float) -> str:
    """A number as a plan writes it: exact, and without a point where it is whole."""
    return str(int(number)) if float(number).is_integer() else repr(number)


_KINDS = {kind.value: kind for kind in ErrorKind}

_DEFAULT_WAIT = 3.0
"""Seconds of a slow start or between pings where a term names none."""

_BY_NAME: dict[str, Callable[[ErrorKind | None, float | None], Fault]] = {
    "cut": lambda _, n: Cut(int(n or 0)),
    "reset": lambda _, n: Cut(int(n or 0), How.RST),
    "tear": lambda _, n: Cut(int(n or 0), How.TORN),
    "stall": lambda _, n: Stall(int(n or 0)),
    "truncate": lambda _, n: Truncate(int(n or 0)),
    "garble": lambda _, n: Garble(int(n or 0)),
    "error": lambda kind, n: ErrorEvent(int(n or 0), kind or ErrorKind.OVERLOADED),
    "slow": lambda _, n: SlowStart(_DEFAULT_WAIT if n is None else n),
    "pings": lambda _, n: PingsOnly(_DEFAULT_WAIT if n is None else n),
    "refuse": lambda _, __: Refuse(),
    "hang": lambda _, __: Hang(),
}
_TAKES_KIND = frozenset({"error"})


def parse_fault(term: str) -> Fault:
    """The fault that a term such as `cut:3`, `error:rate_limited:2` or `status429:7` names.

    Raises `ValueError` with one sentence that says what is wrong with it.
    """
    name, *arguments = term.split(":")
    kind: ErrorKind | None = None
    number: float | None = None
    for argument in arguments:
        if argument in _KINDS and kind is None:
            kind = _KINDS[argument]
        elif number is None:
            number = _number(argument)
        else:
            raise ValueError(f"{argument!r} is one argument too many")
    if name.startswith("status"):
        return Status(_code(name), kind, number)
    if name not in _BY_NAME:
        raise ValueError(f"no fault is called {name!r}; there are {', '.join(_BY_NAME)} and status400 to status599")
    if kind is not None and name not in _TAKES_KIND:
        raise ValueError(f"{name} takes no kind of error")
    return _BY_NAME[name](kind, number)


def _code(name: str) -> int:
    digits = name.removeprefix("status")
    if not (digits.isdecimal() and 400 <= int(digits) < 600):
        raise ValueError(f"{name!r} names no HTTP error: write status400 to status599")
    return int(digits)


def _number(argument: str) -> float:
    try:
        number = float(argument)
    except ValueError:
        raise ValueError(f"{argument!r} is neither a number nor a kind of error ({', '.join(_KINDS)})") from None
    if not 0 <= number < float("inf"):
        raise ValueError(f"{argument} is not a number from 0 up")
    return number
