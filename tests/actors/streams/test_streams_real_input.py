"""Every recorded answer of Anthropic, served byte for byte and read through the official client by the whole stream layer.

What a naive reader finds in the recording is what the outcome has: text, thinking, tool calls, usage and finish reason, or the failure
that the recording holds.  In writes as the events come, in one piece, and in random slices.
"""

import json
from collections import Counter

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from naive_anthropic import Naive, answers, naive_stream
from wire_corpus import ABSENT, SEEDS, Table, body, records

from actors import FailureKind, Ladder, Settings, Status, open_streams
from actors.chaos import Plan, Recorded, Recording, Simulator, at_random, open_network, whole

pytestmark = ABSENT

SETTINGS = Settings.read({"ANTHROPIC_API_KEY": "sk-test-key", "ANTHROPIC_BASE_URL": "http://anthropic.test"})
LADDER = Ladder("anthropic:claude-recorded")

BECAME = {
    "completed": 117,
    "refused by the model": 4,
    "failed as recorded: overloaded": 3,
    "failed as recorded: malformed": 1,  # a second message is spliced into the first
}
"""What becomes of the 125 recordings; none is excluded."""


def expected(naive):
    """Status, failure and the rest of the outcome that the naive reading calls for."""
    if naive.ending.startswith("refused 529"):
        return Status.FAILED, FailureKind.OVERLOADED
    if naive.ending == "malformed":
        return Status.FAILED, FailureKind.MALFORMED
    if naive.stop == "refusal":
        return Status.FAILED, FailureKind.POLICY
    return Status.COMPLETED, None


def compare(naive, outcome):
    status, kind = expected(naive)
    assert (outcome.status, outcome.failure and outcome.failure.kind) == (status, kind), (
        naive.id,
        naive.ending,
        outcome.failure and outcome.failure.message,
    )
    assert outcome.text == "".join(block["text"] for block in naive.of("text"))
    assert outcome.thinking == "".join(block["thinking"] for block in naive.of("thinking"))
    calls = [(call.name, call.id, call.arguments) for call in outcome.tool_calls]
    assert calls == (naive.calls("tool_use") if naive.stop == "tool_use" else [])
    if naive.ending == "finished":
        assert outcome.finish.spelling == naive.stop
    said = {name: getattr(outcome.usage, name) for name in outcome.usage.__struct_fields__}
    assert naive.usage.items() <= said.items()


async def read_all(slicing):
    """The outcomes of all recordings, one stream each, over one service and one connection pool."""
    found = records("anthropic", "stream")
    texts = [(record, text) for record in found for text in answers(record)]
    recordings = [
        Recording(text.encode(), 200, (("content-type", "text/event-stream; charset=utf-8"),)) for _, text in texts
    ]
    table, endings = Table(found), {}
    simulator = Simulator(Recorded(recordings, slicing), Plan())
    async with open_network(simulator) as network, open_streams(settings=SETTINGS, network=network) as streams:
        for record, text in texts:
            naive, outcome = naive_stream(text), await streams.ask("again", LADDER)
            compare(naive, outcome)
            word = "completed"
            if outcome.failure is not None:
                held = outcome.failure.kind
                word = "refused by the model" if held is FailureKind.POLICY else f"failed as recorded: {held.label}"
            endings.setdefault(record["id"], (record, []))[1].append(word)
        assert len(simulator.journal.entries) == len(texts)
    for record, words in endings.values():
        table.enter(record, min(words, key=Counter(words).get))
    assert table.rows == BECAME


def run(slicing):
    trio.run(read_all, slicing, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.promise("P7")
@pytest.mark.promise("P8")
def test_recorded_answers_through_the_official_client_event_by_event():
    run(None)


def test_recorded_answers_through_the_official_client_in_one_piece():
    run(whole)


@SEEDS
@given(st.integers(0, 2**32))
def test_recorded_answers_through_the_official_client_in_random_slices(seed):
    run(at_random(seed, 200))


def test_recorded_answers_in_one_buffered_piece():
    """All recorded replies to requests without streaming, asked for on a buffered route."""
    found = records("anthropic", "buffered")

    async def main():
        recordings = [
            Recording(body(record).encode(), 200, (("content-type", "application/json"),)) for record in found
        ]
        async with (
            open_network(Simulator(Recorded(recordings), Plan())) as network,
            open_streams(settings=SETTINGS, network=network) as streams,
        ):
            for record in found:
                naive = Naive()
                naive.message(json.loads(body(record)))
                naive.ending = "finished"
                compare(naive, await streams.ask("again", Ladder(LADDER.route.buffered)))

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
