"""What a caller or a child has made in the place of a sleeping loop comes out as if the loop had made it."""

import pytest
import trio

from supervisor import (
    Child,
    ChildEnded,
    ChildReady,
    ChildStarting,
    Restart,
    Strategy,
    current_child,
    open_supervisor,
)
from supervisor.testing import Recorder, Trace, quiet


@pytest.mark.parametrize("kind", [ChildStarting, ChildReady])
@pytest.mark.parametrize("where", ["body", "child"])
async def test_a_hook_that_leaves_the_program_at_a_start_takes_the_tree_with_it_and_nothing_hangs(kind, where):
    trace = Trace()

    def hook(record):
        if isinstance(record, kind) and record.path[-1] == "b":
            raise SystemExit(3)

    async def starter():
        await tree.start(Child("b", trace.steady))

    with pytest.raises(BaseExceptionGroup) as caught:  # noqa: PT012 - the block is what is left
        async with open_supervisor(Child("a", trace.steady), hook=hook) as tree:
            if where == "body":
                await starter()
            else:
                tree.start_soon(Child("starter", starter, restart=Restart.TEMPORARY))
            await trio.sleep_forever()
    assert caught.value.subgroup(SystemExit) is not None
    marks = str(trace).split()
    assert sorted(mark[1:] for mark in marks if mark[0] == "+") == sorted(mark[1:] for mark in marks if mark[0] == "-")


@pytest.mark.parametrize("strategy", Strategy)
async def test_a_listener_that_asks_for_more_amid_a_turn_is_served_after_it(strategy):
    recorder = Recorder()

    def hook(record):
        if isinstance(record, ChildReady) and record.path[-1] == "first":
            tree["first"].cancel()
            tree.start_soon(Child("second", trio.sleep_forever))
        recorder(record)

    async with open_supervisor(hook=hook, strategy=strategy) as tree:
        ref = await tree.start(Child("first", trio.sleep_forever))
        await ref.wait()
        await quiet()
        names = [type(record).__name__ for record in recorder.records if record.path[-1] == "first"]
        assert tree["second"].generation == 1
    assert names == ["ChildStarting", "ChildReady", "ChildStopping", "ChildExited", "ChildEnded"]


async def test_many_tasks_that_start_children_at_once_have_them_all():
    recorder = Recorder()
    async with open_supervisor(hook=recorder) as tree, trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(tree.start, Child(f"{number}", trio.sleep_forever))
    assert len(recorder.of(ChildReady)) == len(recorder.of(ChildEnded)) == 100


async def test_a_child_is_not_the_starter_though_the_starter_made_its_start():
    seen = []

    async def inner():
        seen.append(current_child().path)
        await trio.sleep_forever()

    async def outer():
        await tree.start(Child("inner", inner))
        seen.append(current_child().path)
        await trio.sleep_forever()

    async with open_supervisor() as tree:
        await tree.start(Child("outer", outer))
        await quiet()
    assert seen == [("root", "inner"), ("root", "outer")]
