"""What went wrong with an attempt, in neutral words.

A failure is a small value (below 1 KB, picklable) that travels through exits, seams, logs and reports; the exception that caused it
and the partial answer hang beside it, never inside.  Its kind says what happened; category and disposition follow from the kind.
"""

import attrs

from actors.catalogue import Advice, advise
from actors.kinds import SILENT, Category, Disposition, FailureKind, NextKey, Phase
from actors.redaction import shown

__all__ = ["CIRCUIT_OPEN", "SILENT", "Category", "Disposition", "Failure", "FailureKind", "NextKey", "Phase"]

MESSAGE_LIMIT = 256
"""Bytes (UTF-8) kept of what a provider said."""

MESSAGE_MEMORY = 384
"""Bytes that the letters kept of it may take in memory, where one beyond Latin-1 widens all of them."""

CIRCUIT_OPEN = "circuit_open"
"""The code of an attempt that a circuit breaker held back: nothing was sent for it."""

WORD_LIMIT = 64
"""Bytes kept of a provider's own word for a failure, of its name for the request, and of the cause."""


def _message(text: str) -> str:
    kept = shown(text, MESSAGE_LIMIT)
    widest = max(kept, default="")
    letters = MESSAGE_MEMORY // (1 if widest <= "\xff" else 2 if widest <= "\uffff" else 4)
    return kept if len(kept) <= letters else kept[: letters - 1] + "…"


def _word(text: str) -> str:
    return shown(text.encode("ascii", "replace").decode(), WORD_LIMIT).replace("…", "...")


@attrs.frozen
class Failure:
    """One failure of one attempt.

    `message` is what the provider or the system said, clipped to 256 bytes and free of secrets; `status` the HTTP status where there
    was one, `code` the provider's own word for it, `retry_after` the seconds it asked to wait, `request_id` its name for the request.
    `final`: the same request is not sent again, whatever is usual for the kind: the provider said so (`x-should-retry: false`), or tools ran.
    `cause` names the exceptions beneath, the outermost first; empty where the provider's answer says it all.  `next_key` says with which
    key the same route can be asked again, where this one will not do.

    The runtime adds what only it knows: `tries` is how many attempts its route has had, this one included, and `limit` how many it can have
    if they all fail like this one (0 of 0: not counted); `trace_id` is that of the stream.  Failures are equal whatever their trace and cause.
    """

    kind: FailureKind
    message: str = attrs.field(default="", converter=_message)
    phase: Phase = Phase.CONNECTION
    provider: str = ""
    model: str = ""
    status: int | None = None
    code: str = attrs.field(default="", converter=_word)
    retry_after: float | None = None
    request_id: str = attrs.field(default="", converter=_word)
    final: bool = False
    cause: str = attrs.field(default="", converter=_word, eq=False)
    tries: int = 0
    limit: float = 0
    trace_id: str = attrs.field(default="", eq=False)
    next_key: NextKey = NextKey.NONE

    @property
    def title(self) -> str:
        """Two or three words for a person."""
        return self.kind.title

    @property
    def advice(self) -> Advice:
        """What happened and what to do, with the names of its provider."""
        return advise(self.kind, self.provider)

    @property
    def resolution(self) -> str:
        """What to do, in one sentence."""
        return self.advice.remedy

    @property
    def transient(self) -> bool:
        """Whether the same request on the same route can help, later: where such a failure ends a stream, its attempts are exhausted."""
        return self.kind.transient and not self.final

    @property
    def held_back(self) -> bool:
        """Whether a circuit breaker held the attempt back: nothing was sent for it."""
        return self.code == CIRCUIT_OPEN and self.status is None

    @property
    def rekeyed(self) -> bool:
        """Whether it was the key alone that was refused, and there is another one."""
        return self.next_key is not NextKey.NONE and self.disposition is not Disposition.RETRY

    @property
    def uncounted(self) -> bool:
        """Whether the attempt that follows is no retry: nothing was sent, or the wrong key was."""
        return self.held_back or self.rekeyed

    @property
    def category(self) -> Category:
        """Whose trouble it is."""
        return self.kind.category

    @property
    def disposition(self) -> Disposition:
        """What can help."""
        usual = self.kind.disposition
        return Disposition.ELSEWHERE if self.final and usual is Disposition.RETRY else usual

    def __str__(self) -> str:
        where = f"{self.provider}:{self.model}" if self.provider else ""
        told = f" ({self.message})" if self.message else ""
        return f"{self.title}{' at ' + where if where else ''}{told}"
