"""Opening and leaving a tree: order, what passes through, what is absorbed."""

import math
import signal

import pytest
import trio

from supervisor import (
    Child,
    ExitKind,
    GaveUp,
    Restart,
    StartFailed,
    Strategy,
    SupervisorGaveUp,
    TreeStopped,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder, Trace, crash, never_ready, quiet


def steady(trace: Trace, *names: str) -> list[Child]:
    return [Child(name, trace.steady) for name in names]


@pytest.mark.promise("P2")
async def test_static_children_start_left_to_right_and_stop_in_reverse():
    trace = Trace()
    async with open_supervisor(*steady(trace, "a", "b", "c")):
        assert trace.take() == "+a +b +c"
    assert trace.take() == "-c -b -a"


@pytest.mark.promise("P2")
async def test_an_outer_cancel_keeps_the_order_of_stops(autojump_clock):
    trace = Trace()
    with trio.move_on_after(1) as scope:
        async with open_supervisor(*steady(trace, "a", "b"), subtree("c", *steady(trace, "d", "e"))):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert str(trace) == "+a +b +d +e -e -d -b -a"


async def test_the_body_meets_an_outer_cancel_even_if_it_does_not_wait():
    with trio.CancelScope() as scope:
        async with open_supervisor(Child("a", trio.sleep_forever)):
            scope.cancel()
        pytest.fail("the cancel was lost")


@pytest.mark.promise("P1")
async def test_a_body_that_raises_stops_the_tree_and_its_error_passes_unwrapped():
    trace = Trace()
    with pytest.raises(KeyError, match="mine"):
        async with open_supervisor(*steady(trace, "a", "b")):
            raise KeyError("mine")
    assert str(trace) == "+a +b -b -a"


async def test_giving_up_cancels_the_body_and_raises_unwrapped_with_the_cause():
    trace = Trace()
    with pytest.raises(GaveUp) as caught:
        async with open_supervisor(*steady(trace, "a"), Child("bad", crash), intensity=2):
            await trio.sleep_forever()
    assert caught.value.child == "bad"
    assert caught.value.exit.kind is ExitKind.CRASH
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert str(trace) == "+a -a"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
async def test_what_is_no_exception_is_never_absorbed_and_the_tree_is_stopped_in_order(error):
    trace = Trace()

    async def leave():
        raise error

    with pytest.raises(error):
        async with open_supervisor(*steady(trace, "a", "b"), Child("leave", leave)):
            await trio.sleep_forever()
    assert str(trace) == "+a +b -b -a"


async def test_a_static_child_that_fails_to_start_unwinds_those_before_it():
    trace = Trace()

    async def broken(*, task_status):
        raise ValueError("no socket")

    with pytest.raises(StartFailed, match="no socket") as caught:
        async with open_supervisor(*steady(trace, "a", "b"), Child("x", broken), *steady(trace, "c")):
            pytest.fail("the body ran")
    assert isinstance(caught.value.__cause__, ValueError)
    assert str(trace) == "+a +b -b -a"


async def test_a_child_that_is_not_ready_in_time_is_a_failed_start(autojump_clock):
    with pytest.raises(StartFailed) as caught:
        async with open_supervisor(Child("slow", never_ready, start_timeout=3)):
            pytest.fail("the body ran")
    assert caught.value.exit.kind is ExitKind.TIMEOUT
    assert trio.current_time() == 3


async def test_a_tree_is_ready_for_trios_own_start_when_its_children_are():
    trace = Trace()

    async def serve(*, task_status=trio.TASK_STATUS_IGNORED):
        async with open_supervisor(*steady(trace, "a", "b")) as tree:
            task_status.started(tree)
            await tree.wait_closed()

    async with trio.open_nursery() as nursery:
        tree = await nursery.start(serve)
        assert trace.take() == "+a +b"
        nursery.cancel_scope.cancel()
    assert trace.take() == "-b -a"
    with pytest.raises(TreeStopped):
        tree.start_soon(Child("late", trio.sleep_forever))


async def test_join_waits_for_all_and_join_with_a_name_for_one(autojump_clock):
    async def nap(seconds):
        await trio.sleep(seconds)
        return seconds

    naps = [Child(f"nap {n}", nap, n, restart=Restart.TEMPORARY) for n in (1, 2, 3)]
    async with open_supervisor(*naps) as tree:
        end = await tree.join("nap 2")
        assert (trio.current_time(), end.kind, end.value) == (2, ExitKind.NORMAL, 2)
        await tree.join()
        assert trio.current_time() == 3
        assert len(tree) == 0


async def test_a_subtree_that_gives_up_is_restarted_by_its_parent_even_when_transient(autojump_clock):
    records, lives = Recorder(), []

    async def bad_in_two_lives():
        lives.append(1)
        await trio.sleep(1 if len(lives) <= 2 else math.inf)
        raise RuntimeError("bad")

    pool = subtree("pool", Child("bad", bad_in_two_lives), intensity=1, restart=Restart.TRANSIENT)
    async with open_supervisor(pool, hook=records) as tree:
        await trio.sleep(10)
        assert tree["pool"].generation == 2
    assert [record.path for record in records.of(SupervisorGaveUp)] == [("root", "pool")]


async def test_under_a_strategy_that_orders_children_started_later_take_the_next_place():
    trace = Trace()
    async with open_supervisor(*steady(trace, "a"), strategy=Strategy.REST_FOR_ONE) as tree:
        for child in steady(trace, "b", "c", "d"):
            await tree.start(child)
    assert str(trace) == "+a +b +c +d -d -c -b -a"


@pytest.mark.parametrize("where", ["body", "child", "loop"])
def test_ctrl_c_stops_the_tree_in_order_wherever_it_strikes(where):
    trace = Trace()

    def strike(record=None):
        if record is None or type(record).__name__ == "SupervisorStarted":
            signal.raise_signal(signal.SIGINT)

    async def child():
        await quiet()
        strike()
        await trio.sleep_forever()

    async def main():
        children = steady(trace, "a", "b") + [Child("striker", child)] * (where == "child")
        async with open_supervisor(*children, hook=strike if where == "loop" else None):
            if where == "body":
                strike()
            await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        trio.run(main)
    assert str(trace) == "+a +b -b -a"
