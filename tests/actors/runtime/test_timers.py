"""One task rings any number of alarms, each exactly when it is due and none that was forgotten."""

import gc
import math
import weakref

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.timers import Timers


class Alarm:
    """An alarm that can be moved, and notes when it was asked for and when it rang."""

    def __init__(self, at=math.inf, then=None):
        self.at = at
        self.asked = 0
        self.rang = []
        self.then = then

    def due(self):
        self.asked += 1
        return self.at

    def expire(self, _late):
        self.rang.append(trio.current_time())
        if self.then is not None:
            self.then()


@pytest.fixture
def timers(nursery):
    timers = Timers()
    nursery.start_soon(timers.run)
    return timers


async def test_an_alarm_rings_once_at_its_moment(timers, autojump_clock):
    alarm = Alarm(7.25)
    timers.watch(alarm)
    await trio.sleep(100)
    assert alarm.rang == [7.25]
    assert len(timers) == 0


async def test_an_alarm_watched_before_the_task_runs_rings(autojump_clock, nursery):
    timers, alarm = Timers(), Alarm(3)
    timers.watch(alarm)
    nursery.start_soon(timers.run)
    await trio.sleep(10)
    assert alarm.rang == [3]


async def test_an_alarm_that_is_due_already_rings_at_once(timers, autojump_clock):
    await trio.sleep(10)
    alarm = Alarm(4)
    timers.watch(alarm)
    await trio.testing.wait_all_tasks_blocked()
    assert alarm.rang == [10]


async def test_an_alarm_that_comes_while_a_later_one_is_awaited_rings_first(timers, autojump_clock):
    late, early = Alarm(50), Alarm(20)
    timers.watch(late)
    await trio.sleep(10)
    timers.watch(early)
    await trio.sleep(100)
    assert (early.rang, late.rang) == ([20], [50])


async def test_an_alarm_moved_away_costs_no_call_and_rings_at_its_last_moment(timers, autojump_clock):
    alarm = Alarm(60)
    timers.watch(alarm)
    for second in range(100):
        await trio.sleep(1)
        alarm.at = second + 61
    assert alarm.asked <= 3
    await trio.sleep(100)
    assert alarm.rang == [160]


async def test_an_alarm_moved_nearer_rings_there_once_watched_again(timers, autojump_clock):
    alarm = Alarm(60)
    timers.watch(alarm)
    await trio.sleep(10)
    alarm.at = 15
    timers.watch(alarm)
    await trio.sleep(100)
    assert alarm.rang == [15]


async def test_an_alarm_moved_nearer_and_away_again_rings_at_its_last_moment(timers, autojump_clock):
    alarm = Alarm(60)
    timers.watch(alarm)
    await trio.sleep(1)
    alarm.at = 15
    timers.watch(alarm)
    await trio.sleep(1)
    alarm.at = 80
    await trio.sleep(100)
    assert alarm.rang == [80]


async def test_an_alarm_switched_off_is_kept_and_rings_when_switched_on(timers, autojump_clock):
    alarm = Alarm(10)
    timers.watch(alarm)
    alarm.at = math.inf
    await trio.sleep(50)
    assert (alarm.rang, len(timers)) == ([], 1)
    alarm.at = 70
    timers.watch(alarm)
    await trio.sleep(50)
    assert alarm.rang == [70]


async def test_an_alarm_that_starts_switched_off_is_kept(timers, autojump_clock):
    alarm = Alarm()
    timers.watch(alarm)
    await trio.sleep(1)
    assert (alarm.rang, len(timers)) == ([], 1)


async def test_a_forgotten_alarm_never_rings_and_may_come_back(timers, autojump_clock):
    alarm = Alarm(10)
    timers.watch(alarm)
    timers.forget(alarm)
    timers.forget(alarm)
    await trio.sleep(20)
    assert (alarm.rang, alarm.asked, len(timers)) == ([], 1, 0)
    alarm.at = 30
    timers.watch(alarm)
    await trio.sleep(20)
    assert alarm.rang == [30]


async def test_an_alarm_forgotten_and_watched_at_once_rings_once(timers, autojump_clock):
    alarm = Alarm(10)
    timers.watch(alarm)
    timers.forget(alarm)
    timers.watch(alarm)
    await trio.sleep(20)
    assert alarm.rang == [10]


async def test_an_alarm_that_rings_may_forget_another_of_the_same_moment(timers, autojump_clock):
    second = Alarm(10)
    first = Alarm(10, then=lambda: timers.forget(second))
    timers.watch(first)
    timers.watch(second)
    await trio.sleep(20)
    assert (first.rang, second.rang) == ([10], [])


async def test_an_alarm_that_rings_may_forget_all_and_watch_new_ones(timers, autojump_clock):
    others = [Alarm(10 + number % 3) for number in range(300)]
    fresh = [Alarm(10), Alarm(12)]

    def replace():
        for other in others:
            timers.forget(other)
        for alarm in fresh:
            timers.watch(alarm)

    first = Alarm(9, then=replace)
    for alarm in (*others, first):
        timers.watch(alarm)
    await trio.sleep(50)
    assert {tuple(other.rang) for other in others} == {()}
    assert [alarm.rang for alarm in (first, *fresh)] == [[9], [10], [12]]


async def test_many_alarms_ring_each_at_its_own_moment(timers, autojump_clock):
    alarms = [Alarm(1 + number * 7919 % 997 / 4) for number in range(5000)]
    for alarm in alarms:
        timers.watch(alarm)
    await trio.sleep(1000)
    assert all(alarm.rang == [alarm.at] for alarm in alarms)


async def test_what_rings_may_end_the_task_of_another(timers, autojump_clock):
    scope = trio.CancelScope()
    timers.watch(Alarm(5, then=scope.cancel))
    with scope:
        await trio.sleep_forever()
    assert trio.current_time() == 5


# -- any course

moves = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 4), st.sampled_from(["at", "off", "forget"]), st.integers(0, 40)),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(moves)
def test_any_course_rings_each_alarm_when_it_was_last_due(course):
    alarms, expected = [Alarm() for _ in range(5)], [[] for _ in range(5)]
    planned = [math.inf] * 5

    def pass_to(now):
        for number, at in enumerate(planned):
            if at <= now:
                expected[number].append(at)
                planned[number] = math.inf

    async def drive():
        timers = Timers()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timers.run)
            for pause, number, move, away in course:
                await trio.sleep(pause)
                await trio.testing.wait_all_tasks_blocked()
                now = trio.current_time()
                pass_to(now)
                if move == "forget":
                    planned[number] = math.inf
                    timers.forget(alarms[number])
                else:
                    planned[number] = alarms[number].at = now + 1 + away if move == "at" else math.inf
                    timers.watch(alarms[number])
            await trio.sleep(100)
            pass_to(trio.current_time())
            nursery.cancel_scope.cancel()

    trio.run(drive, clock=trio.testing.MockClock(autojump_threshold=0))
    assert [alarm.rang for alarm in alarms] == expected


# -- what is kept


@pytest.mark.promise("P10")
async def test_forgotten_alarms_are_swept_and_freed(timers, autojump_clock):
    kept = [Alarm(1000) for _ in range(10)]
    for alarm in kept:
        timers.watch(alarm)
    freed, longest = [], 0
    for _ in range(100_000):
        alarm = Alarm(600)
        timers.watch(alarm)
        timers.forget(alarm)
        longest = max(longest, len(timers._heap))
        if len(freed) < 1000:
            freed.append(weakref.ref(alarm))
    del alarm
    gc.collect()
    assert longest < 200
    assert len(timers) == 10
    assert not any(reference() for reference in freed)


@pytest.mark.promise("P10")
async def test_one_alarm_watched_and_forgotten_for_ever_stays_one(timers, autojump_clock):
    alarm = Alarm(600)
    for _ in range(100_000):
        timers.watch(alarm)
        timers.forget(alarm)
    timers.watch(alarm)
    assert len(timers._heap) < 200
    await trio.sleep(1000)
    assert alarm.rang == [600]


async def test_an_alarm_moved_nearer_again_and_again_leaves_no_trail(timers, autojump_clock):
    alarm = Alarm(170_000)
    for _ in range(100_000):
        alarm.at -= 1
        timers.watch(alarm)
    assert len(timers._heap) < 200
    await trio.sleep(80_000)
    assert alarm.rang == [70_000]
