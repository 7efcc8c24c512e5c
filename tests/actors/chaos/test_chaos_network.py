import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.chaos import Simulator, memory_pair, open_network


async def test_memory_streams_keep_trios_contract_for_streams():
    async def pair():
        return memory_pair()

    async def clogged():
        ours, theirs = memory_pair(16)
        await ours.send_all(b"x" * 16)
        await theirs.send_all(b"x" * 16)
        return ours, theirs

    await trio.testing.check_half_closeable_stream(pair, clogged)


async def test_a_full_buffer_makes_the_writer_wait():
    ours, theirs = memory_pair(10)
    with trio.move_on_after(0.01) as patience:
        await ours.send_all(b"x" * 11)
    assert patience.cancelled_caught
    assert await theirs.receive_some() == b"x" * 10


async def test_after_a_reset_what_had_arrived_is_read_and_then_both_directions_fail():
    ours, theirs = memory_pair()
    await ours.send_all(b"last words")
    ours.reset()
    assert await theirs.receive_some() == b"last words"
    with pytest.raises(trio.BrokenResourceError):
        await theirs.receive_some()
    with pytest.raises(trio.BrokenResourceError):
        await theirs.send_all(b"hello?")
    with pytest.raises(trio.ClosedResourceError):
        await ours.send_all(b"x")


async def test_a_reset_wakes_a_peer_that_waits_for_room():
    ours, theirs = memory_pair(4)

    async def write():
        with pytest.raises(trio.BrokenResourceError):
            await ours.send_all(b"too much for this buffer")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await trio.testing.wait_all_tasks_blocked()
        theirs.reset()


async def test_closing_with_unread_bytes_resets_as_tcp_does():
    ours, theirs = memory_pair()
    await ours.send_all(b"never read")
    await theirs.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await ours.receive_some()


async def test_after_fin_the_other_direction_still_works():
    ours, theirs = memory_pair()
    await ours.send_eof()
    assert await theirs.receive_some() == b""
    await theirs.send_all(b"still here")
    assert await ours.receive_some() == b"still here"


@settings(deadline=None)
@given(content=st.binary(max_size=500), size=st.integers(1, 40), most=st.integers(1, 60))
def test_bytes_arrive_in_order_whatever_the_buffer(content, size, most):
    async def main():
        ours, theirs = memory_pair(size)
        received = bytearray()

        async def read():
            while data := await theirs.receive_some(most):
                received.extend(data)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await ours.send_all(content)
            await ours.send_eof()
        return bytes(received)

    assert trio.run(main) == content


async def test_what_the_body_of_a_network_raises_comes_out_alone():
    with pytest.raises(KeyError):
        async with open_network(Simulator()):
            raise KeyError
