"""What this program itself has told of a failure, read back: a line on paper, its exception's words, the record of an outcome, a kind's name.

Pure.  The one rule: only titles and labels of kinds are read, at the beginning of a line; whatever else is left to `recognise`.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from msgspec import DecodeError, json

from actors.failure import Failure, FailureKind, Phase

_PHASE = "(?P<phase>connection|first event|streaming|finalisation)"
_TITLE = r"(?P<title>[A-Z][\w ]*?)"
_WHERE = r" at (?P<where>[\w.-]+:\S+?)"

_RAISED = re.compile(
    r"^(?:[\s|+-]*(?:\w+\.)*(?:StreamFailed|RetryExhausted): )?"
    rf"(?P<line>\[{_PHASE}\] {_TITLE}(?:{_WHERE})?(?: \(|:|$).*)",
    re.MULTILINE,
)
_SHOWN = re.compile(rf"^[ \t]*(?P<line>{_TITLE}, {_PHASE}(?:: .*)?)$", re.MULTILINE)

BY_TITLE = {kind.title.lower(): kind for kind in FailureKind} | {kind.label: kind for kind in FailureKind}
_PHASES = {phase.value: phase for phase in Phase}


def retold(text: str) -> Failure | None:
    """The failure that this program told of in these words; `None` where they are not its own."""
    for line in (_RAISED, _SHOWN):
        found = next((found for found in line.finditer(text) if found["title"].lower() in BY_TITLE), None)
        if found is not None:
            provider, _, model = (found.groupdict().get("where") or "").partition(":")
            return Failure(BY_TITLE[found["title"].lower()], found["line"], Phase(found["phase"]), provider, model)
    kind = BY_TITLE.get(text.lower().rstrip("."))
    return _of_outcomes(text) if kind is None else Failure(kind)


def _of_outcomes(text: str) -> Failure | None:
    """That of the last of several outcomes, one a line, that has one."""
    lines = [line for line in reversed(text.splitlines()) if line.lstrip().startswith("{") and '"failure"' in line]
    return next((failure for failure in map(_of_outcome, lines) if failure is not None), None)


def _of_outcome(line: str) -> Failure | None:
    try:
        told = cast("Mapping[str, Any]", json.decode(line)).get("failure")
    except (DecodeError, UnicodeError, RecursionError, AttributeError):
        return None
    kind = BY_TITLE.get(str(cast("Mapping[str, Any]", told).get("kind"))) if isinstance(told, dict) else None
    return None if kind is None else _of_record(kind, cast("Mapping[str, Any]", told))


def _of_record(kind: FailureKind, told: Mapping[str, Any]) -> Failure:
    message, provider, model, code = (str(told.get(name) or "") for name in ("message", "provider", "model", "code"))
    status, phase = told.get("status"), _PHASES.get(str(told.get("phase")), Phase.CONNECTION)
    return Failure(kind, message, phase, provider, model, status if isinstance(status, int) else None, code)
