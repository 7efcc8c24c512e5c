"""A server that says what the test wrote down, and nothing else, over any stream."""

import socket
import struct
from contextlib import asynccontextmanager
from functools import partial

import attrs
import httpx2
import trio

from actors.chaos import open_network
from actors.providers.connections import Connections

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(octets):
    return b"%x\r\n%s\r\n" % (len(octets), octets)


def sized(octets):
    return OK + b"Content-Length: %d\r\n\r\n%s" % (len(octets), octets)


async def fin(stream):
    await stream.aclose()


async def rst(stream):
    if hasattr(stream, "reset"):
        stream.reset()
    else:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await stream.aclose()


async def stall(_stream):
    await trio.sleep_forever()


def pause(seconds):
    async def step(_stream):
        await trio.sleep(seconds)

    return step


@attrs.define(eq=False)
class Peer:
    """`script`: for each request in turn what is sent and done; the last holds for all that follow."""

    script: list
    requests: list = attrs.field(factory=list)
    connections: int = 0
    gone: trio.Event = attrs.field(factory=trio.Event)

    async def serve(self, stream):
        self.connections += 1
        try:
            async with stream:
                while await self._answer(stream):
                    pass
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self.gone.set()

    async def _answer(self, stream):
        request = b""
        while b"\r\n\r\n" not in request or len(request.partition(b"\r\n\r\n")[2]) < _length(request):
            octets = await stream.receive_some()
            if not octets:
                return False
            request += octets
        self.requests.append(request)
        for step in self.script[min(len(self.requests), len(self.script)) - 1]:
            if isinstance(step, bytes):
                await stream.send_all(step)
            else:
                await step(stream)
        return True


def _length(request):
    for line in request.lower().splitlines():
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


@asynccontextmanager
async def memory(peer, **options):
    """A client over our pool and a network in memory; `client.pool` and `client.network` are these two."""
    async with open_network(peer) as network:
        pool = Connections(network, **options)
        async with httpx2.AsyncClient(transport=pool, base_url="http://peer", timeout=None) as client:
            client.pool, client.network = pool, network
            yield client


@asynccontextmanager
async def sockets(peer, **options):
    """The same over sockets of the loopback."""
    async with trio.open_nursery() as nursery:
        port = await listen(nursery, peer.serve)
        pool = Connections(**options)
        async with httpx2.AsyncClient(transport=pool, base_url=f"http://127.0.0.1:{port}", timeout=None) as client:
            client.pool = pool
            yield client
        nursery.cancel_scope.cancel()


async def listen(nursery, serve):
    """A loopback port on which `serve` gets each connection."""
    (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
    return listener.socket.getsockname()[1]
