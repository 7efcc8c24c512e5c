"""Any slicing of the bytes gives the same events, and everything the format allows is read."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.source import MalformedError
from actors.wire.sse import EVENT_LIMIT, STRAY, Events

STREAMS = {
    "line feeds": (b"event: a\ndata: 1\n\ndata: 2\n\n", [(b"a", b"1"), (b"", b"2")]),
    "carriage returns": (b"event: a\rdata: 1\r\rdata: 2\r\r", [(b"a", b"1"), (b"", b"2")]),
    "both": (b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [(b"a", b"1"), (b"", b"2")]),
    "mixed": (b"event: a\r\ndata: 1\n\rdata: 2\r\r\n", [(b"a", b"1"), (b"", b"2")]),
    "byte order mark": (b"\xef\xbb\xbfdata: 1\n\n", [(b"", b"1")]),
    "byte order mark later": (b"data: \xef\xbb\xbf1\n\n", [(b"", b"\xef\xbb\xbf1")]),
    "comments": (b": PROCESSING\n\ndata: 1\n: still\ndata: 2\n\n:\n\n", [(b"", b"1\n2")]),
    "several data lines": (b"data: {\ndata:  1\ndata\ndata: }\n\n", [(b"", b"{\n 1\n\n}")]),
    "no space after the colon": (b"event:a\ndata:1\n\n", [(b"a", b"1")]),
    "two spaces after the colon": (b"data:  1\n\n", [(b"", b" 1")]),
    "an id and a retry time": (b"id: 7\nretry: 10\ndata: 1\n\n", [(b"", b"1")]),
    "a name without data": (b"event: a\n\ndata: 1\n\n", [(b"", b"1")]),
    "empty data": (b"data:\n\ndata: \n\n", [(b"", b""), (b"", b"")]),
    "many empty lines": (b"\n\n\ndata: 1\n\n\n\n", [(b"", b"1")]),
    "letters of four bytes": ("data: \N{GRINNING FACE}\n\n".encode(), [(b"", "\N{GRINNING FACE}".encode())]),
    "separators that are no line ends": (
        "data: a\u2028b\x0bc\x0cd\x85\n\n".encode(),
        [(b"", "a\u2028b\x0bc\x0cd\x85".encode())],
    ),
    "no last empty line": (b"data: 1\n\ndata: 2\n", [(b"", b"1"), (b"", b"2")]),
    "no last line end": (b"data: 1\n\ndata: 2", [(b"", b"1"), (b"", b"2")]),
    "ended by a carriage return": (b"data: 1\n\ndata: 2\r", [(b"", b"1"), (b"", b"2")]),
}


def read(pieces, limit=EVENT_LIMIT):
    events = Events(limit)
    found = [event for piece in pieces for event in events.feed(piece)]
    return [*found, *events.close()], str(events.fault)


def sliced(octets, cuts):
    at = [0, *sorted(cuts), len(octets)]
    return [octets[a:b] for a, b in pairwise(at)]


@pytest.mark.parametrize("name", STREAMS)
def test_every_spelling_the_format_allows_is_read(name):
    octets, expected = STREAMS[name]
    assert read([octets])[0] == expected


@pytest.mark.parametrize("name", STREAMS)
def test_bytes_one_by_one_give_the_same_events(name):
    octets, expected = STREAMS[name]
    assert read([bytes([octet]) for octet in octets])[0] == expected


@pytest.mark.parametrize("name", STREAMS)
def test_every_cut_in_two_gives_the_same_events(name):
    octets, expected = STREAMS[name]
    for at in range(len(octets) + 1):
        assert read([octets[:at], octets[at:]])[0] == expected


LINES = st.lists(
    st.sampled_from(
        [
            b"data: ",
            b"data:",
            b"event: x",
            b":",
            b"{",
            b" x",
            b"\xef\xbb\xbf",
            b"a",
            b"\r",
            b"\n",
            b"\r\n",
            b"\n\n",
            b"id",
        ]
    )
)


@settings(deadline=None)
@given(LINES.map(b"".join), st.data(), st.integers(3, 40))
def test_any_slicing_of_any_bytes_gives_the_same_events_and_fault(octets, data, limit):
    cuts = data.draw(st.lists(st.integers(0, len(octets)), max_size=12))
    assert read(sliced(octets, cuts), limit) == read([octets], limit)


def test_lines_that_are_no_field_are_an_event_of_their_own():
    octets = b'data: 1\n\n{\n  "error": {\n\n data: 2\ndata: 3\n\nerror: {}\n'
    assert read([octets])[0] == [
        (b"", b"1"),
        (STRAY, b'{\n  "error": {'),
        (b"", b"3"),
        (STRAY, b" data: 2"),
        (STRAY, b"error: {}"),
    ]


def test_fields_we_do_not_know_and_cut_ones_are_passed_over():
    assert read([b"colour: red\ndata: 1\nx-y\n\nda"])[0] == [(b"", b"1")]


def test_an_empty_slice_between_carriage_return_and_line_feed_changes_nothing():
    assert read([b"data: 1\r", b"", b"\ndata: 2\n\n"])[0] == [(b"", b"1\n2")]


def test_an_event_beyond_the_limit_is_a_fault_behind_the_events_before_it():
    events = Events(limit=20)
    assert events.feed(b"data: 1\n\ndata: 1234567890\ndata: 1234567890\n\ndata: 2\n\n") == [(b"", b"1")]
    assert isinstance(events.fault, MalformedError)
    assert "20 bytes" in str(events.fault)
    assert events.feed(b"data: 3\n\n") == []


def test_a_line_without_end_is_a_fault_before_it_fills_the_memory():
    events = Events(limit=1000)
    fed = 0
    while events.fault is None:
        events.feed(b"x" * 100)
        fed += 100
    assert fed <= 1200


def test_nothing_is_held_behind_an_event_beyond_the_limit():
    events = Events(limit=1000)
    for _ in range(100):
        events.feed(b"x" * 100)
    assert events.fault is not None
    assert (events._held, events._held_size, events._data, events._stray) == ([], 0, [], b"")


@pytest.mark.parametrize("lines", [b"{y\n}\n", b"data: xy\ndata:\n", b"{\n" * 9])
def test_line_ends_count_for_the_limit(lines):
    within, beyond = Events(limit=len(lines)), Events(limit=len(lines) - 1)
    assert len(within.feed(lines + b"\n")) == 1
    assert (beyond.feed(lines + b"\n"), within.fault) == ([], None)
    assert beyond.fault is not None


def test_stray_lines_without_end_are_a_fault():
    events = Events(limit=1000)
    for _ in range(300):
        events.feed(b"no sense\n")
    assert events.fault is not None


def test_a_large_event_in_small_pieces_is_joined_once():
    events = Events()
    piece = b"x" * 1024
    events.feed(b"data: ")
    for _ in range(4096):
        events.feed(piece)
    [(_, data)] = events.feed(b"\n\n")
    assert len(data) == 4096 * 1024
