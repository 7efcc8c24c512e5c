"""The door to a tree: open it, start, stop and look at children, and leave it.

A `Supervisor` is what the body of the block holds. It writes nothing: it posts to the loop and waits for the answer, or reads.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from math import inf
from typing import Any, Unpack, overload

import trio

from supervisor.errors import BadSpec, ChildAlive, StartFailed, TreeStopped, UnknownChild
from supervisor.exits import Exit, ExitKind
from supervisor.runtime import requests
from supervisor.runtime.deadlock import may_wait_for, may_wait_for_all
from supervisor.runtime.flags import Flags, Settings
from supervisor.runtime.incarnation import enclosing
from supervisor.runtime.ref import ChildRef
from supervisor.runtime.registry import Registry
from supervisor.runtime.reports import Hook
from supervisor.runtime.slot import OneShot, Slot
from supervisor.runtime.snapshot import ChildStatus, Count, TreeSnapshot, count_of, snapshot_of, status_of
from supervisor.runtime.supervisor import Loop
from supervisor.spec import Child


class Supervisor:
    """A running tree. Made by `open_supervisor`; usable by any task of the same event loop until the block is left."""

    __slots__ = ("_loop",)

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def __repr__(self) -> str:
        return f"<Supervisor {'/'.join(self.path)}>"

    def __contains__(self, name: object) -> bool:
        return name in self._loop.roster.slots

    def __len__(self) -> int:
        return len(self._loop.roster.slots)

    def __iter__(self) -> Iterator[ChildRef]:
        return iter([self._ref(slot) for slot in self._loop.roster.slots.values()])

    def __getitem__(self, name: str) -> ChildRef:
        return self._ref(self._slot(name))

    def __setitem__(self, name: str, child: Child) -> None:
        """Replace the spec of a child, from its next start on: `tree["a"] = Child("a", better)`. What runs is not touched.

        How it comes back from its present life, and how that is stopped, is still for the old spec to say.

        Raises:
            BadSpec: The new one has another id, a mailbox where there was none or none where there was one, or does not fit the flags.
            TreeStopped: The supervisor has stopped.
            UnknownChild: There is no such child.
        """
        slot = self._slot(name)
        if child.id != name:
            raise BadSpec(name, "id", child.id, f"the spec that replaces it is that of {name!r} too")
        if (child.mailbox is None) != (slot.mailbox is None):
            raise BadSpec(
                name, "mailbox", child.mailbox, "it belongs to the reference: delete the child and start another"
            )
        self._loop.settings.check(child)
        self._post(requests.replace, slot, child)

    @property
    def path(self) -> tuple[str, ...]:
        """The ids from the root down to this supervisor."""
        return self._loop.path

    @property
    def hook_errors(self) -> int:
        """How often the hook or a child's `notify` raised."""
        return self._loop.reports.errors

    @property
    def hook(self) -> Hook | None:
        """The hook of the tree, for records of your own; `None` where nobody listens. What it raises is counted and not passed on."""
        reports = self._loop.reports
        return None if reports.hook is None else reports.more

    @property
    def registry(self) -> Registry:
        """Children of the whole tree by name and by tag."""
        return self._loop.registry

    async def start(self, child: Child) -> ChildRef:
        """Add a child and wait until it is ready, or says that it has nothing to do (`Ignore`): then it is down.

        Cancelling the wait stops the child. Under `ONE_FOR_ONE` children added here are independent: they are stopped together; under the
        other strategies they take the next place in the order.

        Raises:
            ChildExists: The id is taken.
            StartFailed: It ended before it was ready; nothing of it is kept.
            TooManyChildren: There are `max_children` already.
            TreeStopped: The supervisor is stopping.
        """
        slot = self._loop.enter(child)
        reply: OneShot[Exit | None] = OneShot()
        slot.on_ready(reply)
        if child.start_timeout == inf:
            self._loop.have_done(requests.begin, self._loop, slot)
        else:
            self._loop.inbox.post(requests.begin, self._loop, slot)
        try:
            await self._ready(slot, reply)
        except trio.Cancelled:
            self._loop.inbox.post(self._loop.acts.hold, slot, "whoever started it was cancelled")
            raise
        return self._ref(slot)

    def start_soon(self, child: Child) -> ChildRef:
        """Add a child without waiting for it; a failed start shows as its exit. For thousands of them.

        Its spec is forgotten when it has ended for good, as OTP does with the children of a `simple_one_for_one`.

        Raises:
            ChildExists: The id is taken.
            TooManyChildren: There are `max_children` already.
            TreeStopped: The supervisor is stopping.
        """
        slot = self._loop.enter(child)
        slot.passing = True
        self._loop.inbox.post(requests.begin, self._loop, slot)
        return self._ref(slot)

    async def stop(self, name: str, reason: str = "stopped on purpose") -> Exit:
        """Stop a child and wait for its end. It stays down; its spec is kept unless it is temporary.

        Raises:
            TreeStopped: A child asks while its own tree stops, which would wait for that very child.
            UnknownChild: There is no such child.
            WouldDeadlock: A task inside that child asks; `ref.cancel()` does not wait.
        """
        slot, caller = self._slot(name), enclosing()
        if self._loop.closing is not None and caller is not None and caller.owner is self._loop and not self._loop.over:
            raise TreeStopped(self.path)
        if not self._loop.over:
            may_wait_for(slot)
            self._loop.inbox.post(self._loop.acts.hold, slot, reason)
        return await self._ref(slot).wait()

    async def restart(self, name: str) -> ChildRef:
        """Run a child anew and wait until it is ready: one that runs is stopped first, one in backoff starts at once. Never charged.

        Raises:
            StartFailed: It ended before it was ready; it stays down.
            TreeStopped: The supervisor is stopping.
            UnknownChild: There is no such child.
            WouldDeadlock: A task inside that child asks, or one that must end before that child's turn comes.
        """
        slot = self._slot(name)
        may_wait_for(slot)
        reply: OneShot[Exit | None] = OneShot()
        self._post(requests.revive, self._loop, slot, reply)
        await self._ready(slot, reply)
        return self._ref(slot)

    async def delete(self, name: str) -> None:
        """Forget a child that is down.

        Raises:
            ChildAlive: It is not down.
            TreeStopped: The supervisor has stopped.
            UnknownChild: There is no such child.
        """
        reply: OneShot[ChildAlive | None] = OneShot()
        self._post(requests.delete, self._loop, self._slot(name), reply)
        error = await reply.wait()
        if error is not None:
            raise error

    @overload
    async def join(self, name: str) -> Exit: ...

    @overload
    async def join(self, name: None = None) -> None: ...

    async def join(self, name: str | None = None) -> Exit | None:
        """Wait until no child runs or comes back by itself; with a name, until that child does not, and give its final exit.

        When the tree ends by itself meanwhile, this returns; a body that does not wait here is cancelled instead.

        Raises:
            UnknownChild: There is no such child.
            WouldDeadlock: A task inside that child, or inside any child if all are meant, asks.
        """
        if name is not None:
            return await self[name].wait()
        may_wait_for_all(self._loop)
        if self._loop.roster.busy:
            await self._watch(self._loop.idle)
        else:
            await trio.lowlevel.checkpoint()
        return None

    async def wait_closed(self) -> None:
        """Wait until the tree has ended by itself: because of significant children, or because it was cancelled.

        Raises:
            WouldDeadlock: A task inside a child of this tree asks.
        """
        may_wait_for_all(self._loop)
        await self._watch(self._loop.closed)

    def which(self) -> tuple[ChildStatus, ...]:
        """All children in start order, as they stand now."""
        return tuple(status_of(slot) for slot in self._loop.roster.slots.values())

    def count(self) -> Count:
        """How many children there are, and in which states."""
        return count_of(self._loop.roster)

    def snapshot(self) -> TreeSnapshot:
        """The whole tree from here down, as values."""
        return snapshot_of(self._loop)

    async def _ready(self, slot: Slot, reply: OneShot[Exit | None]) -> None:
        ended = await reply.wait()
        if ended is not None and ended.kind is not ExitKind.IGNORED:
            raise TreeStopped(self.path) if self._loop.closing is not None else StartFailed(slot.spec.id, ended)

    async def _watch(self, end: OneShot[None]) -> None:
        self._loop.watchers += 1
        try:
            await end.wait()
        finally:
            self._loop.watchers -= 1

    def _post(self, call: Any, *args: Any) -> None:
        if self._loop.over:
            raise TreeStopped(self.path)
        self._loop.inbox.post(call, *args)

    def _slot(self, name: str) -> Slot:
        slot = self._loop.roster.slots.get(name)
        if slot is None:
            raise UnknownChild(name)
        return slot

    def _ref(self, slot: Slot) -> ChildRef:
        return ChildRef(slot, self._cancel)

    def _cancel(self, slot: Slot, reason: str) -> None:
        if not self._loop.over:
            self._loop.inbox.post(self._loop.acts.hold, slot, reason)


@asynccontextmanager
async def open_supervisor(*children: Child, **flags: Unpack[Flags]) -> AsyncGenerator[Supervisor]:
    """A supervision tree for as long as the block lasts.

    The children are started one after another, each when the one before is ready; then the body runs beside them. Leaving the block, by
    whatever way, stops them in the reverse order and waits for the last. What the body raises passes through as it is.

    Args:
        children: The static children, in start order.
        flags: See `Flags`: strategy, intensity, period, auto_shutdown, hook, conditions, seed, dice, name, overdue, max_children, redact.

    Raises:
        BadSpec: A flag cannot work, or two children have one id.
        GaveUp: Children failed too often; the body was cancelled.
        StartFailed: A static child did not become ready; those before it were stopped again.
        TooDeep: More than 100 supervisors inside one another.
    """
    loop = Loop(Settings(**flags), children)
    error: BaseException | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(loop.run, name=f"supervisor {'/'.join(loop.path)}")
        try:
            with loop.body:
                await loop.booted.wait()
                if loop.failure is None:
                    yield Supervisor(loop)
        except BaseException as caught:  # noqa: BLE001 - raised again below, out of the nursery's exception group
            error = caught
        loop.inbox.post(loop.close, "its block was left")
    try:
        if error is not None:
            if loop.failure is not None:
                error.add_note(f"meanwhile: {loop.failure}")
            raise error
        if loop.failure is not None:
            raise loop.failure from loop.cause
    finally:
        del error  # its traceback holds this frame
    await trio.lowlevel.checkpoint_if_cancelled()
