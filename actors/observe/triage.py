"""What a log says a person should do now: the decision tree applied to its lines.

Pure: entries go in one at a time and are not kept, findings come out.  The order is the tree's: what ended streams for good and needs
somebody to act, what ended streams although asking again could have helped, what was survived by another way, what was survived by
repeating.
"""

from collections import Counter
from collections.abc import Iterable
from enum import Enum
from typing import TypeAlias

import attrs

from actors.catalogue import ANYWHERE, PLACES, advise
from actors.kinds import FailureKind
from actors.observe.entries import Entry

EXAMPLES = 3
"""Trace ids named for each finding."""


class Verdict(Enum):
    """What became of the streams, worst first; the value is what a program reads."""

    BUG = "bug"
    PERMANENT = "permanent"
    EXHAUSTED = "exhausted"
    BUFFERED = "buffered"
    SWITCHED = "switched"
    TRANSIENT = "transient"


MEANS: dict[Verdict, str] = {
    Verdict.BUG: "a bug, not weather",
    Verdict.PERMANENT: "permanent: asking again changes nothing, somebody has to act",
    Verdict.EXHAUSTED: "transient, but every attempt was used up",
    Verdict.BUFFERED: "survived: the answer was fetched in one piece",
    Verdict.SWITCHED: "survived: another route answered",
    Verdict.TRANSIENT: "transient: it was asked again, nothing has to be done",
}


@attrs.frozen
class Finding:
    """One kind of trouble at one provider: what it led to, in how many lines and streams, and trace ids to look at."""

    verdict: Verdict
    kind: FailureKind
    provider: str
    lines: int
    streams: int
    examples: tuple[str, ...]
    message: str = ""

    def steps(self, log: str = "FILE") -> tuple[str, ...]:
        """What a person does now, in order; `log` is what the trace is to be looked for in."""
        remedy = advise(self.kind, self.provider).remedy
        place = PLACES.get(self.provider, ANYWHERE)
        example = f"Read the story of one: trio-supervisor trace {self.examples[0]} --log {log}"
        match self.verdict:
            case Verdict.PERMANENT | Verdict.BUG:
                return (f"{remedy}.", example)
            case Verdict.EXHAUSTED:
                return (f"See whether the provider has an outage: {place.status}", f"{remedy}.", example)
            case Verdict.BUFFERED:
                return ("Nothing at once: it goes on, slower.", f"If it comes often: {_lowered(remedy)}.", example)
            case Verdict.SWITCHED:
                return ("Nothing at once: the next route answers.", f"{remedy}.", example)
            case Verdict.TRANSIENT:
                return ("Nothing, while it stays rare.", f"If it comes often: {_lowered(remedy)}.")


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


_What: TypeAlias = tuple[Verdict, FailureKind, str]
_ORDER = list(Verdict)


class Triage:
    """The findings of the entries so far, and how many lines of the log were none of ours."""

    def __init__(self) -> None:
        self.entries = 0
        self.foreign = 0
        self.levels: Counter[str] = Counter()
        self._streams: set[str] = set()
        self._lines: Counter[_What] = Counter()
        self._met: dict[_What, set[str]] = {}
        self._said: dict[_What, str] = {}

    def take(self, entry: Entry | None) -> None:
        """Take one line in; `None` for a line that is no entry."""
        if entry is None:
            self.foreign += 1
            return
        self.entries += 1
        self.levels[entry.level] += 1
        if entry.trace_id.strip("0"):
            self._streams.add(entry.trace_id)
        verdict, kind = verdict_of(entry), entry.kind
        if verdict is None or kind is None:
            return
        what = (verdict, kind, entry.text("provider"))
        self._lines[what] += 1
        self._met.setdefault(what, set()).add(entry.trace_id)
        self._said[what] = entry.text("message")

    @property
    def streams(self) -> int:
        """How many streams the log tells of."""
        return len(self._streams)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, the worst first."""
        left = {what: self._met[what] - self._worse_off(what) for what in self._lines}
        found = (
            Finding(*what, self._lines[what], len(met), tuple(sorted(met)[:EXAMPLES]), self._said[what])
            for what, met in left.items()
            if met
        )
        return tuple(sorted(found, key=_weight))

    def _worse_off(self, what: "_What") -> set[str]:
        """The streams that the same trouble hit harder: they are told of there."""
        verdict, kind, provider = what
        worse = _ORDER[: _ORDER.index(verdict)]
        return {trace_id for other in worse for trace_id in self._met.get((other, kind, provider), ())}


def _weight(finding: Finding) -> tuple[int, int, str, str]:
    return _ORDER.index(finding.verdict), -finding.lines, finding.kind.label, finding.provider


_BY_EVENT = {
    "exhausted": Verdict.EXHAUSTED,
    "attempt crashed": Verdict.BUG,
    "switched to buffered": Verdict.BUFFERED,
    "switched provider": Verdict.SWITCHED,
}


def verdict_of(entry: Entry) -> Verdict | None:
    """What one line says became of a stream; `None` for a line that says nothing of it."""
    if entry.event == "not retrying" and entry.level == "error":
        return Verdict.BUG if entry.kind is FailureKind.CRASH else Verdict.PERMANENT
    return Verdict.TRANSIENT if entry.counted is not None else _BY_EVENT.get(entry.event)


def triage(entries: Iterable[Entry | None]) -> Triage:
    """The triage of a whole log."""
    found = Triage()
    for entry in entries:
        found.take(entry)
    return found


def triage_record(found: Triage, log: str = "FILE") -> dict[str, object]:
    """The same for programs."""
    return {
        "lines": found.entries,
        "other_lines": found.foreign,
        "streams": found.streams,
        "levels": dict(sorted(found.levels.items())),
        "findings": [
            {
                "verdict": finding.verdict.value,
                "kind": finding.kind.label,
                "title": finding.kind.title,
                "category": finding.kind.category.value,
                "provider": finding.provider,
                "lines": finding.lines,
                "streams": finding.streams,
                "message": finding.message,
                "means": MEANS[finding.verdict],
                "do": list(finding.steps(log)),
                "examples": list(finding.examples),
            }
            for finding in found.findings
        ],
    }
