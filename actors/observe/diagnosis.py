"""A failure explained: what it is, what becomes of it, what a person can do, and where to look; for people and for programs."""

from collections.abc import Iterator

import attrs
from rich.table import Table
from rich.text import Text

from actors.catalogue import ANYWHERE, PLACES, Place
from actors.failure import Failure
from actors.kinds import Disposition
from actors.observe.figures import clean, counted
from actors.policy.prospects import USUAL, Prospects, prospects, reason
from supervisor import Retry


@attrs.frozen
class Diagnosis:
    """A failure and what is ahead of a stream that meets it."""

    failure: Failure
    prospects: Prospects
    jitter: float

    @classmethod
    def of(cls, failure: Failure, retry: Retry = USUAL) -> "Diagnosis":
        """The diagnosis of a failure, on the usual ladder with these retries."""
        return cls(failure, prospects(failure, retry), retry.backoff.jitter)

    @property
    def place(self) -> Place:
        """Where its provider's keys, limits and outages are told."""
        return PLACES.get(self.failure.provider, ANYWHERE)

    @property
    def future(self) -> str:
        """Whether it is tried again: how often, how long, and what comes then."""
        return "; ".join(_future(self.failure, self.prospects, self.jitter))


def _future(failure: Failure, ahead: Prospects, jitter: float) -> Iterator[str]:
    if failure.disposition is Disposition.LEAVE:
        yield "no: it is the caller's own wish"
        return
    if ahead.first_elsewhere:
        yield f"{'not while another route is left' if ahead.retried else 'no'}: the next route is asked at once, where there is one"
    if ahead.retried:
        waits = ", ".join(f"{wait:g}" for wait in ahead.waits)
        yield f"{'else' if ahead.first_elsewhere else 'yes'}, up to {counted(ahead.attempts, 'attempt')} on a route, after {waits} s (±{jitter * 100:g} %): {ahead.seconds:g} s in all"
    elif not ahead.first_elsewhere:
        yield "no, not in the same way"
    if ahead.elsewhere and not ahead.first_elsewhere:
        yield "then on the next route, where there is one"
    if ahead.buffered:
        yield "on the last one in one piece" if ahead.elsewhere else "then in one piece"


def diagnosis_record(diagnosis: Diagnosis) -> dict[str, object]:
    """The same for programs; `retry.waits` are seconds."""
    failure, ahead, place = diagnosis.failure, diagnosis.prospects, diagnosis.place
    return {
        "known": True,
        "kind": failure.kind.label,
        "title": failure.title,
        "category": failure.category.value,
        "disposition": failure.disposition.value,
        "transient": failure.transient,
        "phase": failure.phase.value,
        "provider": failure.provider,
        "status": failure.status,
        "code": failure.code,
        "message": failure.message,
        "retry_after": failure.retry_after,
        "happened": failure.advice.happened,
        "remedy": failure.resolution,
        "retry": {
            "retried": ahead.retried,
            "attempts": ahead.attempts,
            "waits": [round(wait, 3) for wait in ahead.waits],
            "seconds": round(ahead.seconds, 3),
            "buffered": ahead.buffered,
            "elsewhere": ahead.elsewhere,
        },
        "portal": place.portal,
        "status_page": place.status,
    }


def diagnosis_text(diagnosis: Diagnosis) -> Table:
    """The same for people."""
    failure, place = diagnosis.failure, diagnosis.place
    style = "yellow" if failure.transient else "red"
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("what", Text.assemble((failure.title, f"bold {style}"), (f"  {failure.kind.label}", "dim")))
    table.add_row("category", failure.category.value)
    table.add_row("disposition", f"{failure.disposition.value}: {reason(failure)}")
    table.add_row("happened", Text(failure.advice.happened))
    if said := "; ".join(_said(failure)):
        table.add_row("said", Text(said))
    table.add_row("to do", Text(failure.resolution, "bold"))
    table.add_row("tried again", diagnosis.future)
    table.add_row("keys, limits", place.portal)
    table.add_row("outages", place.status)
    return table


def _said(failure: Failure) -> Iterator[str]:
    if failure.status is not None:
        yield f"status {failure.status}"
    if failure.code:
        yield clean(failure.code)
    if failure.message and f"status {failure.status}" not in failure.message:
        yield clean(failure.message)
    if failure.retry_after is not None:
        yield f"asks to wait {failure.retry_after:g} s"
