"""Responses that were recorded, served again byte for byte.

A recording keeps status, headers and body as they were; only how the body is sliced into writes is chosen here,
because no recorder keeps that.  The file format is one JSON object a line with `status`, `response_headers` and
`response_body`; other fields may stand beside them, as in what `open_streams(record=...)` writes: there
`response_base64` has a body that is no text, and an attempt that got no answer has none to serve.
"""

import base64
import gzip
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TypeAlias

import msgspec
from attrs import field, frozen

Slicing: TypeAlias = Callable[[bytes], Sequence[bytes]]
"""How a body is cut into writes; the slices joined are the body."""


def whole(body: bytes) -> Sequence[bytes]:
    """The body in one write."""
    return [body] if body else []


_EVENT = re.compile(rb".*?(?:\r\n\r\n|\n\n|\r\r|\Z)", re.DOTALL)


def by_event(body: bytes) -> Sequence[bytes]:
    """One write an event: the body cut after every empty line."""
    return [event for event in _EVENT.findall(body) if event]


@frozen
class Recording:
    """One recorded response. `headers` are (name, value) pairs; those that frame the body are made anew.

    `slicing` says how many writes the body goes out in; positions of faults count those.
    """

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = field(default=(), converter=tuple)
    provider: str = ""
    id: str = ""
    slicing: Slicing = by_event


class _Line(msgspec.Struct):
    """One line of a file of recordings."""

    response_body: str
    response_base64: str = ""
    status: int = 200
    response_headers: dict[str, str] = {}
    provider: str = ""
    id: str = ""
    carrier: str = "http"


def load_recordings(path: str | Path) -> tuple[Recording, ...]:
    """All recordings of a file of JSON lines (gzip where the name ends in `.gz`).

    Raises `ValueError` naming file and line when one is not a recording.
    """
    path = Path(path)
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    decoder = msgspec.json.Decoder(_Line)
    recordings: list[Recording] = []
    for number, text in enumerate(content.splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = decoder.decode(text)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{path}, line {number}, is not a recording: {error}") from error
        body = base64.b64decode(line.response_base64) if line.response_base64 else line.response_body.encode()
        if line.carrier == "http" and (line.status or body):  # what a program wrote is served by nobody
            headers = tuple(line.response_headers.items())
            recordings.append(Recording(body, line.status, headers, line.provider, line.id))
    return tuple(recordings)


def at(*positions: int) -> Slicing:
    """Cut before these byte positions."""
    cuts = sorted(set(positions))

    def sliced(body: bytes) -> Sequence[bytes]:
        edges = [0, *(cut for cut in cuts if 0 < cut < len(body)), len(body)]
        return [body[start:end] for start, end in pairwise(edges) if start < end]

    return sliced


def every(size: int) -> Slicing:
    """Writes of `size` bytes, which may end inside a character."""
    if size < 1:
        raise ValueError(f"a slice of {size} bytes is none; give at least 1")
    return lambda body: [body[start : start + size] for start in range(0, len(body), size)]


def at_random(seed: int, most: int = 512) -> Slicing:
    """Writes of 1 to `most` bytes, the same for the same seed and body."""

    def sliced(body: bytes) -> Sequence[bytes]:
        dice = Random(seed * 1_000_003 + len(body))  # noqa: S311 - slices need to repeat, not to be secret
        slices: list[bytes] = []
        start = 0
        while start < len(body):
            end = start + dice.randint(1, most)
            slices.append(body[start:end])
            start = end
        return slices

    return sliced
