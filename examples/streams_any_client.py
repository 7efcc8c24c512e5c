"""A client nobody here has heard of, supervised as it is: its server hangs up in the middle of the first answer."""

from collections.abc import AsyncGenerator
from functools import partial

import trio

from actors import Ladder, Request, Retry, Route, Settings, from_deltas, open_streams

ANSWERS = iter((b"Because air scatters ", b"Because air scatters blue light most."))


async def serve(stream: trio.SocketStream) -> None:
    """Their server: words for whoever calls, and a full stop where they are whole."""
    await stream.send_all(next(ANSWERS))


async def chat(port: int, _request: Request, _route: Route) -> AsyncGenerator[str]:
    """Their client: any async generator of text will do, if it raises where its answer is not whole."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        async for words in stream:
            yield words.decode()
            if words.endswith(b"."):
                return
    raise ConnectionResetError("the server hung up")


async def main() -> None:
    """Ask through their client as through any other."""
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        theirs = {"theirs": from_deltas(partial(chat, listener.socket.getsockname()[1]))}
        async with open_streams(settings=Settings.read({}), providers=theirs) as streams:
            outcome = await streams.ask("Why?", Ladder("theirs:any", Retry(3)))
        nursery.cancel_scope.cancel()
    print(*outcome.attempts, outcome.text, sep="\n")


trio.run(main)
