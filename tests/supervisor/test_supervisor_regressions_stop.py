"""What went wrong in other supervisors when they were stopped, or asked for something meanwhile."""

import pytest
import trio

from supervisor import (
    Backoff,
    Child,
    ChildExited,
    ChildStarting,
    ChildStopping,
    State,
    SupervisorError,
    TreeStopped,
    cleanup,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder, Trace, crash, quiet


async def test_suture_35_a_deep_tree_stopped_the_moment_it_was_started_stops_and_leaves_nothing():
    recorder = Recorder()
    below = subtree("0", Child("leaf", trio.sleep_forever))
    for number in range(1, 50):
        below = subtree(f"{number}", below)
    before = trio.lowlevel.current_statistics().tasks_living
    async with open_supervisor(hook=recorder) as tree:
        tree.start_soon(below)
    await quiet()
    assert trio.lowlevel.current_statistics().tasks_living == before
    assert recorder.story()[-1] == "root SupervisorEnded"


async def test_suture_38_a_child_that_failed_is_not_asked_to_stop_nor_waited_for(autojump_clock):
    recorder, slow = Recorder(), Backoff(initial=20, jitter=0)
    async with open_supervisor(Child("a", crash, 0.0, polite=20, shutdown=30, backoff=slow), hook=recorder) as tree:
        await quiet()
        assert tree.which()[0].state is State.BACKOFF
    assert trio.current_time() == 0
    assert recorder.of(ChildStopping) == []
    assert len(recorder.of(ChildExited)) == 1


@pytest.mark.parametrize("when", ["while it stops", "when it is stopped"])
@pytest.mark.parametrize("call", ["start", "start_soon", "restart"])
async def test_suture_41_a_child_added_to_a_tree_that_stops_is_refused_and_nobody_waits(call, when, autojump_clock):
    trace, recorder, leaving = Trace(), Recorder(), trio.Event()

    async def slow():
        try:
            await trio.sleep_forever()
        finally:
            leaving.set()
            with cleanup(5):
                await trio.sleep(2)

    async def add(tree):
        await leaving.wait()
        await trio.sleep(1 if when == "while it stops" else 10)
        with trio.fail_after(1), pytest.raises(TreeStopped):  # noqa: PT012 - one of three calls
            if call == "start":
                await tree.start(Child("late", trace.steady))
            elif call == "restart":
                await tree.restart("slow")
            else:
                tree.start_soon(Child("late", trace.steady))

    async with trio.open_nursery() as nursery:  # noqa: SIM117 - it outlives the tree
        async with open_supervisor(Child("slow", slow), hook=recorder) as tree:
            nursery.start_soon(add, tree)
            await quiet()
    assert len(recorder.of(ChildStarting)) == 1
    assert str(trace) == ""


@pytest.mark.parametrize("calls", [("stop", "restart"), ("stop", "restart", "stop", "restart", "delete")])
async def test_whoever_stops_a_child_hears_of_its_end_also_when_another_restarts_it_meanwhile(calls, autojump_clock):
    answered = []

    async def call(verb):
        try:
            await getattr(tree, verb)("a")
        except SupervisorError as error:
            answered.append(type(error))
        else:
            answered.append(verb)

    for _ in range(20):
        async with open_supervisor(Child("a", trio.sleep_forever)) as tree:
            with trio.fail_after(5):
                async with trio.open_nursery() as nursery:
                    for verb in calls:
                        nursery.start_soon(call, verb)
    assert len(answered) == 20 * len(calls)
