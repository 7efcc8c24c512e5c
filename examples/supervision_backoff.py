"""Weather: a fault is retried with growing delays, then another variant is taken; none of it counts as a bug."""

import trio

from supervisor import Backoff, Child, ChildRestarting, Fault, Next, Record, Restart, Retry, Rungs, open_supervisor


async def fetch(*, variant: str) -> str:
    """Only the mirror answers."""
    if variant == "main":
        raise Fault("503 from main")
    return f"the page, from {variant}"


def tell(record: Record) -> None:
    """Print each way back."""
    if isinstance(record, ChildRestarting):
        print(f"again in {record.after:.2f} s as {record.variant!r} (life {record.generation}, rung {record.rung})")


async def main() -> None:
    """Climb the ladder; `intensity=0` shows that faults are not charged."""
    ladder = Rungs(Retry(4, Backoff(initial=0.05, cap=1)), Next("mirror"))
    async with open_supervisor(intensity=0, seed=7) as tree:
        ref = await tree.start(
            Child("fetch", fetch, variant="main", respond=ladder, notify=tell, restart=Restart.TEMPORARY)
        )
        end = await ref.wait()
        print(end.value)


trio.run(main)
