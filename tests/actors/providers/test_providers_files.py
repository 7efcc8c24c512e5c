"""A process that may open no more files, for real: its limit is lowered until connecting fails with EMFILE."""

import sys
from functools import partial

import pytest
import trio

resource = pytest.importorskip("resource", reason="this system knows no limit of open files")

PROGRAM = """
import os, resource, sys
import trio
from actors import Ladder, Retry, Route, Settings, open_streams
from actors.lifecycle import AttemptEnded

one, two, idle = sys.argv[1:]

def tell(record):
    if isinstance(record, AttemptEnded) and record.failure is not None and record.failure.limit:
        failure = record.failure
        print("failed", failure.kind.label, f"{failure.tries}/{failure.limit:g}", round(record.after), flush=True)

async def ask(streams, route):
    outcome = await streams.ask("hello", Ladder(Route.parse(route).buffered, Retry(5)))
    print(outcome.status.value, outcome.text or "-", flush=True)

async def main():
    keys = {"ANTHROPIC_API_KEY": "k" * 10, "ANTHROPIC_BASE_URL": one, "OPENAI_API_KEY": "k" * 10, "OPENAI_BASE_URL": two}
    async with open_streams(settings=Settings.read(keys), hook=tell) as streams:
        async with trio.open_nursery() as several:
            for _ in range(int(idle)):
                several.start_soon(ask, streams, "anthropic:m")
        async with streams.open("hello", "openai-chat:m"):  # imports the client, which takes files of its own
            pass
        print("idle", streams.gauges()["idle_connections"], flush=True)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        while True:
            try:
                held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        await ask(streams, "openai-chat:m")
        print("idle", streams.gauges()["idle_connections"], flush=True)

trio.run(main)
"""

CLAUDE = (
    b'{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hello"}],'
    b'"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}'
)
CHAT = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"role":"assistant","content":"hello"}}]}'
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


async def serve(body, stream):
    """Answers every request of a connection, each some time after it came, so that they overlap."""
    async with stream:
        asked = b""
        while piece := await stream.receive_some(65536):
            asked += piece
            if asked.endswith(b"}"):
                asked = b""
                await trio.sleep(0.2)
                await stream.send_all(HEAD % len(body) + body)


async def told(idle):
    """What the program says, run to its end against two servers."""
    async with trio.open_nursery() as nursery:
        ports = []
        for body in (CLAUDE, CHAT):
            (listener,) = await nursery.start(partial(trio.serve_tcp, partial(serve, body), 0, host="127.0.0.1"))
            ports.append(listener.socket.getsockname()[1])
        one, two = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}/v1"
        command = [sys.executable, "-c", PROGRAM, one, two, str(idle)]
        with trio.fail_after(60):
            ran = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
        nursery.cancel_scope.cancel()
    assert ran.stderr == b""
    return ran.stdout.decode().splitlines()


@pytest.mark.row("A20", "H4")
async def test_what_lies_idle_is_closed_and_the_next_attempt_succeeds():
    lines = await told(idle=3)
    assert lines == [*["completed hello"] * 3, "idle 3", "failed files 1/2 1", "completed hello", "idle 1"]


@pytest.mark.row("A20")
async def test_where_nothing_can_be_given_back_it_fails_after_two_attempts():
    lines = await told(idle=0)
    assert lines == ["idle 0", "failed files 1/2 1", "failed files 2/2 0", "failed -", "idle 0"]
