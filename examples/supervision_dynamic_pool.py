"""A dynamic pool: a thousand children are started without waiting, some fail, and the pool outlives them."""

from collections import Counter

import trio

from supervisor import Child, Restart, open_supervisor


async def task(number: int) -> int:
    """Fail for every tenth number."""
    await trio.sleep(number / 5000)
    if number % 10 == 0:
        raise ValueError(number)
    return number * number


async def main() -> None:
    """Start them all, then gather how each ended."""
    async with open_supervisor() as pool:
        refs = [pool.start_soon(Child(f"task {n}", task, n, restart=Restart.TEMPORARY)) for n in range(1000)]
        print(f"{pool.count().specs} children")
        await pool.join()
        ends = [ref.exit for ref in refs if ref.exit is not None]
        print(dict(Counter(end.kind.value for end in ends)))
        print(f"sum of squares: {sum(end.value for end in ends if end.value is not None)}")
        print(f"{pool.count().specs} children left")


trio.run(main)
