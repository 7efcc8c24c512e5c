"""Keep it alive: a child that crashes twice is restarted; the third life is well."""

import trio

from supervisor import Child, ChildExited, ChildReady, Record, current_child, open_supervisor


async def feed() -> None:
    """Crash in the first two lives."""
    life = current_child().generation
    await trio.sleep(0.05)
    if life < 3:
        raise ConnectionError(f"line {life} went dead")
    await trio.sleep_forever()


def tell(record: Record) -> None:
    """Print what the supervisor decides, as it decides it."""
    match record:
        case ChildReady():
            print(f"{record.path[-1]}: life {record.generation} runs")
        case ChildExited():
            print(f"{record.path[-1]}: life {record.generation} ended by {record.exit}")
        case _:
            pass


async def main() -> None:
    """Let it run for a while, then leave: leaving the block stops the tree."""
    async with open_supervisor(Child("feed", feed), intensity=3, period=5, hook=tell):
        await trio.sleep(0.3)


trio.run(main)
