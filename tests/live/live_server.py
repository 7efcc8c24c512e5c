"""One llama-server process: started, asked how it is, harmed and ended."""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from urllib.request import Request, urlopen

import pytest
import trio
from prepare import SERVER, WEIGHTS

KEY = "sk-of-a-local-server"
PATIENCE = 90
"""Seconds for the weights to be read; two cores that nobody else uses need two."""

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


def _tame():
    """In the server, before it is one: it gives way to others, and ends with the tests however they end."""
    os.nice(5)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """A server with `slots` places of `context` tokens each, that wants `KEY` of those who ask; `url` once it is ready."""

    def __init__(self, folder, slots, context):
        self.log = folder / "log"
        self.context = context
        size = f"--parallel {slots} --ctx-size {slots * context} --threads 2 --device none"
        flags = [*f"--host 127.0.0.1 --port 0 --alias smol {size}".split(), "--model", WEIGHTS, "--api-key", KEY]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [SERVER, *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_tame,  # noqa: PLW1509 -- no thread holds a lock while the fixtures are made
            )
        self.url = ""

    def until_ready(self):
        """The port is the server's choice and stands in its log; a processor that it was not built for skips the tests."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() == -signal.SIGILL:
                pytest.skip("the wheel's server needs instructions that this processor does not have")
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            if found := re.search(r"listening on (http://[\d.]+:\d+)", self.log.read_text()):
                self.url = found[1]
                return self
            time.sleep(0.05)
        raise AssertionError(f"not ready after {PATIENCE} s: {self.log.read_text()[-2000:]}")

    def told(self, words):
        """How often the server's log has these words."""
        return self.log.read_text().count(words)

    async def until(self, condition, seconds=20):
        """Wait until a condition holds, which is asked for in a thread."""
        with trio.fail_after(seconds):
            while not await trio.to_thread.run_sync(condition):  # noqa: ASYNC110 -- no process sets an event of ours
                await trio.sleep(0.01)

    def idle(self):
        """Whether no slot is at work."""
        request = Request(f"{self.url}/slots", headers={"Authorization": f"Bearer {KEY}"})
        with urlopen(request, timeout=10) as answer:
            return not any(slot["is_processing"] for slot in json.load(answer))

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait(10)
