"""One operation out of a log: everything with its trace id, in the order of time, in five parts that are to be handed on.

The parts are the checklist of whoever debugs it: how it was classified, what telemetry there is of it, how the stream lived, what
resources were held, how it was configured.  The one rule: what leaves here was redacted again, whoever wrote the log (P13).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import attrs

from actors.catalogue import advise
from actors.errors import SettingError
from actors.observe.entries import GAUGES, Entry, entry_of
from actors.redaction import disclosed

MOST = 16
"""Trace ids named where a prefix means several."""

LINE = 4096
"""Bytes of a line that are told."""

_ID = re.compile(r"\b[0-9a-f]{32}\b")
_ASKED = re.compile(r"[0-9a-f]{4,32}")

Told: TypeAlias = "tuple[str, str, Entry | None]"
"""Where a line stands, the line, and what it says where it is one of ours."""


@attrs.frozen
class Story:
    """All lines of one trace, in the order of time; each with its source."""

    trace_id: str
    lines: tuple[Told, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Those that are ours."""
        return tuple(entry for _, _, entry in self.lines if entry is not None)


def wanted(text: str) -> str:
    """A trace id, or the beginning of one (at least 4 digits), in lower case; raises `SettingError` for anything else."""
    asked = text.strip().lower().replace("-", "")
    if not _ASKED.fullmatch(asked):
        message = f"{text[:40]!r} is no trace id: it has 32 hexadecimal digits; the first four or more will do"
        raise SettingError(message)
    return asked


def tell(asked: str, lines: Iterable[tuple[str, str]]) -> Story | None:
    """The story of the trace that begins so, out of lines with their sources; `None` where there is none.

    Raises `SettingError` where several traces begin so.  Keeps the lines of that one trace only.
    """
    found: list[Told] = []
    ids: dict[str, None] = {}
    for source, line in lines:
        if asked not in line:
            continue
        entry = entry_of(line)
        for trace_id in _ids(asked, line, entry):
            ids[trace_id] = None
            if len(ids) == 1:
                found.append((source, line, entry))
            elif len(ids) > MOST:
                break
    if len(ids) > 1:
        known = ", ".join(list(ids)[:MOST]) + (" and more" if len(ids) > MOST else "")
        raise SettingError(f"several traces begin with {asked}: {known}; give more digits")
    found.sort(key=lambda told: told[2].at if told[2] is not None else "~")
    return Story(next(iter(ids)), tuple(_in_order(found))) if found else None


def _ids(asked: str, line: str, entry: Entry | None) -> list[str]:
    """The traces that a line belongs to, of those that begin as asked: its own, or where it is not ours all that stand in it."""
    told = [entry.trace_id] if entry is not None and entry.trace_id else list(dict.fromkeys(_ID.findall(line)))
    return [trace_id for trace_id in told if trace_id.startswith(asked)]


def _in_order(found: Sequence[Told]) -> Iterator[Told]:
    """Without what stands in two files."""
    seen: set[str] = set()
    for source, line, entry in found:
        if line not in seen:
            seen.add(line)
            yield source, line, entry


def clean_line(line: str, secrets: Sequence[str]) -> str:
    """A line as it may be handed on."""
    return disclosed(line.encode("utf-8", "replace"), secrets, LINE)


def story_record(story: Story, settings: Sequence[dict[str, object]]) -> dict[str, object]:
    """The five parts; `settings` are those of the program that tells the story, without keys."""
    entries = story.entries
    failed = [entry for entry in entries if entry.kind is not None]
    by_attempt = {(entry.text("span_id"), entry.kind): entry for entry in reversed(failed)}
    return {
        "trace_id": story.trace_id,
        "classification": [_classified(entry) for entry in failed if entry in by_attempt.values()],
        "telemetry": {
            "lines": len(story.lines),
            "sources": list(dict.fromkeys(source for source, _, _ in story.lines)),
            "spans": list(dict.fromkeys(entry.text("span_id") for entry in entries if entry.text("span_id"))),
            "request_ids": list(
                dict.fromkeys(entry.text("request_id") for entry in entries if entry.text("request_id"))
            ),
        },
        "lifecycle": [_lived(entry) for entry in entries],
        "resources": {
            **{name: _peak(entries, name) for name in GAUGES},
            "delivered_characters": _peak(entries, "delivered"),
            "shortages": list(
                dict.fromkeys(entry.text("title") for entry in failed if entry.text("category") == "resource")
            ),
        },
        "configuration": {
            "routes": list(dict.fromkeys(_route(entry) for entry in entries if entry.text("model"))),
            "limits": list(
                dict.fromkeys(f"{entry.text('error_type')}: {entry.counted[1]}" for entry in entries if entry.counted)
            ),
            "settings": list(settings),
        },
    }


def _classified(entry: Entry) -> dict[str, object]:
    assert entry.kind is not None
    advice = advise(entry.kind, entry.text("provider"))
    names = ("phase", "status", "code", "message", "cause", "disposition", "category")
    return {
        "at": entry.at,
        "kind": entry.kind.label,
        "title": entry.kind.title,
        **{name: entry.fields.get(name) for name in names},
        "happened": advice.happened,
        "remedy": advice.remedy,
    }


_OF_LIFE = ("attempt", "attempts", "provider", "model", "mode", "elapsed", "next_route", "after", "error_type")


def _lived(entry: Entry) -> dict[str, object]:
    told = {name: entry.fields[name] for name in _OF_LIFE if name in entry.fields}
    return {"at": entry.at, "level": entry.level, "event": entry.event, **told}


def _peak(entries: Sequence[Entry], name: str) -> float | None:
    return max((number for entry in entries if (number := entry.number(name)) is not None), default=None)


def _route(entry: Entry) -> str:
    return f"{entry.text('provider')}:{entry.text('model')} ({entry.text('mode') or 'streaming'})"
