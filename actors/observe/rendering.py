"""How log lines leave a program: as JSON for machines, or coloured text for people.

For applications to call, once; a library never does.  The one rule: no text leaves with a secret in it, and no traceback with its locals.
"""

import logging
import sys
from collections.abc import Sequence
from typing import TextIO, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from actors.errors import SettingError
from actors.redaction import shown

LIMIT = 1024
"""Bytes (UTF-8) of any text in a line."""

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SPELLINGS = {"warn": "warning", "critical": "error", "fatal": "error"}


def configure_logs(level: str = "warning", *, json: bool = False, file: TextIO | None = None) -> None:
    """Set structlog up for the whole program: lines of `level` and above go to `file` (standard error where not given).

    Raises `SettingError` for a level that is none of debug, info, warning and error.
    """
    file = file or sys.stderr
    structlog.configure(
        processors=_processors(json=json, colors=file is not None and file.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(threshold(level)),
        logger_factory=structlog.PrintLoggerFactory(file),
        cache_logger_on_first_use=False,
    )


def threshold(level: str) -> int:
    """The number of a level, by its name in any case; raises `SettingError` for an unknown one."""
    name = level.strip().lower()
    try:
        return LEVELS[_SPELLINGS.get(name, name)]
    except KeyError:
        message = f"log level {shown(level, 32)!r} must be one of {', '.join(LEVELS)}"
        raise SettingError(message) from None


def _processors(*, json: bool, colors: bool) -> Sequence[Processor]:
    first: Sequence[Processor] = (
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )
    if json:
        traceback = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        return (*first, traceback, blot, structlog.processors.JSONRenderer())
    traceback = structlog.processors.ExceptionRenderer()  # a traceback as Python prints it: without locals
    return (*first, traceback, blot, structlog.dev.ConsoleRenderer(colors=colors))


def blot(_log: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor that makes every text in a line, however deep, fit to be shown."""
    return {name: _blotted(name, value) for name, value in event.items()}


def _blotted(name: str, value: object) -> object:
    if isinstance(value, str):
        return _lines_of(value) if name == "exception" else shown(value, LIMIT)
    if isinstance(value, dict):
        held = cast("dict[str, object]", value)
        return {key: _blotted(key, item) for key, item in held.items()}
    if isinstance(value, list | tuple):
        return [_blotted("", item) for item in cast("Sequence[object]", value)]
    return value if isinstance(value, bool | int | float | None) else shown(str(value), LIMIT)


def _lines_of(traceback: str) -> str:
    """A traceback keeps its lines; each is blotted by itself."""
    return "\n".join(" " * (len(line) - len(line.lstrip())) + shown(line, LIMIT) for line in traceback.splitlines())
