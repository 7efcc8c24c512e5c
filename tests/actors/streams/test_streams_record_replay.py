"""What was recorded is replayed: every provider, both modes, any weather, with the same seams, failures and outcomes."""

import pytest
import trio
from recording_world import KEYLESS, PROVIDERS, NoNetwork, bare, events_of, lines_of, recorded, replayed

from actors import (
    Buffered,
    FailureKind,
    Image,
    Ladder,
    Limits,
    Request,
    Retry,
    Route,
    Status,
    Switch,
    TextDelta,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    assistant,
    from_recording,
    open_streams,
    user,
)
from actors.chaos import Answer, Generated, Pacing, Plan, Recorded, Scripted, Simulator, Text, ToolUse, load_recordings
from actors.chaos import Thinking as Thought

RICH = Answer(
    (
        Thought("let me see"),
        Text("Zürich is 水 and\nwarm"),
        ToolUse("weather", '{"city": "Zürich"}'),
        ToolUse("now", "{}"),
    )
)
EACH = pytest.mark.parametrize("provider", PROVIDERS)


async def twice(path, plan, prompt, ladder, **world):
    """A run as it was, and as it is replayed."""
    async with recorded(path, plan, **world) as streams:
        first = await events_of(streams, prompt, ladder)
    async with replayed(path) as streams:
        second = await events_of(streams, prompt, ladder)
    return first, second


# -- round trips


@EACH
@pytest.mark.parametrize("mode", ["streaming", "buffered"])
async def test_an_answer_is_replayed_as_it_was(tmp_path, autojump_clock, provider, mode):
    route = Route(provider, "one")
    ladder = Ladder(route if mode == "streaming" else route.buffered)
    first, second = await twice(tmp_path / "tape.jsonl", "", "hello", ladder, answers=Scripted(RICH))
    assert second == first
    assert first[1].status is Status.COMPLETED
    assert [call.name for call in second[1].tool_calls] == ["weather", "now"]
    (line,) = lines_of(tmp_path / "tape.jsonl")
    assert (line["provider"], line["model"], line["mode"], line["ended"]) == (provider, "one", mode, "complete")


WEATHER = {
    "cut:7": "cut",
    "reset:7": "cut",
    "tear:7": "cut",
    "refuse": "cut",
    "truncate:7": "failed",
    "garble:7": "failed",
    "error:overloaded:7": "failed",
    "stall:7": "left",
    "stall:0": "left",
    "hang": "left",
    "pings:5": "left",
    "status429:3": "refused",
    "status404": "refused",
    "status503": "refused",
}


@EACH
@pytest.mark.parametrize("fault", WEATHER)
async def test_an_attempt_that_failed_fails_again_in_the_same_way(tmp_path, autojump_clock, provider, fault):
    ladder = Ladder(Route(provider, "one"), Switch("anthropic:two"))
    first, second = await twice(tmp_path / "tape.jsonl", f"one#1={fault}", "hello", ladder)
    assert second == first
    assert first[1].completed
    assert first[1].attempts[0].failure is not None
    assert [line["ended"] for line in lines_of(tmp_path / "tape.jsonl")] == [WEATHER[fault], "complete"]


@EACH
async def test_a_whole_climb_is_replayed_retries_and_degrading_included(tmp_path, autojump_clock, provider):
    plan = "one#1=truncate:3 one#2=status529 one#3=truncate:3 one#4=truncate:2 one#5=cut:1"
    ladder = Ladder(Route(provider, "one"), Retry(5), Buffered(), Switch("anthropic:two"))
    first, second = await twice(tmp_path / "tape.jsonl", plan, "hello", ladder)
    assert second == first
    assert len(first[1].attempts) >= 4


@EACH
@pytest.mark.parametrize("fault", ["cut:1", "garble:1", "hang", "status500"])
async def test_a_buffered_attempt_that_failed_fails_again_in_the_same_way(tmp_path, autojump_clock, provider, fault):
    ladder = Ladder(Route(provider, "one").buffered, Switch("anthropic:two"))
    first, second = await twice(tmp_path / "tape.jsonl", f"one#1={fault}", "hello", ladder)
    assert second == first
    assert first[1].attempts[0].failure is not None


async def test_an_answer_that_came_too_slowly_is_given_up_at_the_same_second(tmp_path, autojump_clock):
    ladder = Ladder("anthropic:one")
    async with recorded(tmp_path / "tape.jsonl", pacing=Pacing(30.0, events_per_second=0.2)) as streams:
        with trio.move_on_after(50):
            async with streams.open("hello", ladder) as stream:
                async for _ in stream:
                    pass
    async with replayed(tmp_path / "tape.jsonl") as streams:
        with trio.move_on_after(50):
            async with streams.open("hello", ladder) as again:
                async for _ in again:
                    pass
    assert stream.outcome.text
    assert bare(again.outcome) == bare(stream.outcome)
    assert again.outcome.attempts[0].first_content == pytest.approx(50 + 30, abs=1)


async def test_an_unreachable_host_is_unreachable_again(tmp_path, autojump_clock):
    ladder = Ladder("anthropic:one", Switch("openai:two"))
    async with recorded(tmp_path / "tape.jsonl", unreachable={"anthropic.test"}) as streams:
        first = await events_of(streams, "hello", ladder)
    async with replayed(tmp_path / "tape.jsonl") as streams:
        second = await events_of(streams, "hello", ladder)
    assert second == first
    assert first[1].attempts[0].failure.kind is FailureKind.REFUSED


async def test_replay_is_as_fast_as_it_can_be_read(tmp_path, autojump_clock):
    path = tmp_path / "tape.jsonl"
    async with recorded(path, pacing=Pacing(10.0, events_per_second=1.0)) as streams:
        await streams.ask("hello", "openai:one")
    began = trio.current_time()
    async with replayed(path) as streams:
        assert (await streams.ask("hello", "openai:one")).completed
    assert trio.current_time() == began
    assert lines_of(path)[0]["seconds"] >= 30


# -- conversations


CONVERSATION = Request(
    (
        user("What is the weather?", Image("image/png", b"\x89PNG")),
        assistant(Thinking("let me see", "sig"), ToolCall("call_1", "weather", {"city": "Zürich", "days": 2})),
        user(ToolResult("call_1", "warm", name="weather")),
    ),
    system="Be brief",
    tools=(Tool("weather", "tells it", {"type": "object", "properties": {"city": {"type": "string"}}}),),
    limits=Limits(max_tokens=100, temperature=0.5),
)


@EACH
async def test_a_conversation_with_tools_is_matched_whole(tmp_path, autojump_clock, provider):
    first, second = await twice(tmp_path / "tape.jsonl", "", CONVERSATION, Ladder(Route(provider, "one")))
    assert second == first
    assert first[1].completed


async def test_streams_at_once_get_their_own_answers_in_any_order(tmp_path, autojump_clock):
    prompts = [f"prompt {number}" for number in range(8)]
    plan = "one#2=cut:5 one#3=status503 one#6=garble:4"
    told = [{}, {}]

    async def ask(streams, prompt, into):
        into[prompt] = await events_of(streams, prompt, Ladder("openai:one", Retry(4)))

    path = tmp_path / "tape.jsonl"
    for opened, into, order in ((recorded(path, plan), told[0], prompts), (replayed(path), told[1], prompts[::-1])):
        async with opened as streams, trio.open_nursery() as nursery:
            for prompt in order:
                nursery.start_soon(ask, streams, prompt, into)
    for prompt in prompts:
        assert told[1][prompt][0] == told[0][prompt][0]
        assert told[1][prompt][1].text == told[0][prompt][1].text
    assert sum(len(outcome.attempts) for _, outcome in told[0].values()) == 11


async def test_repeats_are_replayed_in_the_order_in_which_they_were_begun(tmp_path, autojump_clock):
    path = tmp_path / "tape.jsonl"
    async with recorded(path, answers=Scripted("first", "second", "third")) as streams:
        said = [(await streams.ask("hello", "google:one")).text for _ in range(3)]
    async with replayed(path) as streams:
        assert (
            [(await streams.ask("hello", "google:one")).text for _ in range(3)] == said == ["first", "second", "third"]
        )


async def test_a_recording_is_added_to(tmp_path, autojump_clock):
    path = tmp_path / "tape.jsonl"
    for answer in ("first", "second"):
        async with recorded(path, answers=Scripted(answer)) as streams:
            await streams.ask("hello", "google:one")
    assert [line["number"] for line in lines_of(path)] == [1, 2]
    async with replayed(path) as streams:
        assert [(await streams.ask("hello", "google:one")).text for _ in range(2)] == ["first", "second"]


# -- other doors


async def test_a_recording_is_a_provider_like_any_other(tmp_path, autojump_clock):
    path = tmp_path / "tape.jsonl"
    async with recorded(path) as streams:
        first = await streams.ask("hello", "openai:one")
    mine = {"openai": from_recording(path)}
    async with open_streams(settings=KEYLESS, network=NoNetwork(), providers=mine) as streams:
        assert mine["openai"].left == 1
        assert (await streams.ask("hello", "openai:one")).text == first.text
    assert mine["openai"].left == 0


@EACH
@pytest.mark.parametrize("mode", ["streaming", "buffered"])
async def test_a_recording_can_be_served_by_the_simulator(tmp_path, autojump_clock, provider, mode):
    path = tmp_path / "tape.jsonl"
    route = Route(provider, "one") if mode == "streaming" else Route(provider, "one").buffered
    ladder = Ladder(route, Retry(4))
    third = "truncate:1" if mode == "streaming" else "status500"  # half an answer in one piece is not asked for again
    plan = f"one#1=status503 one#2=refuse one#3={third}"
    async with recorded(path, plan, answers=Scripted(RICH)) as streams:
        first = await streams.ask("hello", ladder)
    assert len(first.attempts) == 4
    served = Simulator(Recorded(load_recordings(path)))
    async with recorded(tmp_path / "again.jsonl", server=served) as streams:
        second = await streams.ask("hello", ladder)
    assert (second.parts, second.tool_calls, second.finish) == (first.parts, first.tool_calls, first.finish)
    assert [one.failure and one.failure.kind for one in second.attempts] == [
        one.failure and one.failure.kind for one in first.attempts if one.number != 2
    ]


@pytest.mark.promise("P4")
@EACH
async def test_cancelled_in_the_middle_a_whole_line_is_left(tmp_path, autojump_clock, provider):
    path, ladder, outcomes = tmp_path / "tape.jsonl", Ladder(Route(provider, "one")), []
    pacing = Pacing(1.0, events_per_second=2.0)
    for opened in (recorded(path, pacing=pacing, answers=Generated(tokens=60)), replayed(path)):
        async with opened as streams:
            with trio.move_on_after(8.25):
                async with streams.open("hello", ladder) as stream:
                    async for event in stream:
                        assert not isinstance(event, TextDelta) or event.text
            outcomes.append(bare(stream.outcome))
    (line,) = lines_of(path)
    assert (line["ended"], line["seconds"]) == ("left", 8.25)
    assert outcomes[0].status is Status.INTERRUPTED
    assert outcomes[0].text
    assert outcomes[1] == outcomes[0]


@pytest.mark.row("C14")
@EACH
async def test_faults_are_scripted_on_top_of_a_recording(tmp_path, autojump_clock, provider):
    path, ladder = tmp_path / "tape.jsonl", Ladder(Route(provider, "one"), Retry(4))
    async with recorded(path, answers=Scripted(RICH)) as streams:
        first = await streams.ask("hello", ladder)
    plan = Plan.parse("one#1=cut:4 one#2=status529 one#3=stall:3")
    served = Simulator(Recorded(load_recordings(path)), plan)
    async with recorded(tmp_path / "again.jsonl", server=served) as streams:
        second = await streams.ask("hello", ladder)
    kinds = [one.failure and one.failure.kind for one in second.attempts]
    assert (len(kinds), kinds[1], kinds[3]) == (4, FailureKind.OVERLOADED, None)
    assert (second.parts, second.tool_calls, second.finish) == (first.parts, first.tool_calls, first.finish)
