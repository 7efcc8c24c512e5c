"""What a check-up found: one line a finding, what is wrong with what to do about it.

Pure: facts in, findings out; who asks and who prints is elsewhere.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING

import attrs

from actors.kinds import Category
from actors.observe.figures import counted, seconds

if TYPE_CHECKING:
    from actors.failure import Failure

NOT_FOUND = 404
FEW = 6
"""Models named in a line."""

OPEN_FILES = 1024
"""A limit at which some hundreds of streams meet it: each has a socket, and the program a few files of its own."""


class Mark(Enum):
    """How a finding is to be taken."""

    FINE = "ok"
    NOTE = "note"
    WRONG = "wrong"


@attrs.frozen
class Finding:
    """One line of a check-up: of what, how it is, and for what is wrong what to do."""

    of: str
    mark: Mark
    said: str
    do: str = ""


def sound(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong."""
    return all(finding.mark is not Mark.WRONG for finding in findings)


def of_answer(of: str, which: str, models: Sequence[str], failure: "Failure | None", took: float) -> Finding:
    """What a provider said to a key; `which` names the key."""
    if failure is None:
        return Finding(of, Mark.FINE, f"{which} accepted in {seconds(took)}: {counted(len(models), 'model')}")
    if failure.status == NOT_FOUND:
        return Finding(of, Mark.NOTE, f"this server lists no models (404), so {which} cannot be tried without a prompt")
    said = f": {failure.message}" if failure.message else ""
    whose = f" ({which})" if failure.category is Category.AUTHENTICATION else ""
    return Finding(of, Mark.WRONG, f"{failure.title}{whose}{said}", failure.resolution)


def of_model(of: str, model: str, source: str, models: Sequence[str]) -> Finding:
    """Whether a configured model is one of those that are listed."""
    if model in models:
        return Finding(of, Mark.FINE, f"model {model} ({source}) is available")
    near = get_close_matches(model, models, n=3, cutoff=0.4) or list(models[:3])
    do = f"Name one that is: {', '.join(near)}" if near else "Ask for access, or name another one"
    return Finding(of, Mark.WRONG, f"Model unavailable: {model} ({source}) is not among those listed for this key", do)


def of_models(of: str, models: Sequence[str], *, all_of_them: bool) -> Finding:
    """The models, a few of them or all."""
    few = models if all_of_them else models[:FEW]
    more = f", and {len(models) - len(few):,} more (--models lists them)" if len(few) < len(models) else ""
    return Finding(of, Mark.NOTE, f"models: {', '.join(few)}{more}")


def of_file_limit(limit: int | None) -> Finding:
    """Whether as many files can be open as streams need."""
    if limit is None:
        return Finding("machine", Mark.FINE, "open files: no limit")
    if limit <= OPEN_FILES:
        return Finding(
            "machine",
            Mark.NOTE,
            f"open files: at most {limit:,}; for more streams at once than that raise it (ulimit -n)",
        )
    return Finding("machine", Mark.FINE, f"open files: at most {limit:,}")
