"""What the OpenTelemetry hook counts, with a meter that keeps its sums."""

from collections import Counter

import pytest
import trio
from opentelemetry import metrics

from supervisor import Child, GaveUp, open_supervisor, subtree
from supervisor.telemetry import Telemetry
from supervisor.testing import crash


class Sum:
    """An instrument that adds up what it is given, by name and labels."""

    def __init__(self, name, sums):
        self.name, self.sums = name, sums

    def add(self, amount, labels):
        self.sums[self.name.removeprefix("supervisor."), *sorted(labels.values())] += amount

    record = add


class Meter(metrics.NoOpMeter):
    """A meter whose instruments share one table of sums."""

    def __init__(self):
        super().__init__("test")
        self.sums = Counter()

    def create_counter(self, name, *_):
        return Sum(name, self.sums)

    create_up_down_counter = create_counter

    def create_histogram(self, name, *_, **__):
        return Sum(name, self.sums)


async def test_starts_exits_restarts_and_giving_up_are_counted_by_supervisor(autojump_clock):
    meter = Meter()
    pool = subtree("pool", Child("a", crash, 1.0), Child("b", trio.sleep_forever), intensity=2)
    with pytest.raises(GaveUp):
        async with open_supervisor(pool, intensity=0, hook=Telemetry(meter)):
            await trio.sleep_forever()
    assert +meter.sums == {
        ("child.starts", "root"): 1,
        ("child.starts", "root/pool"): 4,
        ("child.exits", "gave up", "root"): 1,
        ("child.exits", "crash", "root/pool"): 3,
        ("child.exits", "root/pool", "shutdown"): 1,
        ("child.restarts", "root/pool"): 2,
        ("child.uptime", "root"): 3,
        ("child.uptime", "root/pool"): 6,
        ("gave_up", "root/pool"): 1,
        ("gave_up", "root"): 1,
    }


async def test_without_an_sdk_the_hook_costs_nothing_and_breaks_nothing():
    async with open_supervisor(Child("a", trio.sleep_forever), hook=Telemetry()) as tree:
        assert tree.hook_errors == 0
