"""Conformance C, D, E and I: restart types, strategies, intensity, backoff."""

import math

import pytest
import trio
from supervisor_cases import case

from supervisor import (
    Backoff,
    Child,
    ChildExists,
    ChildExited,
    ChildRestarting,
    ExitKind,
    GaveUp,
    Restart,
    State,
    Strategy,
    current_child,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder, Trace, crash, quiet

WAYS = ("returns", "is cancelled by itself", "crashes")


async def leave(way):
    """End in the first life in this way; live on in the next."""
    if current_child().generation > 1:
        await trio.sleep_forever()
    await quiet()
    match way:
        case "crashes":
            raise RuntimeError
        case "is cancelled by itself":
            with trio.CancelScope() as scope:
                scope.cancel()
                await trio.lowlevel.checkpoint()


# --- C: restart types


@case("C1", "C2", "C3")
@pytest.mark.parametrize("way", WAYS)
async def test_a_permanent_child_always_comes_back(way, autojump_clock):
    async with open_supervisor(Child("a", leave, way)) as tree:
        await trio.sleep(1)
        assert (tree["a"].state, tree["a"].generation) == (State.RUNNING, 2)
        assert (tree.count().specs, tree.count().active) == (1, 1)


@case("C4", "C6")
@pytest.mark.parametrize(("way", "generation"), list(zip(WAYS, (1, 1, 2), strict=True)))
async def test_a_transient_child_comes_back_after_a_failure_only_and_is_kept(way, generation, autojump_clock):
    async with open_supervisor(Child("a", leave, way, restart=Restart.TRANSIENT)) as tree:
        await trio.sleep(1)
        assert tree["a"].generation == generation
        assert (tree.count().specs, tree.count().active) == (1, generation - 1)


@case("C7", "C8", "C9")
@pytest.mark.parametrize("way", WAYS)
async def test_a_temporary_child_never_comes_back_and_can_be_added_again(way):
    async with open_supervisor() as tree:
        for _ in range(2):
            ref = await tree.start(Child("a", leave, way, restart=Restart.TEMPORARY))
            end = await ref.wait()
            assert end.kind is (ExitKind.CRASH if way == "crashes" else ExitKind.NORMAL)
            assert (tree.count().specs, len(tree)) == (0, 0)


@case("C11")
def test_only_a_normal_end_an_ordered_stop_and_a_start_declined_count_as_well():
    well = [ExitKind.NORMAL, ExitKind.SHUTDOWN, ExitKind.IGNORED]
    assert [kind for kind in ExitKind if not kind.abnormal] == well


@case("C12")
@pytest.mark.parametrize("strategy", Strategy)
async def test_an_id_is_free_again_only_when_its_spec_is_forgotten(strategy, autojump_clock):
    async with open_supervisor(strategy=strategy) as tree:
        for restart in Restart:
            child = Child(restart.value, leave, "returns", restart=restart)
            await tree.start(child)
            await trio.sleep(1)
            if restart is Restart.TEMPORARY:
                await tree.start(child)
                continue
            with pytest.raises(ChildExists) as caught:
                await tree.start(child)
            assert caught.value.state is (State.RUNNING if restart is Restart.PERMANENT else State.DOWN)
        assert (await tree.restart("transient")).state is State.RUNNING


@case("C15")
async def test_the_started_value_is_that_of_the_present_life():
    async def numbered(*, task_status):
        task_status.started(current_child().generation * 10)
        await trio.sleep_forever()

    async with open_supervisor() as tree:
        ref = await tree.start(Child("a", numbered))
        assert ref.value == 10
        assert (await tree.restart("a")).value == 20
        assert ref.value == 20


# --- D: strategies; b crashes in a b c d

STORIES = {
    Strategy.ONE_FOR_ONE: "-b +b",
    Strategy.REST_FOR_ONE: "-b -d -c +b +c +d",
    Strategy.ONE_FOR_ALL: "-b -d -c -a +a +b +c +d",
}


def four(trace, event, **options):
    rest = {name: Child(name, trace.steady, **options.get(name, {})) for name in "acd"}
    return rest["a"], Child("b", trace.brittle, event), rest["c"], rest["d"]


@case("D1", "D2", "D4")
@pytest.mark.promise("P3")
@pytest.mark.parametrize("strategy", Strategy)
async def test_a_crash_touches_those_whom_the_strategy_names_in_order(strategy):
    trace, event = Trace(), trio.Event()
    async with open_supervisor(*four(trace, event), strategy=strategy):
        assert trace.take() == "+a +b +c +d"
        event.set()
        await quiet()
        assert trace.take() == STORIES[strategy]
    assert trace.take() == "-d -c -b -a"


@case("D5", "E4")
@pytest.mark.parametrize("strategy", Strategy)
async def test_a_restart_that_always_fails_ends_the_tree_after_exactly_intensity_attempts(strategy):
    trace, event = Trace(), trio.Event()
    event.set()
    children = (Child("a", trace.steady), Child("b", trace.brittle, event, 99))
    with pytest.raises(GaveUp):
        async with open_supervisor(*children, strategy=strategy, intensity=4):
            await trio.sleep_forever()
    assert trace.marks.count("!b") == 4
    assert trace.marks.count("+a") == trace.marks.count("-a")


@case("D7")
async def test_under_rest_for_one_a_failing_restart_is_repeated_from_the_one_that_fails():
    trace, event, fails = Trace(), trio.Event(), []

    async def flaky(*, task_status):
        if 0 < len(fails) <= 2:
            fails.append(1)
            trace.marks.append("!f")
            raise RuntimeError
        fails.append(1)
        trace.marks.append("+f")
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            trace.marks.append("-f")

    children = (Child("b", trace.brittle, event), Child("f", flaky), Child("z", trace.steady))
    async with open_supervisor(*children, strategy=Strategy.REST_FOR_ONE):
        trace.take()
        event.set()
        await quiet()
        assert trace.take() == "-b -z -f +b !f !f +f +z"


@case("D7")
async def test_under_one_for_all_a_failing_restart_begins_from_the_start():
    trace, event = Trace(), trio.Event()
    children = (Child("a", trace.steady), Child("f", trace.brittle, event, 2), Child("z", trace.steady))
    async with open_supervisor(*children, strategy=Strategy.ONE_FOR_ALL):
        trace.take()
        event.set()
        await quiet()
        assert trace.take() == "-f -z -a +a !f -a +a !f -a +a +f +z"


@case("D8")
async def test_a_subtree_that_is_rebuilt_has_its_static_children_and_not_the_dynamic_ones(autojump_clock):
    async def bomb():
        await trio.sleep(1 if current_child().path[1] == "x" and trio.current_time() < 1 else math.inf)
        raise RuntimeError

    pools = [subtree(name, Child("bomb", bomb), intensity=0) for name in ("x", "y")]
    async with open_supervisor(*pools, strategy=Strategy.ONE_FOR_ALL) as tree:
        await tree["y"].value.start(Child("dynamic", trio.sleep_forever))
        await trio.sleep(3)
        assert [tree[name].generation for name in "xy"] == [2, 2]
        assert [status.id for status in tree["y"].value.which()] == ["bomb"]


@case("D10")
async def test_a_group_restart_starts_a_transient_that_had_ended_but_not_one_stopped_on_purpose(autojump_clock):
    event, trace = trio.Event(), Trace()
    ended = Child("ended", leave, "returns", restart=Restart.TRANSIENT)
    children = (ended, Child("stopped", trio.sleep_forever), Child("b", trace.brittle, event))
    async with open_supervisor(*children, strategy=Strategy.ONE_FOR_ALL) as tree:
        await tree.stop("stopped")
        await trio.sleep(1)
        assert tree["ended"].state is State.DOWN
        event.set()
        await trio.sleep(1)
        assert tree["ended"].state is State.RUNNING
        assert tree["stopped"].state is State.DOWN
        assert (await tree.restart("stopped")).state is State.RUNNING


@case("D11")
@pytest.mark.parametrize("strategy", Strategy)
async def test_the_crash_of_a_temporary_child_touches_nobody(strategy):
    trace = Trace()
    async with open_supervisor(Child("a", trace.steady), strategy=strategy, intensity=0) as tree:
        ref = await tree.start(Child("t", crash, restart=Restart.TEMPORARY))
        await ref.wait()
        await quiet()
        assert trace.take() == "+a"


@case("D11")
async def test_temporary_members_of_a_group_are_stopped_and_not_started_again():
    trace, event = Trace(), trio.Event()
    gone = {"c": {"restart": Restart.TEMPORARY}}
    async with open_supervisor(*four(trace, event, **gone), strategy=Strategy.ONE_FOR_ALL) as tree:
        trace.take()
        event.set()
        await quiet()
        assert trace.take() == "-b -d -c -a +a +b +d"
        assert "c" not in tree


@case("D14")
async def test_a_dynamic_child_is_part_of_the_group_too():
    trace, event = Trace(), trio.Event()
    async with open_supervisor(Child("b", trace.brittle, event), strategy=Strategy.REST_FOR_ONE) as tree:
        tree.start_soon(Child("late", trace.steady))
        await quiet()
        trace.take()
        event.set()
        await quiet()
        assert trace.take() == "-b -late +b +late"


# --- E: intensity


@case("E1", "E7")
@pytest.mark.parametrize(("gap", "survives"), [(2.1, True), (1.0001, True), (1.0, False), (0.9, False)])
async def test_the_window_is_closed_at_both_ends(gap, survives, autojump_clock):
    async def run():
        async with open_supervisor(Child("a", crash, gap, 6), intensity=1, period=1):
            await trio.sleep(20)

    if survives:
        await run()
    else:
        with pytest.raises(GaveUp):
            await run()


@case("E3")
@pytest.mark.parametrize("intensity", [0, 1, 5])
async def test_the_restart_after_the_last_that_is_allowed_ends_the_tree(intensity, autojump_clock):
    async with open_supervisor(Child("a", crash, 0.1, intensity), intensity=intensity, period=60) as tree:
        await trio.sleep(10)
        assert tree["a"].generation == intensity + 1
    with pytest.raises(GaveUp):
        async with open_supervisor(Child("a", crash, 0.1, intensity + 1), intensity=intensity, period=60):
            await trio.sleep(10)


@case("E6")
async def test_restarts_by_hand_are_never_charged():
    async with open_supervisor(Child("a", trio.sleep_forever), intensity=0) as tree:
        for _ in range(100):
            await tree.stop("a")
            await tree.restart("a")
        await tree.restart("a")
        assert tree["a"].generation == 102


@case("E9")
async def test_each_failed_attempt_is_charged_once():
    trace, event = Trace(), trio.Event()
    async with open_supervisor(Child("b", trace.brittle, event, 1), intensity=2):
        event.set()
        await quiet()
        assert trace.take() == "+b -b !b +b"


@case("E10", "I2")
async def test_after_a_quiet_period_restarts_count_from_zero(autojump_clock):
    lives = Child("a", crash, 11, 5, backoff=Backoff(initial=1, jitter=0))
    recorder = Recorder()
    async with open_supervisor(lives, intensity=1, period=10, hook=recorder):
        await trio.sleep(100)
    assert [record.after for record in recorder.of(ChildRestarting)] == [1] * 5


# --- I: backoff


@case("I1")
async def test_delays_double_up_to_their_cap(autojump_clock):
    recorder = Recorder()
    slow = Backoff(initial=1, multiplier=2, cap=10, jitter=0)
    async with open_supervisor(Child("a", crash, 0.0, 6, backoff=slow), intensity=9, period=100, hook=recorder):
        await trio.sleep(60)
    assert [record.after for record in recorder.of(ChildRestarting)] == [1, 2, 4, 8, 10, 10]


@case("I4")
async def test_a_backoff_does_not_hide_a_child_from_the_intensity(autojump_clock):
    slow = Backoff(initial=1, multiplier=1, jitter=0)
    with pytest.raises(GaveUp):
        async with open_supervisor(Child("a", crash, backoff=slow), intensity=3, period=10):
            await trio.sleep(60)
    assert trio.current_time() == 3


@case("I7", "I8")
async def test_a_child_in_backoff_is_shown_as_such_and_can_be_stopped_deleted_and_hurried(autojump_clock):
    slow = Backoff(initial=100, cap=100, jitter=0)
    async with open_supervisor(*(Child(name, crash, 0.0, 1, backoff=slow) for name in "abc")) as tree:
        await quiet()
        assert [status.state for status in tree.which()] == [State.BACKOFF] * 3
        await tree.stop("a")
        await tree.delete("a")
        assert (await tree.restart("b")).generation == 2
    assert trio.current_time() == 0


@case("I9")
async def test_a_first_start_that_fails_is_told_and_not_repeated():
    lives = []

    async def broken(*, task_status):
        lives.append(1)
        raise RuntimeError

    async with open_supervisor(intensity=100) as tree:
        ref = tree.start_soon(Child("a", broken))
        end = await ref.wait()
    assert (len(lives), end.kind, end.ready) == (1, ExitKind.CRASH, False)


@case("I6")
async def test_every_incarnation_has_exactly_one_exit():
    recorder = Recorder()
    with pytest.raises(GaveUp):
        async with open_supervisor(Child("a", crash), intensity=20, hook=recorder) as tree:
            await tree.wait_closed()
    assert [record.generation for record in recorder.of(ChildExited)] == list(range(1, 22))
