"""Random stories against a small naive model: whatever happens in whatever order, tree and model agree at every rest."""

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from supervisor import (
    HISTORY,
    Again,
    Bounds,
    Child,
    ChildAlive,
    ChildEnded,
    ChildExists,
    ChildExited,
    ChildStarting,
    Fault,
    GaveUp,
    Restart,
    State,
    Stop,
    Strategy,
    TreeStopped,
    UnknownChild,
    current_child,
    open_supervisor,
)
from supervisor.testing import Recorder, quiet

NAMES = "abcde"
INTENSITY, PERIOD = 2, 10.0


@attrs.define
class Twin:
    """What the model knows of a child."""

    restart: Restart
    up: bool = True
    held: bool = False
    generation: int = 1


@attrs.define
class Model:
    """A supervisor without time between a cause and its effects."""

    strategy: Strategy
    children: dict[str, Twin] = attrs.Factory(dict)
    charges: list[float] = attrs.Factory(list)
    over: bool = False

    def start(self, name, restart):
        if name not in self.children:
            self.children[name] = Twin(restart)

    def leave(self, name, now, *, crashes):
        twin = self.children.get(name)
        if twin is None or not twin.up:
            return
        twin.up = False
        if twin.restart is Restart.TEMPORARY:
            del self.children[name]
        elif twin.restart is Restart.PERMANENT or crashes:
            self.charges = [at for at in self.charges if at >= now - PERIOD] + [now]
            if len(self.charges) > INTENSITY:
                self.over = True
            else:
                self.regroup(name)

    def regroup(self, failed):
        names = list(self.children)
        group = {
            Strategy.ONE_FOR_ONE: [failed],
            Strategy.REST_FOR_ONE: names[names.index(failed) :],
            Strategy.ONE_FOR_ALL: names,
        }[self.strategy]
        for name in group:
            twin = self.children[name]
            if twin.restart is Restart.TEMPORARY:
                del self.children[name]
            elif not twin.held:
                twin.up, twin.generation = True, twin.generation + 1

    def stop(self, name):
        twin = self.children.get(name)
        if twin is None:
            return
        twin.up, twin.held = False, True
        if twin.restart is Restart.TEMPORARY:
            del self.children[name]

    def revive(self, name):
        if name in self.children:
            twin = self.children[name]
            twin.up, twin.held, twin.generation = True, False, twin.generation + 1

    def delete(self, name):
        if name in self.children and not self.children[name].up:
            del self.children[name]

    def view(self):
        return [(name, twin.up, twin.generation) for name, twin in self.children.items()]


@attrs.define
class Puppets:
    """Children that live until they are told how to end; `live` are those that run."""

    strings: dict[str, tuple[trio.Event, list[str]]] = attrs.Factory(dict)
    live: list[tuple[str, int]] = attrs.Factory(list)

    async def run(self):
        child = current_child()
        me = (child.id, child.generation)
        event, orders = self.strings[child.id] = trio.Event(), []
        self.live.append(me)
        try:
            await event.wait()
        finally:
            self.live.remove(me)
        if orders == ["crash"]:
            raise RuntimeError("as told")

    def pull(self, name, order):
        if name in {running for running, _ in self.live}:
            event, orders = self.strings[name]
            orders.append(order)
            event.set()


steps = st.one_of(
    st.tuples(st.just("start"), st.sampled_from(NAMES), st.sampled_from(Restart)),
    st.tuples(st.sampled_from(["crash", "finish", "stop", "revive", "delete"]), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 4.0, 11.0]), st.none()),
)


async def play(tree, model, puppets, clock, step):
    verb, name, restart = step
    match verb:
        case "wait":
            clock.jump(name)
        case "start":
            model.start(name, restart)
            try:
                await tree.start(Child(name, puppets.run, restart=restart))
            except ChildExists:
                assert name in tree
        case "crash" | "finish":
            model.leave(name, trio.current_time(), crashes=verb == "crash")
            puppets.pull(name, verb)
        case _:
            getattr(model, verb)(name)
            call = {"stop": tree.stop, "revive": tree.restart, "delete": tree.delete}[verb]
            try:
                await call(name)
            except (UnknownChild, ChildAlive):
                assert verb == "delete" or name not in model.children
    await quiet()


def check_at_rest(tree, model, puppets):
    seen = [(status.id, status.state is State.RUNNING, status.generation) for status in tree.which()]
    assert seen == model.view()
    assert sorted(puppets.live) == sorted((name, generation) for name, up, generation in seen if up)


def check_log(recorder):
    starts = [(record.path, record.generation) for record in recorder.of(ChildStarting)]
    exits = [(record.path, record.generation) for record in recorder.of(ChildExited)]
    assert sorted(starts) == sorted(exits)


async def tell(strategy, story, clock):
    model, puppets, recorder = Model(strategy), Puppets(), Recorder()
    statics = [Child(name, puppets.run) for name in NAMES[:3]]
    for child in statics:
        model.start(child.id, child.restart)
    try:
        async with open_supervisor(
            *statics, strategy=strategy, intensity=INTENSITY, period=PERIOD, hook=recorder
        ) as tree:
            for step in story:
                await play(tree, model, puppets, clock, step)
                assert not model.over
                check_at_rest(tree, model, puppets)
            before = len(recorder.of(ChildEnded))
            ordered = [slot.spec.id for slot in tree._loop.roster.ordered.values() if slot.state is State.RUNNING]
    except GaveUp:
        assert model.over
    else:
        ended = [record.path[1] for record in recorder.of(ChildEnded)[before:]]
        assert [name for name in ended if name in ordered] == [*reversed(ordered)]
    assert puppets.live == []
    check_log(recorder)


@pytest.mark.promise("P1", "P3")
@settings(max_examples=250, deadline=None, print_blob=True)
@given(strategy=st.sampled_from(Strategy), story=st.lists(steps, max_size=40))
def test_tree_and_model_agree_at_every_rest_and_nothing_lives_after_the_block(strategy, story):
    clock = MockClock()
    trio.run(tell, strategy, story, clock, clock=clock)


@settings(max_examples=60, deadline=None)
@given(
    puts=st.lists(
        st.one_of(st.tuples(st.just("tell"), st.booleans()), st.tuples(st.just("take"), st.none())), max_size=60
    )
)
def test_a_mailbox_is_first_in_first_out_in_each_lane(puts):
    async def run():
        taken, told = [], []

        async def reader(*, mailbox):
            while True:
                await gate[0].wait()
                gate[0] = trio.Event()
                taken.append(await mailbox.receive())

        gate = [trio.Event()]
        async with open_supervisor(Child("a", reader, mailbox=Bounds(100))) as tree:
            for number, (verb, urgent) in enumerate(puts):
                if verb == "tell":
                    told.append((number, urgent))
                    tree["a"].tell((number, urgent), urgent=urgent)
                else:
                    gate[0].set()
                    await quiet()
        for lane in (True, False):
            in_lane = [message for message in taken if message[1] is lane]
            assert in_lane == [message for message in told if message[1] is lane][: len(in_lane)]

    trio.run(run)


async def test_the_history_that_a_policy_sees_is_bounded(autojump_clock):
    lengths = []

    async def rain():
        raise Fault("rain")

    def policy(end, history, conditions, now, roll):
        lengths.append(len(history))
        return Again() if len(lengths) < 100 else Stop()

    async with open_supervisor(Child("a", rain, respond=policy)) as tree:
        await tree.join("a")
    assert max(lengths) == HISTORY
    assert lengths[-1] == HISTORY


async def test_calls_that_meet_the_end_of_the_tree_are_answered():
    answers = []

    async def call(tree, verb):
        try:
            await getattr(tree, verb)("a")
        except (ChildAlive, TreeStopped, UnknownChild) as error:
            answers.append(type(error).__name__)
        else:
            answers.append("done")

    async with trio.open_nursery() as nursery, open_supervisor(Child("a", trio.sleep_forever)) as tree:
        for verb in ("restart", "delete", "stop"):
            nursery.start_soon(call, tree, verb)
    assert len(answers) == 3
