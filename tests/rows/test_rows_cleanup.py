"""What is left behind by streams that ended in every way there is: nothing."""

import errno
import gc
import os
import subprocess
import sys
import threading
import weakref
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.lowlevel
from rows_world import DONE, NO_BRAKES, ONE, ROUTES, Played, a_world, always
from stream_world import ENVIRONMENT, read

from actors import Buffered, Clocks, FailureKind, Ladder, Retry, Route, Settings, Status, TextDelta, open_streams
from actors.chaos import Plan, Simulator
from actors.lifecycle import AttemptEnded, StreamEnded
from actors.policy.assemble import Assembly
from actors.source import RefusedError
from supervisor import Backoff, ChildExited, ChildRestarting, ExitKind

ENDS = {
    "complete": [[TextDelta("well")], DONE],
    "refused": [RefusedError("no", status=401, kind="authentication_error")],
    "cut": [[TextDelta("half")], ConnectionResetError()],
    "crash": [[TextDelta("half")], KeyError("a bug")],
    "silent": [[TextDelta("half")], 1e9],
    "truncated": [[TextDelta("half")]],
}
WEATHER_ENDS = sorted({*ENDS} - {"crash"})  # after a crash the service itself may be begun anew


@pytest.mark.row("H1")
@pytest.mark.parametrize("how", ENDS)
async def test_a_source_is_closed_once_however_its_attempt_ends(world, autojump_clock, how):
    played = Played(ENDS[how])
    async with world(providers={"mine": played}) as w:
        await w.streams.ask("hello", Ladder("mine:model", Retry(2)))
        assert played.opened == played.closed > 0
        with trio.move_on_after(0.5):
            await w.streams.ask("hello", Ladder("mine:model", Retry(2)))
        async with w.streams.open("hello", Ladder("mine:model")) as stream:
            async for _ in stream:
                break
    assert played.opened == played.closed


@pytest.mark.row("H2", "A27", "B4")
@pytest.mark.parametrize("route", ROUTES)
async def test_a_refusal_is_seen_before_the_first_event_and_a_missing_end_after_the_last(world, autojump_clock, route):
    async with world(f"{always('status503', times=1)} model-one#2=truncate:99") as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(3)))
    refused, cut, well = outcome.attempts
    assert (refused.failure.kind, refused.delivered.events, refused.first_event) == (FailureKind.UNAVAILABLE, 0, None)
    assert (cut.failure.kind, cut.delivered.events > 10) == (FailureKind.TRUNCATED, True)
    assert well.failure is None


@pytest.mark.row("H3", "X14")
@pytest.mark.parametrize("route", ROUTES)
async def test_what_was_never_opened_is_not_closed(world, autojump_clock, route):
    async with world() as w:
        w.network.unreachable |= {"anthropic.test", "openai.test", "google.test"}
        outcome = await w.streams.ask("hello", Ladder(route))
        assert (outcome.failure.kind, w.network.opened) == (FailureKind.REFUSED, 0)
        assert {record.exit.kind for record in w.records if isinstance(record, ChildExited)} == {ExitKind.FAULT}


@pytest.mark.row("H4")
async def test_connections_stay_open_after_success_and_are_closed_with_the_service(world, autojump_clock):
    async with world() as w:
        for number in range(5):
            assert (await w.streams.ask(f"prompt {number}", ONE)).completed
        assert (w.network.opened, w.network.open_connections) == (1, 1)
        network = w.network
    assert network.open_connections == 0


@pytest.mark.row("H5", "H7")
@pytest.mark.parametrize("how", WEATHER_ENDS)
async def test_no_task_outlives_its_stream(world, autojump_clock, how):
    async with world(providers={"mine": Played(ENDS[how]), "well": Played(ENDS["complete"])}) as w:
        await w.streams.ask("hello", "well:model")
        before = trio.lowlevel.current_statistics().tasks_living
        for _ in range(3):
            with trio.move_on_after(0.5):
                await w.streams.ask("hello", Ladder("mine:model"))
        assert trio.lowlevel.current_statistics().tasks_living == before


class Load:
    """Something large that an attempt holds."""


@pytest.mark.row("H6")
async def test_what_an_attempt_held_when_memory_ran_out_is_free_before_the_next_one_begins(world, autojump_clock):
    held = []

    def exhaust():
        load = Load()
        held.append(weakref.ref(load))
        raise MemoryError(load)

    def look():
        held.append(held[0]())
        return [TextDelta("whole")]

    async with world(providers={"mine": Played([exhaust], [look, DONE])}) as w:
        assert (await w.streams.ask("hello", Ladder("mine:model", Buffered()))).completed
    assert held[1] is None


@pytest.mark.row("H6")
@pytest.mark.parametrize("how", WEATHER_ENDS)
async def test_what_streams_assembled_is_freed_when_nobody_looks_at_them_any_more(world, autojump_clock, how):
    async with world(providers={"mine": Played(ENDS[how])}) as w:
        for _ in range(20):
            with trio.move_on_after(0.5):
                await w.streams.ask("hello", Ladder("mine:model", Retry(2)))
        w.records.clear()
        await trio.sleep(1)
        gc.collect()
        assert sum(isinstance(thing, Assembly) for thing in gc.get_objects()) == 0


WEATHER = "seed=3 cut=0.1 reset=0.1 truncate=0.05 garble=0.05 status429=0.1 status503=0.05 status401=0.05 stall=0.05 hang=0.02"
QUICK = Clocks(first_event=0.3, first_content=0.3, gap=0.3)
AT_ONCE = Retry(3, backoff=Backoff(initial=0.001, cap=0.01))


async def bad_day(count):
    """So many streams in bad weather over sockets, some of them left; gives how they ended and what there was before and after."""
    simulator, ends = Simulator(plan=Plan.parse(WEATHER)), []
    async with trio.open_nursery() as nursery:
        url = await nursery.start(simulator.listen)
        environment = {name: value.replace("http://anthropic.test", url) for name, value in ENVIRONMENT.items()}

        async def one(streams, number):
            with trio.move_on_after(0.2 if number % 10 == 0 else 30):
                async with streams.open(
                    f"prompt {number}", Ladder(Route("anthropic", "m", clocks=QUICK), AT_ONCE)
                ) as stream:
                    await read(stream)
            ends.append(stream.outcome)

        before = there()
        service = open_streams(settings=Settings.read(environment), brakes=NO_BRAKES, seed=1)
        async with service as streams, trio.open_nursery() as crowd:
            for number in range(count):
                crowd.start_soon(one, streams, number)
                await trio.lowlevel.checkpoint()
        await simulator.quiet()
        for _ in range(200):  # the server notices a moment later that its clients left
            await trio.sleep(0.05)
            if (after := there()) == before:
                break
        nursery.cancel_scope.cancel()
    return ends, before, after


def there():
    """Open files, tasks and threads that are there now."""
    gc.collect()
    return (
        len([*Path("/proc/self/fd").iterdir()]),
        trio.lowlevel.current_statistics().tasks_living,
        threading.active_count(),
    )


@pytest.mark.row("H7", "M6", "H5", "O4")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
async def test_a_thousand_streams_in_bad_weather_leave_no_socket_task_or_thread():
    ends, before, after = await bad_day(1000)
    assert after == before
    assert len(ends) == 1000
    assert {outcome.status for outcome in ends} == set(Status)
    kinds = {attempt.failure.kind for outcome in ends for attempt in outcome.attempts if attempt.failure}
    assert len(kinds) > 6


@pytest.mark.row("M6")
def test_python_in_development_mode_warns_of_nothing():
    program = "import trio; from test_rows_cleanup import bad_day; ends, *_ = trio.run(bad_day, 100); print(len(ends))"
    tests = Path(__file__).parents[1]
    paths = os.pathsep.join(map(str, [tests / "rows", tests / "actors" / "streams", tests.parent]))
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", program]
    run = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "100\n", "")


@pytest.mark.row("H8", "O5")
async def test_a_service_that_is_left_tells_everything_before_its_block_ends(autojump_clock):
    told = []

    async def left(streams):
        async with streams.open("hello", Ladder("slow:model")) as stream:
            with trio.CancelScope(shield=True):
                await stream.wait()

    async with trio.open_nursery() as nursery:
        async with a_world(providers={"slow": Played([[TextDelta("so far")], 1e9])}, hook=told.append) as w:
            nursery.start_soon(left, w.streams)
            await trio.sleep(1)
        ends = [record.outcome for record in told if isinstance(record, StreamEnded)]
        assert [(outcome.status, outcome.text) for outcome in ends] == [(Status.INTERRUPTED, "so far")]
        assert [type(record) for record in told if isinstance(record, AttemptEnded | StreamEnded)] == [
            AttemptEnded,
            StreamEnded,
        ]


WHILE_CLOSING = [OSError(errno.EPIPE, "gone"), trio.BrokenResourceError(), TimeoutError()]


@pytest.mark.row("H10", "B6")
@pytest.mark.parametrize("trouble", WHILE_CLOSING)
async def test_trouble_while_closing_what_is_complete_changes_nothing(world, autojump_clock, trouble):
    async with world(providers={"mine": Played(ENDS["complete"], closing=[trouble])}) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:model", Retry(3)))
        assert not [record for record in w.records if isinstance(record, ChildRestarting)]
    assert (outcome.status, outcome.text, len(outcome.attempts)) == (Status.COMPLETED, "well", 1)


@pytest.mark.row("H10")
@pytest.mark.parametrize("trouble", WHILE_CLOSING)
@pytest.mark.parametrize("half", [[], [[TextDelta("half")]]])
async def test_trouble_while_closing_does_not_replace_the_failure_that_came_before(
    world, autojump_clock, half, trouble
):
    refused = RefusedError("slow down", status=429, kind="rate_limit_error")
    async with world(providers={"mine": Played([*half, refused], closing=[trouble])}) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:model"))
    assert (outcome.failure.kind, outcome.failure.status) == (FailureKind.RATE_LIMIT, 429)


@pytest.mark.row("H10", "A31")
@pytest.mark.parametrize("script", [ENDS["complete"], ENDS["cut"]])
async def test_a_bug_while_closing_is_a_bug(world, autojump_clock, script):
    async with world(providers={"mine": Played(script, closing=[RuntimeError("in closing")])}) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:model"))
    assert outcome.failure.kind is FailureKind.CRASH
    assert "in closing" in outcome.failure.message


@pytest.mark.row("H10")
async def test_what_a_provider_makes_of_its_own_failure_is_its_word(world, autojump_clock):
    class Translating(Played):
        @asynccontextmanager
        async def open(self, *arguments):
            try:
                async with super().open(*arguments) as source:
                    yield source
            except ConnectionResetError as error:
                raise RefusedError("the program said why", status=401, kind="authentication_error") from error

    async with world(providers={"mine": Translating([ConnectionResetError()])}) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:model"))
    assert outcome.failure.kind is FailureKind.INVALID_KEY
