"""Quantiles of any number of positive figures, in memory that does not grow with their number.

Figures are counted in buckets whose bounds grow by a constant ratio, after DDSketch (Masson, Rim and Lee, VLDB 2019): every answer is
within 1 % of the true one.
"""

import math
from collections import Counter

_RATIO = 1.02
"""Two neighbouring bounds: the middle of a bucket is then at most 1 % from whatever fell into it."""

_LEAST = 1e-6
"""Figures below count as this one."""


class Quantiles:
    """A growing set of figures and what share of them lies where."""

    __slots__ = ("_buckets", "count")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0

    def add(self, figure: float) -> None:
        """Take one figure in."""
        self._buckets[math.ceil(math.log(max(figure, _LEAST), _RATIO))] += 1
        self.count += 1

    def at(self, share: float) -> float | None:
        """The figure that this share (0 to 1) of all does not exceed, by nearest rank; `None` of nothing."""
        rank = max(1, math.ceil(share * self.count))
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return 2 * _RATIO**bucket / (1 + _RATIO)
        return None
