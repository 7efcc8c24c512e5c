"""Amazon's event stream (`application/vnd.amazon.eventstream`): binary frames, each with two checksums, around the events of a model.

A frame is a prelude (total length, length of the headers, CRC-32 of those eight bytes), headers (typed names and values), a payload, and a
CRC-32 over everything before it; all numbers are big-endian.  What a frame holds is handed to another dialect's reader, which is brought
along.  The one rule: how the bytes were sliced changes nothing, and no byte is believed before its checksum is.
"""

import struct
from binascii import Error as NotBase64
from binascii import a2b_base64, crc32
from collections.abc import Callable, Mapping, Sequence

import attrs
import msgspec

from actors.deltas import Delta
from actors.source import MalformedError, RefusedError, TruncatedError, WireError
from actors.wire.dialect import Reader

PAYLOAD_LIMIT = 24 * 1024 * 1024
"""Bytes of one frame: the most that Amazon's own library takes."""

HEADERS_LIMIT = 128 * 1024
"""Bytes of one frame's headers; the same."""

_PRELUDE = struct.Struct("!III")
_CRC = struct.Struct("!I")
_LEAST = _PRELUDE.size + _CRC.size

_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Length of a header's value by its type: true, false, byte, short, integer, long, timestamp, UUID."""

_SIZED = frozenset({6, 7})
"""Types whose value has its length before it: bytes and text."""


@attrs.frozen
class Frame:
    """One frame: its headers that are texts, by name, and its payload."""

    headers: Mapping[str, str]
    payload: bytes


class Frames:
    """Cuts bytes into frames; `fault` is what is none, found once all before it was returned, and nothing is read after it."""

    __slots__ = ("_held", "fault")

    def __init__(self) -> None:
        self.fault: MalformedError | None = None
        self._held = bytearray()

    @property
    def within(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._held)

    def feed(self, octets: bytes) -> list[Frame]:
        """The frames that these bytes complete."""
        found: list[Frame] = []
        if self.fault is not None:
            return found
        self._held += octets
        try:
            while (size := self._whole()) is not None:
                found.append(_frame(bytes(self._held[:size])))
                del self._held[:size]
        except MalformedError as fault:
            self.fault = fault
            self._held.clear()
        return found

    def _whole(self) -> int | None:
        """The length of the first frame, once it is here; its prelude is checked as soon as that is."""
        held = self._held
        if len(held) < _PRELUDE.size:
            return None
        total, headers, check = _PRELUDE.unpack_from(held)
        if crc32(held[:8]) != check:
            raise MalformedError("a frame's prelude does not have the checksum that it names")
        if not _LEAST + headers <= total <= PAYLOAD_LIMIT or headers > HEADERS_LIMIT:
            raise MalformedError(f"a frame says that it has {total} bytes, {headers} of them headers, which none has")
        return total if len(held) >= total else None


def _frame(octets: bytes) -> Frame:
    (check,) = _CRC.unpack_from(octets, len(octets) - _CRC.size)
    if crc32(octets[: -_CRC.size]) != check:
        raise MalformedError("a frame does not have the checksum that it names")
    _, size, _ = _PRELUDE.unpack_from(octets)
    end = _PRELUDE.size + size
    try:
        headers = _headers(octets[_PRELUDE.size : end])
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise MalformedError(f"the headers of a frame cannot be read: {error}") from error
    return Frame(headers, octets[end : -_CRC.size])


def _headers(octets: bytes) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    at = 0
    while at < len(octets):
        begin = at + 1
        end = begin + octets[at]
        name, kind = octets[begin:end].decode(), octets[end]
        at = end + 1
        if kind in _SIZED:
            (size,) = struct.unpack_from("!H", octets, at)
            at += 2
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise MalformedError(f"a frame has a header of type {kind}, which there is not")
        if at + size > len(octets):
            raise IndexError(f"header {name!r} goes beyond the headers")
        if kind == 7:
            headers[name] = octets[at : at + size].decode()
        at += size
    return headers


class _Chunk(msgspec.Struct):
    """The payload of an event: another event, in base64; what pads it is passed over."""

    bytes: str = ""


_CHUNK = msgspec.json.Decoder(_Chunk)


class _Said(msgspec.Struct):
    """The payload of an exception."""

    message: str = ""
    Message: str = ""


_SAID = msgspec.json.Decoder(_Said)

STATUSES: Mapping[str, int] = {
    "throttlingException": 429,
    "modelNotReadyException": 503,
    "validationException": 400,
    "accessDeniedException": 403,
    "resourceNotFoundException": 404,
    "modelTimeoutException": 408,
    "modelErrorException": 500,
    "modelStreamErrorException": 500,
    "internalServerException": 500,
    "serviceUnavailableException": 503,
}
"""The status that Amazon documents for an exception within a stream, or where that is one of its own (424) the one that means it."""


class FramedReader:
    """A `Reader` (see `actors.wire.dialect`) of frames around the events that `inner` reads as server-sent ones."""

    __slots__ = ("_fault", "_frames", "_inner")

    def __init__(self, inner: Callable[[], Reader]) -> None:
        self._frames = Frames()
        self._inner = inner()
        self._fault: WireError | None = None

    @property
    def finished(self) -> bool:
        """Whether the model's terminal event was read."""
        return self._inner.finished

    @property
    def fault(self) -> WireError | None:
        """What stopped the reading, once everything before it was returned."""
        return self._fault or self._inner.fault

    def feed(self, octets: bytes) -> Sequence[Delta]:
        """The deltas in these bytes, maybe none; bytes after the terminal event or a fault are ignored."""
        out: list[Delta] = []
        if self.finished or self.fault is not None:
            return out
        for frame in self._frames.feed(octets):
            try:
                out += self._inner.feed(_event(frame))
            except WireError as fault:
                self._fault = fault
            if self.finished or self.fault is not None:
                return out
        self._fault = self._frames.fault
        return out

    def close(self) -> Sequence[Delta]:
        """The deltas that the end of the bytes completes; without the terminal event the end is a fault (P7)."""
        if self.fault is None and not self.finished and self._frames.within:
            self._fault = TruncatedError("the answer ended within a frame")
        return () if self.fault is not None else self._inner.close()


def _event(frame: Frame) -> bytes:
    """The event in a frame as a server-sent one; raises `RefusedError` for an exception."""
    kind = frame.headers.get(":message-type", "event")
    if kind != "event":
        raise _exception(frame, kind)
    if frame.headers.get(":event-type", "chunk") != "chunk":
        return b""  # of a kind that does not exist yet
    try:
        event = a2b_base64(_CHUNK.decode(frame.payload).bytes, strict_mode=True)
    except (msgspec.DecodeError, NotBase64, UnicodeError) as error:
        raise MalformedError(f"the payload of a frame cannot be read: {error}") from error
    return b"data: " + event.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n\n"


def _exception(frame: Frame, kind: str) -> RefusedError:
    code = frame.headers.get(":exception-type", "") or frame.headers.get(":error-code", "") or kind
    try:
        said = _SAID.decode(frame.payload)
        message = said.message or said.Message
    except (msgspec.DecodeError, UnicodeError):
        message = ""
    message = message or frame.headers.get(":error-message", "") or f"the service ended the stream with {code}"
    return RefusedError(message, status=STATUSES.get(code, 500), code=code, in_stream=True)
