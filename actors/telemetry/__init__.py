"""Logs, metrics and traces of streams: hooks for `open_streams(hook=...)`, to be asked for by name.

A door of its own, so that whoever needs none of it does not import structlog and OpenTelemetry.
"""

from actors.lifecycle import AttemptEnded, StreamEnded, Trace
from actors.observe.hooks import together
from actors.observe.instruments import INSTRUMENTS, Instrument
from actors.observe.logs import Level, LogLine, StreamLogs, lines
from actors.observe.metrics import StreamMetrics
from actors.observe.rendering import configure_logs
from actors.observe.traces import StreamIds, StreamSpans

__all__ = [
    "INSTRUMENTS",
    "AttemptEnded",
    "Instrument",
    "Level",
    "LogLine",
    "StreamEnded",
    "StreamIds",
    "StreamLogs",
    "StreamMetrics",
    "StreamSpans",
    "Trace",
    "configure_logs",
    "lines",
    "together",
]
