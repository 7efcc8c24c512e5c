"""How long a provider asks to be left alone: Retry-After in all its forms, and the hour at which a spent limit is full again.

Pure.  The one rule: a date is read against the clock of the server that wrote it (its `date` header), so a wrong clock on either side makes
no wrong wait; the caller's clock is asked only where the server tells no time.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
"""As OpenAI and Groq write it: 300ms, 7.66s, 2m59.56s, 6m0s, 1h2m3s."""
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)

_EPOCH = 1e9
_EPOCH_IN_MILLISECONDS = 1e11


def wait(headers: Mapping[str, str], wall: float | None = None, *, limited: bool = False) -> float | None:
    """Seconds to wait from now on; `None` where the headers (lower-case names) do not say.

    `wall` is the caller's time in seconds since 1970.  The limits are looked at only where the answer is that one was reached (`limited`):
    every answer tells them.
    """
    now = _moment(headers.get("date", ""))
    now = wall if now is None else now
    for text, unit in ((headers.get("retry-after-ms", ""), 0.001), (headers.get("retry-after", ""), 1.0)):
        seconds = _number(text)
        if seconds is not None and seconds >= 0:
            if seconds or unit == 1.0:
                return seconds * unit
        elif (until := _until(text, now)) is not None:
            return until
    spent = (_until(headers.get(name, ""), now) for name in _resets(headers)) if limited else ()
    return max((seconds for seconds in spent if seconds is not None), default=None)


def _resets(headers: Mapping[str, str]) -> Iterator[str]:
    """The headers that tell when the limits of which nothing is left are full again."""
    for name, left in headers.items():
        if "ratelimit-" in name and "remaining" in name and _number(left) == 0:
            yield name.replace("remaining", "reset")


def _until(text: str, now: float | None) -> float | None:
    """Seconds until a moment, or of a duration; never less than none."""
    seconds = _number(text)
    if seconds is not None and seconds < _EPOCH:
        return seconds if seconds >= 0 else None
    moment = _moment(text) if seconds is None else seconds if seconds < _EPOCH_IN_MILLISECONDS else seconds / 1000
    if moment is not None:
        return None if now is None else max(0.0, moment - now)
    found = _DURATION.fullmatch(text.strip())
    if found is None or not found[0]:
        return None
    return sum(float(part) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part)


def _moment(text: str) -> float | None:
    """A date as HTTP or RFC 3339 writes it, in seconds since 1970."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            when = read(text.strip())
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
