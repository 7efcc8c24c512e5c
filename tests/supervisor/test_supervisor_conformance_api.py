"""Conformance F and G: the calls at run time, and significant children."""

import pytest
import trio
from supervisor_cases import case

from supervisor import (
    AutoShutdown,
    Backoff,
    Child,
    ChildAlive,
    ChildEnded,
    ChildExists,
    ExitKind,
    Restart,
    StartFailed,
    State,
    Strategy,
    TreeStopped,
    UnknownChild,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder, Trace, crash, quiet


@case("F1", "F2")
async def test_an_id_that_is_taken_by_a_running_or_a_stopped_child():
    async with open_supervisor() as tree:
        child = Child("a", trio.sleep_forever)
        await tree.start(child)
        with pytest.raises(ChildExists) as caught:
            await tree.start(child)
        assert caught.value.state is State.RUNNING
        await tree.stop("a")
        with pytest.raises(ChildExists) as caught:
            tree.start_soon(child)
        assert caught.value.state is State.DOWN
        assert (await tree.stop("a")).kind is ExitKind.SHUTDOWN
        assert (await tree.restart("a")).generation == 2
        assert (await tree.restart("a")).generation == 3


@case("F4")
async def test_calls_to_a_tree_that_is_gone_raise():
    async with open_supervisor() as tree:
        pass
    with pytest.raises(TreeStopped, match="root"):
        tree.start_soon(Child("a", trio.sleep_forever))


@case("F5")
async def test_an_unknown_id_is_named():
    async with open_supervisor() as tree:
        for call in (tree.stop, tree.restart, tree.delete, tree.join):
            with pytest.raises(UnknownChild, match="'ghost'"):
                await call("ghost")
        with pytest.raises(KeyError):
            tree["ghost"]


@case("F7")
async def test_thousands_of_children_are_counted_and_gone_when_they_end():
    gate = trio.Event()
    async with open_supervisor() as tree:
        for n in range(3000):
            tree.start_soon(Child(f"{n}", gate.wait, restart=Restart.TEMPORARY))
        await quiet()
        assert (tree.count().specs, tree.count().active, len(tree.which())) == (3000, 3000, 3000)
        gate.set()
        await tree.join()
        assert (tree.count().specs, len(tree.which())) == (0, 0)


@case("F9")
async def test_which_knows_present_down_and_deleted_children():
    async with open_supervisor(Child("a", trio.sleep_forever), Child("b", trio.sleep_forever)) as tree:
        await tree.stop("a")
        assert [(status.id, status.state) for status in tree.which()] == [("a", State.DOWN), ("b", State.RUNNING)]
        with pytest.raises(ChildAlive):
            await tree.delete("b")
        await tree.delete("a")
        assert [status.id for status in tree.which()] == ["b"]
        assert ("a" in tree, "b" in tree) == (False, True)


@case("F11")
async def test_a_group_in_the_middle_of_its_restart_is_listed_exactly(autojump_clock):
    trace, event = Trace(), trio.Event()
    slow = Backoff(initial=10, jitter=0)
    children = (Child("a", trace.steady), Child("b", trace.brittle, event, backoff=slow), Child("c", trace.steady))
    async with open_supervisor(*children, strategy=Strategy.REST_FOR_ONE) as tree:
        event.set()
        await trio.sleep(1)
        assert [status.state for status in tree.which()] == [State.RUNNING, State.BACKOFF, State.WAITING]
        await trio.sleep(10)
        assert [status.state for status in tree.which()] == [State.RUNNING] * 3


@case("F11")
async def test_a_member_stopped_by_hand_amid_a_group_restart_stays_down(autojump_clock):
    trace, event = Trace(), trio.Event()
    slow = Backoff(initial=10, jitter=0)
    children = (Child("b", trace.brittle, event, backoff=slow), Child("c", trace.steady), Child("d", trace.steady))
    async with open_supervisor(*children, strategy=Strategy.REST_FOR_ONE) as tree:
        event.set()
        await trio.sleep(1)
        await tree.stop("c")
        await trio.sleep(10)
        assert [status.state for status in tree.which()] == [State.RUNNING, State.DOWN, State.RUNNING]


async def test_a_start_that_is_cancelled_leaves_nothing_behind(autojump_clock):
    trace = Trace()

    async def slow(*, task_status):
        try:
            await trio.sleep(10)
        finally:
            trace.marks.append("-slow")

    async with open_supervisor() as tree:
        with trio.move_on_after(1):
            await tree.start(Child("slow", slow))
        await quiet()
        assert (str(trace), "slow" in tree) == ("-slow", False)


async def test_a_child_stopped_while_it_starts_tells_whoever_waits_for_it(autojump_clock):
    async def slow(*, task_status):
        await trio.sleep(10)

    raised = []

    async def start():
        try:
            await tree.start(Child("slow", slow))
        except StartFailed as error:
            raised.append(error.exit.kind)

    async with open_supervisor() as tree, trio.open_nursery() as nursery:
        nursery.start_soon(start)
        await quiet()
        await tree.stop("slow")
    assert raised == [ExitKind.SHUTDOWN]


# --- G: significant children


def significant(name, *args, restart=Restart.TEMPORARY):
    return Child(name, trio.sleep, *args, restart=restart, significant=True)


@case("G1")
@pytest.mark.parametrize("mode", AutoShutdown)
async def test_children_that_are_not_significant_never_end_the_tree(mode, autojump_clock):
    brief = [Child(f"{restart.value}", trio.sleep, 1, restart=restart) for restart in Restart][1:]
    async with open_supervisor(*brief, Child("crash", crash, restart=Restart.TEMPORARY), auto_shutdown=mode):
        await trio.sleep(5)
    assert trio.current_time() == 5


@case("G2")
async def test_a_significant_transient_that_crashes_is_restarted_and_ends_nothing(autojump_clock):
    flaky = Child("a", crash, 1.0, 2, restart=Restart.TRANSIENT, significant=True)
    async with open_supervisor(flaky, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT) as tree:
        await trio.sleep(10)
        assert tree["a"].generation == 3


@case("G4", "G6")
@pytest.mark.parametrize("restart", [Restart.TEMPORARY, Restart.TRANSIENT])
@pytest.mark.parametrize(("mode", "end"), [(AutoShutdown.ANY_SIGNIFICANT, 1), (AutoShutdown.ALL_SIGNIFICANT, 2)])
async def test_the_tree_ends_with_the_first_or_the_last_of_its_significant_children(mode, end, restart, autojump_clock):
    recorder = Recorder()
    children = (
        significant("a", 1, restart=restart),
        significant("b", 2, restart=restart),
        Child("c", trio.sleep_forever),
    )
    async with open_supervisor(*children, auto_shutdown=mode, hook=recorder) as tree:
        await tree.join()
        assert trio.current_time() == end
        assert tree.count().active == 0
    kinds = {record.path[1]: record.exit.kind for record in recorder.of(ChildEnded)}
    assert kinds["c"] is ExitKind.SHUTDOWN


async def test_a_tree_that_ends_by_itself_cancels_a_body_that_does_not_wait_for_it(autojump_clock):
    async with open_supervisor(significant("a", 3), auto_shutdown=AutoShutdown.ANY_SIGNIFICANT):
        await trio.sleep_forever()
    assert trio.current_time() == 3


async def test_a_significant_child_stopped_by_hand_ends_nothing(autojump_clock):
    async with open_supervisor(significant("a", 3), auto_shutdown=AutoShutdown.ANY_SIGNIFICANT) as tree:
        await tree.stop("a")
        await trio.sleep(5)
    assert trio.current_time() == 5


@case("G4")
async def test_a_significant_subtree_that_ends_by_itself_ends_the_tree_above(autojump_clock):
    inner = subtree(
        "inner",
        significant("leaf", 2),
        auto_shutdown=AutoShutdown.ANY_SIGNIFICANT,
        restart=Restart.TRANSIENT,
        significant=True,
    )
    async with open_supervisor(inner, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT) as tree:
        await tree.wait_closed()
    assert trio.current_time() == 2
