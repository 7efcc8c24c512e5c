"""What the program's exit status says: how a run ended, and where all that failed in it failed alike, of what kind that was.

One table; `docs/operating.md` has it for people.
"""

from collections.abc import Mapping

from actors.kinds import Category
from actors.observe.report import Report
from actors.outcome import Status

FINE, SOME_FAILED, USAGE, BUG = 0, 1, 2, 70
"""All completed; some did not, for several reasons or for one that is none of the streams'; used wrongly; a bug of ours (EX_SOFTWARE)."""

SIGNALLED = 128
"""And the number of the signal: 130 is Ctrl-C."""

OF_CATEGORY: Mapping[Category, int] = {
    Category.NETWORK: 10,
    Category.AUTHENTICATION: 11,
    Category.RESOURCE: 12,
    Category.PROVIDER: 13,
    Category.STREAM: 14,
    Category.CONTENT: 15,
    Category.CONTEXT: 16,
    Category.UNKNOWN: 17,
}
"""Every stream that failed did so for a reason of this category."""

MEANS: Mapping[int, str] = {
    FINE: "all completed",
    SOME_FAILED: "some did not complete, for reasons of several categories",
    USAGE: "used wrongly: an option, a setting or a line of input",
    **{status: f"failed, always for a reason of category {category.value}" for category, status in OF_CATEGORY.items()},
    BUG: "a bug of this program",
    SIGNALLED + 2: "interrupted by Ctrl-C (128 and the signal's number for the others)",
}
"""What each says to people."""


def of_report(report: Report) -> int:
    """The status of a run that came to its end."""
    failed = report.statuses[Status.FAILED]
    if report.statuses[Status.COMPLETED] == report.streams:
        return FINE
    ended = [trouble for trouble in report.troubles if trouble.streams]
    categories = {trouble.latest.category for trouble in ended}
    alike = len(categories) == 1 and sum(trouble.streams for trouble in ended) == failed
    if not alike or report.statuses[Status.INTERRUPTED]:
        return SOME_FAILED
    return OF_CATEGORY[categories.pop()]
