"""What a recording holds and what it never holds, and what is said where a replay departs from it."""

import json
import re

import attrs
import pytest
import trio
from recording_world import ENVIRONMENT, KEYLESS, PROVIDERS, ROUTE, lines_of, recorded, replayed, tape

from actors import (
    FailureKind,
    Ladder,
    Limits,
    Request,
    Retry,
    Route,
    SettingError,
    Switch,
    Tool,
    ToolCall,
    assistant,
    from_deltas,
    open_streams,
    user,
)
from actors.chaos import Scripted

EACH = pytest.mark.parametrize("provider", PROVIDERS)


async def failure_of(path, *prompts, ladder=ROUTE):
    """How the last of these requests fails in a replay."""
    async with replayed(path) as streams:
        outcomes = [await streams.ask(prompt, ladder) for prompt in prompts]
    assert len(outcomes[-1].attempts) == 1
    return outcomes[-1].failure


# -- where a replay departs

TOOL = Tool("weather", "tells it")
ASKED = Request(
    (user("What is the weather in Zürich?"), assistant(ToolCall("c1", "weather", {"city": "Zürich"})), user("Go on")),
    system="Be brief",
    tools=(TOOL,),
    limits=Limits(max_tokens=100),
)


def changed(**fields):
    return attrs.evolve(ASKED, **fields)


DIVERGENCES = {
    "another text": (
        changed(messages=(user("What is the weather in Genève?"), *ASKED.messages[1:])),
        "messages[0].parts[0].text is '…ther in Genève?', recorded is '…ther in Zürich?'",
    ),
    "another speaker": (
        changed(messages=(*ASKED.messages[:2], assistant("Go on"))),
        "messages[2].role is 'assistant', recorded is 'user'",
    ),
    "other arguments": (
        changed(messages=(ASKED.messages[0], assistant(ToolCall("c9", "weather", {"city": "Bern"})), user("Go on"))),
        "messages[1].parts[0].arguments.city is 'Bern', recorded is 'Zürich'",
    ),
    "one message less": (
        changed(messages=ASKED.messages[:2]),
        'messages[2] is nothing, recorded is {"parts": [{"text": "Go on"}]',
    ),
    "one message more": (
        changed(messages=(*ASKED.messages, assistant("So"))),
        "messages[3] is {",
    ),
    "another system prompt": (changed(system="Be long"), "system is 'Be long', recorded is 'Be brief'"),
    "no tools": (changed(tools=()), "tools[0] is nothing, recorded is {"),
    "another limit": (changed(limits=Limits(max_tokens=99)), "limits.max_tokens is 99, recorded is 100"),
    "a limit more": (changed(limits=Limits(max_tokens=100, top_p=0.5)), "limits.top_p is 0.5, recorded is nothing"),
    "another choice of tools": (changed(tool_choice="weather"), "tool_choice is 'weather', recorded is 'auto'"),
    "a schema": (changed(schema={"type": "object"}), 'schema is {"type": "object"}, recorded is null'),
    "a wish for the provider": (
        changed(extras={"anthropic": {"top_k": 3}}),
        'extras is {"top_k": 3}, recorded is null',
    ),
}


@pytest.mark.promise("P14")
@pytest.mark.parametrize("case", DIVERGENCES)
async def test_a_divergence_names_file_line_and_the_first_differing_place(tmp_path, autojump_clock, case):
    asked, told = DIVERGENCES[case]
    path = await tape(tmp_path / "tape.jsonl", "something else", ASKED)
    failure = await failure_of(path, asked, ladder=Ladder(ROUTE, Retry(5), Switch("openai:two")))
    assert (failure.kind, failure.title) == (FailureKind.DIVERGED, "Replay diverged")
    assert failure.message.startswith(
        f"tape.jsonl line 2 has another request (ask as recorded, or record anew): {told}"
    )


async def test_another_route_is_a_divergence(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "hello")
    told = [(await failure_of(path, "hello", ladder=route)).message for route in ("openai:one", "anthropic:two")]
    told.append((await failure_of(path, "hello", ladder=Ladder(Route("anthropic", "one").buffered))).message)
    assert [message.partition(": ")[2] for message in told] == [
        "provider is 'openai', recorded is 'anthropic'",
        "model is 'two', recorded is 'one'",
        "mode is 'buffered', recorded is 'streaming'",
    ]


async def test_a_difference_late_in_a_long_text_is_shown_with_what_surrounds_it(tmp_path, autojump_clock):
    words = "all the same " * 500
    path = await tape(tmp_path / "tape.jsonl", words + "but this is the end of the sentence that was recorded")
    failure = await failure_of(path, words + "but that is the end of the sentence that was recorded")
    assert (
        "text is '…e but that is the end of the s…', recorded is '…e but this is the end of the s…'" in failure.message
    )
    assert len(failure.message.encode()) <= 256


async def test_a_long_name_leaves_room_for_the_difference(tmp_path, autojump_clock):
    path = await tape(tmp_path / ("tape" * 30 + ".jsonl"), ASKED)
    failure = await failure_of(path, changed(messages=(user("水" * 200), *ASKED.messages[1:])))
    assert "messages[0].parts[0].text is '水" in failure.message
    assert "record anew" in failure.message


async def test_the_nearest_of_the_requests_that_are_left_is_compared(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "one", (user("two"), assistant("and")), "three")
    failure = await failure_of(path, "three", (user("two"), assistant("but")))
    assert failure.message.startswith(
        "tape.jsonl line 2 has another request (ask as recorded, or record anew): messages[1].parts[0].text is 'but', recorded is 'and'"
    )


async def test_a_request_asked_once_too_often_is_told_how_often_it_was_recorded(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "hello", "hello", "other")
    failure = await failure_of(path, "hello", "hello", "hello")
    assert failure.message == (
        "tape.jsonl has this request 2 times, and it was asked once more; ask as often as recorded, or record anew"
    )


async def test_an_exhausted_recording_says_so(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "hello")
    failure = await failure_of(path, "hello", "more")
    assert failure.message == "tape.jsonl was played to its end, and this request is not in it; record it anew"


async def test_a_program_is_not_run_in_a_replay(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "hello")
    failure = await failure_of(path, "hello", ladder="claude-code:one")
    assert failure.message.endswith("provider is 'claude-code', recorded is 'anthropic'")


async def test_a_provider_that_nobody_knows_is_a_wrong_setting_in_a_replay_too(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "hello")
    async with replayed(path) as streams:
        with pytest.raises(SettingError, match="nope"):
            await streams.ask("hello", "nope:one")


async def test_a_request_that_cannot_be_encoded_fails_as_it_did(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "hello", Request(()))
    assert len(lines_of(path)) == 1  # it was never sent
    async with recorded(tmp_path / "other.jsonl") as streams:
        first = await streams.ask(Request(()), ROUTE)
    assert (await failure_of(path, Request(()))) == first.failure


async def test_a_provider_of_ones_own_answers_beside_a_replay(tmp_path, autojump_clock):
    async def chat(_request, _route):
        yield "mine"

    path = await tape(tmp_path / "tape.jsonl", "hello")
    async with open_streams(settings=KEYLESS, providers={"mine": from_deltas(chat)}, replay=path) as streams:
        assert (await streams.ask("hello", "mine:one")).text == "mine"
        assert (await streams.ask("hello", ROUTE)).completed


# -- what is kept out

CANARY = "sk-ant-api03-Canary0123456789abcdefg"
SIGNATURE = "c0ffee" * 8


@pytest.mark.promise("P13")
@EACH
async def test_no_secret_is_in_a_recording(tmp_path, autojump_clock, provider):
    keys = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY")
    odd = 'an"odd\\key-of-a-gateway'
    environment = ENVIRONMENT | dict.fromkeys(keys, odd)
    prompt = f"See https://x.test/a.png?X-Amz-Signature={SIGNATURE}&x=1 with Authorization: Bearer {CANARY}, or {odd}"
    request = Request(prompt, system=f"The key is\n{CANARY}")
    said = f"You gave me {CANARY} and {odd} and https://y.test/?sig={SIGNATURE}"
    ladder = Ladder(Route(provider, "one"), Retry(3))
    path = tmp_path / "tape.jsonl"
    async with recorded(path, "one#1=status503", answers=Scripted(said), environment=environment) as streams:
        first = await streams.ask(request, ladder)
    content = path.read_text(encoding="utf-8")
    for secret in (CANARY, CANARY[8:], SIGNATURE, odd, json.dumps(odd)[1:-1], "odd"):
        assert secret not in content
    async with open_streams(settings=KEYLESS, replay=path) as streams:
        second = await streams.ask(Request(prompt.replace(odd, "***"), system=request.system), ladder)
    assert (second.completed, len(second.attempts)) == (True, len(first.attempts))


@pytest.mark.promise("P13")
async def test_of_headers_only_those_that_are_known_to_tell_nothing_are_kept(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "hello", plan="one#1=status429:3", ladder=Ladder(ROUTE, Retry(2)))
    names = {name for line in lines_of(path) for name in line["response_headers"]}
    assert {"content-type", "retry-after", "request-id"} <= names
    assert all(
        re.match(r"content-type|date|(x-)?request-id|retry-after|x-should-retry|.*ratelimit-", name) for name in names
    )


def test_a_recording_is_readable_by_its_owner_alone(tmp_path):
    async def one():
        await tape(tmp_path / "tape.jsonl", "hello")

    trio.run(one)
    assert (tmp_path / "tape.jsonl").stat().st_mode & 0o077 == 0
