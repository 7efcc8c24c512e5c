"""A provider that echoes keys, goes on after its last word or never hangs up, seen through the whole stream layer."""

import pickle
from contextlib import asynccontextmanager
from itertools import count

import pytest
import trio

from actors import (
    Finish,
    Finished,
    FinishReason,
    Ladder,
    PartEnded,
    Retry,
    Settings,
    Status,
    StreamFailed,
    Switch,
    ToolCall,
    from_deltas,
    open_streams,
)
from actors.chaos.network import open_network
from actors.chaos.plan import Plan
from actors.chaos.simulator import Simulator
from actors.chaos.sources import Generated, expected_text
from actors.failure import FailureKind
from actors.source import EncodingError, RefusedError
from supervisor import line

KEY = "sk-ant-api03-0123456789abcdef"
SETTINGS = Settings.read({"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "http://anthropic.test"})
HOSTILE = [
    f"Incorrect API key provided: {KEY}. You can find yours online.",
    f"\x1b[2J\x1b[H{KEY}\r\n" * 100,
    "\N{GRINNING FACE}" * 100_000,
    "\ud800" * 1000,
]


class Raising:
    """A provider that raises when it is asked."""

    def __init__(self, error):
        self.error = error
        self.asked = 0

    @asynccontextmanager
    async def open(self, *_):
        self.asked += 1
        raise self.error
        yield


@pytest.mark.promise("P13")
@pytest.mark.promise("P14")
@pytest.mark.parametrize("message", HOSTILE, ids=["key", "terminal", "letters", "surrogates"])
async def test_hostile_words_stay_small_and_harmless_wherever_they_are_shown(autojump_clock, message):
    error = RefusedError(message, status=429, kind=KEY * 100, headers={"request-id": KEY * 100}, retry_after=1.0)
    records = []
    async with (
        open_streams(providers={"hostile": Raising(error)}, hook=records.append) as streams,
        streams.open("hello", Ladder("hostile:model", Retry(2))) as stream,
    ):
        events = [event async for event in stream]
    failure = stream.outcome.failure
    assert len(pickle.dumps(failure)) < 1024
    with pytest.raises(StreamFailed) as failed:
        stream.outcome.unwrap()
    assert pickle.loads(pickle.dumps(failed.value)).outcome == stream.outcome
    shown = [str(failed.value), repr(stream.outcome), repr(events), *map(line, records), *map(repr, records)]
    assert not any(KEY in text or "\x1b" in text for text in shown)


async def test_what_cannot_be_encoded_is_asked_once_and_never_elsewhere(autojump_clock):
    picky, spare = Raising(EncodingError("images are not for this model")), Raising(KeyError("never asked"))
    ladder = Ladder("picky:model", Retry(5), Switch("spare:model"))
    async with open_streams(providers={"picky": picky, "spare": spare}) as streams:
        outcome = await streams.ask("hello", ladder)
    assert (outcome.status, outcome.failure.kind) == (Status.FAILED, FailureKind.INVALID_REQUEST)
    assert (picky.asked, spare.asked) == (1, 0)


async def test_a_call_over_what_is_no_json_leaves_an_outcome_all_the_same(autojump_clock):
    async def cut_short(*_):
        yield PartEnded(0, ToolCall("1", "look", {"at": object()}))
        yield Finished(Finish(FinishReason.LENGTH))

    async with open_streams(providers={"own": from_deltas(cut_short)}) as streams:
        with trio.fail_after(10):
            outcome = await streams.ask("hello", "own:model")
    assert outcome.completed
    assert outcome.tool_calls == ()
    assert "object" in outcome.incomplete_calls[0].fragment


class GoesOn:
    """A simulator whose answers never end: what follows the terminal event comes every so many seconds, for ever."""

    def __init__(self, seconds, rubbish):
        self.simulator = Simulator(Generated(tokens=24), Plan.parse(""))
        self.seconds = seconds
        self.rubbish = rubbish

    async def serve(self, stream):
        await self.simulator.serve(Endless(stream, self))


class Endless(trio.abc.Stream):
    """The server's end of a connection: the last chunk of a body never comes, rubbish does."""

    def __init__(self, stream, goes_on):
        self.stream = stream
        self.goes_on = goes_on

    async def send_all(self, data):
        octets = bytes(data)
        if not octets.endswith(b"0\r\n\r\n"):
            await self.stream.send_all(octets)
            return
        await self.stream.send_all(octets.removesuffix(b"0\r\n\r\n"))
        for _ in count():
            await trio.sleep(self.goes_on.seconds)
            await self.stream.send_all(self.goes_on.rubbish)

    async def wait_send_all_might_not_block(self):
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes=None):
        return await self.stream.receive_some(max_bytes)

    async def aclose(self):
        await self.stream.aclose()


CHUNK = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    ("seconds", "rubbish"),
    [(3600.0, CHUNK), (0.001, CHUNK), (0.0, CHUNK), (0.01, b"no chunk at all\r\n")],
    ids=["silence", "a trickle", "a flood", "no framing"],
)
async def test_what_follows_the_terminal_event_delays_the_outcome_by_its_bound_at_most(
    autojump_clock, seconds, rubbish
):
    async with (
        open_network(GoesOn(seconds, rubbish)) as network,
        open_streams(settings=SETTINGS, network=network) as streams,
    ):
        began = trio.current_time()
        outcome = await streams.ask("hello", "anthropic:claude-one")
        assert trio.current_time() - began <= 0.3
        assert outcome.text == expected_text("hello", tokens=24)
        assert outcome.completed
        assert network.open_connections == 0
