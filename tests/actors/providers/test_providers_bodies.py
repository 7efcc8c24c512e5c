import itertools

import httpx2
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from scripted_peer import CHUNKED, END, OK, Peer, chunk, fin, memory, pause, rst, sized, stall

from actors.chaos.network import DEFAULT_BUFFER
from actors.providers.bodies import ERROR_BYTES, Body


def slices(octets, cuts):
    edges = sorted({0, len(octets), *(cut % len(octets) for cut in cuts)})
    return [octets[a:b] for a, b in itertools.pairwise(edges)]


@given(
    st.lists(st.binary(min_size=1, max_size=30), max_size=5), st.lists(st.integers(0, 1000), max_size=8), st.booleans()
)
async def test_answer_in_arbitrary_slices_is_the_body(pieces, cuts, with_length):
    whole = b"".join(pieces)
    answer = sized(whole) if with_length else CHUNKED + b"".join(map(chunk, pieces)) + END
    steps = [step for part in slices(answer, cuts) for step in (part, pause(0))]
    async with memory(Peer([steps])) as client:
        for _ in range(2):
            async with client.stream("GET", "/") as response:
                assert await Body.of(response).read() == whole
        assert client.pool.statistics().idle == client.network.opened == 1


async def test_pieces_are_received_as_they_come(autojump_clock):
    peer = Peer(
        [[CHUNKED + chunk(b"with the head"), pause(1), chunk(b"alone"), pause(1), chunk(b"a") + chunk(b"b"), END]]
    )
    async with memory(peer) as client, client.stream("GET", "/") as response:
        body, start, seen = Body.of(response), trio.current_time(), []
        while piece := await body.receive():
            seen.append((piece, trio.current_time() - start))
        assert seen == [(b"with the head", 0), (b"alone", 1), (b"ab", 2)]
        assert await body.receive() == b""


async def receive_into(got, body):
    while piece := await body.receive():
        got.append(piece)


FAULTS = {
    "FIN between chunks": ([CHUNKED, chunk(b"one"), fin], "RemoteProtocolError", "disconnected in the middle"),
    "FIN within a chunk": (
        [CHUNKED, chunk(b"one") + b"9\r\nhal", fin],
        "RemoteProtocolError",
        "disconnected in the middle",
    ),
    "FIN before the last empty line": ([CHUNKED, chunk(b"one"), b"0\r\n", fin], "RemoteProtocolError", "disconnected"),
    "FIN before the length": ([OK, b"Content-Length: 9\r\n\r\none", fin], "RemoteProtocolError", "3 of 9 body bytes"),
    "RST": ([CHUNKED, chunk(b"one"), pause(1), rst], "ReadError", "reset"),
    "bad chunk": ([CHUNKED, chunk(b"one"), b"nonsense\r\n"], "RemoteProtocolError", "illegal chunk header"),
    "bad chunk end": ([CHUNKED, chunk(b"one"), b"1\r\naXX"], "RemoteProtocolError", "ends with b'XX'"),
}


@pytest.mark.parametrize(("steps", "name", "told"), FAULTS.values(), ids=FAULTS)
async def test_broken_body_gives_what_came_then_its_fault_each_time_and_closes(autojump_clock, steps, name, told):
    async with memory(Peer([steps])) as client:
        async with client.stream("GET", "/") as response:
            got = []
            for _ in range(2):
                with pytest.raises(getattr(httpx2, name), match=told):
                    await receive_into(got, Body.of(response))
            assert b"".join(got).startswith(b"one")
        assert client.pool.statistics().open == client.network.open_connections == 0


@pytest.mark.parametrize(("steps", "name", "told"), FAULTS.values(), ids=FAULTS)
async def test_broken_body_is_the_same_fault_to_an_ordinary_reader(autojump_clock, steps, name, told):
    async with memory(Peer([steps])) as client:
        with pytest.raises(getattr(httpx2, name), match=told):
            await client.get("/")
        assert client.pool.statistics().open == client.network.open_connections == 0


HEADS = {
    "nothing": ([fin], "disconnected without an answer"),
    "half a head": ([b"HTTP/1.1 200 OK\r\nContent-", fin], "disconnected without an answer"),
    "garbage": ([b"\x16\x03\x01 not http\r\n\r\n"], "illegal"),
    "two lengths": ([OK, b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"], "[Cc]ontent-[Ll]ength"),
    "an unknown coding": ([OK, b"Transfer-Encoding: gzip\r\n\r\n"], "[Tt]ransfer-[Ee]ncoding"),
    "a bad header": ([OK, b"No colon here\r\n\r\n"], "illegal header line"),
    "a head without end": ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000], "too long|exceeded"),
}


@pytest.mark.parametrize(("steps", "told"), HEADS.values(), ids=HEADS)
async def test_what_is_no_head_of_an_answer_is_refused_and_closes(steps, told):
    async with memory(Peer([steps])) as client:
        with pytest.raises(httpx2.RemoteProtocolError, match=told):
            await client.get("/")
        assert client.pool.statistics().open == client.network.open_connections == 0


async def test_body_left_unread_closes_its_connection_without_waiting(autojump_clock):
    peer = Peer([[CHUNKED, chunk(b"one"), stall]])
    async with memory(peer) as client:
        start = trio.current_time()
        async with client.stream("GET", "/") as response:
            body = Body.of(response)
            assert await body.receive() == b"one"
        assert trio.current_time() == start
        assert client.network.open_connections == 0
        with pytest.raises(trio.ClosedResourceError, match="before it was read to its end"):
            await body.receive()
        await body.aclose()


@pytest.mark.parametrize(
    ("steps", "seconds", "kept"),
    [
        pytest.param([pause(0.1), chunk(b"ping"), END], 0.1, True, id="ends soon"),
        pytest.param([stall], 0.25, False, id="never ends"),
        pytest.param([fin], 0, False, id="breaks off"),
        pytest.param([chunk(b"x" * 8 * DEFAULT_BUFFER), stall], 0, False, id="goes on and on"),
    ],
)
async def test_draining_saves_the_connection_of_a_body_that_ends_soon(autojump_clock, steps, seconds, kept):
    async with memory(Peer([[CHUNKED, chunk(b"the end"), *steps]])) as client:
        async with client.stream("GET", "/") as response:
            body = Body.of(response)
            await body.receive()
            start = trio.current_time()
            await body.drain()
            assert trio.current_time() - start == pytest.approx(seconds)
        assert client.pool.statistics().idle == client.network.open_connections == int(kept)


async def test_cancelled_receive_loses_nothing(autojump_clock):
    peer = Peer([[CHUNKED, pause(1), chunk(b"one")[:4], pause(1), chunk(b"one")[4:], pause(1), END]])
    async with memory(peer) as client, client.stream("GET", "/") as response:
        body, got = Body.of(response), b""
        for _ in range(40):
            with trio.move_on_after(0.1):
                got += await body.receive()
        assert got == b"one"
        assert await body.receive() == b""


async def test_read_timeout_of_the_request_holds_for_head_and_ordinary_reading_only(autojump_clock):
    timeout = httpx2.Timeout(None, read=2)
    async with memory(Peer([[stall], [CHUNKED, pause(5), chunk(b"late"), END]])) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get("/", timeout=timeout)
        with pytest.raises(httpx2.ReadTimeout, match="no byte of the answer came for 2 s"):
            await client.get("/", timeout=timeout)
        async with client.stream("GET", "/", timeout=timeout) as response:
            assert await Body.of(response).receive() == b"late"
        assert client.pool.statistics().in_use == 0


ERROR = b"HTTP/1.1 529 Overloaded\r\nTransfer-Encoding: chunked\r\nretry-after: 7\r\n\r\n"


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [
        pytest.param([END], 0, id="complete"),
        pytest.param([stall], 5, id="silent"),
        pytest.param([fin], 0, id="cut"),
        pytest.param([b"nonsense\r\n"], 0, id="garbled"),
        pytest.param([rst], 0, id="reset"),
    ],
)
async def test_error_keeps_its_status_whatever_becomes_of_its_body(autojump_clock, steps, seconds):
    async with memory(Peer([[ERROR, chunk(b"sorry"), pause(1), *steps]])) as client:
        start = trio.current_time()
        response = await client.get("/")
        assert (response.status_code, response.headers["retry-after"], response.text) == (529, "7", "sorry")
        assert trio.current_time() - start == pytest.approx(max(1, seconds))
        assert client.pool.statistics().in_use == 0


async def test_error_without_end_is_read_up_to_a_bound():
    async def forever(stream):
        while True:
            await stream.send_all(chunk(b"x" * 60_000))

    async with memory(Peer([[ERROR, forever]])) as client:
        assert ERROR_BYTES <= len((await client.get("/")).content) < ERROR_BYTES + DEFAULT_BUFFER
        assert client.network.open_connections == 0
