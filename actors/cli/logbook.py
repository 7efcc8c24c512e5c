"""Where the log of a run goes: to a file, or to standard error, above the live tree if there is one.

Where nobody asked for a log, warnings are written wherever nothing else tells of them: on a live tree they are seen anyway, and a program
that wants JSON wants nothing else.
"""

import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from rich.text import Text

from actors.cli.options import Logging
from actors.cli.screen import Paper
from actors.config import Origin, Settings
from actors.errors import SettingError
from actors.observe.hooks import together
from actors.observe.logs import StreamLogs
from actors.observe.rendering import LEVELS, make_log, threshold
from supervisor import Record

if TYPE_CHECKING:
    from actors.lifecycle import Tell
    from actors.runtime.streams import Streams


class Above:
    """Takes log lines for a console: they are written above what moves on it, and to nobody where nobody reads."""

    def __init__(self, console: Paper) -> None:
        self._console = console

    def write(self, text: str) -> None:
        """Print what is one line or more."""
        if text.strip():
            self._console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True, highlight=False)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """Whether colours are welcome."""
        return self._console.is_terminal and self._console.color_system is not None


class Gauges:
    """What the program holds at the moment it is asked: connections, and megabytes of memory."""

    def __init__(self) -> None:
        self._streams: Streams | None = None

    def watch(self, streams: "Streams") -> None:
        """These streams are the program's."""
        self._streams = streams

    def __call__(self) -> Mapping[str, object]:
        """Fields for a log line."""
        held: Mapping[str, object] = {} if self._streams is None else self._streams.gauges()
        return {**held, "memory_mb": memory_mb()}


def memory_mb() -> int | None:
    """The memory this process has now, where the system says so without being searched."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


@attrs.frozen
class Logbook:
    """What the streams are told to: `hook` for their records, `capture` for bodies where somebody debugs, `None` for nobody.

    `tells` says whether lines stand on standard error, so that nothing has to be said there twice.
    """

    hook: Callable[[Record], object] | None = None
    capture: "Tell | None" = None
    tells: bool = False
    gauges: Gauges = attrs.field(factory=Gauges)

    def heard_by(self, other: Callable[[Record], object] | None) -> "Logbook":
        """The same, and somebody else who is told the records."""
        hooks = [hook for hook in (self.hook, other) if hook is not None]
        return attrs.evolve(self, hook=together(*hooks) if hooks else None)


@contextmanager
def opened(wishes: Logging, settings: Settings, console: Paper, *, shy: bool) -> Generator[Logbook]:
    """The log that a person's wishes make; where `shy`, none is written unless it was asked for.

    Raises `SettingError` for a level there is not and a file that cannot be written.
    """
    level = wishes.level or settings.log_level
    threshold(level)
    asked = bool(wishes.level) or wishes.json or settings.entries["LOG_LEVEL"].origin is not Origin.DEFAULT
    if wishes.file is not None:
        with _appended(wishes.file) as file:
            yield _logbook(level, make_log(level, file, json=wishes.json, secrets=settings.secrets))
    elif shy and not asked:
        yield Logbook()
    else:
        log = make_log(level, Above(console), json=wishes.json, secrets=settings.secrets)
        yield attrs.evolve(_logbook(level, log), tells=True)


def _logbook(level: str, log: object) -> Logbook:
    gauges = Gauges()
    logs = StreamLogs(log, gauges=gauges)
    return Logbook(logs, logs.captured if threshold(level) <= LEVELS["debug"] else None, gauges=gauges)


class Appended:
    """Adds lines to a file, each by one write, so that several programs may share it; what cannot be written costs no answer."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.lost: OSError | None = None

    def write(self, text: str) -> None:
        """Write what is one line or more."""
        rest = text.encode("utf-8", "backslashreplace")
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            self.lost = error

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """A file wants no colours."""
        return False


@contextmanager
def _appended(path: Path) -> Generator[Appended]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise SettingError(
            f"cannot write the log to {path}: {reason(error)}; name another file with --log-file"
        ) from None
    file = Appended(fd)
    try:
        yield file
    finally:
        os.close(fd)
        if file.lost is not None:
            print(f"trio-supervisor: the log could not be written to {path}: {reason(file.lost)}", file=sys.stderr)


def reason(error: OSError) -> str:
    """Why, in the system's words."""
    return (error.strerror or str(error)).lower()
