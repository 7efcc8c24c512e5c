"""Recordings of attempts: JSON lines that can be answered from again."""

from actors.wire.recording.asked import asked, key_for, key_of, request_of
from actors.wire.recording.line import BadLine, Carrier, Ended, Fact, Line, body_fields, kept_headers, read, written
from actors.wire.recording.told import deltas_of, told

__all__ = [
    "BadLine",
    "Carrier",
    "Ended",
    "Fact",
    "Line",
    "asked",
    "body_fields",
    "deltas_of",
    "kept_headers",
    "key_for",
    "key_of",
    "read",
    "request_of",
    "told",
    "written",
]
