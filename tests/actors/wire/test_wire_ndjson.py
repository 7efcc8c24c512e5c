"""JSON lines come out the same whatever the slices, and no line grows without bound."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.source import MalformedError
from actors.wire.ndjson import LINE_LIMIT, Lines

texts = st.lists(st.binary(max_size=12).map(lambda octets: octets.replace(b"\n", b"")), max_size=8)


def read(pieces, limit=LINE_LIMIT):
    lines = Lines(limit)
    found = [line for piece in pieces for line in lines.feed(piece)]
    return found + lines.close(), lines.fault


def cut(octets, cuts):
    edges = [0, *sorted(at % (len(octets) + 1) for at in cuts), len(octets)]
    return [octets[start:stop] for start, stop in pairwise(edges)]


@given(texts, st.lists(st.integers(0, 200), max_size=20), st.booleans())
def test_any_slicing_gives_the_lines_that_were_written(written, cuts, ended):
    octets = b"\n".join(written) + (b"\n" if ended else b"")
    assert read(cut(octets, cuts)) == ([line for line in written if line.strip()], None)


@given(texts, st.lists(st.integers(0, 200), max_size=20), st.integers(1, 10))
def test_any_slicing_finds_the_same_line_too_long(written, cuts, limit):
    octets = b"\n".join(written)
    found, fault = read(cut(octets, cuts), limit)
    whole, expected = read([octets], limit)
    assert found == whole
    assert (fault is None) == (expected is None) == all(len(line) <= limit for line in written)


def test_a_line_of_many_megabytes_is_one_line():
    piece = b"x" * 65536
    lines = Lines()
    assert not any(lines.feed(piece) for _ in range(256))
    assert lines.feed(b"\nnext") == [piece * 256]
    assert lines.close() == [b"next"]


def test_a_line_beyond_the_limit_is_a_fault_as_soon_as_it_is_seen_and_is_not_kept():
    lines = Lines(limit=100)
    assert lines.feed(b"short\n" + b"x" * 90) == [b"short"]
    assert lines.fault is None
    assert lines.feed(b"x" * 11) == []
    assert isinstance(lines.fault, MalformedError)
    assert lines._held == []
    assert lines.feed(b"\nafter\n") == lines.close() == []


def test_a_limit_leaves_room_for_more_than_a_mebibyte():
    assert LINE_LIMIT >= 16 * 1024 * 1024


@pytest.mark.parametrize("inside", ["\u2028", "\x85", "\x0b", "\r", "\x1c"], ids=ascii)
def test_only_a_line_feed_ends_a_line(inside):
    octets = f'{{"text":"a{inside}b"}}'.encode()
    assert read([octets + b"\n{}"]) == ([octets, b"{}"], None)


def test_a_carriage_return_before_the_end_is_left_for_the_parser_to_skip():
    assert read([b"{}\r\n\r\n{}"]) == ([b"{}\r", b"{}"], None)
