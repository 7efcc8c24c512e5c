"""`python -m benchmarks.supervision`: what supervision costs beside the same thing done in bare trio, in CPU time.

The figures of docs/supervision.md come from here.  Every row runs in a process of its own, ours and bare in turns; medians of the rounds are
printed.  The collector is as Python sets it, or rare (`gc.set_threshold(100_000, 50, 100)`): it dominates where children come by thousands.
"""

import argparse
import gc
import subprocess
import sys
from collections.abc import Awaitable, Callable
from statistics import median

import msgspec
import trio

from benchmarks import bare
from benchmarks.bare import LIVES, MANY, MILLION, SOME, Clock, Figures, idle, last_turn, longest_turn
from supervisor import (
    Bounds,
    Call,
    Child,
    ChildRef,
    Mailbox,
    Restart,
    State,
    Supervisor,
    current_child,
    open_supervisor,
)

COLLECTORS = ("default", "rare")


async def actor(*, mailbox: Mailbox) -> None:
    """Answer what is asked."""
    async for message in mailbox:
        if isinstance(message, Call):
            message.reply()


def spec(number: int, mailbox: Bounds | None = None) -> Child:
    """One of many."""
    run = idle if mailbox is None else actor
    return Child(f"child {number}", run, restart=Restart.TEMPORARY, mailbox=mailbox)


async def populate(tree: Supervisor, mailbox: Bounds | None = None) -> None:
    """Start many children and wait until the last one runs."""
    last: ChildRef = [tree.start_soon(spec(number, mailbox)) for number in range(MANY)][-1]
    while last.state is not State.RUNNING:
        await trio.lowlevel.checkpoint()


async def crowd(mailbox: Bounds | None = None) -> Figures:
    """Start many without waiting, weigh them, stop them together."""
    turns: list[float] = []
    async with trio.open_nursery() as nursery:
        async with open_supervisor() as tree:
            clock = Clock()
            await populate(tree, mailbox)
            started, weight = clock.each(MANY), clock.bytes() / MANY
            nursery.start_soon(longest_turn, turns)
            await trio.lowlevel.checkpoint()
            clock = Clock()
        stopped = clock.each(MANY)
        await last_turn(turns)
        nursery.cancel_scope.cancel()
    return {"start_soon, us": started, "idle, B": weight, "stop, us": stopped, "longest step, ms": max(turns) * 1e3}


async def actors() -> Figures:
    """Weigh many actors."""
    return {"idle actor, B": (await crowd(Bounds()))["idle, B"]}


async def start() -> Figures:
    """Start one after another, each awaited."""
    async with open_supervisor() as tree:
        clock = Clock()
        for number in range(SOME):
            await tree.start(spec(number))
        return {"start, us": clock.each(SOME)}


async def _restarts(lives: int) -> Clock:
    done = trio.Event()

    async def bad() -> None:
        if current_child().generation > lives:
            done.set()
            await trio.sleep_forever()
        raise RuntimeError

    async with open_supervisor(Child("bad", bad), intensity=1000, period=1e-9):
        clock = Clock()
        await done.wait()
        return clock


async def restart() -> Figures:
    """Crash and run again."""
    return {"crash to running, us": (await _restarts(LIVES)).each(LIVES)}


async def million() -> Figures:
    """Memory after a million restarts, over that after the first thousands."""
    await _restarts(LIVES)
    clock = await _restarts(MILLION)
    return {"a million restarts, kB more": clock.bytes() / 1024}


async def messages() -> Figures:
    """Tell many, then ask."""
    async with open_supervisor(Child("actor", actor, mailbox=Bounds(MILLION))) as tree:
        ref, clock = tree["actor"], Clock()
        for number in range(MILLION // 2):
            ref.tell(number)
        told, clock = clock.each(MILLION // 2), Clock()
        await ref.ask("done")
        taken, clock = clock.each(MILLION // 2), Clock()
        for number in range(SOME):
            await ref.ask(number)
        return {"tell, us": told, "take, us": taken, "ask, us": clock.each(SOME)}


Row = Callable[[], Awaitable[Figures]]

ROWS: dict[str, tuple[Row, Row | None]] = {
    "crowd": (crowd, bare.crowd),
    "actors": (actors, bare.actors),
    "start": (start, bare.start),
    "restart": (restart, bare.restart),
    "messages": (messages, bare.messages),
    "million": (million, None),
}
SIDES = ("ours", "bare")
ONCE = ("crowd", "actors", "million")
"""Rows of a hundred thousand children or a million restarts: one round is a mean over as many."""


def measure(row: str, side: str, collector: str) -> Figures:
    """One round in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.supervision", "--row", row, "--side", side, "--collector", collector]
    return msgspec.json.decode(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout, type=Figures)


def compare(row: str, collector: str, rounds: int) -> None:
    """Ours and bare in turns; prints the medians and their ratio."""
    sides = SIDES if ROWS[row][1] is not None else SIDES[:1]
    found = [[measure(row, side, collector) for side in sides] for _ in range(1 if row in ONCE else rounds)]
    for name in found[0][0]:
        medians = [median(each[place][name] for each in found) for place in range(len(sides))]
        ratio = f"{medians[0] / medians[1]:.2f}" if len(medians) > 1 and medians[1] else ""
        print(f"{name:30}{''.join(f'{value:12.2f}' for value in medians):24}{ratio:>8}", flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.supervision", description=__doc__)
    parser.add_argument("--row", choices=ROWS, help="print the figures of one round as JSON")
    parser.add_argument("--side", choices=SIDES, default="ours")
    parser.add_argument("--collector", choices=COLLECTORS, default="default")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of (%(default)s)")
    return parser.parse_args()


def main() -> None:
    """Compare every row, or run one round of one."""
    asked = arguments()
    if asked.row is not None:
        if asked.collector == "rare":
            gc.set_threshold(100_000, 50, 100)
        row = ROWS[asked.row][SIDES.index(asked.side)]
        assert row is not None, f"there is nothing to compare {asked.row} with"
        print(msgspec.json.encode(trio.run(row)).decode())
        return
    for collector in COLLECTORS:
        print(f"\nSupervision, collector {collector}, median of {asked.rounds} (what is done 100,000 times: of one)")
        print(f"{'':30}{'supervised':>12}{'bare trio':>12}{'ratio':>8}")
        for row in ROWS if collector == "default" else ("crowd", "start"):
            compare(row, collector, asked.rounds)


if __name__ == "__main__":
    main()
