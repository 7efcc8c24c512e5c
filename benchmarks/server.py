"""A provider that speaks at a steady pace: one event, one chunk, one TCP segment, for thousands of streams at once.

It runs in a process of its own and does nothing but send what was spelled beforehand. The name of the model in a request
says how to answer: `bench-RATE-EVENTS` is that many events, RATE of them a second, spread evenly over all streams.
"""

import heapq
import re
import selectors
import socket
import sys
import time

import attrs

MODEL = re.compile(rb"bench-([0-9.]+)-([0-9]+)")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
GOLDEN = 0.6180339887498949  # multiples of it spread evenly over an interval however many there are

_GEMINI = '"usageMetadata":{"promptTokenCount":9,"totalTokenCount":12},"modelVersion":"bench","responseId":"r1"}'


@attrs.frozen
class Speech:
    """What a wire says: before the first event, with each event, after the last."""

    before: str
    event: str
    after: str


ANTHROPIC = Speech(
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
    '"model":"bench","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}'
    '\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text",'
    '"text":""}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
    '"text":" token"}}\n\n',
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\nevent: message_delta\n'
    'data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}'
    '\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
)
_CHAT = 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":['
CHAT = Speech(
    _CHAT + '{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
    _CHAT + '{"index":0,"delta":{"content":" token"},"finish_reason":null}]}\n\n',
    _CHAT + '{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
)
GOOGLE = Speech(
    "",
    'data: {"candidates":[{"content":{"parts":[{"text":" token"}],"role":"model"},"index":0}],' + _GEMINI + "\r\n\r\n",
    'data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],'
    + _GEMINI
    + "\r\n\r\n",
)
SPEECHES = {b"/messages": ANTHROPIC, b"/chat/completions": CHAT, b":streamGenerateContent": GOOGLE}


@attrs.define(eq=False)
class Peer:
    """One connection; `left` events are still to be sent, the next one at `due`."""

    socket: socket.socket
    asked: bytes = b""
    unsent: bytes = b""
    event: bytes = b""
    after: bytes = b""
    interval: float = 0.0
    left: int = 0

    def send(self, octets: bytes) -> None:
        """Send what fits; the rest goes first the next time."""
        octets = self.unsent + octets
        try:
            sent = self.socket.send(octets)
        except BlockingIOError:
            sent = 0
        self.unsent = octets[sent:]


def chunk(text: str) -> bytes:
    """One chunk of a chunked body."""
    octets = text.encode()
    return b"%x\r\n%s\r\n" % (len(octets), octets) if octets else b""


@attrs.define
class Server:
    """Accepts, reads requests and sends what is due, in one thread."""

    listener: socket.socket
    selector: selectors.BaseSelector = attrs.field(factory=selectors.DefaultSelector)
    due: list[tuple[float, int, Peer]] = attrs.field(factory=list)
    streams: int = 0

    def run(self) -> None:
        """Serve until the process is ended."""
        self.selector.register(self.listener, selectors.EVENT_READ)
        while True:
            wait = max(0.0, self.due[0][0] - time.perf_counter()) if self.due else None
            for key, _ in self.selector.select(wait):
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.read(key.data)
            self.speak(time.perf_counter())

    def accept(self) -> None:
        """Take one connection."""
        connection, _ = self.listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(connection, selectors.EVENT_READ, Peer(connection))

    def read(self, peer: Peer) -> None:
        """Take bytes of a request, or the end of the connection."""
        try:
            octets = peer.socket.recv(65536)
        except ConnectionError:
            octets = b""
        if not octets:
            self.selector.unregister(peer.socket)
            peer.socket.close()
            peer.left = 0
            return
        peer.asked += octets
        head, blank, body = peer.asked.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if blank and len(body) >= (int(length[1]) if length else 0):
            self.begin(peer, peer.asked)
            peer.asked = b""

    def begin(self, peer: Peer, asked: bytes) -> None:
        """Start the answer, at a moment of its own within the interval."""
        path = asked.split(b" ", 2)[1]
        speech = next(speech for prefix, speech in SPEECHES.items() if prefix in path)
        rate, events = MODEL.search(asked).groups()  # pyright: ignore[reportOptionalMemberAccess] -- our own clients only
        peer.event, peer.after = chunk(speech.event), chunk(speech.after) + END
        peer.interval, peer.left = 1 / float(rate), int(events)
        self.streams += 1
        peer.send(HEAD + chunk(speech.before))
        phase = self.streams * GOLDEN % 1
        heapq.heappush(self.due, (time.perf_counter() + phase * peer.interval, self.streams, peer))

    def speak(self, now: float) -> None:
        """Send every event that is due."""
        while self.due and self.due[0][0] <= now:
            due, number, peer = self.due[0]
            if peer.left == 0:
                heapq.heappop(self.due)
                continue
            try:
                peer.left -= 1
                peer.send(peer.event if peer.left else peer.event + peer.after)
            except ConnectionError:
                peer.left = 0
            heapq.heapreplace(self.due, (due + peer.interval, number, peer))


def main() -> None:
    """Listen on a free port of the loopback, print it, serve."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    Server(listener).run()


if __name__ == "__main__":
    main()
