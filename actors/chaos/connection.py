"""One connection on trio: a conversation's actions carried out over any stream.

Two tasks: one carries out the actions in order, the other reads all the while, so that a client that leaves is noticed
at once, even amid a pause or a blocked write.  A write is one action, so on a socket it is one segment.
"""

import socket
import struct
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import trio

from actors.chaos.conversation import Action, Begin, Close, Conversation, Finish, Reply, Send
from actors.chaos.faults import How
from actors.chaos.journal import Ending, Note
from actors.chaos.performance import Hold, Pause
from actors.chaos.speech.dialect import Request

_READ = 65536
_LINGER = 5.0
"""Seconds after our FIN in which the client may still be talking; closing sooner would reset what it has yet to read."""

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class Connection:
    """A stream and the conversation over it; `ended` is told of every request that is over."""

    def __init__(
        self, stream: trio.abc.Stream, reply: Callable[[Request], Reply], ended: Callable[[Note], None]
    ) -> None:
        self._stream = stream
        self._ended = ended
        self._conversation = Conversation(reply)
        self._note: Note | None = None
        self._due = 0.0
        self._heard = trio.Event()
        self._left = trio.Event()

    async def run(self) -> None:
        """Talk until the connection ends; closes the stream."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, nursery.cancel_scope)
                await self._talk()
                nursery.cancel_scope.cancel()
        finally:
            self._end(Ending.STOPPED)
            await trio.aclose_forcefully(self._stream)

    async def _listen(self, everything: trio.CancelScope) -> None:
        """Read to the end; a client that leaves amid its answer takes the answer with it."""
        data: bytes | bytearray = b"?"
        while data:
            try:
                data = await self._stream.receive_some(_READ)
            except _GONE:
                data = b""
            self._conversation.receive(bytes(data))
            self._heard.set()
        self._left.set()
        if self._note is not None and self._note.ending is None:
            self._end(Ending.CLIENT_LEFT)
            everything.cancel()

    async def _talk(self) -> None:
        """Carry out actions as they come, until the conversation is closed."""
        try:
            while not self._conversation.closed:
                self._heard = trio.Event()
                for action in self._conversation.actions():
                    await self._act(action)
                if not self._conversation.closed:
                    await self._heard.wait()
        except _GONE:
            self._end(Ending.CLIENT_LEFT)

    async def _act(self, action: Action) -> None:
        match action:
            case Send():
                await self._stream.send_all(action.data)
                if self._note is not None:
                    self._note.sent(action.body, action.events, action.status, trio.current_time())
            case Pause(seconds):
                # Moments, not spans, are waited for: what sending costs must not slow the pace.
                self._due += seconds
                if self._due > trio.current_time():
                    await trio.sleep_until(self._due)
            case Begin(note):
                self._note = note
                self._due = trio.current_time()
            case Finish(ending):
                self._end(ending)
            case Hold():
                await self._left.wait()
                raise trio.BrokenResourceError("nobody is left to hold for")
            case Close(how):
                await self._close(how)

    async def _close(self, how: How) -> None:
        if how is How.RST:
            await reset(self._stream)
            return
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            await self._stream.send_eof()
            with trio.move_on_after(_LINGER):
                await self._left.wait()

    def _end(self, ending: Ending) -> None:
        if self._note is not None and self._note.ending is None:
            self._note.end(ending, trio.current_time())
            self._ended(self._note)


@runtime_checkable
class Resettable(Protocol):
    """A stream that can be ended as by a reset of its connection."""

    def reset(self) -> None:
        """End both directions at once; the peer's calls raise."""
        ...


async def reset(stream: trio.abc.Stream) -> None:
    """End a connection by RST: with lingering off for a socket, closing sends one."""
    if isinstance(stream, trio.SocketStream):
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif isinstance(stream, Resettable):
        stream.reset()
    await trio.aclose_forcefully(stream)
