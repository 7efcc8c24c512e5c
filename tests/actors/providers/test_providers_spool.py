"""An answer in one piece is read by way of the disk where it is large, and never held in memory twice."""

import errno
import tempfile
import tracemalloc
from pathlib import Path

import httpx2
import pytest

from actors.deltas import Finished, TextDelta
from actors.providers.sources import BufferedSource
from actors.providers.spool import Spool
from actors.source import OversizeError
from actors.wire.anthropic import DIALECT

KILO, MEGA = 1024, 1024 * 1024


def pieces(length, size=64 * KILO):
    for at in range(0, length, size):
        yield bytes([at // size % 256]) * min(size, length - at)


def files():
    return {link.name for link in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize("length", [0, 1, 64 * KILO, MEGA, MEGA + 1, 5 * MEGA + 7])
async def test_all_bytes_come_back_in_order(length):
    before = files()
    with Spool() as spool:
        for piece in pieces(length):
            await spool.add(piece)
        whole = bytes(memoryview(await spool.whole()))
        assert (spool._file is not None) is (length > MEGA)
    assert whole == b"".join(pieces(length))
    assert files() == before


@pytest.mark.row("X9", "E5")
async def test_what_is_on_the_disk_is_not_in_memory():
    with Spool() as spool:
        tracemalloc.start()
        for piece in pieces(32 * MEGA):
            await spool.add(piece)
        whole = await spool.whole()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(whole) == 32 * MEGA
    assert peak < 2 * MEGA


async def test_an_answer_without_end_is_given_up_at_the_limit():
    with Spool(most=3 * MEGA) as spool:
        for piece in pieces(3 * MEGA):
            await spool.add(piece)
        with pytest.raises(OversizeError, match="larger than the 3145728 bytes"):
            await spool.add(b"x")


async def test_a_full_disk_is_said_in_a_sentence(monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with Spool(memory=KILO) as spool, pytest.raises(OversizeError, match="do not fit on the disk: No space left on"):
        await spool.add(b"x" * 2 * KILO)


def reply(text):
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    return httpx2.Response(200, json=body)


@pytest.mark.parametrize("length", [10, 3 * MEGA])
async def test_a_large_answer_is_decoded_like_a_small_one(length):
    source = BufferedSource(reply("é" * length), DIALECT, "")
    deltas = await source.receive()
    assert [delta.text for delta in deltas if isinstance(delta, TextDelta)] == ["é" * length]
    assert isinstance(deltas[-1], Finished)
    assert await source.receive() is None
