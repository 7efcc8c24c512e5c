"""A `claude` that tests write: a program in PATH that does as it is told, one body of Python a run, the last one for all runs after."""

import json
import signal
from contextlib import asynccontextmanager

import pytest
from programs import children, running_from, until, write
from wire_claude_code_lines import INIT, result, whole_message, written

from actors import Settings, open_streams
from actors.chaos import Generated, Simulator, open_network
from actors.providers import claude_code, processes

ROUTE = "claude-code:claude-a"

FAKE = """
import json
home = os.path.dirname(sys.argv[0])
heard = b""
def listen():
    global heard
    while octets := os.read(0, 65536): heard += octets
runs = len(os.listdir(home + "/runs"))
with open(home + "/note%d" % os.getpid(), "w") as note:
    json.dump([sys.argv[1:], dict(os.environ)], note)
os.rename(note.name, home + "/runs/%d.%d" % (time.time_ns(), os.getpid()))
def wait(): time.sleep(30)
def deaf(*numbers):
    for number in numbers: signal.signal(number, signal.SIG_IGN)
BODIES = {bodies!r}
exec(BODIES[min(runs, len(BODIES) - 1)])
"""


def lines(*told):
    """The Python that says these lines."""
    return f"say({written(*told)!r})"


def answer(*words):
    """The Python of a run that answers with these words."""
    return f"listen(); {lines(INIT, *whole_message(words or ['Hello', ' there']), result())}"


class Claude:
    """The program in a directory of its own, and what its runs were given."""

    def __init__(self, home):
        self.home = home
        (home / "runs").mkdir(parents=True)

    def does(self, *bodies):
        write(self.home / "claude", FAKE.replace("{bodies!r}", repr(bodies)))

    @property
    def runs(self):
        """Arguments and environment of each run, in order."""
        return [json.loads(path.read_text()) for path in sorted((self.home / "runs").iterdir())]

    async def gone(self):
        """Nothing that any run started is left."""
        assert children() == set()
        await until(lambda: not running_from(self.home))


@pytest.fixture
def claude(tmp_path, monkeypatch):
    made = Claude(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.home))
    monkeypatch.setenv("CLAUDECODE", "1")
    return made


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A grace that a test can wait for."""
    steps = ((signal.SIGINT, 0.3), (signal.SIGTERM, 0.3), (signal.SIGKILL, 5.0))
    monkeypatch.setattr(processes, "STOPPING", steps)
    monkeypatch.setattr(claude_code, "LINGERING", 0.3)


@asynccontextmanager
async def opened(plan=None, **options):
    """Streams beside a simulator of the HTTP providers on the network in memory."""
    settings = Settings.read({"ANTHROPIC_API_KEY": "sk-test-key", "ANTHROPIC_BASE_URL": "http://anthropic.test"})
    simulator = Simulator(Generated(tokens=24), plan) if plan else Simulator(Generated(tokens=24))
    async with (
        open_network(simulator) as network,
        open_streams(settings=settings, network=network, **options) as streams,
    ):
        yield streams
