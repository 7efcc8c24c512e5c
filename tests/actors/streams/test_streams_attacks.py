"""Every step a cancel or an alarm can fall on: one outcome, the right one, and nothing left behind."""

from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors import (
    AttemptAbandoned,
    Buffered,
    Clocks,
    FailureKind,
    Finished,
    Ladder,
    Retry,
    Route,
    Settings,
    Status,
    StreamClosed,
    Switch,
    TextDelta,
    Usage,
    UsageDelta,
    open_streams,
)
from actors.chaos.determinism import deterministic
from actors.chaos.network import open_network
from actors.chaos.plan import Plan
from actors.chaos.simulator import Pacing, Simulator
from actors.chaos.sources import Generated, expected_text

SETTINGS = Settings.read({"ANTHROPIC_API_KEY": "sk-test-key", "ANTHROPIC_BASE_URL": "http://anthropic.test"})
LADDER = Ladder("anthropic:claude-one", Retry(2), Switch("anthropic:claude-two"), Retry(2), Buffered())
PLANS = {
    "fair weather": "",
    "cuts and refusals": "claude-one#1=cut:4 claude-one#2=status529",
    "silence and rubbish": "claude-one#1=stall:4 claude-two#1=garble:3",
}
TEXT = expected_text("hello", tokens=6)


class AtStep(trio.abc.Instrument):
    """Acts at the n-th step that any task takes once it is armed."""

    def __init__(self, step):
        self.left = step
        self.act = None

    def before_task_step(self, _):
        if self.act is not None:
            self.left -= 1
            if self.left == 0:
                self.act()


class Attack:
    """One stream, and what happens to it at one step."""

    def __init__(self, plan, aim, at, *, breaks):
        pacing = Pacing(first_token=0.1, events_per_second=20)
        self.simulator = Simulator(Generated(tokens=6), Plan.parse(plan), pacing)
        self.act = getattr(self, aim)
        self.at = at
        self.breaks = breaks
        self.root, self.scope = trio.CancelScope(), trio.CancelScope()
        self.home = self.stream = None
        self.text = ""
        self.told_all = False

    @property
    def outcome(self):
        return self.stream.outcome

    def consumer(self):
        self.scope.cancel()

    def everything(self):
        self.root.cancel()

    def actor(self):
        for ref in self.home.tree:
            if ref.id != "timers":
                ref.cancel()

    def alarm(self):
        timers = self.home.world.timers
        for watch in list(timers._watched):
            timers.forget(watch)
            watch.expire()

    async def run(self):
        with self.root:
            async with open_network(self.simulator) as network:
                async with open_streams(settings=SETTINGS, network=network, seed=1) as streams:
                    await wait_all_tasks_blocked()
                    self.home = streams._home
                    await self._consume(streams)
                    await wait_all_tasks_blocked()
                    self._nothing_is_left(network)
                assert network.open_connections == 0

    async def _consume(self, streams):
        self.stream = streams.open("hello", LADDER)
        self.at.act = self.act
        try:
            with self.scope:
                async with self.stream:
                    async for event in self.stream:
                        self._take(event)
                        if self.breaks and self.told_all:
                            break
        finally:
            self.at.act = None

    def _take(self, event):
        match event:
            case TextDelta(piece):
                self.text += piece
            case AttemptAbandoned():
                self.text = ""
            case Finished():
                self.told_all = True
            case _:
                pass

    def _nothing_is_left(self, network):
        world, tree = self.home.world, self.home.tree
        pool = world.providers._pool
        assert (pool.statistics().in_use, pool.statistics().waiting, pool._lent) == (0, 0, set())
        assert pool.statistics().idle == network.open_connections
        assert len(world.timers) == 0
        assert [ref.id for ref in tree] == ["timers"]
        assert all(circuit.probing == 0 for circuit in world.shared._circuits.values())


def attacked_at_every_step(plan, aim, *, breaks=False):
    """Runs of the same stream, attacked at its first step, its second and so on, until one ends before its turn."""
    step, early = 1, True
    while early:
        at = AtStep(step)
        attack = Attack(plan, aim, at, breaks=breaks)
        with deterministic(5):
            trio.run(attack.run, clock=MockClock(autojump_threshold=0), instruments=[at])
        early = at.left <= 0
        if attack.stream is not None and attack.stream._ref is not None:
            yield step, attack
        step += 1


@pytest.mark.promise("P1")
@pytest.mark.promise("P4")
@pytest.mark.promise("P9")
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("aim", ["consumer", "everything"])
def test_cancelled_at_any_step_it_is_interrupted_or_complete_and_never_failed(plan, aim):
    seen = set()
    for step, attack in attacked_at_every_step(plan, aim):
        outcome = attack.outcome
        seen.add(outcome.status)
        assert outcome.status is not Status.FAILED, step
        assert outcome.text.startswith(attack.text), step
        assert TEXT.startswith(outcome.text), step
        assert len(outcome.attempts) >= len(attack.simulator.journal.entries), step
        assert (outcome.failure is None) == outcome.completed, step
        if attack.told_all:
            assert outcome.completed, step
    assert seen == {Status.COMPLETED, Status.INTERRUPTED}


@pytest.mark.promise("P7")
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_stopped_at_any_step_it_is_complete_where_the_terminal_event_was_told(plan):
    for step, attack in attacked_at_every_step(plan, "actor"):
        assert attack.outcome.completed == attack.told_all, step
        assert attack.outcome.text == attack.text or not attack.outcome.completed, step


@pytest.mark.promise("P6")
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_an_alarm_at_any_step_costs_an_attempt_at_most(plan):
    for step, attack in attacked_at_every_step(plan, "alarm"):
        assert attack.outcome.text == attack.text == TEXT, step


@pytest.mark.promise("P7")
def test_who_leaves_at_the_terminal_event_has_a_complete_answer():
    for step, attack in attacked_at_every_step("", "consumer", breaks=True):
        assert attack.outcome.completed or not attack.told_all, step


class Clinging:
    """A provider whose cleanup takes no notice of being stopped, and whose source then fails."""

    def __init__(self):
        self.free = trio.Event()

    @asynccontextmanager
    async def open(self, *_):
        try:
            yield self
        finally:
            with trio.CancelScope(shield=True):
                await self.free.wait()

    request_id = "clinging"
    said = False

    async def receive(self):
        if self.said:
            await trio.sleep_forever()
        self.said = True
        return [TextDelta("so far"), UsageDelta(Usage(output_tokens=2))]


@pytest.mark.promise("P9")
@pytest.mark.promise("P12")
async def test_an_actor_that_overstays_gives_no_second_outcome(autojump_clock):
    clinging = Clinging()
    async with open_streams(settings=SETTINGS, providers={"clinging": clinging}) as streams:
        began = trio.current_time()
        async with streams.open("hello", "clinging:model") as stream:
            assert [await anext(stream) for _ in range(3)][1] == TextDelta("so far")
        first = stream.outcome
        assert trio.current_time() - began <= 7
        assert (first.status, first.text, first.usage.output_tokens) == (Status.INTERRUPTED, "so far", 2)
        assert [event async for event in stream] == []
        clinging.free.set()
        await wait_all_tasks_blocked()
        assert stream.outcome is first
        assert await stream.wait() is first


async def test_a_stream_is_opened_once(world, autojump_clock):
    async with world() as w:
        async with w.streams.open("hello", "anthropic:claude-one") as stream:
            with pytest.raises(StreamClosed, match="opened before"):
                await stream.__aenter__()
        with pytest.raises(StreamClosed, match="opened before"):
            await stream.__aenter__()


async def test_a_deadline_is_known_through_a_nursery_in_the_block(world, autojump_clock):
    async with world("claude-one#1=stall:2") as w:
        with trio.move_on_after(3):
            async with w.streams.open("hello", "anthropic:claude-one") as stream, trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
        assert stream.outcome.failure.kind is FailureKind.DEADLINE


async def test_who_raises_in_the_block_meets_its_own_error_and_an_interrupted_outcome(world, autojump_clock):
    async def careless(stream):
        async with stream:
            async for _ in stream:
                raise ZeroDivisionError

    async with world("claude-one#1=stall:4") as w:
        stream = w.streams.open("hello", "anthropic:claude-one")
        with pytest.raises(ZeroDivisionError):
            await careless(stream)
        assert stream.outcome.status is Status.INTERRUPTED
        assert w.network.open_connections == 0


async def test_opened_in_one_task_it_can_be_left_in_another(world, autojump_clock):
    async with world("claude-one#1=stall:4") as w:
        stream = w.streams.open("hello", "anthropic:claude-one")
        await stream.__aenter__()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.__aexit__, None, None, None)
        assert stream.outcome.status is Status.INTERRUPTED
        assert w.network.open_connections == 0


async def test_who_never_looks_holds_the_provider_and_leaves_at_once(world, autojump_clock):
    async with world(tokens=4000) as w:
        async with w.streams.open("hello", "anthropic:claude-one") as stream:
            await trio.sleep(3600)
            left = trio.current_time()
        assert trio.current_time() == left
        assert stream.outcome.status is Status.INTERRUPTED
        assert w.network.open_connections == 0


@pytest.mark.parametrize("total", [3.0, None])
async def test_a_total_clock_ends_an_attempt_that_goes_on_talking(world, autojump_clock, total):
    route = Route("anthropic", "claude-one", clocks=Clocks(None, None, None, None, None, total))
    async with world(tokens=200, pacing=Pacing(events_per_second=10)) as w:
        outcome = await w.streams.ask("hello", Ladder(route))
        assert outcome.completed == (total is None)
        if total is not None:
            assert outcome.failure.kind is FailureKind.TOTAL_TIMEOUT
            assert outcome.attempts[0].seconds == pytest.approx(total)
