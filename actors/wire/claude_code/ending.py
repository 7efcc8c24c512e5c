"""What the end of the program means where it gave no result: its exit status and the last it wrote to standard error.

The one rule: an end that nobody explains is an answer cut short (P7).  Only what the program says about itself makes it something else, and
words count only as whole words.
"""

import re

from actors.source import RefusedError, TruncatedError, WireError

PROGRAM = "program_unusable"
"""The word for a program that cannot do its work here."""

_SAID: tuple[tuple[re.Pattern[str], str, int], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), word, status)
    for pattern, word, status in (
        (r"unknown option|unknown command|too many arguments|missing required argument|argument missing", PROGRAM, 0),
        (r"option '[^']*' argument '[^']*' is invalid|requires --\w+|not supported by this version", PROGRAM, 0),
        (
            r"invalid api key|not logged in|please run /login|authentication_error|oauth token",
            "authentication_failed",
            401,
        ),
        (r"credit balance is too low", "billing_error", 402),
        (r"rate limit(?:ed)?|too many requests|usage limit reached", "rate_limit", 429),
        (r"overloaded|overloaded_error", "overloaded", 529),
        (
            r"ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|socket hang up|fetch failed",
            "unavailable",
            503,
        ),
    )
)
"""What the program writes to standard error, what that means, and the HTTP status of such a trouble; the first that fits holds."""


def ended(status: int | None, stderr: str, *, spoke: bool) -> WireError:
    """The error for a program that ended without a result.

    `status` is negative for a signal, as `subprocess` gives it, and `None` for a program that closed its output and went on; `spoke` says
    whether anything came on standard output.
    """
    last = _last(stderr)
    message = f"claude {_how(status)} without a result" + (f": {last}" if last else "")
    for pattern, word, code in _SAID:
        if pattern.search(stderr):
            return RefusedError(message, status=code, kind=word)
    if status is not None and status > 0 and not spoke:
        return RefusedError(message, status=0, kind=PROGRAM)
    return TruncatedError(message)


def _how(status: int | None) -> str:
    if status is None:
        return "closed its output"
    return f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"


def _last(stderr: str) -> str:
    """The last words a person can read, in one line."""
    return " ".join(stderr.split())[-200:]
