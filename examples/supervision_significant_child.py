"""A significant child: when the job is done, the whole tree stops, and the block ends."""

import trio

from supervisor import AutoShutdown, Child, Restart, open_supervisor


async def heartbeat() -> None:
    """Beat for as long as there is something to beat for."""
    try:
        while True:
            print("beat")
            await trio.sleep(0.1)
    finally:
        print("heartbeat stops")


async def job() -> str:
    """Work, and be done."""
    await trio.sleep(0.25)
    return "42"


async def main() -> None:
    """Wait for the tree, which ends by itself."""
    worker = Child("job", job, restart=Restart.TRANSIENT, significant=True)
    async with open_supervisor(Child("heart", heartbeat), worker, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT) as tree:
        end = await tree.join("job")
        print(f"the job ended by {end} and gave {end.value}")
        await tree.join()


trio.run(main)
