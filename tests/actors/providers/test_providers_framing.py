import itertools
import re

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.providers.framing import LINE_BYTES, Chunked, Framing, Sized

PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
CUTS = st.lists(st.integers(0, 400), max_size=12)
NEARLY = st.lists(
    st.sampled_from(
        [
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"\r\n",
            b"\r",
            b"\n",
            b"0\r\nX: y\r\n\r\n",
            b"zz",
            b"ff",
            b"1;a=b\r\nx\r\n",
            b" ",
        ]
    ),
    max_size=6,
).map(b"".join)


def slices(octets, cuts):
    edges = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    return [octets[a:b] for a, b in itertools.pairwise(edges)]


def run(framing, parts):
    """What a reader sees: the body, whether it ended, the fault's text."""
    body = b""
    for part in parts:
        if framing.ended or framing.fault:
            break
        body += framing.feed(part)
    return body, framing.ended, framing.fault


def chunked(pieces, trailer=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"


def told_by_h11(octets):
    """The body that h11 reads, and whether it is content."""
    wire = h11.Connection(h11.CLIENT)
    wire.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    wire.send(h11.EndOfMessage())
    wire.receive_data(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + octets)
    body = b""
    while True:
        try:
            event = wire.next_event()
        except h11.RemoteProtocolError:
            return body, False
        if isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return body, True
        elif event is h11.NEED_DATA:
            wire.receive_data(b"")


@given(PIECES, CUTS)
def test_chunks_in_any_slicing_are_the_body(pieces, cuts):
    assert run(Chunked(), slices(chunked(pieces), cuts)) == (b"".join(pieces), True, None)


@given(PIECES, CUTS, st.integers(0, 300))
def test_chunks_cut_anywhere_are_a_fault_after_what_came(pieces, cuts, length):
    whole = chunked(pieces)
    framing = Chunked()
    body, ended, fault = run(framing, slices(whole[: min(length, len(whole) - 1)], cuts))
    framing.close()
    assert (ended, fault) == (False, None)
    assert b"".join(pieces).startswith(body)
    assert "disconnected" in str(framing.fault)


@given(NEARLY, CUTS)
@example(b"5\r\nhello\r\nzz\r\n", [])
@example(b"5\r\nhelloXX", [7])
def test_near_misses_read_as_h11_reads_them_in_any_slicing(octets, cuts):
    framing = Chunked()
    body, _, _ = run(framing, slices(octets, cuts))
    if not framing.fault:
        framing.close()
    expected, content = told_by_h11(octets)
    assert framing.ended == content
    assert body == expected


@given(st.binary(max_size=200), CUTS, CUTS)
def test_garbage_reads_the_same_in_any_slicing(octets, one, other):
    first, second = Chunked(), Chunked()
    assert run(first, slices(octets, one))[:2] == run(second, slices(octets, other))[:2]
    assert (first.fault is None) == (second.fault is None)
    assert first.ended is second.ended


@given(st.binary(max_size=60), st.binary(max_size=20), CUTS)
def test_sized_body_in_any_slicing_ends_at_its_length(octets, after, cuts):
    framing = Sized(len(octets))
    body, ended, fault = run(framing, slices(octets, cuts))
    assert (body, ended, fault) == (octets, True, None)
    late = Sized(len(octets))
    assert late.feed(octets + after) == octets
    assert late.rest == after


def test_sized_body_that_stops_short_names_both_lengths():
    framing = Sized(10)
    framing.feed(b"1234")
    framing.close()
    assert re.search(r"after 4 of 10 body bytes", str(framing.fault))


def test_body_without_framing_ends_with_the_connection():
    framing = Framing()
    assert framing.feed(b"all") == b"all"
    assert not framing.ended
    framing.close()
    assert framing.ended


def test_good_chunk_before_a_bad_one_is_delivered_before_the_fault():
    framing = Chunked()
    assert framing.feed(b"5\r\nhello\r\nzz\r\n") == b"hello"
    assert "illegal chunk header: b'zz" in str(framing.fault)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"5\r\nhelloXX", "ends with b'XX'"),
        (b"-5\r\nhello\r\n", "illegal chunk header"),
        (b"5 5\r\n", "illegal chunk header"),
        (b"5\nhello", "illegal chunk header"),
        (b"0\r\nno colon\r\n\r\n", "illegal trailer"),
        (b"5" * (LINE_BYTES + 1), "illegal chunk header"),
    ],
)
def test_what_is_no_framing_is_a_fault(octets, told):
    framing = Chunked()
    framing.feed(octets)
    assert told in str(framing.fault)


def test_what_follows_the_last_chunk_is_kept_apart():
    framing = Chunked()
    assert framing.feed(b"2\r\nhi\r\n0\r\nChecksum: 1\r\n\r\nHTTP/1.1 200") == b"hi"
    assert framing.ended
    assert framing.rest == b"HTTP/1.1 200"
