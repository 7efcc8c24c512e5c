"""Logs as commands read them: several files or standard input, one line at a time, however long they are."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from actors.errors import SettingError
from actors.observe.entries import lines_of


def log_lines(logs: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Each line with the name of its file; `-` and no file at all are standard input.

    A folder stands for the files in it.  Raises `SettingError` for what cannot be read, before the first line.
    """
    if not logs and sys.stdin.isatty():
        raise SettingError("no log: name a file that --log-file wrote, or pipe a log in")
    paths = [path for log in logs for path in _files(log)] or [Path("-")]
    for path in paths:
        if path != Path("-"):
            _check(path)
    return _all(paths)


def _files(log: Path) -> list[Path]:
    if log == Path("-") or not log.is_dir():
        return [log]
    found = sorted(path for path in log.iterdir() if path.is_file())
    if not found:
        raise SettingError(f"{log} holds no file; name a log")
    return found


def _check(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise SettingError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None


def _all(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        if path == Path("-"):
            yield from (("standard input", line) for line in lines_of(sys.stdin.buffer))
            continue
        with path.open("rb") as file:
            yield from ((str(path), line) for line in lines_of(file))
