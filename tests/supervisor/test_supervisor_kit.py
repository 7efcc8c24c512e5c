"""The small parts: alarms, and the kit for testing trees."""

import contextvars
from math import inf

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from supervisor import Child, ExitKind, Restart, open_supervisor
from supervisor.runtime.alarms import Alarms
from supervisor.runtime.slot import Slot
from supervisor.testing import Recorder, fault, quiet, run_for, until


def slots(count):
    return [Slot(Child(f"{n}", trio.sleep_forever), (), contextvars.Context(), ordered=True) for n in range(count)]


@given(st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.just(inf), st.integers(0, 50))), max_size=200))
def test_each_slot_rings_once_at_the_last_time_it_was_set_to(story):
    alarms, places, wanted = Alarms(), slots(10), {}
    for number, at in story:
        if at is None:
            alarms.clear(places[number])
            wanted.pop(number, None)
        else:
            alarms.set(places[number], at)
            wanted[number] = at
    due = {number: at for number, at in wanted.items() if at <= 25}
    assert alarms.next() == min(wanted.values(), default=inf)
    assert {slot.spec.id for slot in alarms.due(25, 1000)} == {f"{number}" for number in due}
    assert alarms.next() == min((at for at in wanted.values() if at > 25), default=inf)


def test_alarms_that_were_cleared_are_not_kept():
    alarms, (slot,) = Alarms(), slots(1)
    for at in range(10_000):
        alarms.set(slot, float(at))
    assert len(alarms._heap) < 200
    assert alarms.next() == 9999


async def test_until_waits_for_a_condition_and_says_when_it_never_comes_true():
    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("a", fault, "once", restart=Restart.TEMPORARY))
        await until(lambda: ref.exit is not None)
        assert ref.exit.kind is ExitKind.FAULT
        with pytest.raises(AssertionError, match="does not come true"):
            await until(lambda: ref.exit is None, most=10)


async def test_run_for_lets_time_pass_step_by_step(mock_clock):
    times = []

    async def tick():
        while True:
            times.append(trio.current_time())
            await trio.sleep(1)

    async with open_supervisor(Child("a", tick)):
        await run_for(mock_clock, 3.5)
    assert [round(at) for at in times] == [0, 1, 2, 3]


async def test_a_recorder_tells_the_story_in_order():
    recorder = Recorder()
    async with open_supervisor(Child("a", trio.sleep_forever), hook=recorder):
        await quiet()
    assert recorder.story() == [
        "root/a ChildStarting",
        "root/a ChildReady",
        "root SupervisorStarted",
        "root SupervisorStopping",
        "root/a ChildStopping",
        "root/a ChildExited",
        "root/a ChildEnded",
        "root SupervisorEnded",
    ]
