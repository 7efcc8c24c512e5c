"""A child as others see it: one reference that is good through all its restarts."""

from collections.abc import Callable
from typing import Any

import trio

from supervisor.errors import NoMailbox, SelfAsk
from supervisor.exits import Exit
from supervisor.lifecycle import State
from supervisor.runtime.deadlock import may_wait_for
from supervisor.runtime.incarnation import enclosing
from supervisor.runtime.mailbox import Call, Mailbox
from supervisor.runtime.slot import OneShot, Slot
from supervisor.runtime.stack import stack_of


class ChildRef:
    """A child as others see it: the same through all its restarts."""

    __slots__ = ("_slot", "_stop")

    def __init__(self, slot: Slot, stop: Callable[[Slot, str], None]) -> None:
        self._slot = slot
        self._stop = stop

    def __repr__(self) -> str:
        return f"<ChildRef {'/'.join(self.path)} {self.state.value}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChildRef) and other._slot is self._slot

    def __hash__(self) -> int:
        return hash(self._slot)

    @property
    def id(self) -> str:
        """The id of its spec."""
        return self._slot.spec.id

    @property
    def path(self) -> tuple[str, ...]:
        """The ids from the root down to it."""
        return self._slot.path

    @property
    def state(self) -> State:
        """Where it stands now."""
        return self._slot.state

    @property
    def generation(self) -> int:
        """The number of its present or last incarnation, from 1; 0 before the first."""
        return self._slot.generation

    @property
    def value(self) -> Any:
        """What it gave to `task_status.started()` last."""
        return self._slot.value

    @property
    def exit(self) -> Exit | None:
        """Its final exit, once it does not come back by itself."""
        return self._slot.exit

    def where(self) -> tuple[str, ...]:
        """Where its task waits now, as `file:line in function`; empty when it has none."""
        life = self._slot.incarnation
        return stack_of(life.task) if life is not None else ()

    async def wait(self) -> Exit:
        """Its final exit, as soon as it does not come back by itself.

        Raises:
            WouldDeadlock: It waits for itself, or for one whose turn comes after its own end.
        """
        slot = self._slot
        if slot.exit is not None:
            await trio.lowlevel.checkpoint()
            return slot.exit
        may_wait_for(slot)
        ending: OneShot[Exit] = OneShot()
        slot.on_end(ending.set)
        return await ending.wait()

    def cancel(self, reason: str = "cancelled through its reference") -> None:
        """Ask its supervisor to stop it for good; does not wait."""
        self._stop(self._slot, reason)

    def on_end(self, tell: Callable[[Exit], object]) -> Callable[[], None]:
        """Have `tell` called with its final exit, exactly once; at once if it has ended. The result takes that back.

        What it raises later is counted as an error of a hook, and harms nobody.
        """
        return self._slot.on_end(tell)

    def tell(self, message: Any, *, urgent: bool = False) -> None:
        """Put a message into its mailbox, without waiting; also while it is being restarted.

        Raises:
            ChildDown: It has ended for good.
            MailboxFull: There is no room, and its overflow policy drops nothing.
            NoMailbox: Its spec gives it none.
        """
        self._mailbox().put_nowait(message, urgent=urgent)

    async def send(self, message: Any) -> None:
        """Like `tell`, but wait for room if its overflow policy is `WAIT`."""
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._mailbox().put(message)

    async def ask(self, message: Any) -> Any:
        """Put a message into its mailbox and wait for the answer. The caller's cancel scope is the timeout; a late answer is dropped.

        Raises:
            CalleeDied: The incarnation that had taken the message ended without an answer.
            ChildDown: It has ended for good.
            MailboxFull: There is no room.
            NoMailbox: Its spec gives it none.
            SelfAsk: A child asks itself.
        """
        incarnation = enclosing()
        if incarnation is not None and incarnation.slot is self._slot:
            raise SelfAsk(self.id)
        call = Call(message)
        await self._mailbox().put(call)
        return await call.answer()

    def _mailbox(self) -> Mailbox:
        if self._slot.mailbox is None:
            raise NoMailbox(self.id)
        return self._slot.mailbox
