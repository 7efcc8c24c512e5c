"""A key that is renewed: once for everybody who was refused, and a second refusal stands."""

import json
from collections import Counter

import pytest
import trio
from key_world import NEW, OLD, ROUTES, THIRD, Gate, Maker, served
from scripted_peer import Peer

from actors import (
    AttemptAbandoned,
    Expiring,
    FailureKind,
    Ladder,
    Retry,
    SettingError,
    Settings,
    Status,
    Switch,
    open_streams,
)
from actors.chaos import Pacing, expected_text, open_network
from actors.route import Route

K = FailureKind
EACH = pytest.mark.parametrize("provider", ROUTES)


@pytest.mark.row("A14")
@pytest.mark.promise("P5")
@EACH
async def test_a_refused_key_is_renewed_once_and_the_stream_asked_again(autojump_clock, provider):
    gate, maker = Gate({OLD: 401}), Maker(NEW)
    async with served(gate, provider=provider, refresh={provider: maker}) as streams:
        outcome = await streams.ask("q", Ladder(ROUTES[provider]))
        assert (outcome.status, maker.calls, gate.seen) == (Status.COMPLETED, 1, [OLD, NEW])
        assert outcome.text == expected_text("q", tokens=6)
        assert [attempt.route.name for attempt in outcome.attempts] == [ROUTES[provider]] * 2
        assert (await streams.ask("again", Ladder(ROUTES[provider]))).completed
    assert (maker.calls, gate.seen) == (1, [OLD, NEW, NEW])


@pytest.mark.row("A14")
async def test_a_second_refusal_stands_and_each_stream_has_one_refresh(autojump_clock):
    gate, maker = Gate({"*": 401}), Maker(NEW)
    async with served(gate, refresh={"anthropic": maker}) as streams:
        for asked in range(1, 5):
            outcome = await streams.ask("q", Ladder("anthropic:m", Retry(5)))
            assert (outcome.status, outcome.failure.kind) == (Status.FAILED, K.INVALID_KEY)
            assert maker.calls == asked
            assert len(outcome.attempts) <= 2
    assert len(gate.seen) <= 8


@pytest.mark.row("A14")
async def test_a_second_refusal_leads_on_to_the_next_route(autojump_clock):
    gate, maker = Gate({OLD: 401, NEW: 401}), Maker(NEW)
    async with served(gate, refresh={"anthropic": maker}) as streams:
        outcome = await streams.ask("q", Ladder("anthropic:m", Retry(5), Switch("google:m")))
    assert outcome.completed
    assert [attempt.route.provider for attempt in outcome.attempts] == ["anthropic", "anthropic", "google"]
    assert maker.calls == 1


@pytest.mark.row("A14")
async def test_the_seam_tells_the_refused_attempt_and_nothing_was_lost(autojump_clock):
    gate, ladder = Gate({OLD: 401}), Ladder("anthropic:m")
    async with served(gate, refresh={"anthropic": Maker(NEW)}) as streams, streams.open("q", ladder) as stream:
        seams = [event async for event in stream if isinstance(event, AttemptAbandoned)]
    (seam,) = seams
    assert (seam.failure.kind, seam.after, seam.next_route.name) == (K.INVALID_KEY, 0.0, "anthropic:m")


@pytest.mark.row("A14")
async def test_a_hundred_streams_refused_at_once_share_one_refresh(autojump_clock):
    gate, maker = Gate({OLD: 401}, pacing=Pacing(first_token=1.0)), Maker(NEW, seconds=3.0)
    outcomes = []
    async with served(gate, refresh={"anthropic": maker}) as streams, trio.open_nursery() as nursery:

        async def ask(number):
            outcomes.append(await streams.ask(f"q{number}", Ladder("anthropic:m")))

        for number in range(100):
            nursery.start_soon(ask, number)
    assert maker.calls == 1
    assert Counter(outcome.status for outcome in outcomes) == {Status.COMPLETED: 100}
    assert Counter(gate.seen) == {OLD: 100, NEW: 100}


@pytest.mark.row("A14")
async def test_a_hundred_streams_that_stay_refused_are_two_attempts_each_and_one_refresh(autojump_clock):
    gate, maker = Gate({"*": 401}), Maker(NEW, seconds=3.0)
    outcomes = []
    async with served(gate, refresh={"anthropic": maker}) as streams, trio.open_nursery() as nursery:

        async def ask(number):
            outcomes.append(await streams.ask(f"q{number}", Ladder("anthropic:m", Retry(5))))

        for number in range(100):
            nursery.start_soon(ask, number)
    assert maker.calls == 1
    assert {outcome.status for outcome in outcomes} == {Status.FAILED}
    assert {len(outcome.attempts) for outcome in outcomes} == {2}
    assert len(gate.seen) == 200


@pytest.mark.promise("P4")
async def test_a_stream_that_leaves_during_the_refresh_leaves_at_once_and_another_goes_on(autojump_clock):
    gate, maker = Gate({OLD: 401}), Maker(NEW, seconds=10.0)
    async with served(gate, refresh={"anthropic": maker}) as streams, trio.open_nursery() as nursery:
        outcomes = []

        async def ask(seconds):
            start = trio.current_time()
            with trio.move_on_after(seconds):
                outcomes.append(await streams.ask("q", Ladder("anthropic:m")))
            return trio.current_time() - start

        async def stay():
            await trio.sleep(1)
            await ask(100)

        nursery.start_soon(stay)
        assert await ask(3) == 3
    assert (maker.calls, maker.cancelled) == (2, 1)
    assert [outcome.status for outcome in outcomes] == [Status.COMPLETED]


@pytest.mark.promise("P13")
@pytest.mark.parametrize(
    ("error", "kind"),
    [(ValueError(f"no {OLD} here"), K.INVALID_KEY), (ConnectionRefusedError(111, "Connection refused"), K.UNAVAILABLE)],
)
async def test_a_refresher_that_fails_is_told_and_asked_again_by_the_next_stream(autojump_clock, error, kind):
    gate, maker = Gate({OLD: 401}), Maker(NEW, fails=[error])
    async with served(gate, refresh={"anthropic": maker}) as streams:
        outcome = await streams.ask("q", Ladder("anthropic:m"))
        assert outcome.failure.kind is kind
        assert outcome.failure.message.startswith(f"no new key for anthropic was to be had: {type(error).__name__}: ")
        assert OLD not in repr(outcome)
        assert (await streams.ask("q", Ladder("anthropic:m"))).completed
    assert (maker.calls, gate.seen) == (2, [OLD, NEW])


async def test_all_who_wait_for_a_refresh_that_fails_are_told(autojump_clock):
    gate, maker = Gate({OLD: 401}), Maker(NEW, seconds=2.0, fails=[ValueError("vault sealed")])
    outcomes = []
    async with served(gate, refresh={"anthropic": maker}) as streams, trio.open_nursery() as nursery:

        async def ask():
            outcomes.append(await streams.ask("q", Ladder("anthropic:m")))

        for _ in range(10):
            nursery.start_soon(ask)
    assert maker.calls == 1
    assert len({outcome.failure.message for outcome in outcomes}) == 1
    assert len(gate.seen) == 10


@pytest.mark.parametrize("given", [None, "", " ", 7, "sk key", "sk-key\nx", Expiring("")])
async def test_a_refresher_that_gives_no_key_is_told_and_nothing_is_sent(autojump_clock, given):
    gate = Gate()
    async with served(gate, (), refresh={"anthropic": Maker(given)}) as streams:
        outcome = await streams.ask("q", Ladder("anthropic:m"))
    assert outcome.failure.message.startswith("no new key for anthropic was to be had: SettingError: ")
    assert gate.seen == []


@pytest.mark.row("A13")
async def test_where_no_key_is_set_the_first_one_is_made(autojump_clock):
    gate, maker = Gate(), Maker(NEW)
    async with served(gate, (), refresh={"anthropic": maker}) as streams:
        assert (await streams.ask("q", "anthropic:m")).completed
        assert (await streams.ask("q", "anthropic:m")).completed
    assert (maker.calls, gate.seen) == (1, [NEW, NEW])


async def test_a_key_that_runs_out_is_renewed_before_it_does(autojump_clock):
    gate, maker = Gate(), Maker(Expiring(OLD, 3600), Expiring(NEW, 3600))
    async with served(gate, (), refresh={"anthropic": maker}) as streams:
        await streams.ask("q", "anthropic:m")
        await trio.sleep(3000)
        await streams.ask("q", "anthropic:m")
        await trio.sleep(575)
        await streams.ask("q", "anthropic:m")
    assert (maker.calls, gate.seen) == (2, [OLD, OLD, NEW])
    assert OLD not in repr(Expiring(OLD, 3600))


async def test_a_refresh_that_takes_too_long_is_the_attempts_own_delay(autojump_clock):
    async with served(Gate(), (), refresh={"anthropic": Maker(NEW, seconds=1000)}) as streams:
        outcome = await streams.ask("q", Ladder("anthropic:m"))
        assert outcome.failure.kind is K.FIRST_EVENT_TIMEOUT


async def test_other_keys_go_before_a_refresh(autojump_clock):
    gate, maker = Gate({OLD: 401}), Maker(THIRD)
    async with served(gate, (OLD, NEW), refresh={"anthropic": maker}) as streams:
        outcome = await streams.ask("q", Ladder("anthropic:m"))
        assert (outcome.status, maker.calls, gate.seen) == (Status.COMPLETED, 0, [OLD, NEW])
        assert (await streams.ask("q", Ladder("anthropic:m"))).completed
    assert (maker.calls, gate.seen[2:]) == (1, [THIRD])


@pytest.mark.parametrize("name", ["nobody", "claude-code"])
async def test_a_refresher_for_whoever_has_no_key_is_a_wrong_setting(name):
    with pytest.raises(SettingError, match=f"refresh names '{name}', which has no key to renew"):
        async with open_streams(settings=Settings.read({}), refresh={name: Maker(NEW)}):
            pass


@pytest.mark.row("A13")
async def test_without_key_or_refresher_nothing_opens(autojump_clock):
    async with open_network(Gate()) as network:
        async with open_streams(settings=Settings.read({}), network=network) as streams:
            with pytest.raises(SettingError, match="ANTHROPIC_API_KEY is not set"):
                await streams.ask("q", Route("anthropic", "m"))
        assert network.opened == 0


@pytest.mark.promise("P13")
async def test_a_renewed_key_that_the_provider_repeats_gets_neither_into_a_recording_nor_into_a_log(tmp_path):
    key = "plain-words-for-a-key"
    body = json.dumps({"error": {"message": f"Received API key {key}, which is none", "type": "nope"}}).encode()
    answer = b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    path, captured = tmp_path / "r.jsonl", []
    for given in ({"record": path}, {"capture": captured.append}):
        async with served(Peer([[answer]]), (), refresh={"anthropic": Maker(key)}, **given) as streams:
            outcome = await streams.ask("q", Ladder("anthropic:m"))
        assert outcome.failure.message == "Received API key ***, which is none"
    assert "which is none" in path.read_text()
    assert len(captured) == 1
    assert key not in path.read_text() + repr(captured)
