# ruff: noqa: INP001 -- a script beside its pages
"""The tables on the pages that are made of the tables in the code: `make docs` writes them, a test holds the pages to them.

A page has a block for each, between `<!-- table: NAME -->` and `<!-- end -->`; NAME is a function in `TABLES`.  Whoever adds one adds a
function here and the two marks there.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from actors.catalogue import PLACES, advise
from actors.cli import status
from actors.config import VARIABLES
from actors.failure import Failure
from actors.kinds import FailureKind
from actors.observe.readout import MEANINGS
from actors.observe.triage import MEANS
from actors.policy.prospects import Prospects, prospects
from supervisor import Backoff, Retry

sys.path.insert(0, str(Path(__file__).parent))
from configuration_tables import CONFIGURATION
from failure_tables import FAILURES

PAGES = Path(__file__).parent
_BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
K = FailureKind


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def kinds() -> str:
    """Every kind of failure."""
    rows = (
        (f"`{kind.label}`", kind.title, kind.category.value, kind.disposition.value, _sentence(advise(kind).happened))
        for kind in FailureKind
    )
    return table(("kind", "what people read", "category", "disposition", "what happened"), rows)


def retries() -> str:
    """What becomes of each kind, alike ones together."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for kind in FailureKind:
        ahead = prospects(Failure(kind))
        waits = ", ".join(f"{wait:g}" for wait in ahead.waits) or "-"
        order = _then(ahead)
        groups.setdefault((str(ahead.attempts), waits, order), []).append(f"`{kind.label}`")
    rows = ((attempts, waits, then, ", ".join(some)) for (attempts, waits, then), some in groups.items())
    return table(("attempts on a route", "waits between them (s)", "then, where the ladder has it", "kinds"), rows)


def _then(ahead: Prospects) -> str:
    if ahead.first_elsewhere:
        return "another route at once" + ("; these waits hold where there is none" if ahead.retried else "")
    if ahead.elsewhere:
        return "another route" + ("; on the last one in one piece" if ahead.buffered else "")
    return "in one piece" if ahead.buffered else "the end"


def backoff() -> str:
    """The arithmetic of the usual waits."""
    rule, within = Backoff(), Retry().within
    waits = [rule.delay(number, 0.5) for number in range(1, 8)]
    rows = (
        (f"{number}", f"{wait:g}", f"{total:g}", "yes" if total <= within else "no")
        for number, (wait, total) in enumerate(zip(waits, accumulate(waits), strict=True), 1)
    )
    return table(("after failure", "wait (s)", "waited in all (s)", f"within {within:g} s"), rows)


def variables() -> str:
    """Every variable that is read."""
    rows = (
        (f"`{name}`", variable.about, "" if variable.default is None else f"`{str(variable.default).lower()}`")
        for name, variable in VARIABLES.items()
    )
    return table(("variable", "what it sets", "without it"), rows)


def statuses() -> str:
    """The exit statuses."""
    return table(("status", "meaning"), ((f"{number}", means) for number, means in sorted(status.MEANS.items())))


COMMON = (K.RATE_LIMIT, K.INVALID_KEY, K.REFUSED, K.MEMORY, K.UNAVAILABLE, K.CANCELLED)
"""What operators meet most."""


def issues() -> str:
    """The six that operators meet most: symptom, cause, fix."""
    rows = ((f"**{kind.title}**", *_advised(kind), f"`trio-supervisor demo --failure {kind.label}`") for kind in COMMON)
    return table(("symptom", "cause", "fix", "see it"), rows)


def places() -> str:
    """Where each provider tells of keys, limits and outages."""
    rows = ((f"`{name}`", place.status, place.portal) for name, place in PLACES.items())
    return table(("provider", "outages", "keys and limits"), rows)


def figures() -> str:
    """What each figure tells."""
    return table(("figure", "what it tells"), ((f"`{name}`", means) for name, means in MEANINGS.items()))


def verdicts() -> str:
    """What `triage` says, worst first."""
    return table(("verdict", "meaning"), ((verdict.value, means) for verdict, means in MEANS.items()))


def _advised(kind: FailureKind) -> tuple[str, str]:
    advice = advise(kind)
    return _sentence(advice.happened), _sentence(advice.remedy)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


TABLES: Mapping[str, Callable[[], str]] = {
    made.__name__: made
    for made in (
        kinds,
        retries,
        backoff,
        variables,
        statuses,
        issues,
        places,
        figures,
        verdicts,
        *FAILURES,
        *CONFIGURATION,
    )
}


def filled(text: str) -> str:
    """A page with its tables as they should be; raises `KeyError` for a block that nobody makes."""
    return _BLOCK.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


def main() -> int:
    """Write every page that is not as it should be, and name it."""
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            page.write_text(new, encoding="utf-8")
            print(f"docs/{page.name}")  # noqa: T201 -- for whoever ran it
    return 0


if __name__ == "__main__":
    sys.exit(main())
