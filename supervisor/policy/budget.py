"""A retry budget as values: retries stay below a share of requests, so an outage is not multiplied by those who wait for its end.

A token bucket: each request puts `ratio` of a token in, each retry takes one out; `per_second` lets a quiet caller retry too.
"""

import attrs

from supervisor.errors import BadSpec
from supervisor.spec import is_seconds

_DUST = 1e-9  # five fifths of a token, added one by one, are one


@attrs.frozen
class Tokens:
    """What is in the bucket, as of `at`."""

    amount: float
    at: float


@attrs.frozen(kw_only=True)
class RetryBudget:
    """The rule: `ratio` tokens for each request, `per_second` for each second, never more than `burst`; a retry costs one."""

    ratio: float = 0.2
    burst: float = 10.0
    per_second: float = 0.0

    def __attrs_post_init__(self) -> None:
        for field in ("ratio", "burst", "per_second"):
            number = getattr(self, field)
            if not is_seconds(number) or number < 0:
                raise BadSpec("RetryBudget", field, number, "give a number from 0")

    def full(self, now: float) -> Tokens:
        """A bucket that allows `burst` retries at once."""
        return Tokens(self.burst, now)

    def deposit(self, tokens: Tokens, now: float) -> Tokens:
        """The bucket after one more request."""
        refilled = self._refilled(tokens, now)
        return Tokens(min(self.burst, refilled.amount + self.ratio), refilled.at)

    def withdraw(self, tokens: Tokens, now: float) -> tuple[bool, Tokens]:
        """Whether one more retry is allowed at `now`, and the bucket after it."""
        refilled = self._refilled(tokens, now)
        if refilled.amount < 1 - _DUST:
            return False, refilled
        return True, Tokens(max(0.0, refilled.amount - 1), refilled.at)

    def _refilled(self, tokens: Tokens, now: float) -> Tokens:
        later = max(now, tokens.at)
        return Tokens(min(self.burst, tokens.amount + (later - tokens.at) * self.per_second), later)
