"""One test for each pitfall of trio that a supervisor can fall into, numbered as in the design notes (pitfall 1 to 21)."""

import contextvars
import gc
import itertools
import weakref

import pytest
import trio
from trio.testing import MockClock

from supervisor import (
    Bounds,
    Child,
    ChildDown,
    ChildOverdue,
    ExitKind,
    GaveUp,
    Restart,
    StartFailed,
    State,
    TooDeep,
    cleanup,
    current_child,
    open_supervisor,
    subtree,
)
from supervisor.runtime import supervisor as loop_module
from supervisor.testing import Recorder, Trace, crash, fail_in_cleanup, linger, quiet, shield, swallow


@pytest.mark.promise("P3")
async def test_pitfall_1_an_exception_of_a_child_does_not_cancel_its_siblings():
    trace = Trace()
    async with open_supervisor(Child("a", trace.steady), Child("b", crash, 0.0, 1)) as tree:
        await quiet()
        assert (str(trace), tree["b"].generation) == ("+a", 2)


@pytest.mark.promise("P2", "P4")
async def test_pitfall_2_an_outer_cancel_does_not_reach_all_children_in_one_tick():
    trace = Trace()
    with trio.CancelScope() as scope:
        async with open_supervisor(*(Child(name, trace.steady) for name in "abc")):
            scope.cancel()
            await trio.sleep_forever()
    assert str(trace) == "+a +b +c -c -b -a"


@pytest.mark.promise("P12")
async def test_pitfall_3_a_foreign_shield_cannot_be_cut_but_is_reported_again_and_again_with_its_stack(autojump_clock):
    recorder = Recorder()
    async with open_supervisor(Child("a", shield, 100, shutdown=0.5), hook=recorder):
        await quiet()
    reports = recorder.of(ChildOverdue)
    assert trio.current_time() == 100
    assert [report.since for report in reports] == [1, 2, 4, 8, 16, 32, 64]
    assert any("in shield" in line for line in reports[0].stack)


@pytest.mark.parametrize(
    ("run", "shutdown", "kind", "error"),
    [
        (trio.sleep_forever, 5, ExitKind.SHUTDOWN, None),
        (trio.sleep_forever, 0, ExitKind.KILLED, None),
        (swallow, 5, ExitKind.SHUTDOWN, None),
        (fail_in_cleanup, 5, ExitKind.SHUTDOWN, "RuntimeError"),
        (fail_in_cleanup, 0, ExitKind.KILLED, "RuntimeError"),
    ],
)
async def test_pitfall_4_the_kind_of_an_exit_is_decided_from_the_stop_and_the_error(run, shutdown, kind, error):
    async with open_supervisor(Child("a", run, shutdown=shutdown)) as tree:
        await quiet()
        end = await tree.stop("a")
    assert (end.kind, end.error.type if end.error else None) == (kind, error)


async def test_pitfall_5_a_child_that_swallows_the_cancel_has_shut_down_and_is_not_restarted():
    async with open_supervisor(Child("a", swallow)) as tree:
        await quiet()
        assert (await tree.stop("a")).kind is ExitKind.SHUTDOWN
        assert tree["a"].state is State.DOWN


async def test_pitfall_6_an_error_in_cleanup_inside_a_nursery_is_kept_beside_the_shutdown():
    async def nested():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_in_cleanup)

    async with open_supervisor(Child("a", nested)) as tree:
        await quiet()
        end = await tree.stop("a")
    assert (end.kind, end.error.type, end.error.message) == (ExitKind.SHUTDOWN, "RuntimeError", "cleanup failed")


async def test_pitfall_7_a_child_that_swallows_again_and_again_has_shut_down_in_the_end():
    async def stubborn():
        swallowed = 0
        while swallowed < 50:
            try:
                await trio.sleep_forever()
            except trio.Cancelled:
                swallowed += 1

    async with open_supervisor(Child("a", stubborn)) as tree:
        await quiet()
        assert (await tree.stop("a")).kind is ExitKind.SHUTDOWN


async def test_pitfall_8_the_context_of_a_crash_does_not_grow_with_restarts():
    depths = []

    async def bad():
        error = RuntimeError("fresh")
        try:
            raise error
        finally:
            depth, context = 0, error.__context__
            while context is not None:
                depth, context = depth + 1, context.__context__
            depths.append(depth)

    with pytest.raises(GaveUp):
        async with open_supervisor(Child("a", bad), intensity=50):
            await trio.sleep_forever()
    assert set(depths) == {0}


async def test_pitfall_9_a_crash_keeps_no_frame_and_no_local_of_the_child():
    class Big:
        pass

    seen = []

    async def bad():
        big = Big()
        seen.append(weakref.ref(big))
        raise RuntimeError("with big locals")

    with pytest.raises(GaveUp) as caught:
        async with open_supervisor(Child("a", bad), intensity=5):
            await trio.sleep_forever()
    gc.collect()
    assert [reference() for reference in seen] == [None] * 6
    assert "in test_pitfall_9" in caught.value.exit.error.frames[-1]


async def test_pitfall_10_every_incarnation_sees_the_context_of_whoever_started_the_child():
    word = contextvars.ContextVar("word", default="nobody")
    seen = []

    async def child():
        seen.append(word.get())
        word.set("changed inside")
        if current_child().generation < 3:
            raise RuntimeError
        await trio.sleep_forever()

    async with open_supervisor() as tree:
        word.set("starter")
        await tree.start(Child("a", child))
        word.set("later")
        await quiet()
    assert seen == ["starter"] * 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
async def test_pitfall_11_what_is_no_exception_leaves_the_tree_even_from_a_grandchild(error):
    async def nested():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crash, 0.0, 1, error)

    with pytest.raises((error, BaseExceptionGroup)) as caught:
        async with open_supervisor(subtree("below", Child("a", nested))):
            await trio.sleep_forever()
    left = caught.value
    while isinstance(left, BaseExceptionGroup):
        (left,) = left.exceptions
    assert isinstance(left, error)


async def test_pitfall_12_a_mailbox_is_no_generator_so_leaving_its_loop_leaves_nothing_behind():
    async def one(*, mailbox):
        seen = None
        async for message in mailbox:
            seen = message
            break
        return seen

    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("a", one, mailbox=Bounds(), restart=Restart.TEMPORARY))
        ref.tell("first")
        assert (await ref.wait()).value == "first"


async def test_pitfall_13_telling_the_dead_says_that_it_is_dead_and_how_it_died():
    async def deaf(*, mailbox):
        raise RuntimeError("deaf")

    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("a", deaf, mailbox=Bounds(), restart=Restart.TEMPORARY))
        await ref.wait()
        with pytest.raises(ChildDown, match="deaf"):
            ref.tell("hello")


async def test_pitfall_14_a_message_handed_over_in_the_tick_of_a_cancel_is_not_lost():
    seen = []

    async def reader(*, mailbox):
        while True:
            with trio.CancelScope() as scopes["now"]:
                seen.append(await mailbox.receive())

    scopes = {}
    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("a", reader, mailbox=Bounds()))
        await quiet()
        ref.tell(1)
        scopes["now"].cancel()
        ref.tell(2)
        await quiet()
    assert seen == [1, 2]


async def test_pitfall_15_a_child_that_ends_before_it_is_ready_is_a_failed_start_and_twice_ready_is_a_bug():
    async def never(*, task_status):
        pass

    async def twice(*, task_status):
        task_status.started()
        with pytest.raises(RuntimeError, match="twice"):
            task_status.started()
        await trio.sleep_forever()

    async with open_supervisor() as tree:
        with pytest.raises(StartFailed):
            await tree.start(Child("never", never))
        await tree.start(Child("twice", twice))


def test_pitfall_16_order_does_not_depend_on_how_trio_shuffles():
    async def run():
        trace = Trace()
        async with open_supervisor(*(Child(name, trace.steady) for name in "abcdef")):
            pass
        return str(trace)

    assert {trio.run(run, clock=MockClock()) for _ in range(20)} == {"+a +b +c +d +e +f -f -e -d -c -b -a"}


async def test_pitfall_17_others_get_their_turn_while_thousands_are_stopped():
    turns = []

    async def other():
        while True:
            await trio.lowlevel.checkpoint()
            turns.append(tree.count().active)

    async with trio.open_nursery() as nursery:
        async with open_supervisor() as tree:
            for n in range(2000):
                tree.start_soon(Child(f"{n}", trio.sleep_forever, restart=Restart.TEMPORARY))
            await quiet()
            nursery.start_soon(other)
        nursery.cancel_scope.cancel()
    steps = [before - after for before, after in itertools.pairwise(turns)]
    assert max(steps) <= 256
    assert len(set(turns)) > 10


async def test_pitfall_18_stopping_makes_no_exception_group():
    async with open_supervisor() as tree:
        for n in range(100):
            tree.start_soon(Child(f"{n}", trio.sleep_forever, restart=Restart.TEMPORARY))
        await quiet()


def nested(depth, trace):
    tree = Child("leaf", trace.steady)
    for level in range(depth):
        tree = subtree(f"level {level}", tree)
    return tree


async def test_pitfall_19_a_tree_as_deep_as_is_allowed_unwinds_and_a_deeper_one_is_refused():
    trace = Trace()
    with trio.CancelScope() as scope:
        async with open_supervisor(nested(loop_module.DEPTH_LIMIT - 1, trace)):
            assert trace.take() == "+leaf"
            scope.cancel()
            await trio.sleep_forever()
    assert trace.take() == "-leaf"
    with pytest.raises(StartFailed) as caught:
        async with open_supervisor(nested(loop_module.DEPTH_LIMIT, trace)):
            pytest.fail("the body ran")
    cause = caught.value
    while isinstance(cause, StartFailed):
        cause = cause.__cause__
    assert isinstance(cause, TooDeep)


async def test_pitfall_20_nothing_runs_outside_of_the_nursery_of_whoever_opened_the_tree():
    before = {task.name for task in trio.lowlevel.current_root_task().child_nurseries[0].child_tasks}
    async with open_supervisor(Child("a", trio.sleep_forever)):
        after = {task.name for task in trio.lowlevel.current_root_task().child_nurseries[0].child_tasks}
    assert before == after


async def test_pitfall_21_children_have_no_timer_of_their_own():
    async with open_supervisor() as tree:
        before = trio.lowlevel.current_statistics().seconds_to_next_deadline
        for n in range(100):
            tree.start_soon(Child(f"{n}", trio.sleep_forever))
        await quiet()
        assert trio.lowlevel.current_statistics().seconds_to_next_deadline == before


async def test_the_end_of_grace_of_a_subtree_is_that_of_all_below_it(autojump_clock):
    deep = subtree("in", Child("a", linger, lambda: cleanup(100), 50, shutdown=60), shutdown=60)
    async with open_supervisor(subtree("out", deep, shutdown=2)) as tree:
        await quiet()
        await tree.stop("out")
        assert trio.current_time() == 2


async def test_children_and_body_can_be_interrupted_and_the_loop_cannot():
    protected = {}

    async def child():
        protected["child"] = trio.lowlevel.currently_ki_protected()
        await trio.sleep_forever()

    def hook(record):
        protected["loop"] = trio.lowlevel.currently_ki_protected()

    async with open_supervisor(Child("a", child), hook=hook):
        protected["body"] = trio.lowlevel.currently_ki_protected()
    assert protected == {"child": False, "body": False, "loop": True}
