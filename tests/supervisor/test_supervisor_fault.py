"""Weather: how a child that raised `Fault` comes back, what it costs, and who is told."""

import pytest
import trio
import trio.testing

from supervisor import (
    Again,
    Backoff,
    Child,
    ChildEnded,
    ChildExited,
    ChildRestarting,
    Escalate,
    ExitKind,
    Fault,
    GaveUp,
    Next,
    Restart,
    Retry,
    Rungs,
    State,
    Stop,
    Strategy,
    current_child,
    open_supervisor,
)
from supervisor.testing import Recorder, Trace, fault, quiet, run_for

STEADY = Backoff(initial=2, multiplier=1, cap=2, jitter=0)


async def test_a_thousand_faults_are_never_charged(autojump_clock):
    storms = [Child(f"s{n}", fault, *range(4), respond=soon_again, restart=Restart.TEMPORARY) for n in range(250)]
    async with open_supervisor(intensity=0) as tree:
        refs = [tree.start_soon(child) for child in storms]
        ends = [await ref.wait() for ref in refs]
    assert {(end.kind, end.value) for end in ends} == {(ExitKind.NORMAL, "life 5 is well")}


def soon_again(end, history, conditions, now, roll):
    return Again(0.01)


async def test_without_a_policy_a_fault_is_charged_like_a_crash():
    with pytest.raises(GaveUp) as caught:
        async with open_supervisor(Child("a", fault, 1, 2, 3), intensity=2):
            await trio.sleep_forever()
    assert (caught.value.exit.kind, caught.value.exit.value) == (ExitKind.FAULT, 3)


async def test_a_ladder_retries_then_takes_the_next_variant_then_ends(autojump_clock):
    lives = []

    async def feed(*, variant):
        lives.append((trio.current_time(), variant))
        raise Fault(f"no {variant}")

    ladder = Rungs(Retry(2, STEADY), Next("mirror"), Retry(3, STEADY))
    async with open_supervisor(Child("feed", feed, respond=ladder, variant="main")) as tree:
        end = await tree.join("feed")
        assert tree["feed"].state is State.DOWN
    assert lives == [(0, "main"), (2, "main"), (2, "mirror"), (4, "mirror"), (6, "mirror")]
    assert (end.kind, end.value) == (ExitKind.FAULT, "no mirror")


async def test_notify_hears_of_the_attempt_the_delay_and_the_end_before_wait_returns(autojump_clock):
    heard = []
    ladder = Rungs(Retry(2, STEADY))
    async with open_supervisor() as tree:
        ref = await tree.start(Child("s", fault, "cut", "dead", respond=ladder, notify=heard.append))
        end = await ref.wait()
        kinds = [type(record) for record in heard]
        assert kinds[-1] is ChildEnded
    assert [record.exit.value for record in heard if isinstance(record, ChildExited)] == ["cut", "dead"]
    assert [(record.after, record.generation) for record in heard if isinstance(record, ChildRestarting)] == [(2, 2)]
    assert [record.exit for record in heard if isinstance(record, ChildEnded)] == [end]


@pytest.mark.parametrize("how", ["by hand", "by reference", "with the tree"])
async def test_a_child_stopped_while_backing_off_ends_at_once_and_exactly_once(autojump_clock, how):
    heard = []
    patient = Rungs(Retry(5, Backoff(initial=1000, cap=1000, jitter=0), within=1e9))
    async with open_supervisor() as tree:
        ref = await tree.start(Child("s", fault, 1, respond=patient, notify=heard.append))
        await quiet()
        assert ref.state is State.BACKOFF
        match how:
            case "by hand":
                await tree.stop("s")
            case "by reference":
                ref.cancel()
                await ref.wait()
    assert trio.current_time() < 1
    assert ref.exit is not None
    assert ref.exit.kind is ExitKind.SHUTDOWN
    assert [type(record) for record in heard].count(ChildEnded) == 1
    assert isinstance(heard[-1], ChildEnded)


async def test_the_tree_answers_while_children_back_off(mock_clock):
    patient = Rungs(Retry(5, Backoff(initial=100, cap=100, jitter=0), within=1e9))
    async with open_supervisor(Child("s", fault, 1, 2, respond=patient)) as tree:
        await quiet()
        ref = await tree.start(Child("other", trio.sleep_forever))
        assert ref.state is State.RUNNING
        assert (tree.count().active, tree.count().restarting) == (1, 1)
        await run_for(mock_clock, 101)
        assert tree["s"].exit is None
        assert tree["s"].generation == 2


async def test_a_group_waits_as_one_then_starts_in_order(autojump_clock):
    trace = Trace()

    async def weather():
        if current_child().generation == 1:
            await trio.sleep(1)
            raise Fault("gone")
        trace.marks.append(f"+b at {trio.current_time():g}")
        await trio.sleep_forever()

    children = (
        Child("a", trace.steady),
        Child("b", weather, respond=Rungs(Retry(2, STEADY))),
        Child("c", trace.steady),
    )
    async with open_supervisor(*children, strategy=Strategy.ONE_FOR_ALL, intensity=0):
        assert trace.take() == "+a +c"
        await trio.sleep(2.5)
        assert trace.take() == "-c -a"
        await trio.sleep(1)
        assert trace.take() == "+a +b at 3 +c"


async def test_escalate_makes_the_supervisor_give_up_at_once():
    with pytest.raises(GaveUp, match="escalated"):
        async with open_supervisor(Child("a", fault, "fatal", respond=lambda *_: Escalate()), intensity=100):
            await trio.sleep_forever()


async def test_a_policy_that_raises_is_a_crash_of_its_child():
    def broken(*_):
        raise ZeroDivisionError

    with pytest.raises(GaveUp, match="more restarts than its intensity of 1"):
        async with open_supervisor(Child("a", fault, 1, 2, 3, respond=broken), intensity=1):
            await trio.sleep_forever()


async def test_a_policy_sees_history_conditions_clock_and_dice(autojump_clock):
    seen = []

    def policy(end, history, conditions, now, roll):
        seen.append((end.value, [past.value for past in history], conditions, now, roll))
        return Again(1, variant=f"v{len(history)}") if len(history) < 3 else Stop()

    async def ask(*, variant=None):
        await trio.sleep(1)
        raise Fault(variant)

    shared = {"tokens": 7}
    async with open_supervisor(Child("a", ask, respond=policy), conditions=lambda: dict(shared), seed=5) as tree:
        await tree.join("a")
    assert [entry[:4] for entry in seen] == [
        (None, [None], shared, 1),
        ("v1", [None, "v1"], shared, 3),
        ("v2", [None, "v1", "v2"], shared, 5),
    ]
    rolls = [entry[4] for entry in seen]
    assert len(set(rolls)) == 3
    seen.clear()
    async with open_supervisor(Child("a", ask, respond=policy), conditions=lambda: dict(shared), seed=5) as tree:
        await tree.join("a")
    assert [entry[4] for entry in seen] == rolls


async def test_a_fault_before_ready_follows_the_policy_and_start_waits_for_the_life_that_is_ready(autojump_clock):
    async def connect(*, task_status):
        if current_child().generation < 3:
            raise Fault("refused")
        task_status.started("connected")
        await trio.sleep_forever()

    async with open_supervisor() as tree:
        ref = await tree.start(Child("db", connect, respond=Rungs(Retry(5, STEADY))))
        assert (ref.value, ref.generation, trio.current_time()) == ("connected", 3, 4)


async def test_a_fault_raised_in_a_nursery_of_the_child_is_still_weather(autojump_clock):
    async def nested():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fault, "rain")
            await trio.sleep_forever()

    async with open_supervisor(Child("a", nested, respond=lambda *_: Stop())) as tree:
        end = await tree.join("a")
    assert (end.kind, end.value) == (ExitKind.FAULT, "rain")


def test_two_runs_of_one_seed_write_the_same_log():
    async def run(recorder):
        ladder = Rungs(Retry(9, within=1e9))
        async with open_supervisor(Child("a", fault, *range(9), respond=ladder), seed=11, hook=recorder) as tree:
            await tree.join()

    logs = []
    for _ in range(2):
        recorder = Recorder()
        trio.run(run, recorder, clock=trio.testing.MockClock(autojump_threshold=0))
        logs.append(recorder.text())
    assert logs[0] == logs[1]
    assert logs[0].count("ChildRestarting") == 8
