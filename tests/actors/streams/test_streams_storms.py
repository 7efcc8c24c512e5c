"""Many streams in bad weather: what was promised holds for all of them."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import trio
from stream_world import read

from actors import Buffered, Ladder, Retry, Route, Status, Switch, TextDelta
from actors.chaos.simulator import Pacing
from actors.chaos.sources import expected_text

ONE, TWO = Route.parse("anthropic:claude-one"), Route.parse("anthropic:claude-two")


@pytest.mark.promise("P5")
@pytest.mark.promise("P6")
async def test_the_first_route_cut_in_the_middle_of_every_stream(world, autojump_clock):
    """Every final text is right, nothing twice, and the server counts as many requests as the streams count attempts."""
    outcomes = {}

    async def one(w, prompt):
        async with w.streams.open(prompt, Ladder(ONE, Retry(2), Switch(TWO), Retry(2))) as stream:
            text = await read(stream)
        outcomes[prompt] = stream.outcome
        assert text == stream.outcome.text == expected_text(prompt, tokens=40)

    async with world("down:claude-one=1..1000@cut:20", tokens=40, pacing=Pacing(events_per_second=50)) as w:
        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(one, w, f"prompt {number}")
        attempts = sum(len(outcome.attempts) for outcome in outcomes.values())
        assert len(outcomes) == 200
        assert all(outcome.status is Status.COMPLETED for outcome in outcomes.values())
        assert all(outcome.attempts[-1].route == TWO for outcome in outcomes.values())
        assert attempts == len(w.entries)
        assert all(outcome.usage.output_tokens > 0 for outcome in outcomes.values())


def open_files():
    """How many file descriptors this process holds, where the system tells."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.is_dir() else 0


@pytest.mark.promise("P1")
async def test_cancelled_at_any_moment_nothing_is_left(world, autojump_clock):
    """500 cancels at random moments, from before the first byte to after the last: no task, no connection and no file is left."""
    dice = Random(20)
    plan = "seed=3 cut=0.2 stall=0.1 status529=0.2 truncate=0.1"
    pacing = Pacing(first_token=0.2, events_per_second=20)
    seen = set()
    async with world(plan, tokens=30, pacing=pacing) as w:
        before = trio.lowlevel.current_statistics().tasks_living
        files = open_files()
        for number in range(500):
            with trio.move_on_after(dice.uniform(0, 6)):
                ladder = Ladder(ONE, Retry(3), Switch(TWO), Buffered())
                async with w.streams.open(f"prompt {number}", ladder) as stream:
                    await read(stream)
            seen.add(stream.outcome.status)
            assert open_files() == files, number
            await trio.testing.wait_all_tasks_blocked()
            in_flight = [entry for entry in w.entries if entry.ending is None]
            assert in_flight == [], number
            # what stays is the service and the server's side of connections kept alive
            assert trio.lowlevel.current_statistics().tasks_living - before <= 2 * w.network.open_connections, number
    assert seen >= {Status.COMPLETED, Status.INTERRUPTED}


REPLAY = """
import sys
import trio
from trio.testing import MockClock

from actors import Buffered, Ladder, Retry, Settings, Switch, open_streams
from actors.chaos.determinism import deterministic
from actors.chaos.network import open_network
from actors.chaos.plan import Plan
from actors.chaos.simulator import Pacing, Simulator
from actors.chaos.sources import Generated
from supervisor import line

settings = Settings.read({"ANTHROPIC_API_KEY": "sk-test-key", "ANTHROPIC_BASE_URL": "http://anthropic.test"})
seed = int(sys.argv[1])


def told(record):
    print(line(record))


async def one(streams, number):
    ladder = Ladder("anthropic:claude-one", Retry(3), Switch("anthropic:claude-two"), Buffered())
    with trio.move_on_after(20 + number):
        outcome = await streams.ask(f"prompt {number}", ladder)
        print(number, outcome)


async def main():
    plan = Plan.parse(f"seed={seed} cut=0.2 stall=0.1 status529=0.2 truncate=0.1 reset=0.1")
    simulator = Simulator(Generated(tokens=30), plan, Pacing(first_token=0.2, events_per_second=20))
    async with open_network(simulator) as network:
        async with open_streams(settings=settings, network=network, hook=told, seed=seed) as streams:
            async with trio.open_nursery() as nursery:
                for number in range(40):
                    nursery.start_soon(one, streams, number)
    for entry in simulator.journal.lines():
        print(entry)


with deterministic(seed):
    trio.run(main, clock=MockClock(autojump_threshold=0))
"""


def run_cold(seed, hash_seed):
    environment = {"PYTHONHASHSEED": str(hash_seed), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", REPLAY, str(seed)],
        check=False,
        capture_output=True,
        env=environment,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.promise("P15")
def test_one_seed_gives_one_log_in_two_processes():
    first, second, other = run_cold(7, 1), run_cold(7, 2), run_cold(8, 1)
    assert first.count(b"\n") > 300
    assert first == second
    assert first != other


@pytest.mark.promise("P10")
async def test_a_slow_consumer_slows_the_provider(world, autojump_clock):
    async with world(tokens=4000) as w:
        async with w.streams.open("hello", Ladder(ONE)) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    break
            await trio.sleep(300)
            (entry,) = w.entries
            assert entry.events < 4000
            text = event.text + await read(stream)
        assert text == stream.outcome.text == expected_text("hello", tokens=4000)
