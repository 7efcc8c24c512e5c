"""Watching a tree: who restarts most, whose mailbox grows, and where a child waits."""

import trio

from supervisor import Bounds, Child, Mailbox, current_child, open_supervisor, top


async def slow(*, mailbox: Mailbox) -> None:
    """Take one message in a tenth of a second."""
    async for _ in mailbox:
        await trio.sleep(0.1)


async def flaky() -> None:
    """Crash in the first three lives."""
    await trio.sleep(0.02)
    if current_child().generation < 4:
        raise RuntimeError
    await trio.sleep_forever()


async def main() -> None:
    """Take two snapshots and compare them."""
    async with open_supervisor(Child("slow", slow, mailbox=Bounds()), Child("flaky", flaky)) as tree:
        before = tree.snapshot()
        for number in range(50):
            tree["slow"].tell(number)
        await trio.sleep(0.25)
        after = tree.snapshot()
        print("most restarts:", top(after, lambda child: child.restarts, n=1))
        print("fastest growing mailbox:", top(after, lambda child: child.mailbox, n=1, since=before))
        print("slow waits in", tree["slow"].where()[0].rpartition(" ")[2])


trio.run(main)
