import httpcore2
import httpx2
import pytest
import trio
from scripted_peer import CHUNKED, END, Peer, chunk, fin, memory, pause, sized, stall

from actors.chaos import open_network
from actors.providers.bodies import Body
from actors.providers.connections import Connections, PoolStatistics

HELLO = CHUNKED + chunk(b"hello") + END


class Unreachable(httpcore2.AsyncNetworkBackend):
    """A network on which connecting never ends."""

    async def connect_tcp(self, *_args, **_kwargs):
        await trio.sleep_forever()


async def test_connection_is_used_again_once_its_body_was_read():
    peer = Peer([[HELLO]])
    async with memory(peer) as client:
        for _ in range(5):
            assert (await client.get("/")).text == "hello"
        assert peer.connections == 1
        assert client.pool.statistics() == PoolStatistics(idle=1, in_use=0, waiting=0)
    assert client.network.open_connections == 0


async def test_request_arrives_whole_and_once():
    peer = Peer([[sized(b"")]])
    async with memory(peer) as client:
        await client.post("/v1?q=1", content=b"x" * 200_000, headers={"x-test": "yes"})
    (request,) = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1?q=1 HTTP/1.1\r\n")
    assert b"x-test: yes" in head
    assert body == b"x" * 200_000


async def test_last_used_connection_is_taken_first_and_origins_do_not_mix():
    peer = Peer([[HELLO]])
    async with memory(peer) as client:
        async with client.stream("GET", "http://a/") as first, client.stream("GET", "http://a/") as second:
            await first.aread()
            await second.aread()
        await client.get("http://b/")
        assert client.pool.statistics() == PoolStatistics(idle=3, in_use=0, waiting=0)
        await client.get("http://a:81/")
        assert peer.connections == 4


async def test_many_streams_at_once_each_have_a_connection(autojump_clock):
    peer = Peer([[CHUNKED, chunk(b"one"), pause(5), chunk(b"two"), END]])
    texts = []

    async def read():
        texts.append((await client.get("/")).text)

    async with memory(peer) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(read)
            await trio.sleep(1)
            assert client.pool.statistics() == PoolStatistics(idle=0, in_use=200, waiting=0)
        assert texts == ["onetwo"] * 200
        assert client.pool.statistics() == PoolStatistics(idle=200, in_use=0, waiting=0)
        await client.pool.aclose_idle()
        assert client.pool.statistics().open == client.network.open_connections == 0


async def test_connection_that_the_server_closed_is_replaced_unnoticed(autojump_clock):
    peer = Peer([[HELLO, pause(1), fin], [HELLO]])
    async with memory(peer) as client:
        await client.get("/")
        await trio.sleep(2)
        assert (await client.get("/")).text == "hello"
        assert (peer.connections, len(peer.requests)) == (2, 2)
        assert client.network.open_connections == 1


async def test_connection_that_lay_too_long_is_replaced(autojump_clock):
    peer = Peer([[HELLO]])
    async with memory(peer, idle_seconds=10) as client:
        await client.get("/")
        await trio.sleep(9)
        await client.get("/")
        assert peer.connections == 1
        await trio.sleep(10)
        await client.get("/")
        assert peer.connections == 2
        assert client.network.open_connections == 1


async def test_expired_connections_of_other_origins_are_swept_by_any_request(autojump_clock):
    peer = Peer([[HELLO]])
    async with memory(peer, idle_seconds=10) as client:
        for number in range(20):
            await client.get(f"http://host{number}/")
        await trio.sleep(11)
        for _ in range(3):
            await client.get("http://here/")
        assert client.pool.statistics().open == client.network.open_connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", id="the server closes"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", id="an old server"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more", id="more than was announced"),
    ],
)
async def test_connection_is_closed_after_an_answer_that_forbids_reuse(answer):
    async with memory(Peer([[answer]])) as client:
        assert (await client.get("/")).text == "hi"
        assert client.pool.statistics().open == client.network.open_connections == 0


async def test_connection_of_a_server_that_closes_although_it_promised_more_is_not_used_again(autojump_clock):
    """The heads of llama.cpp; it closes behind every streamed answer, and holds a thread for every connection that is kept."""
    head = b"HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nKeep-Alive: timeout=5, max=100\r\n"
    streamed = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"hi") + END
    peer = Peer([[streamed, pause(0.02), fin], [head + b"Content-Length: 2\r\n\r\nhi"], [HELLO]])
    async with memory(peer) as client:
        texts = [(await client.get("/")).text for _ in range(3)]
        assert (texts, peer.connections) == (["hi", "hi", "hello"], 3)


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_a_body_free_their_connection(status):
    async with memory(Peer([[b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status]])) as client:
        assert (await client.get("/")).content == b""
        assert client.pool.statistics().idle == 1


async def test_head_request_and_interim_answers_are_understood():
    peer = Peer([[b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"]])
    async with memory(peer) as client:
        assert (await client.head("/")).headers["content-length"] == "99"
        assert client.pool.statistics().idle == 1


async def test_early_answer_to_a_large_request_is_read_and_its_connection_closed():
    async def refuse(stream):
        await stream.send_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await stream.aclose()

    class Early(Peer):
        async def serve(self, stream):
            await stream.receive_some(10)
            await refuse(stream)

    async with memory(Early([[]])) as client:
        answer = await client.post("/", content=b"x" * 1_000_000)
        assert (answer.status_code, answer.text) == (413, "big")
        assert client.network.open_connections == 0


async def test_bound_lets_requests_in_one_by_one_in_order(autojump_clock):
    peer = Peer([[CHUNKED, pause(1), chunk(b"hi"), END]])
    order = []

    async def read(number):
        await trio.sleep(number / 100)
        await client.get("/")
        order.append((number, trio.current_time() - start))

    async with memory(peer, most=2) as client:
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number in range(6):
                nursery.start_soon(read, number)
            await trio.sleep(0.5)
            assert client.pool.statistics() == PoolStatistics(idle=0, in_use=2, waiting=4)
        assert [number for number, _ in order] == list(range(6))
        assert [int(seconds) for _, seconds in order] == [1, 1, 2, 2, 3, 3]
        assert peer.connections == 2


async def test_bound_counts_idle_connections_of_other_origins():
    async with memory(Peer([[HELLO]]), most=2) as client:
        for host in ("a", "b", "c", "a", "c"):
            await client.get(f"http://{host}/")
            assert client.network.open_connections <= 2
        assert client.pool.statistics() == PoolStatistics(idle=2, in_use=0, waiting=0)


async def test_waiting_for_room_ends_with_the_pool_timeout_or_with_a_cancel(autojump_clock):
    async with memory(Peer([[CHUNKED, stall]]), most=1) as client:
        async with client.stream("GET", "/"):
            with pytest.raises(httpx2.PoolTimeout, match="all 1 connections were in use for 3 s"):
                await client.get("/", timeout=httpx2.Timeout(None, pool=3))
            with trio.move_on_after(3) as scope:
                await client.get("/")
            assert scope.cancelled_caught
        assert client.pool.statistics() == PoolStatistics(idle=0, in_use=0, waiting=0)
        async with client.stream("GET", "/"):
            assert client.pool.statistics().in_use == 1


@pytest.mark.parametrize(("asked", "waited"), [({"timeout": {"connect": 3}}, 3), ({"timeout": {}}, 10), ({}, 10)])
async def test_connecting_takes_as_long_as_the_request_says_else_ten_seconds(autojump_clock, asked, waited):
    pool = Connections(Unreachable())
    start = trio.current_time()
    with pytest.raises(httpx2.ConnectTimeout, match=f"no connection to peer:80 within {waited} s"):
        await pool.handle_async_request(httpx2.Request("GET", "http://peer/", extensions=asked))
    assert trio.current_time() - start == waited
    assert pool.statistics().open == 0


async def test_connect_clock_that_is_off_never_ends(autojump_clock):
    pool = Connections(Unreachable())
    with trio.move_on_after(1000) as scope:
        await pool.handle_async_request(
            httpx2.Request("GET", "http://peer/", extensions={"timeout": {"connect": None}})
        )
    assert scope.cancelled_caught
    assert pool.statistics().open == 0


async def test_unreachable_host_is_a_connect_error_and_holds_nothing():
    async with open_network(Peer([[]])) as network:
        network.unreachable.add("peer")
        pool = Connections(network, most=1)
        for _ in range(3):
            with pytest.raises(httpx2.ConnectError, match="refused"):
                await pool.handle_async_request(httpx2.Request("GET", "http://peer/"))
        assert pool.statistics() == PoolStatistics(idle=0, in_use=0, waiting=0)


async def test_addresses_that_are_not_http_are_refused_before_anything_opens():
    with pytest.raises(httpx2.UnsupportedProtocol, match="must begin with http"):
        await Connections(Unreachable()).handle_async_request(httpx2.Request("GET", "ftp://peer/"))


async def test_closing_the_pool_ends_answers_under_way_and_refuses_new_ones(autojump_clock):
    peer = Peer([[CHUNKED, chunk(b"one"), stall]])
    broken = []

    async def read():
        async with client.stream("GET", "/") as response:
            body = Body.of(response)
            assert await body.receive() == b"one"
            with pytest.raises(httpx2.ReadError):
                await body.receive()
            broken.append(True)

    async with memory(peer) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(read)
            await trio.sleep(1)
            await client.pool.aclose()
            assert client.network.open_connections == 0
        assert broken == [True] * 3
        with pytest.raises(trio.ClosedResourceError, match="pool was closed"):
            await client.get("/")
        assert client.pool.statistics() == PoolStatistics(idle=0, in_use=0, waiting=0)
        assert client.network.open_connections == 0


async def test_closing_the_pool_in_a_cancelled_task_closes_everything():
    peer = Peer([[HELLO]])
    async with memory(peer) as client:
        for number in range(5):
            await client.get(f"http://host{number}/")
        with trio.CancelScope() as scope:
            scope.cancel()
            await client.pool.aclose()
        assert client.network.open_connections == 0


@pytest.mark.row("H4")
@pytest.mark.parametrize(("status", "kept"), [(200, 3), (404, 3), (429, 3), (500, 3), (401, 0), (402, 0), (403, 0)])
async def test_only_a_lasting_refusal_of_the_account_closes_what_lies_idle_there(status, kept):
    last = b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nno" % status
    peer = Peer([*[[HELLO]] * 4, [last]])
    async with memory(peer) as client:
        async with (
            client.stream("GET", "/") as one,
            client.stream("GET", "/") as two,
            client.stream("GET", "/") as three,
        ):
            for answer in (one, two, three):
                await answer.aread()
        await client.get("http://elsewhere/")
        assert client.pool.statistics().idle == 4
        assert (await client.get("/")).status_code == status
        assert client.pool.statistics() == PoolStatistics(idle=kept + 1, in_use=0, waiting=0)
        assert client.network.open_connections == kept + 1
    assert client.network.open_connections == 0
