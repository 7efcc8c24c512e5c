"""What must hold for any bytes at all, one check a decoder: it takes octets and raises where something does not hold.

The first two octets choose the slices, the rest is what is decoded.
"""

import base64
import json
import struct
from binascii import crc32
from contextlib import suppress

import msgspec
from wire_corpus import CORPUS, body, records
from wire_dialects import DIALECTS, PROVIDERS, RECORDINGS, REPLIES
from wire_fold import drive, ending

from actors.messages import Message, Role, ToolCall, ToolResult, user
from actors.policy.assemble import Assembly
from actors.request import Request
from actors.route import Mode, Route
from actors.source import EncodingError, MalformedError, RefusedError, WireError
from actors.wire.eventstream import FramedReader
from actors.wire.ndjson import Lines
from actors.wire.recording import BadLine, Line, asked, read, written
from actors.wire.sse import Events

SIZES = bytes([60, 7])
"""Octets that say: slices of 61 and of 8 bytes in turn."""

LIMIT = 64
"""Bytes a line or an event may have, where the limit itself is tried."""

GROWTH = 16
"""How many characters may be told for each byte read: JSON has nothing that grows more when it is written anew."""


def sliced(octets):
    """The octets behind the first two, in slices whose sizes those two say."""
    sizes, rest, at, slices = [1 + octet for octet in octets[:2]] or [1], octets[2:], 0, []
    while at < len(rest):
        size = sizes[len(slices) % len(sizes)]
        slices.append(rest[at : at + size])
        at += size
    return slices


def cuts(reader):
    """A check of what cuts bytes into events or lines: slices change nothing, and no more is held than one may have."""

    def check(octets):
        whole, pieces = reader(LIMIT), reader(LIMIT)
        found = [*whole.feed(octets[2:]), *whole.close()]
        in_slices = []
        for piece in sliced(octets):
            in_slices += pieces.feed(piece)
            assert pieces._held_size <= LIMIT + 260, "more is held than a line may have"
        in_slices += pieces.close()
        assert in_slices == found
        assert str(pieces.fault) == str(whole.fault)
        assert isinstance(whole.fault, MalformedError | None)
        assert all(len(one if isinstance(one, bytes) else one[1]) <= LIMIT for one in found)

    return check


def reads(name):
    """A check of a dialect's reader, of the answer that its deltas add up to, and of the request that gives it back."""
    dialect = DIALECTS[name]

    def check(octets):
        whole, pieces = dialect.reader(), dialect.reader()
        deltas = drive(whole, [octets[2:]])
        assert drive(pieces, sliced(octets)) == deltas
        assert (ending(pieces), str(pieces.fault)) == (ending(whole), str(whole.fault))
        assert sum(map(told, deltas)) <= GROWTH * len(octets) + 200
        assembly = Assembly()
        with suppress(MalformedError):
            for delta in deltas:
                assembly.add(delta)
            assert whole.finished or not assembly.ready, "a call is released before the end"
            gives_back(assembly)

    return check


def told(delta):
    """How many characters of a delta grow with what is read."""
    return sum(len(value) for value in msgspec.structs.astuple(delta) if isinstance(value, str))


def gives_back(assembly):
    """The next request holds the answer, whoever it is sent to, or says in one sentence why it cannot."""
    calls = [part for part in assembly.parts if isinstance(part, ToolCall) and not part.hosted]
    results = [ToolResult(call.id, "ok") for call in calls]
    turns = (user("go"), Message(Role.ASSISTANT, assembly.parts), user(*results, "on"))
    for name, dialect in DIALECTS.items():
        with suppress(EncodingError):
            assert dialect.encode(Request(turns), Route(PROVIDERS[name], "m"))


def read_whole(name):
    """A check of a dialect's reading of replies in one piece, and of errors."""
    dialect = DIALECTS[name]

    def check(octets):
        with suppress(WireError):
            assert dialect.read_reply(octets)
        refused = dialect.read_error(500, {"retry-after": "x"}, octets)
        assert isinstance(refused, RefusedError)
        assert refused.message

    return check


def recording(octets):
    """A check of the reading of recordings: what was read can be written and read again."""
    with suppress(BadLine):
        lines = read(octets[2:])
        assert read(b"".join(map(written, lines))) == lines


def framed(octets):
    """A check of Amazon's frames: as they are where the first octet is odd, else one whole frame for each line."""
    inner = DIALECTS["anthropic"].reader
    stream = octets[2:] if octets[:1] and octets[0] % 2 else b"".join(map(frame, octets[2:].split(b"\n")))
    whole, pieces = FramedReader(inner), FramedReader(inner)
    deltas = drive(whole, [stream])
    assert drive(pieces, sliced((octets + SIZES)[:2] + stream)) == deltas
    assert (ending(pieces), str(pieces.fault)) == (ending(whole), str(whole.fault))


def frame(line):
    """An event of the inner format as Amazon wraps it."""
    names = {b":message-type": b"event", b":event-type": b"chunk"}
    headers = b"".join(
        struct.pack("!B", len(name)) + name + struct.pack("!BH", 7, len(value)) + value for name, value in names.items()
    )
    payload = json.dumps({"bytes": base64.b64encode(line.removeprefix(b"data: ")).decode()}).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    frame = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return frame + struct.pack("!I", crc32(frame))


CHECKS = {
    "sse": cuts(Events),
    "ndjson": cuts(Lines),
    "eventstream": framed,
    **{name: reads(name) for name in DIALECTS},
    **{f"{name}_whole": read_whole(name) for name in DIALECTS},
    "recording": recording,
}
"""The decoders by name, and what must hold for each."""

LINES = [
    written(
        Line(
            number=1,
            provider="anthropic",
            model="claude-x",
            mode=Mode.STREAMING,
            at=0.0,
            seconds=1.5,
            request=asked(Request("go", system="Be brief"), Route("anthropic", "claude-x")),
            response_body=octets.decode(),
            status=200,
            slices=((0.1, 20), (0.2, 30)),
        )
    )
    for octets in RECORDINGS["anthropic"].values()
]
"""Recordings of one attempt."""

FILES = {
    "anthropic": ("anthropic", "messages"),
    "openai_chat": ("compat", "chat.completions"),
    "openai_responses": ("openai", "responses"),
    "gemini": ("gemini", "streamGenerateContent"),
    "claude_code": ("claude-code", None),
}
"""Where the recorded traffic of a dialect is, and how it is called there."""


def seeds(name):
    """Answers that are as they should be, to begin with: our own, and small recorded ones of each kind where there are any."""
    dialect = name.removesuffix("_whole")
    whole = name != dialect
    if whole and dialect in REPLIES:
        return [json.dumps(reply).encode() for reply in REPLIES[dialect]]
    if name == "recording":
        return [SIZES + octets for octets in LINES]
    known = [
        *(RECORDINGS.get(dialect) or {at: octets for own in RECORDINGS.values() for at, octets in own.items()}).values()
    ]
    if CORPUS.is_dir() and dialect in FILES:
        file, api = FILES[dialect]
        recorded = sorted((body(record) for record in records(file, "stream", api and {api})), key=len)
        known += [text.encode() for text in recorded[:80] if len(text) < 15_000]
    return known if whole else [SIZES + octets for octets in known]
