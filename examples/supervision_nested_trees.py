"""Nested trees: a pool gives up because of one bad child; the supervisor above rebuilds the pool, and its neighbour never notices."""

import trio

from supervisor import Child, Record, Strategy, SupervisorGaveUp, open_supervisor, subtree

ATTEMPTS = iter(range(1000))


async def steady() -> None:
    """Live."""
    await trio.sleep_forever()


async def bad() -> None:
    """Crash five times in all, whatever life this is."""
    await trio.sleep(0.01)
    if next(ATTEMPTS) < 5:
        raise RuntimeError("still bad")
    await trio.sleep_forever()


def tell(record: Record) -> None:
    """Print who gave up."""
    if isinstance(record, SupervisorGaveUp):
        print(f"{'/'.join(record.path)} gives up: {record.why}")


async def main() -> None:
    """Show the tree after the storm."""
    pool = subtree("pool", Child("bad", bad), Child("good", steady), strategy=Strategy.ONE_FOR_ALL, intensity=2)
    async with open_supervisor(pool, subtree("other", Child("calm", steady)), hook=tell) as tree:
        await trio.sleep(0.3)
        print(tree.snapshot())


trio.run(main)
