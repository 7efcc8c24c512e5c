"""How log lines leave a program: as JSON for machines, or coloured text for people.

For applications to call, once; a library never does.  The one rule: no text leaves with a secret in it, and no traceback with its locals.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from actors.errors import SettingError
from actors.lifecycle import SPAN
from actors.redaction import BLOT, SECRET_BYTES, disclosed, shown

LIMIT = 1024
"""Bytes (UTF-8) of any text in a line."""

BODIES: Mapping[str, int] = {"request_body": 256 * 1024, "response_body": 256 * 1024}
"""The fields that may be longer, and how long."""

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SPELLINGS = {"warn": "warning", "critical": "error", "fatal": "error"}


class Sink(Protocol):
    """Where lines are written: a text file, or whatever takes text."""

    def write(self, text: str, /) -> object:
        """Take a line, its line break included."""
        ...

    def flush(self) -> object:
        """See that it is out."""
        ...

    def isatty(self) -> bool:
        """Whether colours are welcome."""
        ...


def configure_logs(level: str = "warning", *, json: bool = False, file: Sink | None = None) -> None:
    """Set structlog up for the whole program: lines of `level` and above go to `file` (standard error where not given).

    Raises `SettingError` for a level that is none of debug, info, warning and error.
    """
    sink: Sink = sys.stderr if file is None else file
    structlog.configure(
        processors=_processors(json=json, colors=sink.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(threshold(level)),
        logger_factory=structlog.PrintLoggerFactory(cast("Any", sink)),
        cache_logger_on_first_use=False,
    )


def make_log(level: str, file: Sink, *, json: bool = False, secrets: Sequence[str] = ()) -> Any:
    """A logger of one's own, whatever else is set up: for `StreamLogs(...)`.  `secrets` are blotted out wherever they stand in a line.

    Raises like `configure_logs`.
    """
    known = [secret for secret in secrets if len(secret) >= SECRET_BYTES]
    return structlog.wrap_logger(
        structlog.PrintLogger(cast("Any", file)),
        processors=_processors(json=json, colors=file.isatty(), secrets=known),
        wrapper_class=structlog.make_filtering_bound_logger(threshold(level)),
    )


def threshold(level: str) -> int:
    """The number of a level, by its name in any case; raises `SettingError` for an unknown one."""
    name = level.strip().lower()
    try:
        return LEVELS[_SPELLINGS.get(name, name)]
    except KeyError:
        message = f"log level {shown(level, 32)!r} must be one of {', '.join(LEVELS)}"
        raise SettingError(message) from None


def _processors(*, json: bool, colors: bool, secrets: Sequence[str] = ()) -> Sequence[Processor]:
    first: Sequence[Processor] = (
        structlog.contextvars.merge_contextvars,
        trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )
    blots: Sequence[Processor] = (blot, *([_blots_out(secrets)] if secrets else ()))
    if json:
        traceback = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        return (*first, traceback, *blots, structlog.processors.JSONRenderer())
    traceback = structlog.processors.ExceptionRenderer()  # a traceback as Python prints it: without locals
    return (*first, traceback, *blots, structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=22, sort_keys=False))


def trace(_log: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor that says of which attempt the code that logs is a part, where it does not say so itself."""
    span = SPAN.get()
    if span is not None and "trace_id" not in event:
        event["trace_id"], event["span_id"] = span
    return event


def blot(_log: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor that makes every text in a line, however deep, fit to be shown."""
    return {name: _blotted(name, value) for name, value in event.items()}


def _blots_out(secrets: Sequence[str]) -> Processor:
    def without(value: Any) -> Any:
        if isinstance(value, str):
            for secret in secrets:
                value = value.replace(secret, BLOT)
            return value
        if isinstance(value, dict):
            return {key: without(item) for key, item in cast("dict[str, object]", value).items()}
        return [without(item) for item in cast("list[object]", value)] if isinstance(value, list) else value

    def blot_out(_log: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return without(event)

    return blot_out


def _blotted(name: str, value: object) -> object:
    if isinstance(value, str):
        if name in BODIES:
            return disclosed(value.encode("utf-8", "replace"), (), BODIES[name])
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
