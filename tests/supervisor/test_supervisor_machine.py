"""A state machine over a running tree and its naive twin: after every step both stand alike, and what no tree may do was not done.

`SUPERVISOR_SEED=n` repeats a run; the seed of each is told in the summary.
"""

import os
import secrets

import hypothesis
import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from supervisor_guest import Guest
from supervisor_stand import INNER, PERIOD, Stand
from supervisor_twin import CAPACITY, STOPS, Leaf, Tree

from supervisor import (
    HISTORY,
    ChildAlive,
    ChildDown,
    ChildExists,
    ExitKind,
    GaveUp,
    MailboxFull,
    Restart,
    State,
    Strategy,
    subtree,
)
from supervisor.testing import quiet

SEED = int(os.environ.get("SUPERVISOR_SEED", "0")) or secrets.randbelow(10**9) + 1
strategies = st.sampled_from(Strategy)
restarts = st.sampled_from(Restart)
anyone = st.integers(0, 99)
names = st.sampled_from(["d", "e", "f"])


class Supervision(RuleBasedStateMachine):
    """The rules are what people and fate do to a tree."""

    steps = 0

    def __init__(self):
        super().__init__()
        self.guest = Guest()
        self.how = []
        self.number = 0
        self.age = 0  # steps since the present tree was opened

    @initialize(first=strategies, second=strategies, third=strategies)
    def open(self, first, second, third):
        self.guest.run(self._open, (first, second, third))

    async def _open(self, strategies):
        self.idle = trio.lowlevel.current_statistics().tasks_living
        self.stand = stand = Stand(strategies)
        self.how.clear()
        self.age = 0
        self.guest.nursery.start_soon(stand.hold, self.how)
        await stand.ready.wait()
        await quiet()
        stand.watch.rest(stand.places())

    def do(self, function, *args):
        """Have it done, and see that what followed was in order."""
        type(self).steps += 1
        self.age += 1
        stand = self.stand

        async def whole():
            answer = await function(*args)
            await stand.rest()
            return answer

        answer = self.guest.run(whole)
        stand.watch.rest(stand.places())
        if not stand.twin.up or stand.ended is not None:
            assert not stand.twin.up, f"the tree ended, its twin did not: {stand.ended!r}"
            assert isinstance(stand.ended, GaveUp), "the twin gave up, the tree did not"
            self.check_end()
        return answer

    def check_end(self):
        stand = self.stand
        assert stand.puppets.live == {}
        assert stand.watch.alive == {}, "an incarnation without an exit"
        assert self.guest.run(self._tasks) == self.idle, "a task outlived the tree"
        self.guest.run(self._open, stand.strategies)

    async def _tasks(self):
        await quiet()
        return trio.lowlevel.current_statistics().tasks_living

    def pick(self, number, things):
        things = list(things)
        return things[number % len(things)] if things else None

    def a_leaf(self, number):
        return self.pick(number, self.stand.twin.leaves(("root",)))

    def a_child(self, number):
        """Any child of any living supervisor: the path above it, the twin of that, its name."""
        trees = self.stand.twin.trees(("root",))
        return self.pick(number, [(path, tree, name) for path, tree in trees for name in tree.children])

    async def _refused(self, error, call, *args):
        with pytest.raises(error):
            await call(*args)

    # --- the rules

    @rule(
        number=anyone, name=names, restart=restarts, how=st.sampled_from(["leaf", "soon", "tree"]), strategy=strategies
    )
    def start(self, number, name, restart, how, strategy):
        path, twin = self.pick(number, self.stand.twin.trees(("root",)))
        tree = self.stand.at(path)
        inside = self.stand.leaf("p", Restart.PERMANENT)
        child = self.stand.leaf(name, restart)
        if how == "tree":
            child = subtree(name, inside, restart=restart, strategy=strategy, intensity=INNER, period=PERIOD)
        if name in twin.children:
            self.do(self._refused, ChildExists, tree.start, child)
            return
        ordered = twin.strategy is not Strategy.ONE_FOR_ONE
        if how == "tree":
            statics = (lambda: Leaf("p", Restart.PERMANENT),)
            twin.add(Tree(name, restart, ordered=ordered, strategy=strategy, statics=statics))
        else:
            twin.add(Leaf(name, restart, ordered=ordered, passing=how == "soon"))
        self.do(self._start_soon if how == "soon" else tree.start, *([tree] if how == "soon" else []), child)

    async def _start_soon(self, tree, child):
        tree.start_soon(child)

    @rule(number=anyone, times=st.integers(1, 6), pause=st.sampled_from([0.0, 0.0, PERIOD / 2, PERIOD]))
    def crash(self, number, times, pause):
        """As often as the child is still there, or until the tree gave up; the pauses end on the edge of the window."""
        found, stand = self.a_leaf(number), self.stand
        for _ in range(times if found else 0):
            if stand is self.stand and found[0] in stand.puppets.live:
                path = found[0]
                twin = next(leaf for place, leaf in stand.twin.leaves(("root",)) if place == path)
                self._end((path, twin), ExitKind.CRASH)
                if pause and stand is self.stand:
                    self.do(trio.sleep, pause)

    @rule(number=anyone)
    def finish(self, number):
        self._end(self.a_leaf(number), ExitKind.NORMAL)

    def _end(self, found, kind):
        if found is None:
            return
        path, leaf = found
        order = {ExitKind.CRASH: "crash", ExitKind.NORMAL: "finish", ExitKind.FAULT: "rain"}[kind]

        async def pull():
            above = next(tree for place, tree in self.stand.twin.trees(("root",)) if place == path[:-1])
            above.leave(leaf.id, kind, trio.current_time())
            self.stand.puppets.tell(path, order)

        self.do(pull)

    @rule(number=anyone, times=st.sampled_from([1, 2, HISTORY + 3]))
    def rain(self, number, times):
        found = self.a_leaf(number)
        for _ in range(times if found else 0):
            self._end(found, ExitKind.FAULT)
        if found:
            seen = self.stand.puppets.histories
            assert len(seen[-1]) == min(found[1].lives, HISTORY)
            self.stand.watch.check_histories(seen)
            seen.clear()

    @rule(number=anyone, manners=st.lists(st.sampled_from(sorted(STOPS)), min_size=1, max_size=4))
    def hang(self, number, manners):
        """From now on a few of them are stopped in another manner, each until its next life."""
        leaves = dict(self.a_leaf(number + place) or (None, None) for place in range(len(manners)))
        for (path, leaf), manner in zip(leaves.items(), manners, strict=False):
            if path is not None:
                leaf.manner = manner
                self.stand.puppets.tell(path, f"be {manner}")

    @rule(number=anyone)
    def stop(self, number):
        if found := self.a_child(number):
            path, twin, name = found
            twin.stop_child(name)
            self.do(self.stand.at(path).stop, name)

    @rule(number=anyone)
    def restart(self, number):
        if found := self.a_child(number):
            path, twin, name = found
            twin.revive(name)
            self.do(self.stand.at(path).restart, name)

    @rule(number=anyone)
    def delete(self, number):
        if found := self.a_child(number):
            path, twin, name = found
            if twin.children[name].up:
                self.do(self._refused, ChildAlive, self.stand.at(path).delete, name)
            else:
                del twin.children[name]
                self.do(self.stand.at(path).delete, name)

    @rule(number=anyone)
    def reorder(self, number):
        """A leaf that is stopped, deleted and started again has the last place."""
        found = self.a_leaf(number)
        if found is None:
            return
        path, leaf = found
        above = next(tree for place, tree in self.stand.twin.trees(("root",)) if place == path[:-1])
        above.stop_child(leaf.id)
        above.children.pop(leaf.id, None)
        above.add(Leaf(leaf.id, leaf.restart, ordered=above.strategy is not Strategy.ONE_FOR_ONE))
        tree = self.stand.at(path[:-1])

        async def move():
            await tree.stop(leaf.id)
            if leaf.id in tree:
                await tree.delete(leaf.id)
            await tree.start(self.stand.leaf(leaf.id, leaf.restart))

        self.do(move)

    @rule(number=anyone, lanes=st.lists(st.booleans(), min_size=1, max_size=CAPACITY + 3))
    def tell(self, number, lanes):
        found = self.a_child(number)
        if found is None or type(leaf := found[1].children[found[2]]) is not Leaf:
            return
        ref = self.stand.at(found[0])[leaf.id]
        for urgent in lanes:
            self.number += 1
            if leaf.up and (urgent or len(leaf.plain) < CAPACITY):
                (leaf.urgent if urgent else leaf.plain).append(self.number)
                ref.tell(self.number, urgent=urgent)
            else:
                with pytest.raises(MailboxFull if leaf.up else ChildDown):
                    ref.tell(self.number, urgent=urgent)

    @rule(times=st.integers(1, 3))
    def take(self, times):
        """Whoever has most messages takes some."""
        leaves = sorted(self.stand.twin.leaves(("root",)), key=lambda found: len(found[1].plain))
        for _ in range(times if leaves else 0):
            path, leaf = leaves[-1]
            if leaf.urgent or leaf.plain:
                first = (leaf.urgent or leaf.plain).popleft()
                self.do(self._take, path)
                assert self.stand.puppets.taken.pop() == first

    async def _take(self, path):
        self.stand.puppets.tell(path, "take")

    @rule(seconds=st.sampled_from([1.0, 4.0, 11.0]))
    def wait(self, seconds):
        self.do(trio.sleep, seconds)

    @rule(how=st.sampled_from(["leave", "cancel", "raise"]))
    @precondition(lambda self: self.age > 10)
    def leave(self, how):
        self.stand.twin.close()
        self.stand.twin.up = False
        self.guest.run(self._leave, how)
        self.stand.watch.rest({})
        self.check_end()

    async def _leave(self, how):
        self.how.append(how)
        (self.stand.scope.cancel if how == "cancel" else self.stand.leave.set)()
        await self.stand.over.wait()

    # --- what holds at every rest

    @invariant()
    def tree_and_twin_stand_alike(self):
        stand = self.stand
        seen = {}
        for path, twin in stand.twin.trees(("root",)):
            statuses = self.guest.run(self._which, path)
            assert [status.id for status in statuses] == list(twin.children)
            seen |= {
                (*path, status.id): (
                    status.state is State.RUNNING,
                    status.generation,
                    status.last.kind if status.last else None,
                    status.mailbox,
                )
                for status in statuses
            }
        assert seen == stand.twin.view(("root",))
        assert stand.puppets.live == {path: leaf.generation for path, leaf in stand.twin.leaves(("root",))}
        assert stand.watch.overdue == stand.puppets.shielded

    async def _which(self, path):
        return self.stand.at(path).which()

    def teardown(self):
        self.guest.close()


@pytest.mark.promise("P1", "P2", "P3", "P4")
def test_whatever_people_and_fate_do_tree_and_twin_stand_alike(record_property):
    machine = hypothesis.seed(SEED)(Supervision)
    Supervision.steps = 0
    try:
        run_state_machine_as_test(
            machine, settings=settings(max_examples=80, stateful_step_count=60, deadline=None, print_blob=True)
        )
    finally:
        record_property("steps", Supervision.steps)
        record_property("SUPERVISOR_SEED", SEED)
    assert Supervision.steps > 2000
