"""Many tasks pull at one tree at once, with slow stops, failing starts, faults and backoffs; what must hold, holds in the end."""

from collections import Counter

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from supervisor import (
    Backoff,
    Child,
    ChildEnded,
    ChildExited,
    ChildStarting,
    Fault,
    GaveUp,
    Ignore,
    Next,
    Restart,
    Retry,
    Rungs,
    StartFailed,
    State,
    Strategy,
    SupervisorError,
    TreeStopped,
    cleanup,
    current_child,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder

NAMES = "abcdef"
CALM = 200.0  # seconds until every script has run out and every delay is over


class Weather:
    """Children that take the next word of a script at each life; `live` are those that run."""

    def __init__(self, script):
        self.script = list(script)
        self.live = Counter()

    async def child(self, *, variant="main", task_status):
        assert variant == current_child().variant or variant == "main"
        me = current_child().path
        word = self.script.pop() if self.script else "live"
        self.live[me] += 1
        try:
            if word == "no start":
                raise RuntimeError("no start")
            if word == "declines":
                raise Ignore
            await trio.sleep(0.5 if word == "slow start" else 0)
            task_status.started()
            await self.life(word)
        finally:
            try:
                with cleanup(3 if word == "slow stop" else 1):
                    await trio.sleep(2 if word == "slow stop" else 0)
            finally:
                self.live[me] -= 1

    async def life(self, word):
        if word == "leaves":
            await current_child().leaving.wait()
            return
        await trio.sleep({"live": 1000, "slow stop": 1000, "brief": 0.1}.get(word, 0.3))
        if word == "crash":
            raise RuntimeError("crash")
        if word == "rain":
            raise Fault("rain")


words = st.lists(
    st.sampled_from(["live", "brief", "crash", "rain", "no start", "slow start", "slow stop", "declines", "leaves"]),
    max_size=40,
)
pulls = st.lists(
    st.tuples(
        st.sampled_from(["start", "start_soon", "stop", "restart", "delete", "subtree", "replace"]),
        st.sampled_from(NAMES),
        st.sampled_from([0.0, 0.2, 1.0]),
        st.sampled_from(Restart),
    ),
    max_size=12,
)


def spec(weather, name, restart):
    ladder = Rungs(Retry(2, Backoff(initial=0.5, jitter=0)), Next("other"))
    slow = Backoff(initial=0.2, jitter=0)
    polite = 0.4 if name in "ace" else 0.0
    return Child(name, weather.child, restart=restart, respond=ladder, backoff=slow, shutdown=1.5, polite=polite)


async def pull(tree, weather, calls, refs):
    for verb, name, pause, restart in calls:
        await trio.sleep(pause)
        try:
            match verb:
                case "start":
                    refs.append(await tree.start(spec(weather, name, restart)))
                case "start_soon":
                    refs.append(tree.start_soon(spec(weather, name, restart)))
                case "subtree":
                    below = subtree(name, spec(weather, "leaf", restart), restart=restart, shutdown=1.0)
                    refs.append(await tree.start(below))
                case "replace":
                    tree[name] = spec(weather, name, restart)
                case _:
                    await getattr(tree, verb)(name)
        except SupervisorError:
            pass


def leave(how, scope):
    if how == "cancel":
        scope.cancel()
    elif how == "raise":
        raise KeyError("mine")


async def storm(strategy, script, stories, leave_after, how):
    weather, recorder, refs = Weather(script), Recorder(), []
    statics = [spec(weather, f"static {n}", Restart.PERMANENT) for n in range(3)]
    try:
        with trio.fail_after(10_000), trio.CancelScope() as outer:
            async with (
                trio.open_nursery() as nursery,
                open_supervisor(
                    *statics, strategy=strategy, intensity=6, period=5, hook=recorder, max_children=5
                ) as tree,
            ):
                for story in stories:
                    nursery.start_soon(pull, tree, weather, story, refs)
                await trio.sleep(leave_after)
                if leave_after == CALM:
                    assert {status.state for status in tree.which()} <= {State.RUNNING, State.DOWN}
                leave(how, outer)
    except* (GaveUp, KeyError, StartFailed):
        pass
    return weather, recorder, refs


@pytest.mark.promise("P1", "P4", "P12")
@settings(max_examples=200, deadline=None, print_blob=True)
@given(
    strategy=st.sampled_from(Strategy),
    script=words,
    stories=st.lists(pulls, min_size=1, max_size=3),
    leave_after=st.sampled_from([0.0, 0.3, 2.0, CALM]),
    how=st.sampled_from(["leave", "cancel", "raise"]),
)
def test_after_any_storm_nothing_lives_and_every_end_was_told_once(strategy, script, stories, leave_after, how):
    clock = MockClock(autojump_threshold=0)
    weather, recorder, refs = trio.run(storm, strategy, script, stories, leave_after, how, clock=clock)
    assert +weather.live == Counter()
    starts = Counter((record.path, record.generation) for record in recorder.of(ChildStarting))
    exits = Counter((record.path, record.generation) for record in recorder.of(ChildExited))
    assert starts == exits
    last = {record.path: record for record in recorder.records if type(record).__name__.startswith("Child")}
    assert {type(record) for record in last.values()} <= {ChildEnded}
    assert all(ref.exit is not None for ref in refs)


def test_a_stopped_tree_answers_every_caller():
    async def run():
        async with open_supervisor() as tree:
            pass
        with pytest.raises(TreeStopped):
            await tree.start(Child("a", trio.sleep_forever))

    trio.run(run)
