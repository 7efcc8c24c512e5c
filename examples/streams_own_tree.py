"""A tree of one's own: the stream service is a child, an agent is the next, and a plain function is a route."""

from functools import partial

import trio

from actors import Backoff, Ladder, Request, Retry, Route, Streams, from_call, serve_streams
from supervisor import Child, Restart, Strategy, open_supervisor

CALLS: list[Request] = []


async def oracle(request: Request, route: Route) -> str:
    """Any client there is; this one answers at the third call."""
    CALLS.append(request)
    if len(CALLS) < 3:
        raise ConnectionResetError("the oracle hung up")
    return f"{route.model} says: it will rain"


async def agent(streams: Streams) -> str:
    """Ask, with retries nobody had to write."""
    outcome = await streams.ask("Will it rain?", Ladder("oracle:delphi", Retry(5, Backoff(initial=0.1))))
    for attempt in outcome.attempts:
        print(f"attempt {attempt.number}:", attempt.failure or "an answer")
    return outcome.unwrap().text


async def main() -> None:
    """Start the service, then who needs it: were the service to fall, `rest_for_one` would restart both, in this order."""
    service = partial(serve_streams, providers={"oracle": from_call(oracle)})
    async with open_supervisor(strategy=Strategy.REST_FOR_ONE) as tree:
        streams = (await tree.start(Child("streams", service))).value
        await tree.start(Child("agent", agent, streams, restart=Restart.TRANSIENT))
        print((await tree.join("agent")).value)


trio.run(main)
