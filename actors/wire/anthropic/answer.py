"""Anthropic's answers: events from `message_start` to `message_stop`, and the same message in one piece."""

from collections.abc import Sequence

import msgspec

from actors.deltas import Delta
from actors.wire import blocks as wire
from actors.wire.anthropic.request import encode
from actors.wire.blockwise import Answer, refused
from actors.wire.dialect import Dialect
from actors.wire.reading import UNREADABLE, EventReader, malformed
from actors.wire.refusals import read_error


def _reader() -> EventReader:
    return EventReader(Answer(), read_reply)


def read_reply(body: bytes) -> Sequence[Delta]:
    """The deltas of a message in one piece; raises `WireError` where it is none, or is an error, or is not finished."""
    out: list[Delta] = []
    try:
        reply = _decoded(body)
        if isinstance(reply, wire.Error):
            raise refused(reply.error, reply.request_id)
        answer = Answer()
        answer.begin(reply, out)
        answer.stop(out)
    except UNREADABLE as error:
        raise malformed("reply", error) from error
    return out


def _decoded(body: bytes) -> wire.Message | wire.Error:
    """The message, or the error: gateways leave its type out."""
    try:
        return wire.REPLY.decode(body)
    except msgspec.ValidationError as error:
        match msgspec.json.decode(body):
            case {"error": told}:
                raise refused(told) from error
            case _:
                raise


DIALECT = Dialect(encode, _reader, read_reply, read_error)
"""Anthropic Messages."""
