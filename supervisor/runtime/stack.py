"""Where a task hangs, as text: its await frames and those of the tasks in its nurseries.

Only what an overdue report needs: innermost last, a few lines for each task, a few tasks.
"""

from collections import deque

import trio

FRAMES = 6
"""Innermost frames told of each task."""

TASKS = 8
"""Tasks told of an incarnation."""


def stack_of(task: trio.lowlevel.Task | None) -> tuple[str, ...]:
    """The await frames of `task` and of the tasks below it, as `file:line in function`; empty before its first step."""
    if task is None:
        return ()
    lines: list[str] = []
    queue = deque([task])
    for _ in range(TASKS):
        if not queue:
            break
        told = queue.popleft()
        lines.extend(_frames(told))
        queue.extend(child for nursery in told.child_nurseries for child in nursery.child_tasks)
    return tuple(lines)


def _frames(task: trio.lowlevel.Task) -> list[str]:
    frames = [
        f"{frame.f_code.co_filename}:{number} in {frame.f_code.co_qualname}"
        for frame, number in task.iter_await_frames()
    ]
    return frames[-FRAMES:]
