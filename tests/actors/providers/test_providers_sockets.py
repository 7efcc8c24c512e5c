import datetime as dt
import ipaddress
import ssl

import httpx2
import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scripted_peer import CHUNKED, END, Peer, chunk, fin, listen, rst, sized, sockets, stall

from actors.providers.bodies import Body
from actors.providers.connections import Connections

HELLO = CHUNKED + chunk(b"hello") + END


async def test_socket_is_used_again_and_replaced_when_the_server_closed_it():
    peer = Peer([[HELLO], [HELLO, fin], [HELLO]])
    async with sockets(peer) as client:
        assert (await client.get("/")).text == "hello"
        assert (await client.get("/")).text == "hello"
        assert peer.connections == 1
        await peer.gone.wait()
        assert (await client.get("/")).text == "hello"
        assert (peer.connections, len(peer.requests)) == (2, 3)


async def test_many_sockets_at_once():
    peer = Peer([[CHUNKED, *[chunk(b"x" * 1000)] * 50, END]])
    sizes = []

    async def read():
        async with client.stream("POST", "/", content=b"q" * 10_000) as response:
            sizes.append(len(await Body.of(response).read()))

    async with sockets(peer) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(read)
        assert sizes == [50_000] * 100
        assert client.pool.statistics().idle == peer.connections == 100


@pytest.mark.parametrize(
    ("steps", "kind", "told"),
    [
        pytest.param([chunk(b"one"), fin], httpx2.RemoteProtocolError, "disconnected in the middle", id="FIN"),
        pytest.param(
            [chunk(b"one")[:4], fin], httpx2.RemoteProtocolError, "disconnected in the middle", id="FIN in a chunk"
        ),
        pytest.param([chunk(b"one"), b"zz\r\n"], httpx2.RemoteProtocolError, "illegal chunk header", id="bad chunk"),
        pytest.param([rst], httpx2.ReadError, "[Rr]eset", id="RST"),
    ],
)
async def test_socket_that_breaks_under_a_body_says_how_and_is_closed(steps, kind, told):
    async with sockets(Peer([[CHUNKED, *steps]])) as client:
        with pytest.raises(kind, match=told):
            async with client.stream("GET", "/") as response:
                await Body.of(response).read()
        assert client.pool.statistics().open == 0


async def test_nobody_listening_is_a_connect_error_with_the_systems_word_for_it():
    with trio.socket.socket() as bound:
        await bound.bind(("127.0.0.1", 0))
        pool = Connections()
        request = httpx2.Request("GET", f"http://127.0.0.1:{bound.getsockname()[1]}/")
        with pytest.raises(httpx2.ConnectError) as told:
            await pool.handle_async_request(request)
    cause = told.value
    while cause.__cause__ is not None:
        cause = cause.__cause__
    assert isinstance(cause.exceptions[0], ConnectionRefusedError)
    assert pool.statistics().open == 0


async def test_cancel_reaches_the_server_at_once():
    left = trio.Event()

    async def watch(stream):
        assert await stream.receive_some() == b""
        left.set()

    async with sockets(Peer([[CHUNKED, chunk(b"one"), watch]])) as client:
        with trio.CancelScope() as scope:
            async with client.stream("GET", "/") as response:
                assert await Body.of(response).receive() == b"one"
                scope.cancel()
                await Body.of(response).receive()
        with trio.fail_after(1):
            await left.wait()
        assert client.pool.statistics().open == 0


async def test_body_whose_pool_was_closed_is_a_read_error_each_time():
    async with sockets(Peer([[CHUNKED, chunk(b"one"), stall]])) as client, client.stream("GET", "/") as response:
        assert await Body.of(response).receive() == b"one"
        await client.pool.aclose()
        for _ in range(2):
            with pytest.raises(httpx2.ReadError, match="closed"):
                await Body.of(response).receive()


@pytest.fixture(scope="module")
def contexts(tmp_path_factory):
    """TLS contexts of a server at 127.0.0.1 and of a client that trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "peer.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=path)


async def tls_server(peer, context, nursery):
    async def serve(stream):
        try:
            await peer.serve(trio.SSLStream(stream, context, server_side=True, https_compatible=True))
        except trio.BrokenResourceError:
            await stream.aclose()

    return await listen(nursery, serve)


async def test_tls_connection_carries_bodies_is_used_again_and_breaks_audibly(contexts):
    server, trusting = contexts
    peer = Peer([[HELLO], [sized(b"x" * 100_000)], [CHUNKED, chunk(b"one"), fin]])
    async with trio.open_nursery() as nursery:
        port = await tls_server(peer, server, nursery)
        pool = Connections(ssl_context=trusting)
        async with httpx2.AsyncClient(transport=pool, base_url=f"https://127.0.0.1:{port}", timeout=None) as client:
            assert (await client.get("/")).text == "hello"
            assert len((await client.get("/")).content) == 100_000
            assert peer.connections == 1
            with pytest.raises(httpx2.RemoteProtocolError, match="disconnected in the middle"):
                await client.get("/")
            assert pool.statistics().open == 0
        nursery.cancel_scope.cancel()


async def test_server_with_an_unknown_certificate_is_not_spoken_to(contexts):
    peer = Peer([[HELLO]])
    async with trio.open_nursery() as nursery:
        port = await tls_server(peer, contexts[0], nursery)
        pool = Connections()
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED") as told:
            await pool.handle_async_request(httpx2.Request("GET", f"https://127.0.0.1:{port}/"))
        causes = []
        cause = told.value
        while cause is not None:
            causes.append(type(cause))
            cause = cause.__cause__
        assert ssl.SSLCertVerificationError in causes
        assert peer.requests == []
        assert pool.statistics().open == 0
        nursery.cancel_scope.cancel()


async def test_handshake_that_never_comes_is_a_connect_timeout(mock_clock):
    peer = Peer([[stall]])
    async with trio.open_nursery() as nursery:
        port = await listen(nursery, peer.serve)
        request = httpx2.Request(
            "GET",
            f"https://127.0.0.1:{port}/",
            extensions={"timeout": {"connect": 3}},
        )
        pool = Connections(ssl_context=ssl.create_default_context())

        async def jump():
            while not peer.connections:
                await trio.lowlevel.checkpoint()
            mock_clock.jump(3)

        nursery.start_soon(jump)
        with pytest.raises(httpx2.ConnectTimeout, match="within 3 s"):
            await pool.handle_async_request(request)
        assert pool.statistics().open == 0
        nursery.cancel_scope.cancel()
