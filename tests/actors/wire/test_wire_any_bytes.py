"""Whatever bytes come, in whatever slices: a reader never raises, ends finished or at fault, and slices change nothing."""

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_wire_anthropic_answer import RECORDINGS as ANTHROPIC
from test_wire_gemini_answer import RECORDINGS as GEMINI
from test_wire_openai_chat_answer import RECORDINGS as CHAT
from test_wire_openai_responses_answer import RECORDINGS as RESPONSES
from wire_fold import drive, ending

from actors.source import RefusedError, WireError
from actors.wire.anthropic import DIALECT as ANTHROPIC_DIALECT
from actors.wire.gemini import DIALECT as GEMINI_DIALECT
from actors.wire.openai_chat import DIALECT as CHAT_DIALECT
from actors.wire.openai_responses import DIALECT as RESPONSES_DIALECT

DIALECTS = {
    "anthropic": (ANTHROPIC_DIALECT, ANTHROPIC),
    "openai_chat": (CHAT_DIALECT, CHAT),
    "openai_responses": (RESPONSES_DIALECT, RESPONSES),
    "gemini": (GEMINI_DIALECT, GEMINI),
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists, max_leaves=4
)
VALUES |= st.dictionaries(
    st.sampled_from(["type", "index", "error", "code", "message", "text", "content", "parts"]), VALUES
)
FRAGMENTS = st.sampled_from(
    [
        b"\n",
        b"\n\n",
        b"\r",
        b"data: ",
        b"data: {}\n\n",
        b"{",
        b"[]",
        b'"',
        b"event: error\n",
        b": x\n",
        b"\xff",
        b"null",
    ]
)


@st.composite
def damaged(draw, recordings):
    """A recording with bytes lost, doubled or put in."""
    octets = draw(st.sampled_from(sorted(recordings.values())))
    for _ in range(draw(st.integers(1, 4))):
        start, stop = sorted((draw(st.integers(0, len(octets))), draw(st.integers(0, len(octets)))))
        stop = min(stop, start + 40)
        put = draw(st.one_of(st.just(b""), FRAGMENTS, st.just(octets[start:stop] * 2), st.binary(max_size=4)))
        octets = octets[:start] + put + octets[stop:]
    return octets


@st.composite
def distorted(draw, recordings):
    """A recording with one value of one event replaced by anything."""
    lines = draw(st.sampled_from(sorted(recordings.values()))).split(b"\n")
    at = draw(st.sampled_from([number for number, line in enumerate(lines) if line.startswith(b"data: {")]))
    event = json.loads(lines[at][6:])
    here, name = event, draw(st.sampled_from(sorted(event)))
    while isinstance(here[name], dict) and here[name] and draw(st.booleans()):
        here = here[name]
        name = draw(st.sampled_from(sorted(here)))
    here[name] = draw(VALUES)
    lines[at] = b"data: " + json.dumps(event).encode()
    return b"\n".join(lines)


def check(dialect, octets, cuts):
    edges = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    whole, sliced = dialect.reader(), dialect.reader()
    deltas = drive(whole, [octets])
    assert drive(sliced, [octets[a:b] for a, b in pairwise(edges)]) == deltas
    assert ending(sliced) == ending(whole)
    assert str(sliced.fault) == str(whole.fault)


@pytest.mark.promise("P6")
@pytest.mark.parametrize("name", DIALECTS)
@settings(deadline=None)
@given(data=st.data(), cuts=st.lists(st.integers(0, 3000), max_size=8))
def test_damaged_bytes_end_in_one_way_however_they_are_sliced(name, data, cuts):
    dialect, recordings = DIALECTS[name]
    check(dialect, data.draw(st.one_of(damaged(recordings), st.binary(max_size=60))), cuts)


@pytest.mark.promise("P6")
@pytest.mark.parametrize("name", DIALECTS)
@settings(deadline=None)
@given(data=st.data(), cuts=st.lists(st.integers(0, 3000), max_size=8))
def test_values_of_any_other_shape_end_in_one_way_however_they_are_sliced(name, data, cuts):
    dialect, recordings = DIALECTS[name]
    check(dialect, data.draw(distorted(recordings)), cuts)


@pytest.mark.parametrize("name", DIALECTS)
@settings(deadline=None)
@given(body=st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value).encode())))
@example(b"[" * 100_000)
@example(b'{"error":' * 50_000)
def test_a_reply_or_an_error_of_any_bytes_is_read_or_refused(name, body):
    dialect, _ = DIALECTS[name]
    refused = dialect.read_error(500, {"retry-after": "x"}, body)
    assert isinstance(refused, RefusedError)
    assert refused.message
    with suppress(WireError):
        assert dialect.read_reply(body)
