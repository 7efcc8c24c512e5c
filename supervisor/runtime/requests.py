"""What people ask of a supervisor for one child: posted by the `Supervisor` they hold, done by the loop in its turn.

Nothing here waits; an answer that is not there yet is left to whoever waits for the child.
"""

from supervisor.errors import ChildAlive
from supervisor.exits import Exit
from supervisor.lifecycle import State
from supervisor.runtime.acts import NEVER_RAN
from supervisor.runtime.slot import OneShot, Slot
from supervisor.runtime.supervisor import Loop
from supervisor.spec import Child


def begin(loop: Loop, slot: Slot) -> None:
    """Run a child that was entered."""
    if slot.state is State.WAITING and loop.closing is None:
        loop.acts.spawn(slot)


def revive(loop: Loop, slot: Slot, reply: OneShot[Exit | None]) -> None:
    """Run a child anew: one that is down or waits starts, one that runs is stopped first, one that is stopped on purpose ends first."""
    if loop.closing is not None or loop.roster.slots.get(slot.spec.id) is not slot:
        reply.set(NEVER_RAN)
        return
    if slot.held and slot.incarnation is not None:  # whoever stops it is still to hear of its end
        slot.on_end(lambda _: loop.inbox.post(revive, loop, slot, reply))
        return
    slot.on_ready(reply)
    slot.begin_anew()
    if slot.incarnation is not None:
        slot.doomed = slot.returns = True
        loop.acts.halt(slot, "restarted by hand")
    else:
        loop.acts.await_turn(slot)
        loop.take_turn(slot)


def replace(slot: Slot, child: Child) -> None:
    """Have the next incarnation be of another spec; one without an incarnation has it at once."""
    slot.successor = child
    if slot.incarnation is None:
        slot.renew()


def delete(loop: Loop, slot: Slot, reply: OneShot[ChildAlive | None]) -> None:
    """Forget a child that is down, or tell why not."""
    if slot.state is State.DOWN:
        loop.roster.forget(slot)
        reply.set(None)
    else:
        reply.set(ChildAlive(slot.spec.id, slot.state))
