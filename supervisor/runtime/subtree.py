"""A supervisor as the child of another: what it needs is checked when the spec is made, not when its turn comes."""

from math import inf
from typing import Unpack

import trio

from supervisor.runtime.flags import Flags, Settings
from supervisor.runtime.tree import Supervisor, open_supervisor
from supervisor.spec import Child, Restart


def subtree(
    id: str,  # noqa: A002 - OTP's word for it
    *children: Child,
    restart: Restart = Restart.PERMANENT,
    shutdown: float = inf,
    significant: bool = False,
    **flags: Unpack[Flags],
) -> Child:
    """A supervisor as a child of another: its value is its `Supervisor`, and it is ready when its static children are.

    Its default grace is unbounded, because each of its children has its own.

    Raises:
        BadSpec: A flag cannot work, or the children do not fit under the flags or beside one another.
    """
    Settings(**flags).check_all(children)
    return Child(id, _supervise, children, flags, restart=restart, shutdown=shutdown, significant=significant)


async def _supervise(
    children: tuple[Child, ...], flags: Flags, *, task_status: trio.TaskStatus[Supervisor] = trio.TASK_STATUS_IGNORED
) -> None:
    async with open_supervisor(*children, **flags) as tree:
        task_status.started(tree)
        await tree.wait_closed()
