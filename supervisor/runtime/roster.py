"""The children of one supervisor by id, in start order, and how many of them are up.

A slot enters, moves from state to state, and is forgotten; what that means for the child itself is for `Acts`.
"""

from typing import TYPE_CHECKING

from supervisor.errors import ChildExists
from supervisor.lifecycle import State
from supervisor.runtime.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Callable

ALIVE = frozenset({State.STARTING, State.RUNNING, State.STOPPING})
"""The states in which there is a task."""


class Roster:
    """Slots by id, in start order."""

    __slots__ = ("busy", "dynamic", "loose", "ordered", "slots", "when_idle")

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}
        self.ordered: dict[str, Slot] = {}  # those of `slots` with a place in the order of stops
        self.loose: dict[str, Slot] = {}  # the others
        self.busy = 0  # slots that are not down
        self.dynamic = 0  # slots added at run time
        self.when_idle: Callable[[], None] = lambda: None

    def enter(self, slot: Slot) -> None:
        """Take a new slot in, at the end of the order; its id must be free."""
        name = slot.spec.id
        if name in self.slots:
            raise ChildExists(name, self.slots[name].state)
        self.slots[name] = slot
        (self.ordered if slot.ordered else self.loose)[name] = slot
        self.busy += 1
        self.dynamic += slot.dynamic

    def move(self, slot: Slot, state: State) -> None:
        """Have the slot stand in `state`."""
        self.busy += (state is not State.DOWN) - (slot.state is not State.DOWN)
        slot.state = state
        if not self.busy:
            self.when_idle()

    def forget(self, slot: Slot) -> None:
        """Take a slot out; its reference stays readable."""
        name = slot.spec.id
        if self.slots.get(name) is slot:
            del self.slots[name]
            del (self.ordered if slot.ordered else self.loose)[name]
            self.dynamic -= slot.dynamic

    def has_significant(self) -> bool:
        """Whether a significant child lives or will."""
        return any(slot.spec.significant and slot.state is not State.DOWN for slot in self.slots.values())
