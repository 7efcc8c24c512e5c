"""One running tree, its twin, and those who live in it."""

import trio
from supervisor_puppets import Puppets, Watch
from supervisor_twin import CAPACITY, GRACE, Leaf, Tree

from supervisor import Bounds, Child, GaveUp, Overflow, Restart, State, open_supervisor, subtree
from supervisor.testing import quiet

ROOT, INNER, PERIOD = 4, 2, 10.0


class Stand:
    """One tree, its twin, and those who live in it."""

    def __init__(self, strategies):
        self.puppets = Puppets()
        self.watch = Watch({False: (ROOT, PERIOD), True: (INNER, PERIOD)})
        self.strategies = strategies
        self.twin = Tree("root", Restart.PERMANENT, strategy=strategies[0], intensity=ROOT, statics=self.twins())
        self.twin.begin()
        self.tree = None
        self.ended = None
        self.leave = trio.Event()
        self.ready = trio.Event()
        self.over = trio.Event()
        self.scope = trio.CancelScope()

    def twins(self):
        _, second, third = self.strategies
        deep = lambda: Tree("t", Restart.TRANSIENT, strategy=third, statics=(lambda: Leaf("p", Restart.PERMANENT),))  # noqa: E731 -- one of three specs, which are lambdas all
        return (
            lambda: Leaf("a", Restart.PERMANENT),
            lambda: Tree("s", Restart.PERMANENT, strategy=second, statics=(lambda: Leaf("x", Restart.TRANSIENT), deep)),
            lambda: Leaf("b", Restart.TRANSIENT),
        )

    def leaf(self, name, restart):
        return Child(
            name,
            self.puppets.run,
            restart=restart,
            shutdown=GRACE,
            respond=self.puppets.policy,
            mailbox=Bounds(CAPACITY, Overflow.REJECT),
        )

    def specs(self):
        _, second, third = self.strategies
        inner = {"intensity": INNER, "period": PERIOD}
        deep = subtree("t", self.leaf("p", Restart.PERMANENT), restart=Restart.TRANSIENT, strategy=third, **inner)
        return (
            self.leaf("a", Restart.PERMANENT),
            subtree("s", self.leaf("x", Restart.TRANSIENT), deep, strategy=second, **inner),
            self.leaf("b", Restart.TRANSIENT),
        )

    async def hold(self, how):
        flags = {"strategy": self.strategies[0], "intensity": ROOT, "period": PERIOD, "hook": self.watch}
        try:
            with self.scope:
                async with open_supervisor(*self.specs(), **flags) as self.tree:
                    self.ready.set()
                    await self.leave.wait()
                    if how == ["raise"]:
                        {}["mine"]
        except (GaveUp, KeyError) as error:
            self.ended = error
        else:
            self.ended = "left"
        self.over.set()

    def places(self):
        """The children of each supervisor that have a place in its order, as the twin has them."""
        return {
            path: [child.id for child in tree.children.values() if child.ordered]
            for path, tree in self.twin.trees(("root",))
        }

    def at(self, path):
        tree = self.tree
        for name in path[1:]:
            tree = tree[name].value
        return tree

    def settled(self):
        trees = [self.tree.snapshot()]
        for tree in trees:
            trees += [below for child in tree.children for below in child.below]
        states = {child.state for tree in trees for child in tree.children}
        return states <= {State.RUNNING, State.DOWN} and not any(tree.closing for tree in trees)

    async def rest(self):
        await quiet()
        while self.ended is None and not self.settled():
            await trio.sleep(0.25)
            await quiet()
