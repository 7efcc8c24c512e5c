"""How long to wait before another attempt: exponential, capped, with jitter inside the cap.

The dice are an argument: one roll in [0, 1) gives one delay.
"""

from math import isfinite

import attrs

from supervisor.errors import BadSpec
from supervisor.spec import is_seconds


@attrs.frozen(kw_only=True)
class Backoff:
    """`initial * multiplier**(attempt - 1)` seconds, at most `cap`, spread by ± `jitter` (a share) and never above `cap`."""

    initial: float = 1.0
    multiplier: float = 2.0
    cap: float = 30.0
    jitter: float = 0.1

    def __attrs_post_init__(self) -> None:
        if not is_seconds(self.initial) or self.initial < 0 or not isfinite(self.initial):
            raise BadSpec("Backoff", "initial", self.initial, "give seconds from 0")
        if not is_seconds(self.multiplier) or self.multiplier < 1 or not isfinite(self.multiplier):
            raise BadSpec("Backoff", "multiplier", self.multiplier, "give a number from 1")
        if not is_seconds(self.cap) or self.cap < self.initial:
            raise BadSpec("Backoff", "cap", self.cap, "give seconds, not below initial")
        if not is_seconds(self.jitter) or not 0 <= self.jitter <= 1:
            raise BadSpec("Backoff", "jitter", self.jitter, "give a share from 0 to 1")

    def delay(self, attempt: int, roll: float) -> float:
        """Seconds to wait before `attempt` (the first repetition is 1)."""
        return min(self.cap, self._middle(attempt) * (1 + self.jitter * (2 * roll - 1)))

    def _middle(self, attempt: int) -> float:
        try:
            return min(self.cap, self.initial * self.multiplier ** (attempt - 1))
        except OverflowError:
            return self.cap if self.initial else 0.0


USUAL = Backoff()
"""1, 2, 4 ... 30 seconds, give or take a tenth."""
