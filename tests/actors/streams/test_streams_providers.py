"""Every provider after every other on one ladder, and each in every kind of weather, on the mock clock."""

from itertools import product

import pytest
import trio
from stream_world import ENVIRONMENT, KEY

from actors import (
    AttemptAbandoned,
    Buffered,
    FailureKind,
    Ladder,
    Retry,
    Route,
    Settings,
    Status,
    Switch,
    TextDelta,
    ToolCallReady,
    Usage,
)
from actors.chaos import Answer, Ending, Scripted, Text, Thinking, ToolUse, expected_text

SETTINGS = Settings.read(ENVIRONMENT)
PROVIDERS = ("anthropic", "openai", "openai-chat", "google")
PAIRS = list(product(PROVIDERS, repeat=2))

TEXT = expected_text("words", tokens=60)
RICH = Answer((Thinking("let me see"), Text(TEXT), ToolUse("weather", '{"city": "Zürich"}'), ToolUse("now", "{}")))
CALLS = [("weather", {"city": "Zürich"}), ("now", {})]
EVENTS = 90
"""More than the answer has in any format."""


async def told(stream):
    """What a consumer has who discards as told: the text and the calls that may be run."""
    pieces, calls = [], []
    async for event in stream:
        match event:
            case TextDelta(piece):
                pieces.append(piece)
            case ToolCallReady(call):
                calls.append((call.name, call.arguments))
            case AttemptAbandoned():
                pieces.clear()
                assert calls == []
            case _:
                pass
    return "".join(pieces), calls


# -- provider after provider


@pytest.mark.promise("P6")
@pytest.mark.promise("P8")
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{one} then {two}" for one, two in PAIRS])
async def test_cut_anywhere_the_next_provider_gives_the_whole_answer(world, autojump_clock, first, second):
    one, two = Route(first, "model-one"), Route(second, "model-two")
    cuts = range(0, EVENTS, 10)
    plan = " ".join(f"model-one#{number}=cut:{at}" for number, at in enumerate(cuts, 1))
    async with world(plan, answers=Scripted(RICH), settings=SETTINGS) as w:
        for at in cuts:
            async with w.streams.open(f"cut at {at}", Ladder(one, Switch(two), Retry(2))) as stream:
                text, calls = await told(stream)
            check(stream.outcome, text, calls, [one, two])
        endings = [entry.ending for entry in w.entries if entry.model == "model-one"]
        assert endings.count(Ending.CUT) == len(w.entries) - len(cuts) >= 6


def check(outcome, text, calls, routes):
    """The answer is whole and there once; the timeline has every attempt with what it cost."""
    assert outcome.status is Status.COMPLETED
    assert (outcome.text, outcome.thinking, text) == (TEXT, "let me see", TEXT)
    assert [(call.name, call.arguments) for call in outcome.tool_calls] == calls == CALLS
    *abandoned, last = outcome.attempts
    assert [attempt.route for attempt in outcome.attempts] == routes[: len(outcome.attempts)]
    assert [attempt.failure.kind for attempt in abandoned] == [FailureKind.TRUNCATED] * len(abandoned)
    assert last.usage.output_tokens == RICH.tokens
    assert outcome.usage == sum((attempt.usage for attempt in outcome.attempts), Usage())


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_an_abandoned_attempt_cost_is_in_the_timeline_and_marked_as_estimated(
    world, autojump_clock, provider
):
    """Anthropic bills the input with its first event and Gemini with each; OpenAI only at the end: there it is a guess."""
    async with world("model-one#1=cut:40", answers=Scripted(RICH), settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", Ladder(Route(provider, "model-one"), Switch("anthropic:model-two")))
    first, second = outcome.attempts
    assert first.usage.input_tokens > 0
    assert first.usage.output_tokens > 0
    assert (first.usage.estimated, second.usage.estimated, outcome.usage.estimated) == (True, False, True)
    assert outcome.usage.input_tokens == first.usage.input_tokens + second.usage.input_tokens


K = FailureKind
FAULTS = {
    "truncate:7": [K.TRUNCATED] * 4,
    "garble:7": [K.MALFORMED] * 4,
    "error:overloaded:7": [K.OVERLOADED, K.SERVER, K.SERVER, K.UNAVAILABLE],
    "reset:7": [K.RESET] * 4,
    "stall:7": [K.STALLED] * 4,
    "stall:0": [K.FIRST_EVENT_TIMEOUT] * 4,
    "status429": [K.RATE_LIMIT] * 4,
    "status500": [K.SERVER] * 4,
    "status503": [K.UNAVAILABLE] * 4,
    "status404": [K.MODEL_UNAVAILABLE] * 4,
}
"""What each fault is for each of the providers, in their order: each has its own words for a bad minute."""
NAMED = [(fault, *row) for fault, kinds in FAULTS.items() for row in zip(PROVIDERS, kinds, strict=True)]


@pytest.mark.parametrize(("fault", "provider", "kind"), NAMED, ids=[f"{fault} of {name}" for fault, name, _ in NAMED])
async def test_each_fault_of_each_provider_is_named_and_survived(world, autojump_clock, fault, provider, kind):
    one, two = Route(provider, "model-one"), Route("google" if provider == "anthropic" else "anthropic", "model-two")
    async with world(f"model-one#1={fault}", settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", Ladder(one, Switch(two)))
    first, second = outcome.attempts
    assert (first.failure.kind, second.failure) == (kind, None)
    assert (second.route, outcome.text) == (two, expected_text("hello", tokens=24))


@pytest.mark.promise("P13")
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "kind"), [("status400", K.INVALID_REQUEST), ("status401", K.INVALID_KEY), ("status413", K.TOO_LARGE)]
)
async def test_a_refused_request_is_sent_once_and_no_key_is_told(world, autojump_clock, provider, fault, kind):
    async with world(f"model-one#1={fault}", settings=SETTINGS) as w:
        outcome = await w.streams.ask("hello", Ladder(Route(provider, "model-one"), Retry(5), Buffered()))
        assert len(w.entries) == 1
    assert (outcome.status, outcome.failure.kind) == (Status.FAILED, kind)
    assert KEY not in repr(outcome)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_degrading_to_buffered_gives_the_same_answer(world, autojump_clock, provider):
    one = Route(provider, "model-one")
    plan = " ".join(f"model-one#{number}=truncate:9" for number in (1, 2, 3))
    async with world(plan, answers=Scripted(RICH), settings=SETTINGS) as w:
        async with w.streams.open("hello", Ladder(one, Retry(5), Buffered())) as stream:
            text, calls = await told(stream)
        check(stream.outcome, text, calls, [one, one, one, one.buffered])
        assert [entry.streaming for entry in w.entries] == [True, True, True, False]


@pytest.mark.promise("P4")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_cancelled_in_the_middle_the_partial_is_there(world, autojump_clock, provider):
    async with world("model-one#1=stall:12", settings=SETTINGS) as w:
        with trio.move_on_after(3):
            async with w.streams.open("hello", Ladder(Route(provider, "model-one"))) as stream:
                await told(stream)
        assert stream.outcome.status is Status.INTERRUPTED
        assert stream.outcome.text
        assert expected_text("hello", tokens=24).startswith(stream.outcome.text)
        assert w.network.open_connections == 0


async def test_openai_routes_are_buffered_where_streaming_is_disabled(world, autojump_clock):
    one, two = Route("openai", "model-one"), Route("openai-chat", "model-two")
    disabled = Settings.read(ENVIRONMENT | {"OPENAI_DISABLE_STREAMING": "true"})
    async with world("model-one#1=status503", settings=disabled) as w:
        outcome = await w.streams.ask("hello", Ladder(one, Switch(two), Retry(2), Switch("google:model-three")))
        assert [entry.streaming for entry in w.entries] == [False, False]
    assert [attempt.route for attempt in outcome.attempts] == [one.buffered, two.buffered]
    assert outcome.text == expected_text("hello", tokens=24)
