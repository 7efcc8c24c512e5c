"""Events leave an outlet once and in order, whatever the two tasks and their cancellations do."""

import math

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.errors import StreamClosed
from actors.runtime.outlet import Outlet


async def drained(outlet):
    taken = []
    while True:
        try:
            taken.append(await outlet.take())
        except StopAsyncIteration:
            return taken


def filled(count, capacity=8):
    outlet = Outlet(capacity)
    outlet.push_all(range(count))
    return outlet


# -- any course of the two tasks

pauses = st.sampled_from([0, 0, 0, 1, 2, 5])
patience = st.sampled_from([0, 1, 3, math.inf, math.inf])
writes = st.lists(st.tuples(pauses, st.integers(0, 6), patience), max_size=25)
reads = st.lists(st.tuples(pauses, patience), max_size=60)


async def write(outlet, steps, longest):
    number = 0
    for pause, count, patient in steps:
        await trio.sleep(pause)
        events = range(number, number + count)
        if count == 1:
            outlet.push(number)
        else:
            outlet.push_all(events)
        number += count
        longest.append(len(outlet))
        with trio.move_on_after(patient):
            await outlet.room()
        while outlet.full:
            await outlet.room()
    outlet.end()


async def read(outlet, steps, taken):
    for pause, patient in steps:
        await trio.sleep(pause)
        with trio.move_on_after(patient):
            try:
                taken.append(await outlet.take())
            except StopAsyncIteration:
                return
    taken.extend(await drained(outlet))


@settings(max_examples=200, deadline=None)
@given(writes, reads, st.integers(1, 9))
@pytest.mark.promise("P10")
def test_any_course_delivers_every_event_once_in_order_and_bounds_what_is_held(writing, reading, capacity):
    outlet, taken, longest = Outlet(capacity), [], [0]

    async def both():
        with trio.fail_after(10_000):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(write, outlet, writing, longest)
                nursery.start_soon(read, outlet, reading, taken)

    trio.run(both, clock=trio.testing.MockClock(autojump_threshold=0))
    assert taken == list(range(sum(count for _, count, _ in writing)))
    assert len(outlet) == 0
    most = max((count for _, count, _ in writing), default=0)
    assert max(longest) <= max(capacity - 1 + most, 0)


# -- the writer

CAPACITIES = [(1, 1), (2, 1), (3, 2), (8, 4), (9, 5)]


@pytest.mark.parametrize(("capacity", "taken_before"), CAPACITIES)
async def test_a_writer_waits_when_full_and_goes_on_when_half_is_free(capacity, taken_before, autojump_clock):
    outlet = filled(capacity, capacity)
    went_on = trio.Event()

    async def writer():
        await outlet.room()
        went_on.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer)
        for number in range(taken_before):
            await trio.testing.wait_all_tasks_blocked()
            assert not went_on.is_set()
            assert await outlet.take() == number
        await went_on.wait()
    assert not outlet.full


async def test_a_writer_with_room_does_not_wait():
    outlet = filled(7)
    with trio.testing.assert_no_checkpoints():
        await outlet.room()


async def test_a_seam_enters_a_full_outlet_in_its_order():
    outlet = filled(8)
    outlet.push("seam")
    outlet.end()
    assert await drained(outlet) == [*range(8), "seam"]


async def test_a_cancelled_writer_leaves_its_place_to_another(autojump_clock):
    outlet = filled(8)
    with trio.move_on_after(1) as scope:
        await outlet.room()
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.room)
        await trio.testing.wait_all_tasks_blocked()
        assert [await outlet.take() for _ in range(4)] == [0, 1, 2, 3]


# -- the reader


async def test_the_end_lets_a_waiting_reader_go():
    outlet, ended = Outlet(), []

    async def reader():
        with pytest.raises(StopAsyncIteration):
            await outlet.take()
        ended.append(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        await trio.testing.wait_all_tasks_blocked()
        assert outlet._reader is not None
        outlet.end()
    assert ended == [True]


async def test_the_end_comes_after_what_is_there_and_stays():
    outlet = filled(3)
    outlet.end()
    assert await drained(outlet) == [0, 1, 2]
    with trio.testing.assert_checkpoints(), pytest.raises(StopAsyncIteration):
        await outlet.take()


async def test_a_cancelled_reader_takes_nothing_with_it(autojump_clock):
    outlet = Outlet()
    with trio.move_on_after(1) as scope:
        await outlet.take()
    assert scope.cancelled_caught
    assert outlet._reader is None
    outlet.push("kept")
    assert await outlet.take() == "kept"


async def test_an_event_pushed_to_a_reader_that_is_cancelled_then_is_not_lost():
    outlet, taken, scope = Outlet(), [], trio.CancelScope()

    async def reader():
        with scope:
            taken.append(await outlet.take())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        await trio.testing.wait_all_tasks_blocked()
        outlet.push("kept")
        scope.cancel()
    assert [*taken, *outlet._buffer] == ["kept"]


async def test_a_reader_cancelled_first_leaves_the_event_in_the_outlet():
    outlet, scope = Outlet(), trio.CancelScope()

    async def reader():
        with scope:
            await outlet.take()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        await trio.testing.wait_all_tasks_blocked()
        scope.cancel()
        outlet.push("kept")
    assert await outlet.take() == "kept"


async def test_a_cancelled_reader_is_stopped_within_a_few_events_and_loses_none():
    outlet, taken = filled(1000, 1000), []
    with trio.CancelScope() as scope:
        scope.cancel()
        while True:
            taken.append(await outlet.take())
    outlet.end()
    assert scope.cancelled_caught
    assert len(taken) <= 64
    assert [*taken, *await drained(outlet)] == list(range(1000))


# -- who may use it


async def test_a_second_waiting_reader_is_refused_and_the_first_gets_the_event(autojump_clock):
    outlet, taken = Outlet(), []

    async def reader():
        taken.append(await outlet.take())

    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.deadline = trio.current_time() + 60
        nursery.start_soon(reader, name="the first")
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(StreamClosed, match=r"read by two tasks at once \(the first waits already\)"):
            await outlet.take()
        outlet.push("event")
    assert taken == ["event"]


async def test_a_second_waiting_writer_is_refused_and_the_first_goes_on(autojump_clock):
    outlet = filled(8)
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.deadline = trio.current_time() + 60
        nursery.start_soon(outlet.room, name="the first")
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(StreamClosed, match=r"written by two tasks at once \(the first waits already\)"):
            await outlet.room()
        assert [await outlet.take() for _ in range(4)] == [0, 1, 2, 3]


async def test_tasks_that_take_turns_share_the_events_without_an_error():
    outlet, taken = filled(1000, 1000), []
    outlet.end()

    async def reader():
        taken.extend(await drained(outlet))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        nursery.start_soon(reader)
    assert sorted(taken) == list(range(1000))


# -- the scheduler


async def test_events_that_are_there_cost_no_trip_through_the_scheduler():
    outlet = filled(64, 64)
    with trio.testing.assert_no_checkpoints():
        assert [await outlet.take() for _ in range(64)] == list(range(64))


async def test_a_reader_of_many_events_lets_others_run():
    outlet, turns, reading = filled(6400, 6400), 0, True

    async def other():
        nonlocal turns
        while reading:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(6400):
            await outlet.take()
        reading = False
    assert turns >= 6400 // 64 - 2
