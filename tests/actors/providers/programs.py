"""Programs that tests write: small Python scripts that behave as a program may, and a look at what is left of them."""

import sys
from pathlib import Path

import trio

PREAMBLE = """#!{python} -S
import os, signal, sys, time
def say(octets): os.write(1, octets)
"""


def write(path, body):
    """An executable at `path` that runs this Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PREAMBLE.format(python=sys.executable) + body)
    path.chmod(0o755)
    return str(path)


def alive(pid):
    """Whether a process is there, a zombie too."""
    return Path(f"/proc/{pid}").exists()


def running(pid):
    """Whether a process runs: a zombie that waits for an `init` to reap it does not."""
    return _fields(Path(f"/proc/{pid}"))[:1] not in ([], ["Z"], ["X"])


def _fields(process):
    """State, parent, group and so on of a process."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def children():
    """The processes that this one has started and not reaped."""
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in _read(task / "children")}


def _read(path):
    try:
        return path.read_text().split()
    except FileNotFoundError:
        return []


def groups():
    """The process groups in which something runs."""
    return {int(fields[2]) for fields in map(_fields, Path("/proc").glob("[0-9]*")) if fields and fields[0] not in "ZX"}


def running_from(folder):
    """The processes that run a program in this folder, and what they forked."""
    lines = {path.parent.name: _line(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    return {pid for pid, line in lines.items() if f"{folder}/" in line}


def _line(path):
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def files():
    """The numbers of the files that this process holds open, but for the one that looks."""
    listed = {path.name: path for path in Path("/proc/self/fd").iterdir()}
    return {name for name, path in listed.items() if path.exists() or path.is_symlink()}


async def until(condition, seconds=5.0):
    """Wait on the real clock for what another process does."""
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 -- other processes set no events
            await trio.sleep(0.005)
