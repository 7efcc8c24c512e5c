"""Who would wait for himself: a task inside a child must not await what cannot come before that very task has ended.

It is decided from where the task stands in the tree of nurseries, not from context variables, which wander with callbacks.
"""

from collections.abc import Iterator

import trio

from supervisor.errors import WouldDeadlock
from supervisor.runtime.incarnation import Incarnation, Owner, life_of
from supervisor.runtime.slot import Slot


def _lives_around() -> Iterator[Incarnation]:
    """The incarnations that the calling task stands in, the innermost first."""
    task: trio.lowlevel.Task | None = trio.lowlevel.current_task()
    while task is not None:
        life = life_of(task)
        if life is not None:
            yield life
        task = task.parent_nursery.parent_task if task.parent_nursery is not None else None


def may_wait_for(slot: Slot) -> None:
    """Whether the calling task may wait for the end or the start of this child.

    Raises:
        WouldDeadlock: The task stands in it, or in one that its supervisor wants down, or ready, before it goes on to this child.
    """
    for life in _lives_around():
        if life.slot is slot or life.owner.holds_up(life.slot, slot):
            raise WouldDeadlock(life.path)


def may_wait_for_all(owner: Owner) -> None:
    """Whether the calling task may wait for the end of all children of a supervisor.

    Raises:
        WouldDeadlock: The task stands in one of them.
    """
    for life in _lives_around():
        if life.owner is owner:
            raise WouldDeadlock(life.path)
