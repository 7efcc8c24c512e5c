"""The calls at run time: specs that are replaced, a limit to children, and waits that would wait for themselves."""

import math

import pytest
import trio

from supervisor import (
    Backoff,
    BadSpec,
    Bounds,
    Child,
    ChildExists,
    ChildStarting,
    ExitKind,
    Restart,
    State,
    Strategy,
    TooManyChildren,
    TreeStopped,
    UnknownChild,
    WouldDeadlock,
    cleanup,
    current_child,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder, Trace, crash, quiet

# --- a spec that is replaced


async def note(seen, word, crashes):
    seen.append(word)
    await crashes.wait()
    raise RuntimeError


async def test_a_replaced_spec_begins_with_the_next_restart_and_what_runs_is_not_touched():
    seen, crashes = [], trio.Event()
    async with open_supervisor(Child("a", note, seen, "old", crashes, shutdown=1)) as tree:
        await quiet()
        tree["a"] = Child("a", note, seen, "new", trio.Event(), shutdown=2)
        await quiet()
        assert (seen, tree["a"].generation) == (["old"], 1)
        crashes.set()
        await quiet()
        assert (seen, tree["a"].generation) == (["old", "new"], 2)


async def test_of_two_replacements_the_last_counts_and_a_child_that_is_down_has_it_at_once():
    seen, recorder = [], Recorder()

    async def varied(*, variant):
        seen.append(variant)
        await trio.sleep_forever()

    async with open_supervisor(Child("a", varied, variant=1), hook=recorder) as tree:
        tree["a"] = Child("a", varied, variant=2)
        tree["a"] = Child("a", varied, variant=3)
        await tree.restart("a")
        await tree.stop("a")
        tree["a"] = Child("a", varied, variant=4, restart=Restart.TEMPORARY)
        await tree.restart("a")
        await quiet()
        assert seen == [1, 3, 4]
        assert [record.variant for record in recorder.of(ChildStarting)] == [1, 3, 4]
        await tree.stop("a")
        assert "a" not in tree


async def test_a_replacement_keeps_what_waits_in_the_mailbox_and_gives_it_other_bounds():
    async def deaf(*, mailbox):
        await trio.sleep_forever()

    async with open_supervisor(Child("a", deaf, mailbox=Bounds(1))) as tree:
        ref = tree["a"]
        ref.tell(1)
        tree["a"] = Child("a", deaf, mailbox=Bounds(2))
        await tree.restart("a")
        ref.tell(2)
        assert tree.which()[0].mailbox == 2


@pytest.mark.parametrize(
    ("field", "child"),
    [
        ("id", Child("b", trio.sleep_forever)),
        ("mailbox", Child("a", trio.sleep_forever, mailbox=Bounds())),
        ("significant", Child("a", trio.sleep_forever, restart=Restart.TRANSIENT, significant=True)),
    ],
)
async def test_a_replacement_that_cannot_work_names_its_field(field, child):
    async with open_supervisor(Child("a", trio.sleep_forever)) as tree:
        with pytest.raises(BadSpec) as caught:
            tree["a"] = child
        assert caught.value.field == field
        with pytest.raises(UnknownChild):
            tree["ghost"] = Child("ghost", trio.sleep_forever)
    with pytest.raises(TreeStopped):
        tree["a"] = Child("a", trio.sleep_forever)


# --- a limit to children


@pytest.mark.parametrize("strategy", Strategy)
async def test_children_added_at_run_time_have_a_limit_that_static_ones_do_not_touch(strategy):
    static = (Child("x", trio.sleep_forever), Child("y", trio.sleep_forever))
    async with open_supervisor(*static, strategy=strategy, max_children=2) as tree:
        await tree.start(Child("a", trio.sleep_forever))
        tree.start_soon(Child("b", trio.sleep_forever))
        with pytest.raises(TooManyChildren, match="2 children"):
            await tree.start(Child("c", trio.sleep_forever))
        with pytest.raises(TooManyChildren):
            tree.start_soon(Child("c", trio.sleep_forever))
        with pytest.raises(ChildExists):
            tree.start_soon(Child("a", trio.sleep_forever))
        await tree.stop("x")
        await tree.delete("x")
        with pytest.raises(TooManyChildren):
            tree.start_soon(Child("c", trio.sleep_forever))
        await tree.stop("b")
        await tree.start(Child("c", trio.sleep_forever))
        assert [status.id for status in tree.which()] == ["y", "a", "c"]


async def test_a_child_that_comes_back_counts_and_one_that_is_gone_does_not(autojump_clock):
    slow = Backoff(initial=10, jitter=0)
    async with open_supervisor(max_children=1) as tree:
        tree.start_soon(Child("a", crash, 0.0, 1, backoff=slow))
        await trio.sleep(1)
        assert tree["a"].state is State.BACKOFF
        with pytest.raises(TooManyChildren):
            tree.start_soon(Child("b", trio.sleep, 1, restart=Restart.TEMPORARY))
        await tree.stop("a")
        for n in range(3):
            await (tree.start_soon(Child(f"b{n}", trio.sleep, 1, restart=Restart.TEMPORARY))).wait()
        assert len(tree) == 0


async def test_a_tree_without_room_for_dynamic_children_has_its_static_ones():
    async with open_supervisor(Child("x", trio.sleep_forever), max_children=0) as tree:
        with pytest.raises(TooManyChildren):
            await tree.start(Child("a", trio.sleep_forever))
        assert tree["x"].state is State.RUNNING


# --- waits that would wait for themselves

WAITS = {
    "stop": lambda tree: tree.stop("a"),
    "restart": lambda tree: tree.restart("a"),
    "join": lambda tree: tree.join("a"),
    "join all": lambda tree: tree.join(),
    "wait_closed": lambda tree: tree.wait_closed(),
    "ref.wait": lambda tree: tree["a"].wait(),
}


@pytest.mark.parametrize(
    "where", ["in its task", "in a nursery of it", "in a subtree of it", "in its shielded cleanup"]
)
@pytest.mark.parametrize("wait", WAITS)
async def test_a_child_that_waits_for_itself_is_told_so_at_once(wait, where, autojump_clock):
    told, go = [], trio.Event()

    async def ask():
        await go.wait()
        try:
            await WAITS[wait](tree)
        except WouldDeadlock as error:
            told.append(error.path)

    async def child():
        match where:
            case "in its task":
                await ask()
            case "in a nursery of it":
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(ask)
            case "in a subtree of it":
                async with open_supervisor(Child("deep", ask, restart=Restart.TEMPORARY)) as inner:
                    await inner.join()
            case _:
                with cleanup(5):
                    await ask()
        await trio.sleep_forever()

    async with open_supervisor(Child("a", child)) as tree:
        go.set()
        await quiet()
        assert told == [("root", "a")]
        assert (tree["a"].state, tree["a"].generation) == (State.RUNNING, 1)
    assert trio.current_time() == 0


async def test_a_task_that_a_child_has_started_elsewhere_may_wait_for_it(autojump_clock):
    ends = []

    async def wait():
        ends.append((await tree.stop("a")).kind)

    async def child(nursery):
        nursery.start_soon(wait)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, open_supervisor() as tree:
        await tree.start(Child("a", child, nursery))
        await trio.sleep(1)
    assert ends == [ExitKind.SHUTDOWN]


@pytest.mark.parametrize("wait", ["join", "restart", "ref.wait"])
async def test_a_child_in_its_cleanup_does_not_wait_for_one_whose_turn_comes_after_it(wait, autojump_clock):
    told, crashes, trace = [], trio.Event(), Trace()

    async def entangled():
        try:
            await trio.sleep_forever()
        finally:
            with cleanup(math.inf):
                try:
                    await WAITS[wait](tree)
                except WouldDeadlock as error:
                    told.append(error.path)

    children = (Child("a", trace.steady), Child("b", trace.brittle, crashes), Child("c", entangled, shutdown=100))
    async with open_supervisor(*children, strategy=Strategy.ONE_FOR_ALL) as tree:
        crashes.set()
        await quiet()
        assert told == [("root", "c")]
        assert [tree[name].generation for name in "abc"] == [2, 2, 2]
        told.clear()
    assert told == [("root", "c")]
    assert trio.current_time() == 0


async def test_a_child_that_starts_in_a_group_does_not_wait_for_the_next_of_its_group(autojump_clock):
    told, crashes, trace = [], trio.Event(), Trace()

    async def eager(*, task_status):
        if current_child().generation > 1:
            with pytest.raises(WouldDeadlock) as caught:
                await tree.restart("z")
            told.append(caught.value.path)
        task_status.started()
        await trio.sleep_forever()

    children = (Child("b", trace.brittle, crashes), Child("c", eager), Child("z", trace.steady))
    async with open_supervisor(*children, strategy=Strategy.REST_FOR_ONE) as tree:
        crashes.set()
        await quiet()
        assert [status.state for status in tree.which()] == [State.RUNNING] * 3
    assert told == [("root", "c")]


async def test_a_child_may_stop_and_restart_its_siblings_and_wait_for_them(autojump_clock):
    done = []

    async def chief(siblings):
        await tree.restart("x")
        done.append((await tree.stop("x")).kind)
        done.append(await tree.join("x") == tree["x"].exit)
        await tree.delete("x")
        done.append((await siblings.value.start(Child("more", trio.sleep_forever))).state)
        await siblings.value.stop("more")

    async with open_supervisor(Child("x", trio.sleep_forever), subtree("pool")) as tree:
        ref = await tree.start(Child("chief", chief, tree["pool"], restart=Restart.TEMPORARY))
        assert (await ref.wait()).kind is ExitKind.NORMAL
    assert done == [ExitKind.SHUTDOWN, True, State.RUNNING]
