"""Clients we do not know as routes: cut, retried, switched away from and cancelled like every provider, on the mock clock."""

import httpx
import pytest
import trio
from stream_world import read

from actors import (
    Clocks,
    FailureKind,
    Finish,
    Finished,
    FinishReason,
    Ladder,
    Mode,
    PartEnded,
    Request,
    Retry,
    Route,
    Settings,
    Status,
    Switch,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
    from_call,
    from_deltas,
)
from actors.chaos import expected_text

SETTINGS = Settings.read({"GEMINI_API_KEY": "key-of-nobody", "GEMINI_BASE_URL": "http://google.test"})
HELLO = expected_text("hello", tokens=24)
REAL = Route("google", "model-two")


class Client:
    """A client nobody has heard of: each of its answers is a list of things to yield, to raise or to wait."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.closed = []

    async def chat(self, request, route):
        self.asked.append((request.messages[-1].parts[0].text, str(route)))
        try:
            for piece in self.answers.pop(0):
                await trio.lowlevel.checkpoint()
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, float):
                    await trio.sleep(piece)
                else:
                    yield piece
        finally:
            self.closed.append(trio.current_time())


def words(upto=None):
    return [word + " " for word in HELLO.split(" ")[:upto]] if upto else [HELLO[:50], HELLO[50:]]


async def test_a_foreign_client_is_a_route_and_its_end_is_the_end(world, autojump_clock):
    client = Client(words())
    providers = {"mine": from_deltas(client.chat)}
    async with world(providers=providers, settings=SETTINGS) as w, w.streams.open("hello", "mine:any") as stream:
        text = await read(stream)
    assert text == stream.outcome.text == HELLO
    assert stream.outcome.finish == Finish(FinishReason.STOP, releases=True)
    assert client.asked == [("hello", "mine:any")]
    assert len(client.closed) == 1


async def test_after_its_end_a_foreign_source_has_nothing_more():
    provider = from_deltas(Client(["all of it"]).chat)
    async with provider.open(Request("hello"), Route("mine", "any")) as source:
        received = [await source.receive() for _ in range(4)]
    assert received == [[TextDelta("all of it")], [Finished(Finish(FinishReason.STOP, releases=True))], None, None]


async def test_a_finish_that_the_client_says_ends_the_answer_and_closes_the_generator(world, autojump_clock):
    client = Client([TextDelta("all of it"), UsageDelta(Usage(3, 4)), Finished(Finish(FinishReason.LENGTH)), "never"])
    async with world(providers={"mine": from_deltas(client.chat)}, settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", "mine:any")
    assert (outcome.text, outcome.finish.reason, outcome.usage) == ("all of it", FinishReason.LENGTH, Usage(3, 4))
    assert len(client.closed) == 1


async def test_calls_of_a_foreign_client_are_released_when_it_ends(world, autojump_clock):
    call = [ToolCallStarted("now", "c1", 1), ToolCallDelta('{"zone":', 1), ToolCallDelta('"utc"}', 1), PartEnded(1)]
    async with world(providers={"mine": from_deltas(Client(["I look", *call]).chat)}, settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", "mine:any")
    assert [(call.name, call.arguments) for call in outcome.tool_calls] == [("now", {"zone": "utc"})]
    assert outcome.finish.reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ReadError("reset"), FailureKind.RESET),
        (
            httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
            FailureKind.TRUNCATED,
        ),
        (httpx.HTTPStatusError("no", request=None, response=httpx.Response(529)), FailureKind.OVERLOADED),
        (ConnectionResetError(104, "reset"), FailureKind.RESET),
        (TimeoutError(), FailureKind.TIMEOUT),
    ],
    ids=lambda value: getattr(value, "name", type(value).__name__),
)
async def test_a_foreign_client_that_is_cut_is_retried_and_nothing_is_there_twice(world, autojump_clock, error, kind):
    client = Client([*words(5), error], words())
    providers, ladder = {"mine": from_deltas(client.chat)}, Ladder("mine:any", Retry(3))
    async with world(providers=providers, settings=SETTINGS) as w, w.streams.open("hello", ladder) as stream:
        text = await read(stream)
    assert text == stream.outcome.text == HELLO
    assert [attempt.failure and attempt.failure.kind for attempt in stream.outcome.attempts] == [kind, None]
    assert len(client.closed) == 2


async def test_from_a_foreign_client_to_a_provider_and_back(world, autojump_clock):
    client = Client([*words(4), httpx.ReadError("reset")], words())
    mine = Route("mine", "any")
    async with world("model-two#2=cut:9", providers={"mine": from_deltas(client.chat)}, settings=SETTINGS) as w:
        there = await w.streams.ask("hello", Ladder(mine, Switch(REAL)))
        back = await w.streams.ask("hello", Ladder(REAL, Switch(mine)))
    assert (there.text, back.text) == (HELLO, HELLO)
    assert [attempt.route for attempt in there.attempts] == [mine, REAL]
    assert [attempt.route for attempt in back.attempts] == [REAL, mine]


async def test_a_silent_foreign_client_is_given_up_by_the_clocks(world, autojump_clock):
    client = Client([*words(3), 1000.0])
    mine = Route("mine", "any", clocks=Clocks(gap=5))
    async with world(providers={"mine": from_deltas(client.chat)}, settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", Ladder(mine, Switch(REAL)))
    assert (outcome.text, outcome.attempts[0].failure.kind) == (HELLO, FailureKind.STALLED)
    assert client.closed == [5.0]


@pytest.mark.promise("P1")
async def test_a_cancel_closes_the_generator_before_the_stream_is_left(world, autojump_clock):
    client = Client([*words(3), 1000.0])
    async with world(providers={"mine": from_deltas(client.chat)}, settings=SETTINGS) as w:
        with trio.move_on_after(2):
            async with w.streams.open("hello", "mine:any") as stream:
                try:
                    await read(stream)
                finally:
                    assert client.closed == []
        assert client.closed == [2.0]
        assert stream.outcome.status is Status.INTERRUPTED
        assert HELLO.startswith(stream.outcome.text.rstrip())


async def test_a_slow_consumer_that_leaves_closes_the_generator_at_its_yield(world, autojump_clock):
    client = Client(["word "] * 100_000)
    async with world(providers={"mine": from_deltas(client.chat)}, settings=SETTINGS) as w:
        async with w.streams.open("hello", "mine:any") as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    await trio.sleep(30)
                    break
        assert client.closed == [30.0]
    assert stream.outcome.status is Status.INTERRUPTED


async def test_a_bug_of_a_foreign_client_is_a_crash_and_no_weather(world, autojump_clock):
    client = Client(*([*words(3), ZeroDivisionError()] for _ in range(9)))
    async with world(providers={"mine": from_deltas(client.chat)}, settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:any", Retry(3), Switch(REAL)))
    assert outcome.failure.kind is FailureKind.CRASH
    assert "ZeroDivisionError" in outcome.failure.message
    assert {route for _, route in client.asked} == {"mine:any"}


async def test_what_is_neither_text_nor_a_delta_is_never_skipped(world, autojump_clock):
    client = Client(*(["one", None, "two"] for _ in range(9)))
    async with world(providers={"mine": from_deltas(client.chat)}, settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", "mine:any")
    assert outcome.failure.kind is FailureKind.CRASH
    assert "None, which is neither text nor a delta" in outcome.failure.message


class Plain:
    """An async iterator that is no generator and cannot be closed."""

    def __init__(self, _request, _route):
        self.left = words()

    def __aiter__(self):
        return self

    async def __anext__(self):
        await trio.lowlevel.checkpoint()
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


async def test_any_async_iterator_will_do(world, autojump_clock):
    async with world(providers={"mine": from_deltas(Plain)}, settings=SETTINGS) as w:
        assert (await w.streams.ask("hello", "mine:any")).text == HELLO


async def test_a_plain_async_function_is_a_buffered_route(world, autojump_clock):
    async def answer(request, route):
        await trio.sleep(300)
        return HELLO if route.model == "text" else [TextDelta(HELLO), UsageDelta(Usage(1, 2))]

    async with world(providers={"mine": from_call(answer)}, settings=SETTINGS) as w:
        plain = await w.streams.ask("hello", "mine:text")
        deltas = await w.streams.ask("hello", "mine:deltas")
    assert (plain.text, deltas.text, deltas.usage) == (HELLO, HELLO, Usage(1, 2))
    assert plain.attempts[0].route.mode is Mode.BUFFERED


async def test_a_plain_function_that_fails_is_retried_then_left_for_a_provider(world, autojump_clock):
    asked = []

    async def answer(_request, route):
        await trio.sleep(0.5)
        asked.append(str(route))
        raise ConnectionResetError(104, "reset")

    async with world(providers={"mine": from_call(answer)}, settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", Ladder("mine:any", Retry(2), Switch(REAL)))
    assert outcome.text == HELLO
    assert asked == ["mine:any (buffered)"] * 2


def test_the_wrong_kind_of_function_is_refused_when_it_is_given():
    async def call(_request, _route):
        return ""

    async def generator(_request, _route):
        yield ""

    with pytest.raises(TypeError, match="from_call"):
        from_deltas(call)
    with pytest.raises(TypeError, match="from_deltas"):
        from_call(generator)
