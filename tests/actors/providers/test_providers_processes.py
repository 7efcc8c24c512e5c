"""Programs are fed, read and gone: whatever they do, and whenever the block is left."""

import os
import signal
from pathlib import Path
from random import Random

import pytest
import trio
from programs import alive, children, files, groups, running, until, write

from actors.providers import processes
from actors.providers.processes import STDERR_KEPT, open_program

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="what is left is looked for in /proc")

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def program(tmp_path):
    def made(body):
        return write(tmp_path / "program", body)

    return made


@pytest.fixture(autouse=True)
async def nothing_left():
    """No process and no file is left by any test of this file."""
    await trio.to_thread.run_sync(int)  # so that trio's own thread and files are there before the count
    before = files()
    assert children() == set()
    yield
    assert children() == set()
    assert files() == before


@pytest.fixture
def quick(monkeypatch):
    """A grace that a test can wait for."""
    steps = ((signal.SIGINT, 0.1), (signal.SIGTERM, 0.1), (signal.SIGKILL, 2.0))
    monkeypatch.setattr(processes, "STOPPING", steps)
    monkeypatch.setattr(processes, "DRAINING", 0.1)


async def everything(process):
    octets = b""
    while chunk := await process.receive():
        octets += chunk
    return octets


def opened(command, octets=b""):
    return open_program([command], octets, ENVIRONMENT)


async def test_what_is_said_on_standard_input_comes_back_whatever_its_size(program):
    sent = bytes(range(256)) * 4096 * 3
    async with opened(program("while octets := os.read(0, 65536): say(octets)"), sent) as process:
        assert await everything(process) == sent
        assert await process.ended(5) == 0


async def test_a_program_that_reads_no_input_is_not_waited_for(program):
    async with opened(program("say(b'done')"), b"x" * 5_000_000) as process:
        assert await everything(process) == b"done"


async def test_the_exit_status_and_the_end_of_standard_error_are_there(program):
    body = "os.write(2, b'start' + b'.' * 3_000_000 + b'last words'); sys.exit(7)"
    async with opened(program(body)) as process:
        assert await everything(process) == b""
        assert await process.ended(10) == 7
        assert process.stderr.endswith("..last words")
        assert len(process.stderr) == STDERR_KEPT


async def test_a_signal_is_a_negative_status(program):
    async with opened(program("os.kill(os.getpid(), signal.SIGKILL)")) as process:
        assert await everything(process) == b""
        assert await process.ended(5) == -signal.SIGKILL


async def test_a_program_runs_in_a_session_of_its_own_with_only_its_variables(program):
    body = "say(repr((os.getpid() == os.getsid(0), sorted(set(os.environ) - {'LC_CTYPE'}))).encode())"
    async with opened(program(body)) as process:
        assert await everything(process) == repr((True, ["PATH"])).encode()


async def test_a_program_that_is_not_there_raises_and_leaves_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        async with opened(str(tmp_path / "nothing")):
            pytest.fail("there is nothing to run")


@pytest.mark.promise("P10")
async def test_a_program_that_says_more_than_is_read_waits(program):
    async with opened(program("while True: say(b'x' * 65536); os.write(2, b'y' * 100)")) as process:
        for _ in range(50):
            assert len(await process.receive()) <= processes.CHUNK
        assert len(process.stderr) <= STDERR_KEPT


POLITE = """
def leave(number, frame):
    open(sys.argv[0] + ".told", "a").write(f"{number} ")
    if NUMBERS and number in NUMBERS: os._exit(0)
for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, leave)
say(b"ready")
while True: time.sleep(10)
"""


@pytest.mark.parametrize(
    ("heeds", "seconds", "told"),
    [("{2}", (10, 10), "2 "), ("{15}", (0.5, 10), "2 15 "), ("{}", (0.5, 0.5), "2 15 ")],
    ids=["interrupt", "terminate", "nothing"],
)
@pytest.mark.promise("P12")
@pytest.mark.row("H9")
async def test_a_program_is_asked_before_it_is_killed(program, monkeypatch, heeds, seconds, told):
    steps = zip((signal.SIGINT, signal.SIGTERM, signal.SIGKILL), (*seconds, 10), strict=True)
    monkeypatch.setattr(processes, "STOPPING", tuple(steps))
    path = program(f"NUMBERS = {heeds}\n{POLITE}")
    async with opened(path) as process:
        assert await process.receive() == b"ready"
        pid = process.pid
    assert not alive(pid)
    assert await trio.Path(path + ".told").read_text() == told


@pytest.mark.promise("P1")
async def test_its_files_are_closed_with_the_block_and_not_some_time_later(program):
    before = files()
    async with opened(program("time.sleep(30)"), b"x" * 300_000) as process:
        assert files() > before
    assert files() == before
    assert process.stderr == ""


async def test_a_program_that_fills_its_pipes_dies_without_a_wait(program):
    began = trio.current_time()
    async with opened(program("while True: say(b'x' * 65536)")) as process:
        assert await process.receive()
    assert trio.current_time() - began < 1.5


BEGETS = """
child = os.fork()
if child == 0:
    {session}
    for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)
    time.sleep(30)
    os._exit(0)
say(b"%d\\n" % child)
{then}
"""


@pytest.mark.promise("P1")
@pytest.mark.parametrize("then", ["os._exit(0)", "time.sleep(30)"], ids=["gone before", "still there"])
@pytest.mark.row("H9")
async def test_a_child_that_would_outlive_the_program_dies_with_its_group(program, quick, then):
    async with opened(program(BEGETS.format(session="", then=then))) as process:
        child = int(await process.receive())
        if then == "os._exit(0)":
            assert await process.receive() == b""
            assert await process.ended(5) == 0
    await until(lambda: not running(child))


async def test_an_output_held_open_from_outside_the_group_is_not_waited_for(program, quick):
    async with opened(program(BEGETS.format(session="os.setsid()", then="say(b'rest'); os._exit(3)"))) as process:
        first = await process.receive()
        rest = first + await everything(process)
        assert rest.endswith(b"rest")
        assert await process.ended(0.2) == 3
        stray = int(first.split(b"\n")[0])
    os.kill(stray, signal.SIGKILL)
    await until(lambda: not running(stray))


async def test_what_the_block_raises_comes_out_as_it_is(program):
    with pytest.raises(ZeroDivisionError):
        async with opened(program("time.sleep(30)")):
            raise ZeroDivisionError


async def test_a_cancelled_block_is_cancelled(program):
    with trio.move_on_after(0.05) as scope:
        async with opened(program("time.sleep(30)")) as process:
            await process.receive()
    assert scope.cancelled_caught


async def test_an_error_in_a_cancelled_block_is_not_lost(program):
    with trio.CancelScope() as scope, pytest.raises(ZeroDivisionError):  # noqa: PT012 -- the error is raised in the block
        async with opened(program("time.sleep(30)")):
            scope.cancel()
            raise ZeroDivisionError


CHATTY = """
def leave(number, frame): os._exit(0)
signal.signal(signal.SIGINT, leave)
if os.fork() == 0:
    while True: time.sleep(1)
for _ in range(200):
    say(b"word " * 20); os.write(2, b"." * 50); time.sleep(0.001)
"""


@pytest.mark.promise("P1")
@pytest.mark.promise("P4")
@pytest.mark.row("H9")
async def test_cancelled_at_any_moment_nothing_is_left(program):
    dice, path, pids = Random(5), program(CHATTY), []

    async def one():
        with trio.move_on_after(dice.random() * 0.12):
            async with opened(path, b"x" * 300_000) as process:
                pids.append(process.pid)
                await everything(process)

    for _ in range(25):
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(one)
    assert len(pids) > 10  # of a hundred: some were cancelled before there was a program
    await until(lambda: groups().isdisjoint(pids))
    assert children() == set()
