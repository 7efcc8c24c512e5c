"""The network that the connection pool uses unless it is given another one: trio sockets, and TLS over them.

A read waits for the socket first and then takes what is there: one pass of the scheduler for each event of a stream,
where trying first is in vain for almost every one. This is the innermost loop of the package.
"""

import socket
import ssl
from collections.abc import Iterable
from typing import Any, TypeAlias

import httpcore2
import trio

KEEPALIVE_SECONDS = 60
"""Silence after which the kernel probes a line, so that one waiting for a thinking model stays alive in the tables of
NATs and firewalls; the figure of the official anthropic client."""

Stream: TypeAlias = "trio.SocketStream | trio.SSLStream[trio.SocketStream]"


class Sockets(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections with trio (happy eyeballs, names resolved in a thread). Raises the errors of httpcore2."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- the interface of httpcore2 has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect within `timeout` seconds; raises `httpcore2.ConnectError` or `httpcore2.ConnectTimeout`."""
        try:
            with trio.fail_after(_seconds(timeout)):
                stream = await trio.open_tcp_stream(host, port, local_address=local_address)
        except trio.TooSlowError as error:
            raise httpcore2.ConnectTimeout(error) from error
        except OSError as error:
            raise httpcore2.ConnectError(error) from error
        for option in socket_options or ():
            stream.setsockopt(*option)  # pyright: ignore[reportCallIssue, reportArgumentType] -- a union of tuples
        return SocketLine(stream)


class Line(httpcore2.AsyncNetworkStream):
    """A connection as httpcore2 sees it, over a trio stream: here, the inside of TLS."""

    def __init__(self, tcp: trio.SocketStream, stream: Stream) -> None:
        self._tcp = tcp
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- of httpcore2
        """What has come, between one byte and `max_bytes`; b"" when the peer has closed."""
        try:
            if timeout is None:
                return await self._receive(max_bytes)
            with trio.fail_after(timeout):
                return await self._receive(max_bytes)
        except trio.TooSlowError as error:
            raise httpcore2.ReadTimeout(error) from error
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore2.ReadError(error) from error

    async def _receive(self, max_bytes: int) -> bytes:
        return bytes(await self._stream.receive_some(max_bytes))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- of httpcore2
        """Send all of it."""
        try:
            with trio.fail_after(_seconds(timeout)):
                await self._stream.send_all(buffer)
        except trio.TooSlowError as error:
            raise httpcore2.WriteTimeout(error) from error
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore2.WriteError(error) from error

    async def aclose(self) -> None:
        """Close at once: HTTPS asks for no farewell that the peer would have to answer."""
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        """`is_readable`: whether a read would return at once, which on an idle connection means that the peer closed."""
        return self._tcp.socket.is_readable() if info == "is_readable" else None


class SocketLine(Line):
    """A plain TCP connection. Takes the stream over: the given one is empty afterwards."""

    def __init__(self, stream: trio.SocketStream) -> None:
        # The same file descriptor under a standard socket, which can be read without another trip through trio.
        self._socket = socket.socket(fileno=stream.socket.detach())
        tcp = trio.SocketStream(trio.socket.from_stdlib_socket(self._socket))
        super().__init__(tcp, tcp)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS)

    async def _receive(self, max_bytes: int) -> bytes:
        while True:
            if self._socket.fileno() < 0:
                raise trio.ClosedResourceError("the connection was closed")  # trio would take -1 for a socket
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                continue  # the kernel took its word back, as it may

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- the interface of httpcore2 has it
    ) -> httpcore2.AsyncNetworkStream:
        """Shake hands. When this raises, the plain connection is still the caller's to close."""
        secure = trio.SSLStream(self._tcp, ssl_context, server_hostname=server_hostname, https_compatible=True)
        try:
            with trio.fail_after(_seconds(timeout)):
                await secure.do_handshake()
        except trio.TooSlowError as error:
            raise httpcore2.ConnectTimeout(error) from error
        except trio.BrokenResourceError as error:
            raise httpcore2.ConnectError(error.__cause__ or error) from error
        return Line(self._tcp, secure)


def _seconds(timeout: float | None) -> float:
    return float("inf") if timeout is None else timeout
