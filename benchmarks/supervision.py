"""`python -m benchmarks.supervision`: what supervision itself costs, in CPU time, with the collector as it is, rare, and off.

The figures of docs/supervision.md come from here. Every row runs in a process of its own.
"""

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from supervisor import Bounds, Call, Child, Mailbox, Restart, State, Supervisor, current_child, open_supervisor

COLLECTORS = ("default", "rare", "off")
MANY = 100_000


async def idle() -> None:
    """Wait to be stopped."""
    await trio.sleep_forever()


async def actor(*, mailbox: Mailbox) -> None:
    """Answer what is asked."""
    async for message in mailbox:
        if isinstance(message, Call):
            message.reply()


def spec(number: int, mailbox: Bounds | None = None) -> Child:
    """One of many."""
    run = idle if mailbox is None else actor
    return Child(f"child {number}", run, restart=Restart.TEMPORARY, mailbox=mailbox)


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


async def populate(tree: Supervisor, mailbox: Bounds | None = None) -> None:
    """Start many children and wait until the last one runs."""
    last = [tree.start_soon(spec(number, mailbox)) for number in range(MANY)][-1]
    while last.state is not State.RUNNING:
        await trio.lowlevel.checkpoint()


async def start_soon() -> str:
    """Start many without waiting."""
    async with open_supervisor() as tree:
        begun = time.process_time()
        await populate(tree)
        return f"{(time.process_time() - begun) / MANY * 1e6:.1f} us a child"


async def start() -> str:
    """Start one after another."""
    async with open_supervisor() as tree:
        begun = time.process_time()
        for number in range(10_000):
            await tree.start(spec(number))
        return f"{(time.process_time() - begun) / 10_000 * 1e6:.1f} us a child"


async def memory() -> str:
    """Hold many that do nothing."""
    sizes: list[int] = []
    async with open_supervisor() as children, open_supervisor() as actors:
        for tree, mailbox in ((children, None), (actors, Bounds())):
            before = resident()
            await populate(tree, mailbox)
            sizes.append((resident() - before) // MANY)
    return f"{sizes[0]} B a child, {sizes[1]} B an actor"


async def stop() -> str:
    """Stop many together, and keep the longest time that another task did not get its turn."""
    turns: list[float] = []

    async def watch() -> None:
        last = time.process_time()
        while True:
            await trio.lowlevel.checkpoint()
            turns.append(time.process_time() - last)
            last = time.process_time()

    async with trio.open_nursery() as nursery:
        async with open_supervisor() as tree:
            await populate(tree)
            nursery.start_soon(watch)
            await trio.lowlevel.checkpoint()
            begun = time.process_time()
        spent = time.process_time() - begun
        nursery.cancel_scope.cancel()
    return f"{spent / MANY * 1e6:.1f} us a child, longest step {max(turns) * 1e3:.1f} ms"


async def restart() -> str:
    """Crash and come back."""
    lives, done = 50_000, trio.Event()

    async def bad() -> None:
        if current_child().generation > lives:
            done.set()
            await trio.sleep_forever()
        raise RuntimeError

    before, begun = resident(), time.process_time()
    async with open_supervisor(Child("bad", bad), intensity=1000, period=1e-9):
        await done.wait()
    spent = time.process_time() - begun
    return f"{spent / lives * 1e6:.1f} us a crash, {(resident() - before) // 1024} kB more"


async def messages() -> str:
    """Tell many, then ask."""
    async with open_supervisor(Child("actor", actor, mailbox=Bounds(1_000_000))) as tree:
        ref, begun = tree["actor"], time.process_time()
        for number in range(500_000):
            ref.tell(number)
        told = time.process_time()
        await ref.ask("done")
        taken = time.process_time()
        for number in range(10_000):
            await ref.ask(number)
        asked = time.process_time()
    rates = ((told - begun) / 0.5, (taken - told) / 0.5, (asked - taken) / 0.01)
    return "tell {:.2f} us, take {:.2f} us, ask {:.1f} us".format(*rates)


ROWS: dict[str, Callable[[], Awaitable[str]]] = {
    "start_soon": start_soon,
    "start": start,
    "memory": memory,
    "stop": stop,
    "restart": restart,
    "messages": messages,
}


def main() -> None:
    """Run one row, or every row in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", choices=ROWS)
    parser.add_argument("--collector", choices=COLLECTORS, default="default")
    asked = parser.parse_args()
    if asked.row is None:
        for collector in COLLECTORS:
            for row in ROWS:
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.supervision", "--row", row, "--collector", collector], check=True
                )
        return
    if asked.collector == "rare":
        gc.set_threshold(100_000, 50, 100)
    elif asked.collector == "off":
        gc.disable()
    print(f"{asked.row:>10}, collector {asked.collector:<7}: {trio.run(ROWS[asked.row])}")


if __name__ == "__main__":
    main()
