"""Where a stream goes when its route will not do: to one piece, to another provider, or nowhere."""

import pytest
import trio
from rows_world import DONE, ONE, ROUTES, TWO, Played, always
from stream_world import read
from structlog.testing import capture_logs

from actors import (
    Buffered,
    FailureKind,
    Ladder,
    Mode,
    Retry,
    Route,
    SettingError,
    Settings,
    Status,
    Switch,
    TextDelta,
    from_deltas,
)
from actors.chaos import Answer, Scripted, Text, ToolUse, expected_text
from actors.failure import Category, Phase
from actors.observe.logs import StreamLogs
from actors.policy.brakes import BRAKES
from actors.policy.classify import classify
from actors.source import RefusedError

HELLO = expected_text("hello", tokens=24)
OTHER = {route: ROUTES[(number + 1) % len(ROUTES)] for number, route in enumerate(ROUTES)}


def short_of_memory(_request, route):
    """A client that can only answer in one piece."""

    async def answer():
        yield TextDelta("half ")
        if route.mode is Mode.STREAMING:
            raise MemoryError
        yield TextDelta("whole")

    return answer()


@pytest.mark.row("E1", "E2", "M4", "G11", "X8", "J4")
async def test_out_of_memory_a_stream_completes_in_one_piece_and_says_so(world, autojump_clock):
    with capture_logs() as logs:
        async with world(providers={"mine": from_deltas(short_of_memory)}, hook=StreamLogs()) as w:
            async with w.streams.open("hello", Ladder("mine:model", Retry(5), Switch(TWO), Buffered())) as stream:
                text = await read(stream)
            assert w.entries == ()
    outcome = stream.outcome
    assert (text, outcome.text, outcome.status) == ("half whole", "half whole", Status.COMPLETED)
    assert [attempt.route.mode for attempt in outcome.attempts] == [Mode.STREAMING, Mode.BUFFERED]
    told = [(line["event"], line["log_level"]) for line in logs if line["log_level"] != "debug"]
    assert told == [("switched to buffered", "warning"), ("stream completed", "info")]


@pytest.mark.row("E4", "X8")
async def test_out_of_memory_in_one_piece_too_it_fails_after_two_requests(world, autojump_clock):
    played = Played([MemoryError()])
    async with world(providers={"mine": played}) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:model", Retry(5), Buffered()))
    assert (outcome.status, outcome.failure.kind, played.opened) == (Status.FAILED, FailureKind.MEMORY, 2)


@pytest.mark.row("E5", "A19", "A32")
@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (MemoryError(), True),
        (OSError(12, "Cannot allocate memory"), True),
        (ExceptionGroup("group", [MemoryError()]), True),
        (ConnectionResetError("out of memory lane"), False),
        (OSError(104, "memory of a connection"), False),
    ],
)
def test_a_shortage_is_known_by_its_type_and_not_by_a_word(error, memory):
    failure = classify(error, Phase.STREAMING, "mine", "model")
    assert (failure is not None and failure.category is Category.RESOURCE) == memory


@pytest.mark.row("E6", "E15", "E2")
@pytest.mark.parametrize("route", ROUTES)
async def test_every_provider_answers_in_one_piece_where_that_is_asked_for(world, autojump_clock, route):
    answer = Answer((Text("let me look"), ToolUse("weather", '{"city": "Bern"}')))
    async with world(answers=Scripted(answer)) as w:
        streamed = await w.streams.ask("hello", Route.parse(route))
        buffered = await w.streams.ask("hello", Route.parse(route).buffered)
        assert [entry.streaming for entry in w.entries] == [True, False]
    assert buffered.completed
    assert (
        (buffered.text, buffered.finish.reason)
        == (streamed.text, streamed.finish.reason)
        == ("let me look", streamed.finish.reason)
    )
    assert [call.arguments for call in buffered.tool_calls] == [{"city": "Bern"}]


@pytest.mark.row("E7", "B5")
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("fault", ["truncate:5", "garble:5"])
async def test_after_repeated_trouble_with_its_stream_a_route_is_asked_in_one_piece(
    world, autojump_clock, route, fault
):
    async with world(always(fault, times=3)) as w:
        async with w.streams.open("hello", Ladder(route, Retry(5), Buffered())) as stream:
            text = await read(stream)
        assert [entry.streaming for entry in w.entries] == [True, True, True, False]
    assert text == stream.outcome.text == HELLO


NOWHERE_ELSE = ["status503", "status429", "status529", "cut:5", "hang", "status404", "status401"]


@pytest.mark.row("E8")
@pytest.mark.parametrize("fault", NOWHERE_ELSE)
async def test_nobody_else_is_asked_where_the_ladder_names_nobody(world, autojump_clock, fault):
    async with world(always(fault)) as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(2), Buffered()))
        assert {(entry.provider, entry.model) for entry in w.entries} == {("anthropic", "model-one")}
    assert outcome.status is Status.FAILED


SWITCHES = [
    ("status503", 3), ("status529", 3), ("status500", 3), ("status429", 3), ("reset:0", 3), ("hang", 1), ("stall:5", 1),
    ("status404", 1), ("status403", 1), ("status401", 1), ("status429:quota", 1),
]  # fmt: skip


@pytest.mark.row("E9", "A16", "A9", "A10", "A15", "X7")
@pytest.mark.parametrize(("fault", "asked"), SWITCHES)
@pytest.mark.parametrize("route", ROUTES)
async def test_another_provider_is_asked_when_the_first_will_not_do(world, autojump_clock, route, fault, asked):
    if (fault, route) == ("status429:quota", ROUTES[0]):
        fault = "status400:billing"
    async with world(f"down:{Route.parse(route).provider}=1..40@{fault}") as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(3), Switch(OTHER[route])))
        assert [entry.provider for entry in w.entries] == [Route.parse(route).provider] * asked + [
            Route.parse(OTHER[route]).provider
        ]
    assert outcome.unwrap().text == HELLO


@pytest.mark.row("E9", "A11")
@pytest.mark.parametrize("fault", ["status400", "status413"])
@pytest.mark.parametrize("route", ROUTES)
async def test_a_request_that_is_refused_for_itself_goes_nowhere_else(world, autojump_clock, route, fault):
    async with world(always(fault)) as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(5), Switch(OTHER[route]), Buffered()))
        assert len(w.entries) == 1
    assert outcome.failure.status == int(fault.removeprefix("status"))


@pytest.mark.row("A22", "E9", "X4", "B3")
@pytest.mark.parametrize("route", ROUTES)
async def test_a_refused_connection_is_tried_three_times_and_then_another_provider(world, autojump_clock, route):
    async with world() as w:
        host = {"anthropic": "anthropic.test", "google": "google.test"}.get(Route.parse(route).provider, "openai.test")
        other = "google:model-one" if host != "google.test" else ONE
        w.network.unreachable.add(host)
        began = trio.current_time()
        outcome = await w.streams.ask("hello", Ladder(route, Retry(5), Switch(other)))
        assert trio.current_time() - began == pytest.approx(3, rel=0.1)
    kinds = [attempt.failure and attempt.failure.kind for attempt in outcome.attempts]
    assert kinds == [FailureKind.REFUSED] * 3 + [None]


@pytest.mark.row("E10", "D15")
async def test_when_every_rung_failed_the_timeline_tells_of_all_of_them(world, autojump_clock):
    async with world(f"{always('status503')} {always('status403', 'model-two')} down:google=1..9@stall:5") as w:
        outcome = await w.streams.ask("hello", Ladder(ONE, Retry(2), Switch(TWO), Switch("google:model-three")))
    told = [(str(attempt.route), attempt.failure.kind.label) for attempt in outcome.attempts]
    assert told == [
        (ONE, "unavailable"),
        (ONE, "unavailable"),
        (TWO, "permission"),
        ("google:model-three", "stalled"),
    ]
    assert outcome.failure is outcome.attempts[-1].failure
    assert [attempt.number for attempt in outcome.attempts] == [1, 2, 3, 4]


@pytest.mark.row("E12", "O4")
async def test_a_route_that_failed_for_many_is_left_alone_for_a_while(world, autojump_clock):
    async with world("down:model-one=0s..30s@status503", brakes=BRAKES) as w:
        ladder = Ladder(ONE, Retry(5), Switch(TWO))
        for number in range(6):
            assert (await w.streams.ask(f"early {number}", ladder)).completed
        asked = len(w.entries)
        late = await w.streams.ask("late", ladder)
        assert [str(attempt.route) for attempt in late.attempts] == [TWO]
        assert len(w.entries) == asked + 1
        await trio.sleep(60)
        again = await w.streams.ask("much later", ladder)
        assert [str(attempt.route) for attempt in again.attempts] == [ONE]


@pytest.mark.row("M2", "A4", "A5", "J2")
@pytest.mark.parametrize("fault", ["status429", "status503"])
@pytest.mark.parametrize("route", ROUTES)
async def test_transient_trouble_is_waited_out(world, autojump_clock, route, fault):
    with capture_logs() as logs:
        async with world(always(fault, times=2), hook=StreamLogs()) as w:
            outcome = await w.streams.ask("hello", Ladder(route, Retry(5)))
            assert len(w.entries) == 3
            assert [entry.status for entry in w.entries] == [int(fault.removeprefix("status"))] * 2 + [200]
    assert outcome.unwrap().text == HELLO
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "attempt 1/5 failed",
        "attempt 2/5 failed",
    ]


@pytest.mark.row("M3", "A8", "A9", "A11", "A12", "J3", "L4")
@pytest.mark.parametrize("fault", ["status400", "status401", "status403", "status404"])
@pytest.mark.parametrize("route", ROUTES)
async def test_permanent_trouble_is_told_at_once_after_one_request(world, autojump_clock, route, fault):
    with capture_logs() as logs:
        async with world(always(fault), hook=StreamLogs()) as w:
            began = trio.current_time()
            outcome = await w.streams.ask("hello", Ladder(route, Retry(5)))
            assert trio.current_time() - began < 0.001
            assert len(w.entries) == 1
    assert outcome.failure.disposition.value in {"elsewhere", "stop"}
    loud = [line["event"] for line in logs if line["log_level"] in {"warning", "error"}]
    assert loud == ["not retrying"]
    assert len(outcome.failure.title) > 5


@pytest.mark.row("M11", "X15", "A2")
@pytest.mark.parametrize(
    ("route", "attempts", "transient", "fallback"),
    [("busy", 5, True, False), ("locked", 1, False, False), ("small", 2, False, True), ("slow", 1, False, False)],
)
async def test_a_rate_limit_a_bad_key_a_shortage_and_a_cancellation_are_four_things(
    world, autojump_clock, route, attempts, transient, fallback
):
    providers = {
        "busy": Played([RefusedError("slow down", status=429, kind="rate_limit_error")]),
        "locked": Played([RefusedError("no such key", status=401, kind="authentication_error")]),
        "small": Played([MemoryError()], [[TextDelta("whole")], DONE]),
        "slow": Played([1e9]),
    }
    async with world(providers=providers) as w:
        with trio.move_on_after(1000 if route != "slow" else 3):
            async with w.streams.open("hello", Ladder(f"{route}:model", Retry(5), Buffered())) as stream:
                await stream.wait()
    outcome = stream.outcome
    asked = [attempt.route.mode for attempt in outcome.attempts]
    assert asked.count(Mode.STREAMING) == (attempts - 1 if fallback else attempts)
    assert (Mode.BUFFERED in asked) == (fallback or transient)
    expected = {"busy": "failed", "locked": "failed", "small": "completed", "slow": "interrupted"}
    assert outcome.status.value == expected[route]


VARIABLES = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY")


@pytest.mark.row("A13")
@pytest.mark.parametrize(("route", "variable"), [*zip(ROUTES, VARIABLES, strict=True)])
async def test_missing_credentials_are_said_before_anything_is_opened(world, autojump_clock, route, variable):
    async with world(settings=Settings.read({})) as w:
        with pytest.raises(SettingError, match=variable):
            await w.streams.ask("hello", route)
        assert (w.network.opened, w.entries) == (0, ())
