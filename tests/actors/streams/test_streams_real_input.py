"""Every recorded answer, served byte for byte and read through the official client by the whole stream layer.

What a naive reader finds in the recording is what events and outcome have: text, thinking, tool calls, usage and finish reason, or the
failure that the recording holds.  In writes as the events come, in one piece, and in random slices; no record is skipped in silence.
"""

from collections import Counter

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from naive_anthropic import answers
from naive_outcomes import READERS, REPLIES
from wire_corpus import ABSENT, SEEDS, Table, body, records

from actors import (
    Clocks,
    FailureKind,
    Ladder,
    Mode,
    Route,
    Settings,
    Status,
    TextDelta,
    ThinkingDelta,
    ToolCallReady,
    open_streams,
)
from actors.chaos import Recorded, Recording, Simulator, at_random, open_network, whole

pytestmark = ABSENT

SETTINGS = Settings.read(
    {
        "ANTHROPIC_API_KEY": "sk-test-key",
        "ANTHROPIC_BASE_URL": "http://anthropic.test",
        "OPENAI_API_KEY": "sk-test-key",
        "OPENAI_BASE_URL": "http://openai.test/v1",
        "GEMINI_API_KEY": "test-key",
        "GEMINI_BASE_URL": "http://gemini.test",
    }
)

UNHURRIED = Clocks(connect=None, first_event=None, first_content=None, gap=None, buffered=None)

SPOKEN = {
    "messages": "anthropic",
    "chat.completions": "openai-chat",
    "responses": "openai",
    "streamGenerateContent": "google",
    "streamGenerateContent(vertex)": "google",
    "generateContent": "google",
}
"""The provider in the route that asks for answers of each recorded format."""

MISFILED = {"openai/00833": "openai-chat"}
"""A chat completion that its recorder filed under Responses."""

BECAME = {
    "anthropic": {
        "completed": 117,
        "refused by the model": 4,
        "failed as recorded: overloaded": 3,
        "failed as recorded: malformed": 1,  # a second message is spliced into the first
    },
    "openai": {
        "completed": 251,
        "refused by the model": 2,
        "failed as recorded: malformed": 3,  # one is no JSON, two lack words that their texts end with
        "failed as recorded: quota": 1,
        "failed as recorded: rate_limit": 1,
        "failed as recorded: server": 1,
        "excluded: no route speaks completions": 15,
    },
    "compat": {
        "completed": 136,
        "failed as recorded: tool_json": 7,  # the server itself could not read the call that its model made
        "failed as recorded: server": 2,
        "failed as recorded: context_window": 1,
        "excluded: no route speaks completions": 5,
    },
    "gemini": {
        "completed": 81,
        "refused by the model": 7,
        "failed as recorded: truncated": 4,  # there is no finish reason
        "failed as recorded: reset": 1,
        "excluded: no route speaks interactions": 8,
    },
}
"""What becomes of the recordings of each file; what is excluded is spoken by no route."""

KINDS = {
    "refusal": FailureKind.POLICY,
    "malformed": FailureKind.MALFORMED,
    "truncated": FailureKind.TRUNCATED,
}
"""The failure that a reading calls for; a refusal by the provider has the kind that its own words say."""


def compare(due, outcome):
    failure, usage = outcome.failure, outcome.usage
    assert outcome.status is (Status.COMPLETED if due.ending == "finished" else Status.FAILED), failure
    assert outcome.text == due.text
    assert outcome.thinking.replace("\n\n", "") == due.thinking.replace("\n\n", "")
    told = {name: getattr(usage, name) for name in usage.__struct_fields__}
    told["prompt_tokens"] = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    heard = outcome.attempts[-1].first_content is not None or any(due.usage.values())
    assert usage.estimated == (heard and (outcome.finish is None or not any(due.usage.values())))
    assert usage.estimated or due.usage.items() <= told.items()
    compare_calls(due, outcome)
    if due.ending in {"finished", "refusal"}:
        assert outcome.finish.spelling == due.spelling
    if due.ending == "refused":
        assert failure.kind not in KINDS.values()
        assert failure.message.startswith(due.message)
    elif due.ending != "finished":
        assert failure.kind is KINDS[due.ending]


def compare_calls(due, outcome):
    """Calls that may be run are whole; those that may not are there by name."""
    ids = [call_id for _, call_id, _ in due.calls]
    assert [(call.name, due.shape(call.arguments)) for call in outcome.tool_calls] == [
        (name, arguments) for name, _, arguments in due.calls
    ]
    assert all(call.id == known or not known for call, known in zip(outcome.tool_calls, ids, strict=True))
    assert len({call.id for call in outcome.tool_calls}) == len(ids)
    if not due.calls:
        assert [call.name for call in outcome.incomplete_calls] == due.asked


async def consumed(stream):
    """What the events say: text, thinking and the calls that were released."""
    texts, thoughts, calls = {}, {}, []
    async for event in stream:
        match event:
            case TextDelta(text, index):
                texts[index] = texts.get(index, "") + text
            case ThinkingDelta(text, index):
                thoughts[index] = thoughts.get(index, "") + text
            case ToolCallReady(call):
                calls.append(call)
            case _:
                pass
    return "".join(texts[at] for at in sorted(texts)), "".join(thoughts[at] for at in sorted(thoughts)), tuple(calls)


def word(outcome):
    kind = outcome.failure and outcome.failure.kind
    if kind is None:
        return "completed"
    return "refused by the model" if kind is FailureKind.POLICY else f"failed as recorded: {kind.label}"


def recording(text, kind):
    return Recording(text.encode(), 200, (("content-type", kind),))


def content_type(record):
    headers = {name.lower(): value for name, value in record["response_headers"].items()}
    return headers["content-type"]


def served(found):
    """Every answer that a route can ask for: its record, the provider in the route, the text."""
    for record in found:
        provider = MISFILED.get(record["id"], SPOKEN.get(record["api"]))
        if provider is not None:
            for text in answers(record) if provider == "anthropic" else [body(record)]:
                yield record, provider, text


async def read_all(name, slicing):
    """All recordings of a file, one stream each, over one service and one connection pool."""
    found = records(name, "stream")
    texts = list(served(found))
    simulator = Simulator(Recorded([recording(text, content_type(record)) for record, _, text in texts], slicing))
    endings = {record["id"]: [] for record in found}
    async with open_network(simulator) as network, open_streams(settings=SETTINGS, network=network) as streams:
        for record, provider, text in texts:
            async with streams.open("again", Ladder(Route(provider, "recorded"))) as stream:
                events = await consumed(stream)
            outcome = stream.outcome
            assert events == (outcome.text, outcome.thinking, outcome.tool_calls), record["id"]
            compare(READERS[provider](text), outcome)
            endings[record["id"]].append(word(outcome))
        assert len(simulator.journal.entries) == len(texts)
    table = Table(found)
    for record in found:
        words = endings[record["id"]] or [f"excluded: no route speaks {record['api']}"]
        table.enter(record, min(words, key=Counter(words).get))
    assert table.rows == BECAME[name]


def run(main, *given):
    trio.run(main, *given, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.promise("P7")
@pytest.mark.promise("P8")
@pytest.mark.parametrize("name", BECAME)
def test_recorded_answers_through_the_official_client_event_by_event(name):
    run(read_all, name, None)


@pytest.mark.parametrize("name", BECAME)
def test_recorded_answers_through_the_official_client_in_one_piece(name):
    run(read_all, name, whole)


@pytest.mark.parametrize("name", BECAME)
@SEEDS
@given(seed=st.integers(0, 2**32))
def test_recorded_answers_through_the_official_client_in_random_slices(name, seed):
    run(read_all, name, lambda octets: at_random(seed, max(8, len(octets) // 24))(octets))


@pytest.mark.parametrize("name", ["anthropic", "openai", "gemini"])
def test_recorded_answers_in_one_buffered_piece(name):
    """All recorded replies to requests without streaming, asked for on a buffered route.

    A large one is put on the disk by a thread, which a virtual clock does not wait for: no clock runs here.
    """
    found = records(name, "buffered")

    async def main():
        recordings = [recording(body(record), "application/json") for record in found]
        async with (
            open_network(Simulator(Recorded(recordings))) as network,
            open_streams(settings=SETTINGS, network=network) as streams,
        ):
            for record in found:
                provider = SPOKEN[record["api"]]
                due = REPLIES[provider](body(record))
                route = Route(provider, "recorded", Mode.BUFFERED, UNHURRIED)
                compare(due, await streams.ask("again", Ladder(route)))

    run(main)
