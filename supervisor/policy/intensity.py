"""How many restarts are too many: a sliding window over a float clock.

Both ends of the window count: restarts at `now - period` and at `now` are within one period. OTP truncates to whole seconds instead.
"""

Charges = tuple[float, ...]
"""When restarts were charged, oldest first; at most intensity + 1 of them."""


def charge(charges: Charges, now: float, intensity: int, period: float) -> tuple[Charges, bool]:
    """The charges with one more at `now`, and whether they are more than `intensity` within `period` seconds."""
    kept = (*(at for at in charges if at >= now - period), now)
    return kept, len(kept) > intensity
