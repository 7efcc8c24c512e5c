"""A small naive model of a tree of supervisors: no time between a cause and its effects, everything said in the plainest way."""

from collections import deque

import attrs

from supervisor import ExitKind, Restart, Strategy

GRACE = 0.5
SHIELDED = 2.0
CAPACITY = 3

FAILURES = {ExitKind.CRASH, ExitKind.GAVE_UP}

STOPS = {  # how a leaf behaves when it is stopped: seconds that takes, and how it counts as having ended
    "well": (0.0, ExitKind.SHUTDOWN),
    "swallow": (0.0, ExitKind.SHUTDOWN),
    "raise": (0.0, ExitKind.SHUTDOWN),
    "linger": (GRACE, ExitKind.KILLED),
    "shield": (SHIELDED, ExitKind.KILLED),
}


@attrs.define(eq=False)
class Leaf:
    """A child that takes messages."""

    id: str
    restart: Restart
    ordered: bool = True
    passing: bool = False
    up: bool = True
    held: bool = False
    generation: int = 1
    last: ExitKind | None = None
    manner: str = "well"
    lives: int = 0  # that ended since a person last started it
    urgent: deque = attrs.Factory(deque)
    plain: deque = attrs.Factory(deque)
    parent: "Tree | None" = attrs.field(default=None, repr=False)

    def begin(self):
        self.up, self.manner = True, "well"

    def end(self, kind):
        self.up, self.last = False, kind
        self.lives += 1

    def settle(self):
        """It does not come back by itself."""
        self.urgent.clear()
        self.plain.clear()

    def stop(self):
        """The seconds that its stop takes."""
        seconds, kind = STOPS[self.manner]
        self.end(kind)
        return seconds


@attrs.define(eq=False)
class Tree(Leaf):
    """A supervisor, as a child and as the parent of its own."""

    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 2
    period: float = 10.0
    statics: tuple = ()
    children: dict = attrs.Factory(dict)
    charges: list = attrs.Factory(list)

    def begin(self):
        self.up, self.children, self.charges = True, {}, []
        for make in self.statics:
            self.add(make())

    def add(self, child):
        child.parent = self
        self.children[child.id] = child
        child.begin()

    def stop(self):
        self.end(ExitKind.SHUTDOWN)
        return self.close()

    def close(self):
        living = [child for child in self.children.values() if child.up]
        seconds = max([child.stop() for child in living if not child.ordered], default=0.0)
        seconds += sum(child.stop() for child in reversed(living) if child.ordered)
        self.children = {}
        return seconds

    # --- what happens to a child of it

    def leave(self, name, kind, now):
        child = self.children[name]
        child.end(kind)
        if kind is ExitKind.FAULT:
            self.bring_back(name)
        elif child.restart is Restart.PERMANENT or (child.restart is Restart.TRANSIENT and kind in FAILURES):
            self.charges = [at for at in self.charges if at >= now - self.period] + [now]
            if len(self.charges) > self.intensity:
                self.give_up(now)
            else:
                self.bring_back(name)
        else:
            self.put_down(name)

    def give_up(self, now):
        later = now + self.close()
        self.end(ExitKind.GAVE_UP)
        if self.parent is not None:
            self.parent.leave(self.id, ExitKind.GAVE_UP, later)

    def put_down(self, name):
        child = self.children[name]
        child.settle()
        if child.restart is Restart.TEMPORARY or child.passing:
            del self.children[name]

    def bring_back(self, failed):
        names = list(self.children)
        place = names.index(failed)
        group = {
            Strategy.ONE_FOR_ONE: [failed],
            Strategy.REST_FOR_ONE: names[place:],
            Strategy.ONE_FOR_ALL: names,
        }[self.strategy]
        for name in group:
            child = self.children[name]
            if child.up:
                child.stop()
            if name == failed or not (child.restart is Restart.TEMPORARY or child.held):
                child.generation += 1
                child.begin()
            elif child.restart is Restart.TEMPORARY:
                self.put_down(name)

    def stop_child(self, name):
        child = self.children[name]
        if child.up:
            child.stop()
        child.held = True
        self.put_down(name)

    def revive(self, name):
        child = self.children[name]
        child.lives = 0
        if child.up:
            child.stop()
        child.held = False
        child.generation += 1
        child.begin()

    # --- to look at

    def trees(self, path):
        """Every living supervisor, by its path."""
        yield path, self
        for child in self.children.values():
            if isinstance(child, Tree) and child.up:
                yield from child.trees((*path, child.id))

    def leaves(self, path):
        """Every leaf that lives, by its path."""
        for above, tree in self.trees(path):
            yield from (((*above, leaf.id), leaf) for leaf in tree.children.values() if leaf.up and type(leaf) is Leaf)

    def view(self, path):
        """What a snapshot is expected to tell of every child."""
        return {
            (*above, child.id): (
                child.up,
                child.generation,
                child.last,
                len(child.urgent) + len(child.plain) if type(child) is Leaf else None,
            )
            for above, tree in self.trees(path)
            for child in tree.children.values()
        }
