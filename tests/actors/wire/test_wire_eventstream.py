"""Amazon's event stream, held against Amazon's own library: any frames, any slicing, any damage."""

import struct
from base64 import b64encode
from binascii import crc32
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import json

from actors.chaos.speech.clouds import framed
from actors.deltas import Finished, TextDelta
from actors.source import MalformedError, RefusedError, TruncatedError
from actors.wire.anthropic import DIALECT as ANTHROPIC
from actors.wire.eventstream import PAYLOAD_LIMIT, STATUSES, FramedReader, Frames

EVENT = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}


def sliced(octets, cuts):
    edges = [0, *sorted({cut % (len(octets) + 1) for cut in cuts}), len(octets)]
    return [octets[begin:end] for begin, end in pairwise(edges)]


def read(slices):
    frames = Frames()
    return [frame for octets in slices for frame in frames.feed(octets)], frames.fault


texts = st.text(max_size=20)
names = st.text(min_size=1, max_size=20)
any_frames = st.lists(st.tuples(st.dictionaries(names, texts, max_size=4), st.binary(max_size=80)), max_size=5)
cuts = st.lists(st.integers(0, 2000), max_size=12)


@given(any_frames, cuts)
def test_frames_are_those_that_amazons_own_library_reads_in_any_slicing(given_frames, where):
    octets = b"".join(framed(payload, headers) for headers, payload in given_frames)
    theirs = EventStreamBuffer()
    theirs.add_data(octets)
    frames, fault = read(sliced(octets, where))
    assert fault is None
    assert [(dict(frame.headers), frame.payload) for frame in frames] == given_frames
    assert [(dict(frame.headers), frame.payload) for frame in frames] == [
        (dict(message.headers), message.payload) for message in theirs
    ]


def typed(name, kind, value):
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!B", kind) + value


def by_hand(headers, payload=b"{}"):
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    whole = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return whole + struct.pack("!I", crc32(whole))


def test_headers_of_every_type_are_passed_over_as_amazons_library_does():
    moment = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    headers = b"".join(
        (
            typed("yes", 0, b""),
            typed("no", 1, b""),
            typed("byte", 2, b"\x01"),
            typed("short", 3, struct.pack("!h", -2)),
            typed("int", 4, struct.pack("!i", 3)),
            typed("long", 5, struct.pack("!q", 4)),
            typed("bytes", 6, struct.pack("!H", 3) + b"abc"),
            typed("text", 7, struct.pack("!H", 2) + "ü".encode()),
            typed("time", 8, struct.pack("!q", moment)),
            typed("uuid", 9, bytes(16)),
        )
    )
    theirs = EventStreamBuffer()
    theirs.add_data(by_hand(headers))
    (message,) = theirs
    frames, fault = read([by_hand(headers)])
    assert (fault, len(message.headers)) == (None, 10)
    assert frames[0].headers == {"text": message.headers["text"]} == {"text": "ü"}


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_damaged_frame_is_believed(at, damage):
    octets = bytearray(framed(b'{"bytes":"e30="}', EVENT) * 3)
    at %= len(octets)
    octets[at] ^= damage
    frames, _ = read([bytes(octets)])
    assert len(frames) == at // (len(octets) // 3)
    sound = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    assert all(frame.headers == sound for frame in frames)


@given(st.binary(max_size=400), cuts)
@example(bytes(16), [])
def test_any_bytes_are_frames_or_a_fault_and_the_slicing_does_not_matter(octets, where):
    assert str(read([octets])) == str(read(sliced(octets, where)))


@pytest.mark.parametrize(
    ("total", "headers"), [(15, 0), (0, 0), (16, 1), (PAYLOAD_LIMIT + 1, 0), (2**32 - 1, 2**32 - 1), (300_000, 200_000)]
)
def test_a_frame_that_says_it_has_what_none_has_is_a_fault_at_once(total, headers):
    prelude = struct.pack("!II", total, headers)
    _, fault = read([prelude + struct.pack("!I", crc32(prelude))])
    assert isinstance(fault, MalformedError)


@pytest.mark.parametrize(
    "headers",
    [
        typed("x", 10, b""),
        typed("x", 7, struct.pack("!H", 9) + b"a"),
        b"\x05ab",
        typed("x", 7, b"\x00"),
        b"\x01\xff\x00",
    ],
)
def test_headers_that_cannot_be_read_are_a_fault(headers):
    frames, fault = read([by_hand(headers)])
    assert frames == []
    assert isinstance(fault, MalformedError)


# -- with a model's events inside

EVENTS = [
    {
        "type": "message_start",
        "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 3, "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Grüße\n"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "aus Zürich"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}},
]


def chunk(event):
    return framed(json.encode({"bytes": b64encode(json.encode(event)).decode(), "p": "abcd"}), EVENT)


WHOLE = b"".join(map(chunk, EVENTS))


def deltas(slices, reader=None):
    reader = reader or FramedReader(ANTHROPIC.reader)
    return [delta for octets in slices for delta in reader.feed(octets)] + list(reader.close()), reader


@given(cuts)
def test_an_answer_is_the_same_in_any_slicing(where):
    told, reader = deltas(sliced(WHOLE, where))
    assert (reader.finished, reader.fault) == (True, None)
    assert "".join(delta.text for delta in told if isinstance(delta, TextDelta)) == "Grüße\naus Zürich"
    assert isinstance(told[-1], Finished)


@pytest.mark.promise("P7")
def test_an_answer_that_is_cut_anywhere_is_truncated_and_never_complete():
    for end in range(len(WHOLE)):
        told, reader = deltas([WHOLE[:end]])
        assert isinstance(reader.fault, TruncatedError), end
        assert not reader.finished
        assert not any(isinstance(delta, Finished) for delta in told)


@pytest.mark.parametrize(("name", "status"), STATUSES.items())
def test_an_exception_in_the_stream_is_a_refusal_with_its_status_after_what_came_before(name, status):
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    broken = b"".join(map(chunk, EVENTS[:3])) + framed(b'{"message":"Too many tokens"}', headers) + chunk(EVENTS[3])
    told, reader = deltas([broken])
    assert [delta.text for delta in told if isinstance(delta, TextDelta)] == ["Grüße\n"]
    assert isinstance(reader.fault, RefusedError)
    assert (reader.fault.status, reader.fault.code, str(reader.fault)) == (status, name, "Too many tokens")
    assert reader.fault.in_stream


def test_an_error_that_names_itself_in_headers_is_told_too():
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "An internal error"}
    _, reader = deltas([framed(b"", headers)])
    assert (reader.fault.status, reader.fault.code, str(reader.fault)) == (500, "InternalFailure", "An internal error")


def test_events_of_a_kind_that_does_not_exist_yet_are_passed_over():
    told, reader = deltas([framed(b"{}", EVENT | {":event-type": "metering"}) + WHOLE])
    assert (reader.finished, len(told) > 3) == (True, True)


@pytest.mark.parametrize("payload", [b"", b"{", b'{"bytes":"%%%%"}', b'{"bytes":3}', b'{"bytes":"e30"}', b"[]"])
def test_a_payload_that_cannot_be_read_is_a_fault(payload):
    _, reader = deltas([framed(payload, EVENT)])
    assert isinstance(reader.fault, MalformedError)


def test_what_comes_after_the_end_or_a_fault_is_not_read():
    told, reader = deltas([WHOLE, b"rubbish", WHOLE])
    assert (reader.finished, reader.fault) == (True, None)
    assert len(told) == len(deltas([WHOLE])[0])
    told, reader = deltas([b"rubbish rubbish rubbish", WHOLE])
    assert (told, type(reader.fault)) == ([], MalformedError)


def test_line_breaks_around_an_event_in_a_frame_are_blanks():
    pretty = [json.format(json.encode(event), indent=2) for event in EVENTS]
    octets = b"".join(framed(json.encode({"bytes": b64encode(event).decode()}), EVENT) for event in pretty)
    assert deltas([octets])[1].finished
