"""Conformance A and D: children that say before they are ready that they have nothing to do."""

import pytest
import trio
from supervisor_cases import case

from supervisor import (
    AutoShutdown,
    Backoff,
    Child,
    ChildEnded,
    ChildReady,
    ExitKind,
    GaveUp,
    Ignore,
    Restart,
    State,
    Strategy,
    current_child,
    open_supervisor,
)
from supervisor.testing import Recorder, Trace, crash, quiet


async def declines(*, task_status):
    raise Ignore


async def declines_in_life(generation, after=1.0, *, task_status):
    """Crash in each life before that one, and have nothing to do in it; live on in those after it."""
    life = current_child().generation
    if life == generation:
        raise Ignore
    task_status.started()
    if life < generation:
        await trio.sleep(after)
        raise RuntimeError
    await trio.sleep_forever()


@case("A2")
async def test_a_supervisor_that_has_nothing_to_do_stops_its_children_and_is_no_failure():
    trace = Trace()

    async def inner(*, task_status):
        async with open_supervisor(Child("x", trace.steady), Child("y", trace.steady)):
            raise Ignore

    async with open_supervisor(Child("a", trace.steady), Child("inner", inner), Child("b", trace.steady)) as tree:
        assert str(trace) == "+a +x +y -y -x +b"
        assert (tree["inner"].state, tree["inner"].exit.kind) == (State.DOWN, ExitKind.IGNORED)
        assert tree.snapshot().children[1].below == ()


@case("A5")
@pytest.mark.parametrize("restart", [Restart.PERMANENT, Restart.TRANSIENT])
async def test_a_child_added_that_ignores_is_listed_as_down_and_can_be_started_later(restart):
    willing = []

    async def reluctant(*, task_status):
        if not willing:
            raise Ignore("nothing to do yet")
        task_status.started()
        await trio.sleep_forever()

    async with open_supervisor(Child("b", trio.sleep_forever), intensity=0) as tree:
        ref = await tree.start(Child("a", reluctant, restart=restart))
        assert (ref.state, ref.exit.kind, ref.exit.ready, ref.exit.error) == (State.DOWN, ExitKind.IGNORED, False, None)
        assert (tree.count().specs, tree.count().active) == (2, 1)
        assert (await tree.restart("a")).state is State.DOWN
        assert tree.count().specs == 2
        willing.append(True)
        assert (await tree.restart("a")).state is State.RUNNING


@case("A6")
@pytest.mark.parametrize(("restart", "kept"), [(Restart.PERMANENT, 1), (Restart.TRANSIENT, 1), (Restart.TEMPORARY, 0)])
async def test_boot_goes_on_past_a_child_that_ignores_and_keeps_it_unless_it_is_temporary(restart, kept):
    trace, recorder = Trace(), Recorder()
    children = (Child("a", trace.steady), Child("i", declines, restart=restart), Child("b", trace.steady))
    async with open_supervisor(*children, hook=recorder) as tree:
        assert trace.take() == "+a +b"
        assert ("i" in tree, tree.count().specs) == (bool(kept), 2 + kept)
    assert [record.exit.kind for record in recorder.of(ChildEnded, "root", "i")] == [ExitKind.IGNORED]
    assert recorder.of(ChildReady, "root", "i") == []
    assert trace.take() == "-b -a"


@case("A7")
async def test_a_temporary_child_added_that_ignores_is_not_kept():
    async with open_supervisor() as tree:
        ref = await tree.start(Child("a", declines, restart=Restart.TEMPORARY))
        assert (ref.exit.kind, len(tree)) == (ExitKind.IGNORED, 0)


@case("A9")
@pytest.mark.parametrize("restart", Restart)
async def test_one_of_thousands_that_ignores_is_not_kept_and_the_stop_is_clean(restart):
    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("a", declines, restart=restart))
        assert ((await ref.wait()).kind, len(tree)) == (ExitKind.IGNORED, 0)


@case("D13")
@pytest.mark.parametrize("restart", [Restart.PERMANENT, Restart.TRANSIENT])
async def test_one_of_thousands_whose_restart_ignores_is_forgotten(restart, autojump_clock):
    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("a", declines_in_life, 2, restart=restart))
        assert ((await ref.wait()).kind, ref.generation, len(tree)) == (ExitKind.IGNORED, 2, 0)


@case("D14")
async def test_restarts_that_succeed_ignore_fail_and_never_are_ready(autojump_clock):
    async def junk(*, task_status):
        if current_child().generation == 1:
            task_status.started()
            await trio.sleep(1)

    def broken(*, task_status):
        return junk(task_status=task_status) if current_child().generation == 1 else 7

    slow = Backoff(initial=10, jitter=0)
    runs = {"ok": crash, "ignore": declines_in_life, "error": broken, "junk": junk}
    args = {"ok": (1.0, 1), "ignore": (2,)}
    async with open_supervisor(intensity=20) as tree:
        for name, run in runs.items():
            tree.start_soon(Child(name, run, *args.get(name, ()), backoff=slow if name != "ok" else None))
        await trio.sleep(12)
        assert {status.id: status.state for status in tree.which()} == {
            "ok": State.RUNNING,
            "error": State.BACKOFF,
            "junk": State.BACKOFF,
        }


async def test_a_static_child_whose_restart_ignores_is_down_and_kept_and_charged_once(autojump_clock):
    async with open_supervisor(Child("a", declines_in_life, 2), intensity=1) as tree:
        await trio.sleep(2)
        assert (tree["a"].state, tree["a"].exit.kind, tree.count().specs) == (State.DOWN, ExitKind.IGNORED, 1)
        assert (await tree.restart("a")).generation == 3


@pytest.mark.parametrize("strategy", [Strategy.REST_FOR_ONE, Strategy.ONE_FOR_ALL])
async def test_a_group_restart_goes_on_past_a_member_that_ignores_and_the_next_one_starts_it(strategy):
    trace, first, again = Trace(), trio.Event(), trio.Event()

    async def twice(*, task_status):
        task_status.started()
        await (first, again, trio.Event())[current_child().generation - 1].wait()
        raise RuntimeError

    children = (Child("a", twice), Child("i", declines_in_life, 2), Child("z", trace.steady))
    async with open_supervisor(*children, strategy=strategy) as tree:
        for event, states in ((first, [State.RUNNING, State.DOWN]), (again, [State.RUNNING, State.RUNNING])):
            event.set()
            await quiet()
            assert [status.state for status in tree.which()] == [*states, State.RUNNING]
            if event is first:
                trace.take()
    assert trace.take() == "-z +z -z"


async def test_a_member_that_ignored_is_retried_when_its_next_group_start_fails(autojump_clock):
    lives, event = [], trio.Event()

    async def odd(*, task_status):
        lives.append(1)
        if len(lives) == 1:
            raise Ignore
        if len(lives) == 2:
            raise RuntimeError
        task_status.started()
        await trio.sleep_forever()

    trace = Trace()
    async with open_supervisor(
        Child("b", trace.brittle, event), Child("odd", odd), strategy=Strategy.REST_FOR_ONE
    ) as tree:
        event.set()
        await quiet()
        assert (tree["odd"].state, len(lives)) == (State.RUNNING, 3)


async def test_a_significant_child_that_ignores_ends_nothing(autojump_clock):
    odd = Child("i", declines, restart=Restart.TRANSIENT, significant=True)
    async with open_supervisor(odd, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT):
        await trio.sleep(5)
    assert trio.current_time() == 5


async def test_ignore_from_a_child_that_is_ready_is_a_crash():
    async def late(*, task_status):
        task_status.started()
        raise Ignore

    with pytest.raises(GaveUp, match="Ignore"):
        async with open_supervisor(Child("a", late), intensity=0) as tree:
            await tree.wait_closed()
