"""The cyclic garbage collector, kept from looking at a crowd while that is stopped.

A full collection looks at every object there is, a tenth of a second and more for a hundred thousand children, and a stop makes objects enough
to cause one. So all that exists when the stop begins is set aside (`gc.freeze`, one move of a list), and handed back when the last stop under
way is over; what is new meanwhile is collected as ever. A program that froze objects itself, or switched the collector off, is left alone.
"""

import gc
from threading import Lock

CROWD = 1000
"""Children from which on it pays to have the collector look away."""


class Aside:
    """Whether objects are set aside, and for how many stops: one for the whole process, as there is one collector."""

    __slots__ = ("_lock", "_ours", "_stops")

    def __init__(self) -> None:
        self._lock = Lock()
        self._stops = 0
        self._ours = False

    def begin(self) -> None:
        """A crowd is about to be stopped."""
        with self._lock:
            self._stops += 1
            if self._stops == 1:
                self._ours = hasattr(gc, "freeze") and gc.isenabled() and not gc.get_freeze_count()
            if self._ours:
                gc.freeze()

    def end(self) -> None:
        """It is stopped: `begin` and `end` come in pairs."""
        with self._lock:
            self._stops -= 1
            if self._ours and not self._stops:
                gc.unfreeze()


ASIDE = Aside()
