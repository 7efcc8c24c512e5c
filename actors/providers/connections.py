"""One pool of HTTP/1.1 connections for all providers, and the only place that opens them.

It is a transport of httpx2, so the official clients send through it. Every step takes constant time however many streams
are open: a stack of idle connections for each origin, and all of them in the order in which they will expire. (The stock
pool looks through every connection and every request each time one of them changes.)

The one rule: a connection is idle, lent to exactly one answer, or closed; whoever takes it out of one of these states
puts it into another before anybody can cancel. Proxies named in the environment are not used.
"""

import math
import ssl
import sys
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

import attrs
import httpcore2
import httpx2
import trio

from actors.failure import FailureKind, Phase
from actors.policy.classify import classify
from actors.providers.bodies import EXTENSION, Body
from actors.providers.exchange import exchange, translating
from actors.providers.sockets import Sockets
from supervisor import cleanup

CONNECT_SECONDS = 10.0
"""How long a connection may take to stand, TLS included, where the request does not say."""
IDLE_SECONDS = 30.0
"""How long a connection may lie idle. Servers close sooner (5 s) or later (minutes); one that did is noticed."""

CLOSE_SECONDS = 5.0
SWEEP = 8
"""Expired connections that one request closes on its way at most: more come with the next one."""

PORTS = {"http": 80, "https": 443}

LOCKED_OUT = frozenset({401, 402, 403})
"""Statuses by which a server refuses an account for good: nothing more is asked there soon, and no connection is kept for it."""


@attrs.frozen
class Origin:
    """Where a connection leads: `http` or `https`, host and port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: httpx2.URL) -> "Origin":
        """Raises `httpx2.UnsupportedProtocol` for any other scheme."""
        if url.scheme not in PORTS:
            raise httpx2.UnsupportedProtocol(f"the address {url} must begin with http:// or https://")
        return cls(url.scheme, url.raw_host.decode("ascii"), url.port or PORTS[url.scheme])


@attrs.frozen
class PoolStatistics:
    """A snapshot: connections that lie idle, that are lent to an answer or being opened, and requests that wait for room."""

    idle: int
    in_use: int
    waiting: int

    @property
    def open(self) -> int:
        """Connections that hold a socket, or are about to."""
        return self.idle + self.in_use


@attrs.define(eq=False)
class Connection:
    """One connection that stands; `expires` on trio's clock while it is idle."""

    origin: Origin
    line: httpcore2.AsyncNetworkStream = attrs.field(repr=False)
    expires: float = math.inf

    @property
    def stale(self) -> bool:
        """Whether it lay too long, or the server said something unasked: it can only have closed."""
        return self.expires <= trio.current_time() or bool(self.line.get_extra_info("is_readable"))


class Connections(httpx2.AsyncBaseTransport):
    """The pool. Close it with `aclose`, or let the `httpx2.AsyncClient` that it was given to do that.

    `network`: opens connections; trio sockets by default, an in-memory network in tests. Closing one of its streams has
    to close it even where the closing task is cancelled. `ssl_context`: how servers are verified; httpx2's own by
    default. `most`: a bound on connections, idle ones included; requests beyond it wait their turn, in order, as long as
    their `pool` timeout allows. `idle_seconds`: how long an idle connection is worth keeping.
    """

    body: type[Body] = Body
    """What reads an answer off its connection."""

    def __init__(
        self,
        network: httpcore2.AsyncNetworkBackend | None = None,
        *,
        ssl_context: ssl.SSLContext | None = None,
        most: int | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._network = network or Sockets()
        self._ssl_context = ssl_context
        self._idle_seconds = idle_seconds
        self._most = sys.maxsize if most is None else most
        self._room = trio.Semaphore(self._most)
        self._stacks: dict[Origin, OrderedDict[Connection, None]] = {}
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._lent: set[Connection] = set()
        self._closed = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request over an idle connection or a new one; never twice. Raises what httpx2's own transport raises."""
        origin = Origin.of(request.url)
        timeouts = request.extensions.get("timeout", {})
        await self._enter(timeouts.get("pool"))
        connection = None
        try:
            connection = await self._reuse(origin) or await self._open(origin, request, timeouts)
            self._lend(connection)
            head = await exchange(connection.line, request)
            if head.status in LOCKED_OUT:
                head = attrs.evolve(head, reusable=False)
                await self._close_idle_at(origin)
        except BaseException:
            await self._settle(connection, reusable=False)
            raise
        body = self.body(connection.line, head, partial(self._settle, connection), timeouts.get("read"))
        extensions = {"http_version": head.version, "reason_phrase": head.reason, EXTENSION: body}
        return httpx2.Response(head.status, headers=head.headers, stream=body, extensions=extensions)

    def statistics(self) -> PoolStatistics:
        """What the pool holds now."""
        in_use = self._most - self._room.value
        return PoolStatistics(len(self._idle), in_use, self._room.statistics().tasks_waiting)

    async def aclose_idle(self) -> None:
        """Close the connections that no answer is using."""
        while self._idle:
            await _close(self._take(next(reversed(self._idle))))

    async def _close_idle_at(self, origin: Origin) -> None:
        while stack := self._stacks.get(origin):
            await _close(self._take(next(iter(stack))))

    async def aclose(self) -> None:
        """Close every connection, under an answer too, and serve no further request."""
        self._closed = True
        with cleanup(CLOSE_SECONDS):
            await self.aclose_idle()
            while self._lent:
                await _close(self._lent.pop())

    async def _enter(self, seconds: float | None) -> None:
        try:
            with trio.fail_after(math.inf if seconds is None else seconds):
                await self._room.acquire()
        except trio.TooSlowError as error:
            raise httpx2.PoolTimeout(f"all {self._most} connections were in use for {seconds:g} s") from error

    async def _reuse(self, origin: Origin) -> Connection | None:
        """The idle connection that was used last, if it is still good; those found bad are closed on the way."""
        for _ in range(SWEEP):
            oldest = next(iter(self._idle), None)
            if oldest is None or oldest.expires > trio.current_time():
                break
            await _close(self._take(oldest))
        while stack := self._stacks.get(origin):
            connection = self._take(next(reversed(stack)))
            if not connection.stale:
                return connection
            await _close(connection)
        return None

    async def _open(self, origin: Origin, request: httpx2.Request, timeouts: Mapping[str, float | None]) -> Connection:
        if len(self._idle) + self._most - self._room.value > self._most:
            await _close(self._take(next(iter(self._idle))))
        seconds = timeouts.get("connect", CONNECT_SECONDS)
        try:
            with translating(), trio.fail_after(math.inf if seconds is None else seconds):
                connection = Connection(origin, await self._network.connect_tcp(origin.host, origin.port))
                if origin.scheme == "https":
                    await self._secure(connection, request.extensions.get("sni_hostname"))
        except httpx2.ConnectError as error:
            failure = classify(error, Phase.CONNECTION)
            if failure is not None and failure.kind is FailureKind.FILES:
                await self.aclose_idle()  # each holds a file that this process may not open any more
            raise
        except trio.TooSlowError as error:
            raise httpx2.ConnectTimeout(f"no connection to {origin.host}:{origin.port} within {seconds:g} s") from error
        return connection

    async def _secure(self, connection: Connection, name: str | None) -> None:
        if self._ssl_context is None:
            self._ssl_context = httpx2.create_ssl_context()
        self._ssl_context.set_alpn_protocols(["http/1.1"])
        try:
            connection.line = await connection.line.start_tls(self._ssl_context, name or connection.origin.host)
        except BaseException:
            await _close(connection)
            raise

    def _lend(self, connection: Connection) -> None:
        self._lent.add(connection)
        if self._closed:
            raise trio.ClosedResourceError("the connection pool was closed")

    def _take(self, connection: Connection) -> Connection:
        """Out of the idle ones, before anything is awaited."""
        del self._idle[connection]
        stack = self._stacks[connection.origin]
        del stack[connection]
        if not stack:
            del self._stacks[connection.origin]
        return connection

    async def _settle(self, connection: Connection | None, reusable: bool) -> None:  # noqa: FBT001 -- a body's release
        """The end of a lending: back to the idle ones, or closed; `None` where no connection came about."""
        self._room.release()
        if connection is None:
            return
        self._lent.discard(connection)
        if not reusable or self._closed:
            await _close(connection)
            return
        connection.expires = trio.current_time() + self._idle_seconds
        self._idle[connection] = None
        self._stacks.setdefault(connection.origin, OrderedDict())[connection] = None


async def _close(connection: Connection) -> None:
    """At once: nothing is flushed and nobody is waited for, so no shield is needed where the task is cancelled."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await connection.line.aclose()


def http_client(connections: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
    """A client for an official client to send through; closing it would close the pool.

    It asks for bytes as they are, since a compressor would hold back small events, and takes nothing from the
    environment. Redirects are not followed: an attempt sends one request.
    """
    return httpx2.AsyncClient(transport=connections, headers={"accept-encoding": "identity"}, trust_env=False)
