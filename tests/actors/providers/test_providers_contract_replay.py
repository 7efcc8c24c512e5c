"""What holds for every provider holds for a recording of it: the same parts, calls, usage and finish, the same ends, and nothing is sent."""

from contextlib import asynccontextmanager

import pytest
import trio
from msgspec.structs import replace
from provider_world import ENVIRONMENT, PROVIDERS, RICH, ROUTES, assembled, deltas_of, finished, text

from actors.chaos import Generated, Plan, Scripted, Simulator, expected_text, open_network
from actors.config import Settings
from actors.deltas import FinishReason
from actors.providers.replay import ReplayProvider, read_recording
from actors.providers.table import open_providers
from actors.request import Request
from actors.source import DivergedError, EncodingError, RefusedError, TruncatedError, WireError
from actors.wire.recording import body_fields

EACH_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=str)
EACH_PROVIDER = pytest.mark.parametrize("named", PROVIDERS, ids=str)
pytestmark = [pytest.mark.row("C14", "M9")]


@asynccontextmanager
async def recording(path, simulator):
    async with (
        open_network(simulator) as network,
        open_providers(Settings.read(ENVIRONMENT), {}, network, record=path) as known,
    ):
        yield known


class NoNetwork:
    async def connect_tcp(self, *_args, **_kwargs):
        raise AssertionError("a replay opened a connection")


@asynccontextmanager
async def replaying(lines):
    """The providers of a recording that has these lines."""
    replay = ReplayProvider("tape.jsonl", lines)
    async with open_providers(Settings.read({}), {}, NoNetwork(), replay=replay) as known:
        yield known


async def both(path, simulator, route):
    """What a provider gave, and what its recording gives: deltas, and what was raised."""
    told = []
    async with recording(path, simulator) as known:
        told.append(await heard(known, route))
    async with replaying(read_recording(path)) as known:
        told.append(await heard(known, route))
    return told


async def heard(known, route):
    deltas = []
    try:
        await deltas_of(known, route, Request("hello"), deltas)
    except Exception as error:  # noqa: BLE001 -- what is raised is what is compared
        return deltas, error
    return deltas, None


@EACH_ROUTE
async def test_an_answer_has_its_parts_its_calls_its_usage_and_its_finish(tmp_path, route):
    (live, no), (again, nor) = await both(tmp_path / "t", Simulator(Scripted(RICH)), route)
    assert (no, nor) == (None, None)
    assert again == live
    assembly = assembled(again)
    assert [call.call.name for call in assembly.ready] == ["weather", "now"]
    assert assembly.finish.reason is FinishReason.TOOL_CALLS


@EACH_ROUTE
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 529])
async def test_every_error_status_is_told_again(tmp_path, route, status):
    plan = Plan.parse(f"{route.model}#1=status{status}")
    (_, live), (_, again) = await both(tmp_path / "t", Simulator(plan=plan), route)
    assert isinstance(again, RefusedError)
    assert type(again) is type(live)
    for name in ("status", "kind", "code", "message", "retry_after", "in_stream"):
        assert getattr(again, name) == getattr(live, name)


@pytest.mark.promise("P7")
@EACH_PROVIDER
@pytest.mark.parametrize(
    "fault", ["refuse", "cut:9", "reset:9", "tear:9", "truncate:9", "garble:9", "error:overloaded:9"]
)
async def test_a_broken_stream_breaks_again_at_the_same_place(tmp_path, autojump_clock, named, fault):
    simulator = Simulator(Generated(), Plan.parse(f"{fault}=1"))
    (live, error), (again, same) = await both(tmp_path / "t", simulator, named.route)
    assert again == live
    assert type(same) is type(error)
    assert finished(again) == []


@EACH_PROVIDER
async def test_a_request_that_cannot_be_encoded_is_refused_before_it_is_looked_for(named):
    async with replaying(()) as known:
        with pytest.raises(EncodingError):
            await deltas_of(known, named.route, Request(()))


@EACH_ROUTE
async def test_what_was_not_recorded_has_no_answer(route):
    async with replaying(()) as known:
        with pytest.raises(DivergedError):
            await deltas_of(known, route, Request("hello"))


@pytest.mark.promise("P7")
@EACH_PROVIDER
async def test_a_recording_cut_at_any_byte_never_completes_before_its_end(tmp_path, named):
    path = tmp_path / "t"
    async with recording(path, Simulator(Generated(tokens=6))) as known:
        whole = await deltas_of(known, named.route, Request("hello"))
    (line,) = read_recording(path)
    octets, ends = line.octets, []
    for size in range(len(octets)):
        body, exact = body_fields(octets[:size])
        cut = replace(line, response_body=body, response_base64=exact, slices=())
        async with replaying([cut]) as known:
            deltas, error = await heard(known, named.route)
        assert expected_text("hello", tokens=6).startswith(text(deltas))
        ends.append(bool(finished(deltas)))
        assert finished(deltas) or isinstance(error, TruncatedError | WireError)
    assert text(whole) == expected_text("hello", tokens=6)
    assert len(ends) > 20
    assert sorted(ends) == ends  # not complete, until it is


@pytest.mark.promise("P4")
@EACH_PROVIDER
async def test_a_cancel_at_any_event_passes_through(tmp_path, named):
    path = tmp_path / "t"
    async with recording(path, Simulator(Generated(tokens=6))) as known:
        whole = await deltas_of(known, named.route, Request("hello"))
    for most in range(len(whole)):
        async with replaying(read_recording(path)) as known:
            count = 0
            with trio.CancelScope() as scope:
                async with known[named.name].open(Request("hello"), named.route) as source:
                    while count < most:
                        count += len(await source.receive())
                    scope.cancel()
                    await source.receive()
            assert scope.cancelled_caught or count == len(whole)  # behind the last there is nothing to wait for
