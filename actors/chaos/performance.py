"""How an answer goes out, and where a fault spoils it: a pure sequence of cues.

Decides only what is sent, when, and how it ends; HTTP's framing is the conversation's, the waiting the simulator's.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec
from attrs import evolve, field, frozen
from attrs.validators import ge, gt, optional

from actors.chaos.faults import (
    Cut,
    ErrorEvent,
    ErrorKind,
    Fault,
    Garble,
    Hang,
    How,
    PingsOnly,
    Refuse,
    SlowStart,
    Stall,
    Status,
    Truncate,
)
from actors.chaos.journal import Ending
from actors.chaos.speech.dialect import Headers, Page, Script


@frozen
class Pacing:
    """How fast a model speaks: seconds to the first content, then events a second (None: as fast as they are taken)."""

    first_token: float = field(default=0.0, validator=ge(0))
    events_per_second: float | None = field(default=None, validator=optional(gt(0)))

    @property
    def interval(self) -> float:
        """Seconds between two events."""
        return 1 / self.events_per_second if self.events_per_second else 0.0


class Head(msgspec.Struct, frozen=True):
    """The status line and the headers."""

    status: int
    headers: Headers


class Piece(msgspec.Struct, frozen=True, gc=False):
    """A part of the body that goes out as one write; `events` it holds."""

    data: bytes
    events: int = 1


class Pause(msgspec.Struct, frozen=True, gc=False):
    """Nothing for so many seconds."""

    seconds: float


class Hold(msgspec.Struct, frozen=True):
    """Nothing any more, the connection open."""


class Last(msgspec.Struct, frozen=True):
    """The message ends in order."""

    ending: Ending


class Drop(msgspec.Struct, frozen=True):
    """The connection ends, whatever was still to come."""

    how: How
    ending: Ending


Cue: TypeAlias = Head | Piece | Pause | Hold | Last | Drop


@frozen
class Performance:
    """One answer about to be given: its pieces, and the words the dialect has for a failure in the middle."""

    headers: Headers
    script: Script
    pacing: Pacing
    streaming: bool = True
    ping: bytes = b""
    failure: Sequence[bytes] = ()
    status: int = 200


def page(spelled: Page) -> Iterator[Cue]:
    """A whole response that is not an answer, such as an error."""
    yield Head(spelled.status, (*spelled.headers, ("content-length", str(len(spelled.body)))))
    if spelled.body:
        yield Piece(spelled.body, 0)
    yield Last(Ending.ERROR if spelled.status >= 400 else Ending.COMPLETE)


def perform(performance: Performance, fault: Fault | None) -> Iterator[Cue]:
    """The answer as this fault lets it out."""
    if isinstance(fault, Refuse):
        yield Drop(How.FIN, Ending.REFUSED)
        return
    if isinstance(fault, Hang):
        yield Hold()
        return
    script = _garbled(performance.script, fault.after_events) if isinstance(fault, Garble) else performance.script
    stop = _position(script, fault)
    interval = performance.pacing.interval
    delay = performance.pacing.first_token + (fault.seconds if isinstance(fault, SlowStart) else 0.0)
    if delay and not performance.streaming:
        yield Pause(delay)
        delay = 0.0
    yield Head(performance.status, performance.headers)
    each = 1 if performance.streaming else 0
    for at, event in enumerate(script.events[:stop]):
        if at == script.preamble and delay:
            yield Pause(delay)
        elif at > script.preamble and interval:
            yield Pause(interval)
        yield Piece(event, each)
    yield from _tail(performance, fault, script.events[stop:])


def _position(script: Script, fault: Fault | None) -> int:
    """How many events go out before the fault; all of them where it has no position."""
    match fault:
        case Cut() | Stall() | ErrorEvent() | Truncate():
            return min(fault.after_events, script.terminal)
        case PingsOnly():
            return script.preamble
        case _:
            return len(script.events)


def _garbled(script: Script, position: int) -> Script:
    """The same script with one event that no decoder can read: its second half is missing."""
    position = min(position, script.terminal)
    events = list(script.events)
    event = events[position].rstrip()
    events[position] = event[: len(event) // 2 + len(event) // 4] + b"\n\n"
    return Script(events, script.preamble, script.terminal)


def _tail(performance: Performance, fault: Fault | None, rest: Sequence[bytes]) -> Iterator[Cue]:
    """What follows the last event that goes out."""
    match fault:
        case Cut(_, how):
            if how is How.TORN:
                yield Piece(rest[0][: len(rest[0]) // 2], 0)
            yield Drop(how, Ending.RESET if how is How.RST else Ending.CUT)
        case Stall():
            yield Hold()
        case PingsOnly(interval):
            while True:
                yield Pause(interval)
                yield Piece(performance.ping, 0 if performance.ping.startswith(b":") else 1)
        case ErrorEvent():
            yield from (Piece(event) for event in performance.failure)
            yield Last(Ending.ERROR)
        case Truncate():
            yield Last(Ending.TRUNCATED)
        case Garble():
            yield Last(Ending.GARBLED)
        case _:
            yield Last(Ending.ERROR if performance.status >= 400 else Ending.COMPLETE)


def halves(body: bytes) -> Script:
    """A buffered answer as a script: two halves, so that a fault with a position falls between them."""
    middle = len(body) // 2
    return Script([body[:middle], body[middle:]], preamble=0, terminal=1)


def in_a_buffered_answer(fault: Fault | None, code_of: Callable[[ErrorKind], int]) -> Fault | None:
    """What a fault of streams comes to where there is one body and no events.

    Positions fall in the middle of the body, silence comes before the status line (a provider sends that when it has
    the whole answer), and an error that would have been an event is an error status.
    """
    match fault:
        case Cut() | Truncate() | Garble():
            return evolve(fault, after_events=1)
        case Stall() | PingsOnly():
            return Hang()
        case ErrorEvent(_, kind):
            return Status(code_of(kind), kind)
        case _:
            return fault
