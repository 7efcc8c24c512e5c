"""Children that do as they are told, and a hook that checks what no tree may ever do."""

from collections import defaultdict, deque

import attrs
import trio
from supervisor_twin import SHIELDED

from supervisor import (
    HISTORY,
    Again,
    ChildExited,
    ChildOverdue,
    ChildRestarting,
    ChildStarting,
    ChildStopping,
    ExitKind,
    Fault,
    SupervisorStarted,
    cleanup,
    current_child,
)


@attrs.define
class Strings:
    """What one life is told."""

    orders: deque = attrs.Factory(deque)
    told: trio.Event = attrs.Factory(trio.Event)
    manner: str = "well"


@attrs.define
class Puppets:
    """`live` are those that run; `taken` is what they took from their mailboxes, `histories` what their policies saw."""

    live: dict = attrs.Factory(dict)
    strings: dict = attrs.Factory(dict)
    taken: list = attrs.Factory(list)
    histories: list = attrs.Factory(list)
    shielded: int = 0

    def tell(self, path, order):
        strings = self.strings[path]
        if order.startswith("be "):
            strings.manner = order[3:]
        else:
            strings.orders.append(order)
            strings.told.set()

    async def run(self, *, mailbox):
        child = current_child()
        assert child.path not in self.live, "two lives of one child at once"
        self.live[child.path] = child.generation
        strings = self.strings[child.path] = Strings()
        try:
            await self._obey(strings, mailbox)
        except trio.Cancelled:
            if strings.manner != "swallow":
                await self._leave(strings.manner)
                raise
        finally:
            del self.live[child.path], self.strings[child.path]

    async def _obey(self, strings, mailbox):
        while True:
            while not strings.orders:
                await strings.told.wait()
                strings.told = trio.Event()
            match strings.orders.popleft():
                case "crash":
                    raise RuntimeError("as told")
                case "rain":
                    raise Fault("as told")
                case "finish":
                    return
                case "take":
                    self.taken.append(await mailbox.receive())

    async def _leave(self, manner):
        match manner:
            case "raise":
                raise RuntimeError("in cleanup")
            case "linger":
                with cleanup(60):
                    await trio.sleep(50)
            case "shield":
                self.shielded += 1
                with trio.CancelScope(shield=True):
                    await trio.sleep(SHIELDED)

    def policy(self, _end, history, *_):
        self.histories.append([past.generation for past in history])
        return Again()


@attrs.define
class Watch:
    """A hook: one start and one exit for each generation, restarts within intensity, stops from the youngest to the oldest, starts the other
    way round; `places` are the children of each supervisor that have a place in its order, as of the last rest.
    """

    limits: dict
    alive: dict = attrs.Factory(dict)
    places: dict = attrs.Factory(dict)
    overdue: int = 0
    _kinds: dict = attrs.Factory(dict)
    _charges: dict = attrs.Factory(lambda: defaultdict(list))
    _walks: dict = attrs.Factory(lambda: defaultdict(list))
    wrong: list = attrs.Factory(list)

    def __call__(self, record):
        try:
            self._look(record)
        except AssertionError as error:  # a hook that raises harms nobody: it is told at the next rest
            self.wrong.append(error)

    def _look(self, record):
        path = record.path
        match record:
            case SupervisorStarted():
                self._charges[path].clear()
            case ChildStarting(generation=generation):
                assert path not in self.alive, f"{path} starts while it lives"
                self.alive[path] = generation
                self._walks[path[:-1]].append(("start", path[-1]))
            case ChildStopping(generation=generation):
                assert self.alive.get(path) == generation, f"{path} is stopped and does not live"
                self._walks[path[:-1]].append(("stop", path[-1]))
            case ChildExited(generation=generation, exit=end):
                assert self.alive.pop(path, None) == generation, f"a second exit of {path} {generation}"
                self._kinds[path] = end.kind
                self._walks[path[:-1]].append(("exit", path[-1]))
            case ChildRestarting(at=at) if self._kinds[path] is not ExitKind.FAULT:
                intensity, period = self.limits[len(path) > 2]
                charges = self._charges[path[:-1]]
                charges.append(at)
                assert sum(charge >= at - period for charge in charges) <= intensity, f"too many restarts of {path}"
            case ChildOverdue(since=since, stack=stack):
                assert since == 1.0
                assert any("_leave" in line for line in stack)
                self.overdue += 1

    def rest(self, places):
        """What was seen since the last rest was in order; `places` are those of now."""
        if self.wrong:
            raise self.wrong[0]
        for above, walk in self._walks.items():
            self._check_stops(above, walk, self.places.get(above, []))
            starts = [place for what, place in _placed(walk, places.get(above, [])) if what == "start"]
            assert starts == sorted(set(starts)), f"{above} starts in the order {starts}: {walk}"
        self._walks.clear()
        self.places = places

    def _check_stops(self, above, walk, places):
        known = _placed(walk, places)
        stops = [place for what, place in known if what == "stop"]
        assert stops == sorted(set(stops), reverse=True), f"{above} stops in the order {stops}: {walk}"
        for at, (what, place) in enumerate(known):
            if what == "stop":
                assert known[at + 1] == ("exit", place), f"{above} does not wait for the end of {place}: {walk}"

    @staticmethod
    def check_histories(histories):
        for seen in histories:
            assert len(seen) <= HISTORY
            assert seen == list(range(seen[0], seen[-1] + 1))


def _placed(walk, places):
    return [(what, places.index(name)) for what, name in walk if name in places]
