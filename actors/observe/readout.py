"""The figures of a run with what they mean, out of whatever the run left behind: its report, its outcomes, its log.

Pure: lines go in one at a time and are not kept.  The names are those of the metrics; the one rule: every figure comes with what it tells
when it rises, or it is not printed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, cast

from msgspec import DecodeError, json

from actors.kinds import FailureKind
from actors.observe.entries import GAUGES, KINDS, Entry, entry_of
from actors.observe.instruments import error_category
from actors.observe.quantiles import Quantiles
from actors.observe.report import Step, step_between
from actors.outcome import Status
from actors.route import Mode, Route

MEANINGS: Mapping[str, str] = {
    "llm.request.duration_ms": "up: the network is slow, or the provider holds requests back (rate limit)",
    "llm.request.retries": "up: transient trouble; its kind says whose. It costs time and money, and is over by itself",
    "llm.streaming.errors": "permanent up: investigate, somebody has to act; transient up: the provider or the network; resource up: this machine",
    "llm.fallback.triggered": "memory_exhaustion up: this machine is short of memory; provider_switch up: the first provider needs a look",
    "llm.input_tokens": "up without more streams: retries and longer prompts",
    "llm.output_tokens": "what abandoned attempts said is counted too: it is paid for",
}
"""What each figure tells when it rises."""

HELD = "up: answers that nobody reads, or more streams at once than this machine has memory, files and connections for"
"""What it tells when the resources that were held rise."""

CATEGORIES = ("transient", "permanent", "context", "resource")
FALLBACKS = ("memory_exhaustion", "provider_switch", "buffered")


class Readout:
    """The sums of a run so far; `seconds` of durations."""

    def __init__(self) -> None:
        self.sources: Counter[str] = Counter()
        self.streams: Counter[str] = Counter()
        self.requests = 0
        self.retries: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.fallbacks: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.peaks: dict[str, float] = {}
        self.duration: dict[str, float | None] = {}
        self._total = Quantiles()

    def take(self, line: str) -> None:
        """Take one line in: of a log, of outcomes, or a report; any other line is counted as such."""
        entry = entry_of(line)
        if entry is not None:
            self._take_entry(entry)
            return
        record, taken = _object(line), False
        # What looks like one of ours may still be torn, or somebody else's.
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            taken = self._take_record(record)
        if not taken and line.strip():
            self.sources["other line"] += 1

    def _take_record(self, record: Mapping[str, Any]) -> bool:
        if "first_content_seconds" in record and "attempts" in record:
            self._take_report(record)
            return True
        if isinstance(record.get("attempts"), list) and "status" in record:
            self._take_outcome(record)
            return True
        return False

    def _take_entry(self, entry: Entry) -> None:
        self.sources["log line"] += 1
        for name in GAUGES:
            held = entry.number(name)
            if held is not None:
                self.peaks[name] = max(held, self.peaks.get(name, 0))
        if entry.event.startswith("stream "):
            status = entry.event.removeprefix("stream ")
            self._end(status, entry.number("elapsed"))
            self.requests += status == Status.COMPLETED.value
            for name in ("input_tokens", "output_tokens"):
                self.tokens[name] += int(entry.number(name) or 0)
            return
        kind = entry.kind
        if kind is None or entry.event in {"exhausted", "attempt held back"}:
            return
        moved = entry.event.startswith("switched ")
        if not moved or kind is FailureKind.MEMORY:
            self.requests += 1
            self.errors[error_category(kind)] += 1
        if entry.event == "switched provider":
            self.fallbacks["provider_switch"] += 1
        elif entry.event == "switched to buffered":
            self.fallbacks[_to_buffered(kind)] += 1
        elif entry.counted and entry.text("next_route") == _route_of(entry):
            self.retries[kind.label] += 1

    def _take_outcome(self, record: Mapping[str, Any]) -> None:
        attempts = [cast("dict[str, Any]", attempt) for attempt in record["attempts"] if isinstance(attempt, dict)]
        last = attempts[-1] if attempts else {}
        self._end(str(record["status"]), float(last.get("started") or 0) + float(last.get("seconds") or 0))
        for before, after in pairwise(attempts):
            self._step(_kind_of(before), _route(before), _route(after))
        for kind in filter(None, map(_kind_of, attempts)):
            self.errors[error_category(kind)] += 1
        self.requests += len(attempts)
        usage: dict[str, Any] = record.get("usage") or {}
        self.tokens["input_tokens"] += sum(int(usage.get(f"{name}_tokens") or 0) for name in _INPUTS)
        self.tokens["output_tokens"] += int(usage.get("output_tokens") or 0)
        self.sources["outcome"] += 1

    def _step(self, kind: FailureKind | None, before: Route, after: Route) -> None:
        if kind is None:
            return
        match step_between(before, after):
            case Step.RETRY:
                self.retries[kind.label] += 1
            case Step.SWITCH:
                self.fallbacks["provider_switch"] += 1
            case Step.DEGRADE:
                self.fallbacks[_to_buffered(kind)] += 1

    def _take_report(self, record: Mapping[str, Any]) -> None:
        self.streams.update({status.value: int(record.get(status.value) or 0) for status in Status})
        self.requests += int(record["attempts"])
        self.retries["of any kind"] += int(record.get("retries") or 0)
        self.fallbacks["provider_switch"] += int(record.get("switches") or 0)
        self.fallbacks["buffered"] += int(record.get("degrades") or 0)
        for trouble in record.get("failures") or ():
            kind = KINDS.get(str(trouble["latest"]["kind"]))
            if kind is not None:
                self.errors[error_category(kind)] += int(trouble["attempts"])
        self.tokens.update(
            {f"{name}_tokens": int(record["usage"].get(f"{name}_tokens") or 0) for name in ("input", "output")}
        )
        self.duration = dict(record.get("total_seconds") or {})
        self.sources["report"] += 1

    def _end(self, status: str, elapsed: float | None) -> None:
        self.streams[status] += 1
        if elapsed is not None and status == Status.COMPLETED.value:
            self._total.add(elapsed)

    @property
    def durations(self) -> Mapping[str, float | None]:
        """Seconds that half, nine tenths and 99 of 100 completed streams did not exceed."""
        if self.duration:
            return self.duration
        return {"p50": self._total.at(0.5), "p90": self._total.at(0.9), "p99": self._total.at(0.99)}


_INPUTS = ("input", "cache_read", "cache_write")


def _object(line: str) -> Mapping[str, Any]:
    try:
        record: Any = json.decode(line)
    except (DecodeError, UnicodeError, RecursionError):
        return {}
    return cast("dict[str, Any]", record) if isinstance(record, dict) else {}


def _route_of(entry: Entry) -> str:
    buffered = entry.text("mode") == Mode.BUFFERED.value
    return f"{entry.text('provider')}:{entry.text('model')}{' (buffered)' if buffered else ''}"


def _route(attempt: Mapping[str, Any]) -> Route:
    provider, _, model = str(attempt.get("route")).partition(":")
    buffered = attempt.get("mode") == Mode.BUFFERED.value
    return Route(provider, model, Mode.BUFFERED if buffered else Mode.STREAMING)


def _kind_of(attempt: Mapping[str, Any]) -> FailureKind | None:
    failure: Any = attempt.get("failure")
    return KINDS.get(str(cast("dict[str, Any]", failure).get("kind"))) if isinstance(failure, dict) else None


def _to_buffered(kind: FailureKind) -> str:
    return "memory_exhaustion" if kind.category.value == "resource" else "buffered"


def read_out(lines: Iterable[str]) -> Readout:
    """The figures of everything in these lines."""
    readout = Readout()
    for line in lines:
        readout.take(line)
    return readout


def readout_record(readout: Readout) -> dict[str, object]:
    """The same for programs: each metric by its name, with what it means; durations in milliseconds."""
    figures: dict[str, object] = {
        "llm.request.duration_ms": {
            name: None if seconds is None else round(seconds * 1000, 1) for name, seconds in readout.durations.items()
        },
        "llm.request.retries": _counted(readout.retries, ()),
        "llm.streaming.errors": _counted(readout.errors, CATEGORIES),
        "llm.fallback.triggered": _counted(readout.fallbacks, FALLBACKS),
        "llm.input_tokens": readout.tokens["input_tokens"],
        "llm.output_tokens": readout.tokens["output_tokens"],
    }
    return {
        "read": dict(readout.sources),
        "streams": {status.value: readout.streams[status.value] for status in Status},
        "requests": readout.requests,
        "held_at_most": {**readout.peaks},
        "metrics": {name: {"figures": figure, "means": MEANINGS[name]} for name, figure in figures.items()},
    }


def _counted(counter: Counter[str], always: Sequence[str]) -> dict[str, int]:
    return {
        name: counter[name]
        for name in (*always, *sorted(set(counter) - set(always)))
        if name in always or counter[name]
    }
