"""Who is looking, and what goes where.

Outcomes to standard output (text for a person, JSON lines for a program) or to a file; what happens meanwhile to standard error; the report
to standard output where that is free, else to standard error.
"""

import os
import signal
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs
from msgspec import json

from actors.cli.logbook import opened
from actors.cli.options import Logging, Showing
from actors.cli.run import Audience, Ending, Show
from actors.cli.screen import Paper, paper, show_live, show_nothing, show_plain, tell_crash
from actors.cli.sheet import Write, as_json_lines, as_text, to_nobody
from actors.config import Settings
from actors.errors import SettingError
from actors.observe.printing import report_text
from actors.observe.records import report_record

if TYPE_CHECKING:
    from actors.cli.demo import Agreement

EVERY = 5.0
"""Seconds between two plain lines about a run."""


@attrs.frozen
class Surface:
    """Where a command shows itself, writes its outcomes and reports."""

    audience: Audience
    report: Paper
    json: bool

    @classmethod
    @contextmanager
    def open(
        cls, showing: Showing, logging: Logging, settings: Settings, *, answers: bool, every: float = EVERY
    ) -> Generator[Self]:
        """The surface that a person's wishes and the terminal make; `answers` says whether outcomes are shown without a file."""
        error, output = paper(sys.stderr, plain=showing.plain), paper(sys.stdout, plain=showing.plain)
        live = error.is_terminal and not error.is_dumb_terminal and not showing.json
        shy = live or showing.json or not answers
        with opened(logging, settings, error, shy=shy) as log, _descriptor(showing.out) as fd:
            if fd is not None or not answers:
                write = to_nobody if fd is None else as_json_lines(fd)
                report = output
            else:
                write = _answers(error if live else output, in_json=showing.json)
                report = error
            show = _show(error, every, live=live, quiet=showing.json, turns=not log.tells)
            yield cls(Audience(show, write, log.heard_by(tell_crash if showing.debug else None)), report, showing.json)

    def close(self, ending: Ending, agreement: "Agreement | None" = None) -> int:
        """Report how it ended, and give the exit status."""
        if ending.signal != signal.SIGPIPE:
            if ending.report.streams or not ending.complaint:
                self._report(ending, agreement)
            if ending.complaint:
                print(f"trio-supervisor: {ending.complaint}", file=sys.stderr)
            if ending.error is not None:
                print(f"trio-supervisor: the outcomes cannot be written: {ending.error.strerror}", file=sys.stderr)
        return ending.status or int(agreement is not None and not agreement.holds)

    def _report(self, ending: Ending, agreement: "Agreement | None") -> None:
        if self.json:
            record = {**report_record(ending.report), "not_asked": ending.unasked, "exit_status": ending.status}
            if agreement is not None:
                record["agreement"] = agreement.record
            self.report.print(json.encode(record).decode(), markup=False, highlight=False, soft_wrap=True)
            return
        self.report.print(report_text(ending.report, ending.unasked), highlight=False)
        if agreement is not None:
            style = "green" if agreement.holds else "bold red"
            wrapped = self.report.is_terminal
            self.report.print(f"\n{agreement}", style=style, highlight=False, soft_wrap=not wrapped)


def _show(screen: Paper, every: float, *, live: bool, quiet: bool, turns: bool) -> Show:
    if live:
        return partial(show_live, console=screen)
    return show_nothing if quiet else partial(show_plain, console=screen, every=every, turns=turns)


def _answers(person: Paper, *, in_json: bool) -> Write:
    """For a person on a terminal as text, above the live tree if there is one; for everybody else as JSON lines."""
    if sys.stdout.isatty() and not in_json:
        return as_text(person)
    return as_json_lines(sys.stdout.fileno())


@contextmanager
def _descriptor(path: Path | None) -> Generator[int | None]:
    if path is None:
        yield None
        return
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise SettingError(f"cannot write to {path}: {(error.strerror or str(error)).lower()}") from None
    try:
        found = os.fstat(fd)
        if stat.S_ISREG(found.st_mode) and found.st_size:
            raise SettingError(f"{path} is there already and not empty; name another file or remove it")
        yield fd
    finally:
        os.close(fd)
