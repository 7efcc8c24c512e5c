"""The recorded traffic is accounted for to the last record, and no cut of it passes for a whole answer."""

import random
import re
from contextlib import suppress

import pytest
from corpus_table import COLUMNS, FILES, table
from hypothesis import given
from hypothesis import strategies as st
from test_wire_openai_responses_corpus import LEFT_OUT
from wire_corpus import ABSENT, SEEDS, body, everything
from wire_dialects import DIALECTS
from wire_fold import ending

from actors.policy.assemble import Assembly
from actors.source import MalformedError

pytestmark = ABSENT

EXPECTED = {
    ("anthropic", "stream"): 125,
    ("anthropic", "error"): 39,
    ("anthropic", "buffered"): 250,
    ("openai", "stream"): 274,
    ("openai", "error"): 127,
    ("openai", "buffered"): 250,
    ("gemini", "stream"): 101,
    ("gemini", "error"): 70,
    ("gemini", "buffered"): 250,
    ("compat", "stream"): 151,
    ("compat", "error"): 151,
    ("claude-code", "stream"): 79,
    ("claude-code-live", "stream"): 31,
}
"""Records of each kind, as the README beside them counts them."""


def test_every_record_is_read_or_failed_as_recorded_or_left_out_for_a_reason():
    found = table()
    assert {key: counts.total() for key, counts in found.items()} == EXPECTED
    assert {column for counts in found.values() for column in counts} <= set(COLUMNS)
    assert {key: counts["left out"] for key, counts in found.items() if counts["left out"]} == {
        ("openai", "stream"): 16,
        ("gemini", "stream"): 8,
        ("compat", "stream"): 5,
    }


SPOKEN = {
    "messages": "anthropic",
    "chat.completions": "openai_chat",
    "responses": "openai_responses",
    "streamGenerateContent": "gemini",
    "streamGenerateContent(vertex)": "gemini",
}


def streams(name):
    """Each recorded stream of a file as its dialect and its bytes."""
    for record in everything(name):
        spoken = name == "claude-code" or record["api"] in SPOKEN
        if record["kind"] == "stream" and spoken and record["id"] not in LEFT_OUT:
            yield DIALECTS["claude_code" if name == "claude-code" else SPOKEN[record["api"]]], body(record).encode()


TERMINAL = {
    DIALECTS["anthropic"]: re.compile(rb'"message_stop"'),
    DIALECTS["openai_chat"]: re.compile(rb'"finish_reason"\s*:\s*"|\[DONE\]'),
    DIALECTS["openai_responses"]: re.compile(rb'"response\.(completed|incomplete)"'),
    DIALECTS["gemini"]: re.compile(rb'"finishReason"|"promptFeedback"'),
    DIALECTS["claude_code"]: re.compile(rb'"type"\s*:\s*"result"'),
}
"""What a terminal event looks like to somebody who only searches for its words."""


def ended_as(dialect, octets):
    """How a cut answer ends; sees that no call is released before an end."""
    reader, assembly = dialect.reader(), Assembly()
    deltas = [*reader.feed(octets), *reader.close()]
    with suppress(MalformedError):
        for delta in deltas:
            assembly.add(delta)
    ended = ending(reader)
    if ended != "finished":
        assert assembly.finish is None
        assert assembly.ready == ()
    return ended


def boundaries(octets, most, dice):
    """Where events or lines end, as many as `most` of them."""
    found = [at + 1 for at, octet in enumerate(octets) if octet == 10]
    return found if len(found) <= most else sorted(dice.sample(found, most))


@pytest.mark.promise("P7")
@pytest.mark.promise("P8")
@pytest.mark.row("A26", "A27")
@pytest.mark.parametrize("name", [*FILES, "claude-code"])
@SEEDS
@given(seed=st.integers(0, 2**32))
def test_a_recording_cut_at_event_boundaries_and_at_random_bytes_is_complete_only_with_its_terminal_event(name, seed):
    dice, cut = random.Random(seed), 0
    for dialect, octets in streams(name):
        octets = octets[:60_000]
        places = boundaries(octets, 8, dice) + [dice.randrange(len(octets) + 1) for _ in range(3)]
        for at in places:
            if ended_as(dialect, octets[:at]) == "finished":
                assert TERMINAL[dialect].search(octets[:at]), octets[:at][-300:]
            cut += 1
    assert cut > 100


@pytest.mark.promise("P7")
@pytest.mark.promise("P8")
@pytest.mark.row("A26", "A27")
@pytest.mark.parametrize("name", [*FILES, "claude-code"])
def test_a_recording_cut_behind_each_of_its_events_is_complete_only_with_its_terminal_event(name):
    every = some = 0
    for dialect, octets in streams(name):
        ends = [found.end() for found in re.finditer(rb"\n\r?\n", octets)] or boundaries(octets, len(octets), random)
        step = 1 + sum(ends) // MOST_READ  # of the longest recordings every so manieth
        for at in ends[::step]:
            if ended_as(dialect, octets[:at]) == "finished":
                assert TERMINAL[dialect].search(octets[:at]), octets[:at][-300:]
        every, some = every + (step == 1), some + (step > 1)
    assert every > 8 * some


MOST_READ = 20_000_000
"""Bytes read of one recording in all its cuts."""
