"""Where prompts come from: the command line, a file, a pipe; poured one at a time, so that no input is too long.

A regular file is surveyed first, line by line, so that a mistake in its last line is told before the first request is sent; a pipe is
taken as it comes.
"""

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import attrs
import trio

from actors.cli.jobs import Job, JobReader, Wishes, job_of_prompt
from actors.cli.lines import Form
from actors.errors import SettingError
from actors.preferred import NO_ROUTE

CHUNK = 1 << 16
"""Bytes read at once."""

FORMS = {".txt": Form.TEXT, ".jsonl": Form.JSON_LINES, ".ndjson": Form.JSON_LINES, ".json": Form.JSON_LINES}
"""What the end of a file's name says about its form."""

Send: TypeAlias = Callable[[Job], Awaitable[None]]


@attrs.frozen
class Inlet:
    """A source of jobs: how many they are, where that can be known, and the task that pours them."""

    count: int | None
    pour: Callable[[Send], Awaitable[None]]


def from_prompts(prompts: tuple[str, ...], wishes: Wishes) -> Inlet:
    """The prompts of the command line, named by their number."""
    for number, prompt in enumerate(prompts, 1):
        if not prompt.strip():
            raise SettingError(f"prompt {number} of the command line is empty")
        if not any(letter.isspace() for letter in prompt) and Path(prompt).is_file():
            raise SettingError(f"{prompt!r} is a file: say --from {prompt} to ask the prompts in it")
    if not wishes.routes:
        raise SettingError(NO_ROUTE)
    jobs = tuple(job_of_prompt(prompt, str(number), wishes) for number, prompt in enumerate(prompts, 1))

    async def pour(send: Send) -> None:
        for job in jobs:
            await send(job)

    return Inlet(len(jobs), pour)


def from_file(path: Path, form: Form | None, wishes: Wishes) -> Inlet:
    """The prompts of a file; a regular one is checked to its end here, before anything is sent."""
    form = form or FORMS.get(path.suffix.lower())
    count, opened = None, None
    try:
        if path.is_file():
            count = _survey(path, form, wishes)
        else:
            # Opening a named pipe waits for its writer: here a Ctrl-C ends that, in the event loop nothing would.
            opened = path.open("rb", buffering=0)
    except OSError as error:
        raise SettingError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None

    async def pour(send: Send) -> None:
        with opened or path.open("rb", buffering=0) as file:
            await _pour(file.fileno(), JobReader(str(path), form, wishes), send)

    return Inlet(count, pour)


def from_stdin(form: Form | None, wishes: Wishes) -> Inlet:
    """The prompts that somebody pipes in, as they come."""

    async def pour(send: Send) -> None:
        await _pour(0, JobReader("standard input", form, wishes), send)

    return Inlet(None, pour)


def _survey(path: Path, form: Form | None, wishes: Wishes) -> int:
    reader = JobReader(str(path), form, wishes)
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            _use_up(reader.feed(chunk))
    _use_up(reader.close())
    _refuse_nothing(str(path), reader)
    return reader.count


def _use_up(jobs: Iterator[Job]) -> None:
    for _ in jobs:
        pass


def _refuse_nothing(source: str, reader: JobReader) -> None:
    if not reader.count:
        raise SettingError(f"{source} holds no prompt; write one a line")


async def _pour(fd: int, reader: JobReader, send: Send) -> None:
    while chunk := await _read(fd):
        for job in reader.feed(chunk):
            await send(job)
    for job in reader.close():
        await send(job)
    _refuse_nothing("standard input" if fd == 0 else "the file", reader)


async def _read(fd: int) -> bytes:
    """The next bytes; no thread is left behind in a read that nobody will answer, and the descriptor's mode stays as it is."""
    try:
        await trio.lowlevel.wait_readable(fd)
    except PermissionError:
        await trio.lowlevel.checkpoint()  # a regular file is always readable, and cannot be waited for
    return os.read(fd, CHUNK)
