"""What a supervisor is told about itself: strategy, intensity, who listens, and whose dice it rolls.

Hook, conditions and dice are inherited from the supervisor above when they are not given.
"""

import random
from collections.abc import Callable
from math import isfinite
from typing import Any, TypedDict

import attrs

from supervisor.errors import BadSpec
from supervisor.runtime.reports import Hook
from supervisor.spec import AutoShutdown, Strategy, is_seconds


class Flags(TypedDict, total=False):
    """The keywords of `open_supervisor` and `subtree`.

    strategy: which siblings are touched by a restart. intensity: restarts allowed within `period` seconds. auto_shutdown: whether the end of
    significant children ends the tree. hook: receives every lifecycle record of the tree. conditions: called for the snapshot of what is
    shared that policies see. seed: of the dice that policies roll; dice: the dice themselves. name: the path's last word, "root" at the
    top. overdue: seconds after the end of grace until a child that still lives is reported, then again after twice the time.
    """

    strategy: Strategy
    intensity: int
    period: float
    auto_shutdown: AutoShutdown
    hook: Hook | None
    conditions: Callable[[], Any] | None
    seed: int | None
    dice: random.Random | None
    name: str | None
    overdue: float


@attrs.frozen(kw_only=True)
class Settings:
    """The flags with their defaults, checked."""

    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 3
    period: float = 5.0
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    hook: Hook | None = None
    conditions: Callable[[], Any] | None = None
    seed: int | None = None
    dice: random.Random | None = None
    name: str | None = None
    overdue: float = 1.0

    def __attrs_post_init__(self) -> None:
        for field, kind in (("strategy", Strategy), ("auto_shutdown", AutoShutdown)):
            if not isinstance(getattr(self, field), kind):
                raise BadSpec("supervisor", field, getattr(self, field), f"give a member of {kind.__name__}")
        if not isinstance(self.intensity, int) or isinstance(self.intensity, bool) or self.intensity < 0:  # pyright: ignore[reportUnnecessaryIsInstance] - not everyone runs a type checker
            raise BadSpec("supervisor", "intensity", self.intensity, "give a whole number from 0")
        for field in ("period", "overdue"):
            seconds = getattr(self, field)
            if not is_seconds(seconds) or not isfinite(seconds) or seconds <= 0:
                raise BadSpec("supervisor", field, seconds, "give seconds above 0")
        for field in ("hook", "conditions"):
            call = getattr(self, field)
            if call is not None and not callable(call):
                raise BadSpec("supervisor", field, call, "give a callable, or None")

    def inherit(self, above: "Settings | None", path: tuple[str, ...]) -> "Settings":
        """These settings, with what was left open taken from the supervisor above; each supervisor of a seeded tree has its own dice."""
        seed = above.seed if self.seed is None and above is not None else self.seed
        dice = self.dice or random.Random(None if seed is None else f"{seed}/{'/'.join(path)}")  # noqa: S311 - jitter, not secrets
        if above is None:
            return attrs.evolve(self, seed=seed, dice=dice)
        return attrs.evolve(
            self, seed=seed, dice=dice, hook=self.hook or above.hook, conditions=self.conditions or above.conditions
        )
