"""Log lines read back: text in, entries out, whichever renderer wrote them and whatever else stands between them.

Pure but for reading the file.  The one rule: no line is trusted.  A line of somebody else, a torn one or binary junk is passed over and
counted, never a reason to stop; and a file is read in pieces, however long it or one of its lines may be.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, cast

import attrs
from msgspec import DecodeError, json

from actors.kinds import FailureKind

LONGEST = 8 * 1024 * 1024
"""Bytes of a line that are read; what comes after belongs to no line."""

KINDS: Mapping[str, FailureKind] = {kind.label: kind for kind in FailureKind}
"""Kinds by the word that `error_type` has for them."""

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLAIN = re.compile(r"(?P<at>\d{4}-\d\d-\d\d[T ][\d:.]+Z?)\s+\[(?P<level>[a-z]+)\s*\]\s+(?P<rest>.*)", re.DOTALL)
_FIELD = re.compile(r"""(?:^|\s)(\w+)=('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S*)""")
_COUNTED = re.compile(r"attempt (\d+)/(\d+|inf) failed")


@attrs.frozen
class Entry:
    """One log line: when (as it was written), how urgent, what happened, and the fields beside it."""

    at: str
    level: str
    event: str
    fields: Mapping[str, object]

    def text(self, name: str) -> str:
        """A field as text; empty where there is none."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """A field as a number; `None` where it is none."""
        try:
            return float(self.text(name))
        except ValueError:
            return None

    @property
    def trace_id(self) -> str:
        """The trace it belongs to."""
        return self.text("trace_id")

    @property
    def kind(self) -> FailureKind | None:
        """The kind of failure it tells of."""
        return KINDS.get(self.text("error_type"))

    @property
    def counted(self) -> tuple[str, str] | None:
        """N and M of an `attempt N/M failed`."""
        found = _COUNTED.fullmatch(self.event)
        return None if found is None else (found[1], found[2])


def entry_of(line: str) -> Entry | None:
    """The entry that a line is; `None` for any other line."""
    line = line.strip()
    return _of_json(line) if line.startswith("{") else _of_console(line)


def _of_json(line: str) -> Entry | None:
    try:
        fields: Any = json.decode(line)
    except (DecodeError, UnicodeError, RecursionError):
        return None
    if not isinstance(fields, dict) or not isinstance(cast("dict[str, Any]", fields).get("event"), str):
        return None
    told = dict(cast("dict[str, Any]", fields))
    at, level, event = (str(told.pop(name, "")) for name in ("timestamp", "level", "event"))
    return Entry(at, level, event, told)


def _of_console(line: str) -> Entry | None:
    found = _PLAIN.match(_ANSI.sub("", line))
    if found is None:
        return None
    rest = found["rest"]
    first = _FIELD.search(rest)
    event = rest if first is None else rest[: first.start()]
    fields = {name: _value(name, told) for name, told in _FIELD.findall(rest[len(event) :])}
    return Entry(found["at"], found["level"], event.strip(), fields)


GAUGES = ("memory_mb", "connections", "idle_connections", "waiting_requests", "buffered_bytes")
"""The fields that say what the program held when a line was written."""

NUMBERS = frozenset(
    "after attempt attempts buffered_bytes capacity connections delivered elapsed generation idle_connections input_tokens lost memory_mb output_tokens "
    "request_bytes response_bytes retry_after since status waiting_requests".split()
)
"""Fields that are numbers; a name of digits is none."""


def _value(name: str, told: str) -> object:
    if told[:1] in {"'", '"'}:
        try:
            return ast.literal_eval(told)
        except (ValueError, SyntaxError):
            return told[1:-1]
    if name in NUMBERS:
        try:
            return int(told) if told.lstrip("-").isdecimal() else float(told)
        except ValueError:
            return told
    return told


def lines_of(file: IO[bytes]) -> Iterator[str]:
    """The lines of a file as text, one at a time; bytes that are no UTF-8 are replaced, a line's excess is dropped."""
    while raw := file.readline(LONGEST):
        whole = raw.endswith(b"\n")
        yield raw.decode("utf-8", "replace").rstrip("\r\n")
        while not whole and (excess := file.readline(LONGEST)):
            whole = excess.endswith(b"\n")
