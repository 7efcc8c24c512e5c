"""Children that misbehave on purpose, a hook that records, and a way to wait until a tree is quiet.

Everything here is deterministic: what a child does depends on its arguments and on how often it was started, on nothing else. Use it with
trio's mock clock, so that nothing sleeps for real.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import trio
import trio.testing

from supervisor.exits import Fault
from supervisor.lifecycle import Record, line
from supervisor.runtime.incarnation import current_child

__all__ = [
    "Recorder",
    "Trace",
    "crash",
    "fail_in_cleanup",
    "fault",
    "linger",
    "never_ready",
    "quiet",
    "run_for",
    "shield",
    "swallow",
    "until",
]

R = TypeVar("R", bound=Record)


@attrs.define
class Recorder:
    """A hook that keeps every record: `open_supervisor(hook=recorder)`."""

    records: list[Record] = attrs.field(factory=list[Record])

    def __call__(self, record: Record) -> None:
        """Keep one more."""
        self.records.append(record)

    def of(self, kind: type[R], *path: str) -> list[R]:
        """The records of one type, at one path if given."""
        return [record for record in self.records if isinstance(record, kind) and (not path or record.path == path)]

    def story(self) -> list[str]:
        """Who did what, in order: `root/a ChildReady`."""
        return [f"{'/'.join(record.path)} {type(record).__name__}" for record in self.records]

    def text(self) -> str:
        """The whole log; the same seed gives the same bytes."""
        return "\n".join(line(record) for record in self.records)


@attrs.define
class Trace:
    """Children that say when they start and stop: `+a`, `-a`, and `!a` when they fail."""

    marks: list[str] = attrs.field(factory=list[str])

    def __str__(self) -> str:
        return " ".join(self.marks)

    def take(self) -> str:
        """The marks since the last call."""
        told = " ".join(self.marks)
        self.marks.clear()
        return told

    async def steady(self, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Live until told to stop."""
        name = current_child().id
        self.marks.append(f"+{name}")
        task_status.started(name)
        try:
            await trio.sleep_forever()
        finally:
            self.marks.append(f"-{name}")

    async def brittle(
        self, crash: trio.Event, fails: int = 0, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Crash in the first life when `crash` is set, fail `fails` starts after that, then be steady."""
        child = current_child()
        if 1 < child.generation <= 1 + fails:
            self.marks.append(f"!{child.id}")
            raise RuntimeError(f"start {child.generation} of {child.id} fails")
        self.marks.append(f"+{child.id}")
        task_status.started(child.id)
        try:
            if child.generation > 1:
                await trio.sleep_forever()
            await crash.wait()
        finally:
            self.marks.append(f"-{child.id}")
        raise RuntimeError(f"{child.id} crashes")


async def crash(after: float = 0.0, lives: int = 1_000_000_000, error: type[Exception] = RuntimeError) -> None:
    """Raise `error` after so many seconds, in each of the first `lives` lives; then live on."""
    generation = current_child().generation
    if generation > lives:
        await trio.sleep_forever()
    await trio.sleep(after)
    raise error(f"life {generation}")


async def fault(*values: Any, after: float = 0.0) -> str:
    """Raise `Fault` with the first value in the first life, with the second in the second; return when there are no more."""
    generation = current_child().generation
    await trio.sleep(after)
    if generation <= len(values):
        raise Fault(values[generation - 1])
    return f"life {generation} is well"


async def never_ready(*, task_status: trio.TaskStatus[None]) -> None:  # noqa: ARG001 - this child does not use it
    """Take `task_status` and never call it."""
    await trio.sleep_forever()


async def swallow() -> str:
    """Catch the cancellation and return as if nothing was."""
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        return "swallowed"


async def shield(seconds: float) -> None:
    """On a stop, hide from it for so many seconds, where no supervisor can reach."""
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):  # what a guest should not do, on purpose
            await trio.sleep(seconds)


async def linger(clean: Callable[[], Any], seconds: float) -> None:
    """On a stop, clean up inside the scope that `clean` gives, for so many seconds."""
    try:
        await trio.sleep_forever()
    finally:
        with clean():
            await trio.sleep(seconds)


async def fail_in_cleanup(error: type[Exception] = RuntimeError) -> None:
    """On a stop, raise `error` instead of going quietly."""
    try:
        await trio.sleep_forever()
    finally:
        raise error("cleanup failed")


async def quiet() -> None:
    """Wait until every task is blocked: all that could happen at this time has happened."""
    await trio.testing.wait_all_tasks_blocked()


async def run_for(clock: trio.testing.MockClock, seconds: float, step: float = 0.1) -> None:
    """Let `seconds` pass on a mock clock, step by step, with a tree that comes to rest in each."""
    steps = max(1, round(seconds / step))
    await quiet()
    for _ in range(steps):
        clock.jump(seconds / steps)
        await quiet()


async def until(condition: Callable[[], bool], most: int = 10_000) -> None:
    """Give others their turn until `condition()` holds.

    Raises:
        AssertionError: It does not hold after `most` turns.
    """
    for _ in range(most):
        if condition():
            return
        await trio.lowlevel.checkpoint()
    raise AssertionError("the condition does not come true")
