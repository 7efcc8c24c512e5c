"""What went wrong in other supervisors, once each; and what went wrong in this one."""

import functools
import gc
import subprocess
import sys
import weakref

import pytest
import trio

from supervisor import (
    Again,
    Backoff,
    Bounds,
    Child,
    ChildEnded,
    ChildExited,
    ChildOverdue,
    ExitKind,
    Fault,
    GaveUp,
    Restart,
    Retry,
    Rungs,
    State,
    Strategy,
    TreeStopped,
    cleanup,
    current_child,
    keep,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder, Trace, crash, fail_in_cleanup, quiet, shield


async def test_suture_34_stop_after_remove_and_wait_does_not_wait_again(autojump_clock):
    async with open_supervisor(Child("a", shield, 3, shutdown=0)) as tree:
        await quiet()
        await tree.stop("a")
        await tree.delete("a")
    assert trio.current_time() == 3


async def test_suture_58_a_child_that_crashes_while_it_stops_does_not_hang_the_stop():
    recorder = Recorder()
    async with open_supervisor(*(Child(f"{n}", fail_in_cleanup) for n in range(5)), hook=recorder):
        await quiet()
    assert [record.exit.error.type for record in recorder.of(ChildExited)] == ["RuntimeError"] * 5


async def test_rabbitmq_201_a_child_in_its_delay_is_shown_as_coming_back_and_is_not_lost(autojump_clock):
    slow = Backoff(initial=5, jitter=0)
    async with open_supervisor(Child("a", crash, 0.0, 1, backoff=slow), strategy=Strategy.ONE_FOR_ALL) as tree:
        await quiet()
        assert tree.which()[0].state is State.BACKOFF
        await trio.sleep(6)
        assert tree.which()[0].state is State.RUNNING


async def test_supervisor3_14_a_timer_of_a_deleted_child_starts_nothing(autojump_clock):
    slow = Backoff(initial=5, jitter=0)
    async with open_supervisor(Child("a", crash, 0.0, 1, backoff=slow)) as tree:
        await quiet()
        await tree.stop("a")
        await tree.delete("a")
        await tree.start(Child("a", trio.sleep_forever))
        await trio.sleep(10)
        assert tree["a"].generation == 1


async def test_akka_31814_messages_survive_a_second_failure_in_a_row():
    seen = []

    async def fragile(*, mailbox):
        async for message in mailbox:
            if message == "bad":
                raise RuntimeError
            seen.append(message)

    async with open_supervisor(Child("a", fragile, mailbox=Bounds())) as tree:
        for message in (1, "bad", "bad", 2, "bad", 3):
            tree["a"].tell(message)
        await quiet()
    assert seen == [1, 2, 3]


async def test_otp_16804_a_spec_is_the_same_after_a_crash():
    child = Child("a", crash, 0.0, 2, restart=Restart.TRANSIENT)
    async with open_supervisor(child) as tree:
        await quiet()
        assert tree["a"]._slot.spec is child
        assert tree["a"].generation == 3


@pytest.mark.parametrize("how", ["stop", "leave", "cancel"])
async def test_otp_9549_a_child_that_fails_in_a_tight_loop_can_be_stopped(how):
    async def bad():
        raise Fault("again")

    with trio.CancelScope() as scope:
        async with open_supervisor(Child("a", bad, respond=lambda *_: Again())) as tree:
            while tree["a"].generation < 100:
                await trio.lowlevel.checkpoint()
            if how == "stop":
                await tree.stop("a")
                assert tree["a"].state is State.DOWN
            elif how == "cancel":
                scope.cancel()
                await trio.sleep_forever()


async def test_ractor_226_a_child_stopped_with_its_parent_can_tell_a_stop_from_a_normal_end_and_sees_the_cause():
    seen = []

    async def worker():
        try:
            await trio.sleep_forever()
            seen.append("post stop, as if all was well")
        except trio.Cancelled as cancelled:
            seen.append(cancelled.reason)
            raise

    async with open_supervisor(subtree("parent", Child("worker", worker))) as tree:
        await quiet()
        await tree.stop("parent", "the parent fails")
    assert seen == ["the parent fails"]


async def test_otp_9242_the_work_for_each_child_does_not_grow_with_their_number():
    async def calls_for_each(count):
        calls = 0

        def tick(frame, event, _):
            nonlocal calls
            calls += event in {"call", "c_call"} and "/supervisor/" in frame.f_code.co_filename

        sys.setprofile(tick)
        try:
            async with open_supervisor(strategy=Strategy.REST_FOR_ONE) as ordered, open_supervisor() as loose:
                for tree in (ordered, loose):
                    _ = [tree.start_soon(Child(f"{n}", trio.sleep_forever)) for n in range(count)]
                await quiet()
        finally:
            sys.setprofile(None)
        return calls / count

    assert await calls_for_each(1000) < 1.1 * await calls_for_each(100)


async def test_elle_1215_a_child_added_later_is_part_of_its_group_also_when_it_is_the_one_that_fails():
    trace, event = Trace(), trio.Event()
    async with open_supervisor(Child("a", trace.steady), strategy=Strategy.ONE_FOR_ALL) as tree:
        await tree.start(Child("b", trace.brittle, event))
        await tree.start(Child("c", trace.steady))
        trace.take()
        event.set()
        await quiet()
        assert trace.take() == "-b -c -a +a +b +c"


async def test_async_service_54_an_ordered_stop_does_not_look_like_a_crash_of_those_stopped_last():
    recorder = Recorder()

    async def depends(event):
        await event.wait()
        raise RuntimeError("my dependency went away")

    gone = trio.Event()

    async def dependency():
        try:
            await trio.sleep_forever()
        finally:
            gone.set()

    with trio.CancelScope() as scope:
        async with open_supervisor(Child("a", dependency), Child("b", depends, gone), hook=recorder):
            scope.cancel()
            await trio.sleep_forever()
    assert {record.exit.kind for record in recorder.of(ChildEnded)} == {ExitKind.SHUTDOWN}


async def test_a_sibling_that_crashes_while_a_group_is_stopped_is_not_charged(autojump_clock):
    event, trace = trio.Event(), Trace()

    async def touchy(event):
        if current_child().generation == 1:
            await event.wait()
            await trio.sleep(1)
            raise RuntimeError("on its own, after its stop was planned")
        await trio.sleep_forever()

    children = (
        Child("b", trace.brittle, event),
        Child("touchy", touchy, event),
        Child("slow", shield, 5, shutdown=0),
    )
    async with open_supervisor(*children, strategy=Strategy.ONE_FOR_ALL, intensity=1) as tree:
        event.set()
        await trio.sleep(10)
        assert [status.generation for status in tree.which()] == [2, 2, 2]


async def test_a_child_that_is_ready_and_crashes_in_one_tick_lets_the_boot_go_on():
    trace = Trace()
    async with open_supervisor(Child("a", crash, 0.0, 2), Child("b", trace.steady)):
        assert trace.take() == "+b"


async def test_an_overdue_child_of_a_group_restart_is_reported_and_then_started_again(autojump_clock):
    event, trace, recorder = trio.Event(), Trace(), Recorder()
    children = (Child("b", trace.brittle, event), Child("slow", shield, 10, shutdown=1))
    async with open_supervisor(*children, strategy=Strategy.REST_FOR_ONE, hook=recorder) as tree:
        event.set()
        await trio.sleep(11)
        assert [status.generation for status in tree.which()] == [2, 2]
    assert [record.since for record in recorder.of(ChildOverdue)][:3] == [1, 2, 4]


async def test_a_supervisor_that_gives_up_while_a_sibling_backs_off_ends_it_too(autojump_clock):
    heard = []
    patient = Rungs(Retry(5, Backoff(initial=100, cap=100), within=1e9))

    async def rain():
        raise Fault("rain")

    with pytest.raises(GaveUp):
        async with open_supervisor(
            Child("a", rain, respond=patient, notify=heard.append), Child("bad", crash, 1.0), intensity=0
        ):
            await trio.sleep_forever()
    assert [type(record) for record in heard].count(ChildEnded) == 1
    assert heard[-1].exit.kind is ExitKind.SHUTDOWN


SCRIPT = """
import trio
from trio.testing import MockClock
from supervisor import Child, Retry, Rungs, open_supervisor, subtree
from supervisor.testing import Recorder, crash, fault

class Odd:
    pass

async def bug():
    raise ValueError(Odd())

async def main():
    recorder = Recorder()
    ladder = Rungs(Retry(9, within=1e9))
    below = subtree("below", Child("rain", fault, *map(str, range(5)), respond=ladder))
    try:
        async with open_supervisor(below, Child("bug", bug), seed=3, hook=recorder):
            await trio.sleep(100)
    except Exception as error:
        print(error)
    print(recorder.text())

import random
trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING = True
trio._core._run._r = random.Random(0)
trio.run(main, clock=MockClock(autojump_threshold=0))
"""


@pytest.mark.promise("P15")
def test_one_seed_gives_one_log_to_the_byte_in_two_processes():
    runs = [
        subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, timeout=60).stdout for _ in "ab"
    ]
    assert runs[0] == runs[1]
    assert b"0x" not in runs[0]
    assert runs[0].count(b"ChildExited") > 4


async def test_a_subtree_hears_of_its_parents_hook_and_rolls_dice_of_its_own():
    trees = {}

    async def look(name):
        trees[name] = current_child().owner.settings.dice.random()
        await trio.sleep_forever()

    for _ in range(2):
        async with open_supervisor(Child("top", look, "top"), subtree("x", Child("in", look, "in")), seed=1):
            await quiet()
        assert len(set(trees.values())) == 2
        rolled = dict(trees)
    assert rolled == trees


async def test_a_chain_of_children_that_start_their_successor_holds_only_the_last():
    class Mark:
        """Something that lives as long as what is known of a child."""

    lives = []

    async def link(number):
        lives.append(weakref.ref(keep(Mark)))
        if number < 20:
            tree.start_soon(Child(f"{number}", link, number + 1, restart=Restart.TEMPORARY))
        else:
            await trio.sleep_forever()

    async with open_supervisor() as tree:
        tree.start_soon(Child("first", link, 0, restart=Restart.TEMPORARY))
        await quiet()
        gc.collect()
        assert sum(life() is not None for life in lives) == 1


@pytest.mark.parametrize("error", [RuntimeError, Fault])
async def test_a_failure_leaves_no_garbage_for_the_collector(error):
    async def bad():
        if current_child().generation <= 100:
            raise error("again")
        await trio.sleep_forever()

    gc.collect()
    gc.disable()
    try:
        async with open_supervisor(Child("a", bad, respond=lambda *_: Again()), intensity=200):
            await quiet()
            assert gc.collect() < 100
    finally:
        gc.enable()


async def test_an_error_of_the_body_that_meets_a_give_up_tells_of_both(autojump_clock):
    with pytest.raises(KeyError) as caught:
        async with open_supervisor(Child("bad", crash, 1.0), intensity=0):
            await fail_in_cleanup(KeyError)
    assert "gave up" in caught.value.__notes__[0]


async def test_a_wrapped_function_that_takes_task_status_is_asked_for_its_readiness():
    async def serve(*, task_status):
        task_status.started("wrapped")
        await trio.sleep_forever()

    @functools.wraps(serve)
    async def wrapper(*args, **options):
        await serve(*args, **options)

    async with open_supervisor() as tree:
        for number, run in enumerate((wrapper, functools.partial(serve), serve)):
            assert (await tree.start(Child(f"{number}", run))).value == "wrapped"


async def test_a_failure_beside_a_group_restart_does_not_cut_it_short(autojump_clock):
    event, trace = trio.Event(), Trace()
    children = (
        Child("b", trace.brittle, event),
        Child("c", trace.steady),
        Child("slow", shield, 5, shutdown=0),
    )
    async with open_supervisor(*children, strategy=Strategy.REST_FOR_ONE, intensity=9) as tree:
        event.set()
        await trio.sleep(1)
        await tree.start(Child("late", crash, 1.0, 1))
        await trio.sleep(20)
        assert [(status.id, status.generation) for status in tree.which()] == [
            ("b", 2),
            ("c", 2),
            ("slow", 2),
            ("late", 2),
        ]


async def test_a_child_that_would_wait_for_itself_during_the_stop_is_told_so(autojump_clock):
    told = []

    async def entangled():
        try:
            await trio.sleep_forever()
        finally:
            with cleanup(3):
                try:
                    await tree.stop("a")
                except TreeStopped:
                    told.append(trio.current_time())

    async with open_supervisor(Child("a", trio.sleep_forever), Child("b", entangled)) as tree:
        await quiet()
    assert told == [0]


async def test_a_hook_that_leaves_the_program_takes_the_tree_with_it_and_nothing_hangs():
    trace = Trace()

    def hook(record):
        if isinstance(record, ChildExited):
            raise SystemExit(3)

    with pytest.raises(BaseExceptionGroup) as caught:
        async with open_supervisor(Child("a", trace.steady), Child("b", crash, 0.0), hook=hook):
            await trio.sleep_forever()
    assert caught.value.subgroup(SystemExit) is not None
    assert str(trace) == "+a -a"
