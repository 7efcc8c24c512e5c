"""Three scopes: b crashes among a, b, c, and the strategy says who is restarted with it."""

import trio

from supervisor import Child, Strategy, current_child, open_supervisor


async def steady(log: list[str]) -> None:
    """Say when it starts and when it stops."""
    name = current_child().id
    log.append(f"+{name}")
    try:
        await trio.sleep_forever()
    finally:
        log.append(f"-{name}")


async def brittle(log: list[str]) -> None:
    """Crash once."""
    log.append("+b")
    if current_child().generation > 1:
        await trio.sleep_forever()
    await trio.sleep(0.05)
    log.append("b crashes:")
    raise RuntimeError


async def main() -> None:
    """Run the same three children under each strategy."""
    for strategy in Strategy:
        log: list[str] = []
        children = (Child("a", steady, log), Child("b", brittle, log), Child("c", steady, log))
        async with open_supervisor(*children, strategy=strategy):
            await trio.sleep(0.2)
            print(f"{strategy.value:>12}: {' '.join(log)}")


trio.run(main)
