"""One HTTP/1.1 connection as the provider's end holds it: bytes in, actions out, no input or output of its own.

The same bytes in any slicing give the same actions.  A request is answered whole before the next is read; one that was
sent before its turn (pipelined) is not read at all: the connection closes in order after the answer it waited for, as
RFC 9112 §9.3.2 allows, and the client sends it again.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import h11
import msgspec
from attrs import frozen

from actors.chaos.faults import How
from actors.chaos.journal import Ending, Note
from actors.chaos.performance import Cue, Drop, Head, Hold, Last, Pause, Piece
from actors.chaos.speech.dialect import Request


class Begin(msgspec.Struct, frozen=True):
    """A request was read; what follows is its answer and counts on this note."""

    note: Note


class Send(msgspec.Struct, frozen=True, gc=False):
    """Bytes for the network in one write: `body` of them are the body's own, and hold so many events.

    `status` is that of the status line where these are the head, else 0.
    """

    data: bytes
    body: int = 0
    events: int = 0
    status: int = 0


class Finish(msgspec.Struct, frozen=True):
    """The answer is out, and ended so."""

    ending: Ending


class Close(msgspec.Struct, frozen=True):
    """The connection ends: FIN in order, or RST."""

    how: How = How.FIN


Action: TypeAlias = Begin | Send | Pause | Hold | Finish | Close


@frozen
class Reply:
    """What a request is answered with."""

    note: Note
    cues: Iterator[Cue]


MOST_BODY = 32 * 2**20
"""Bytes of a request body; Anthropic's limit, and none of the others allows less."""

_MOST_HEAD = 64 * 2**10
_BOTH_DONE = {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}

_EDGE_400 = b"<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n</body>\r\n</html>\r\n"


class Conversation:
    """One connection; `reply` says what to answer to each request.

    Feed it with `receive`, then take everything from `actions`: it ends when more bytes are needed.
    """

    def __init__(self, reply: Callable[[Request], Reply]) -> None:
        self._reply = reply
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEAD)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._answering = False
        self._bodiless = False
        self._crowded = False
        self.closed = False

    def receive(self, data: bytes) -> None:
        """Take bytes from the client; empty bytes are its FIN.  What comes while an answer is out ends the connection after it."""
        if self._answering:
            self._crowded = True
        elif not self.closed:
            self._http.receive_data(data)

    def actions(self) -> Iterator[Action]:
        """What to do now, until more bytes are needed or the connection is closed."""
        while not self.closed:
            try:
                request = self._next_request()
            except h11.RemoteProtocolError as error:
                yield from self._not_http(error.error_status_hint)
                return
            if request is None:
                if self._http.they_are_waiting_for_100_continue:
                    yield Send(self._framed(h11.InformationalResponse(status_code=100, headers=[])))
                return
            yield from self._answer(request)

    def _next_request(self) -> Request | None:
        """The next whole request, or None when bytes are missing or the client is gone."""
        while True:
            event = self._http.next_event()
            match event:
                case h11.Request():
                    self._request = event
                    self._body.clear()
                case h11.Data():
                    self._body += event.data
                    if len(self._body) > MOST_BODY:
                        return self._whole_request()
                case h11.EndOfMessage():
                    return self._whole_request()
                case h11.ConnectionClosed():
                    self.closed = True
                    return None
                case _:
                    return None

    def _whole_request(self) -> Request:
        head = self._request
        assert head is not None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        return Request(head.method.decode(), head.target.decode("latin-1"), headers, bytes(self._body))

    def _answer(self, request: Request) -> Iterator[Action]:
        self._answering = True
        self._bodiless = request.method == "HEAD"
        self._crowded = bool(self._http.trailing_data[0])
        reply = self._reply(request)
        yield Begin(reply.note)
        for cue in reply.cues:
            yield from self._framed_cue(cue)
        self._answering = False
        if self.closed:
            return
        if self._crowded or self._http.states != _BOTH_DONE:
            self.closed = True
            yield Close()
        else:
            self._http.start_next_cycle()

    def _framed_cue(self, cue: Cue) -> Iterator[Action]:
        match cue:
            case Piece(data, events):
                if self._bodiless:
                    return
                yield Send(self._framed(h11.Data(data=data)), len(data), events)
            case Head(status, headers):
                yield Send(self._framed(h11.Response(status_code=status, headers=list(headers))), status=status)
            case Last(ending):
                # First the verdict: a client may leave as soon as it has read the last event.
                yield Finish(ending)
                if end := self._framed(h11.EndOfMessage()):
                    yield Send(end)
            case Drop(how, ending):
                self.closed = True
                yield Finish(ending)
                yield Close(how)
            case _:
                yield cue

    def _framed(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""

    def _not_http(self, status: int) -> Iterator[Action]:
        self.closed = True
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("content-type", "text/html"), ("connection", "close"), ("content-length", str(len(_EDGE_400)))]
            yield Send(self._framed(h11.Response(status_code=status, headers=headers)))
            yield Send(self._framed(h11.Data(data=_EDGE_400)))
        yield Close()
