"""What supervision is compared with: the same things done by hand in bare trio, without what supervision is for.

A bare task has no name to be found by, does not come back, and is stopped with all others at once.
"""

import time
from pathlib import Path

import trio
import trio.testing

MANY = 100_000
SOME = 10_000
LIVES = 50_000
MILLION = 1_000_000

Figures = dict[str, float]


async def idle() -> None:
    """Wait to be stopped."""
    await trio.sleep_forever()


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


class Clock:
    """CPU time and memory since it was made."""

    def __init__(self) -> None:
        self._memory = resident()
        self._begun = time.process_time()

    def each(self, count: int) -> float:
        """Microseconds for each of `count`."""
        return (time.process_time() - self._begun) / count * 1e6

    def bytes(self) -> int:
        """Memory added."""
        return resident() - self._memory


async def longest_turn(turns: list[float]) -> None:
    """Keep how long another task did not get its turn."""
    last = time.process_time()
    while True:
        await trio.lowlevel.checkpoint()
        turns.append(time.process_time() - last)
        last = time.process_time()


async def last_turn(turns: list[float]) -> None:
    """Wait until the one under way is kept too."""
    kept = len(turns)
    while len(turns) <= kept:
        await trio.lowlevel.checkpoint()


async def crowd() -> Figures:
    """The same in one nursery."""
    turns: list[float] = []
    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as many:
            clock = Clock()
            for _ in range(MANY):
                many.start_soon(idle)
            await trio.testing.wait_all_tasks_blocked()
            started, weight = clock.each(MANY), clock.bytes() / MANY
            nursery.start_soon(longest_turn, turns)
            await trio.lowlevel.checkpoint()
            clock = Clock()
            many.cancel_scope.cancel()
        stopped = clock.each(MANY)
        await last_turn(turns)
        nursery.cancel_scope.cancel()
    return {"start_soon, us": started, "idle, B": weight, "stop, us": stopped, "longest step, ms": max(turns) * 1e3}


async def actors() -> Figures:
    """Tasks with a channel each, and a scope to stop them alone."""

    async def actor(inbox: trio.MemoryReceiveChannel[object]) -> None:
        with trio.CancelScope():
            async for _ in inbox:
                pass

    async with trio.open_nursery() as many:
        clock = Clock()
        outlets: list[trio.MemorySendChannel[object]] = []
        for _ in range(MANY):
            outlet, inbox = trio.open_memory_channel[object](1000)
            outlets.append(outlet)
            many.start_soon(actor, inbox)
        await trio.testing.wait_all_tasks_blocked()
        weight = clock.bytes() / MANY
        many.cancel_scope.cancel()
    return {"idle actor, B": weight}


async def start() -> Figures:
    """The same with `nursery.start`."""

    async def ready(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        clock = Clock()
        for _ in range(SOME):
            await nursery.start(ready)
        figures = {"start, us": clock.each(SOME)}
        nursery.cancel_scope.cancel()
    return figures


async def restart() -> Figures:
    """A task that catches the crash, posts it, and is spawned again by whoever reads the post."""
    outlet, inbox = trio.open_memory_channel[Exception](10)

    async def bad() -> None:
        raise RuntimeError

    async def wrapper() -> None:
        try:
            with trio.CancelScope():
                await bad()
        except RuntimeError as error:
            outlet.send_nowait(error)

    async with trio.open_nursery() as nursery:
        clock = Clock()
        for _ in range(LIVES):
            nursery.start_soon(wrapper)
            await inbox.receive()
        return {"crash to running, us": clock.each(LIVES)}


async def messages() -> Figures:
    """The same over memory channels: `send_nowait`, `receive`, and a channel for each answer."""
    outlet, inbox = trio.open_memory_channel[object](MILLION)

    async def answers() -> None:
        async for message in inbox:
            if isinstance(message, trio.MemorySendChannel):
                message.send_nowait(None)  # pyright: ignore[reportUnknownMemberType] - of what, no one knows

    async def ask() -> None:
        reply, answer = trio.open_memory_channel[object](1)
        outlet.send_nowait(reply)
        await answer.receive()

    async with trio.open_nursery() as nursery:
        clock = Clock()
        for number in range(MILLION // 10):
            outlet.send_nowait(number)
        told, clock = clock.each(MILLION // 10), Clock()
        nursery.start_soon(answers)
        await ask()
        taken, clock = clock.each(MILLION // 10), Clock()
        for _ in range(SOME):
            await ask()
        asked = clock.each(SOME)
        outlet.close()
    return {"tell, us": told, "take, us": taken, "ask, us": asked}
