"""What a supervisor is told about itself: strategy, intensity, who listens, and whose dice it rolls.

Hook, conditions, redact and dice are inherited from the supervisor above when they are not given.
"""

import random
from collections.abc import Callable, Sequence
from math import inf, isfinite
from typing import Any, TypedDict

import attrs

from supervisor.errors import BadSpec
from supervisor.runtime.reports import Hook
from supervisor.spec import AutoShutdown, Child, Strategy, check_callable, is_seconds, is_whole


class Flags(TypedDict, total=False):
    """The keywords of `open_supervisor` and `subtree`.

    strategy: which siblings are touched by a restart. intensity: restarts allowed within `period` seconds. auto_shutdown: whether the end of
    significant children ends the tree. hook: receives every lifecycle record of the tree. conditions: called for the snapshot of what is
    shared that policies see. seed: of the dice that policies roll; dice: the dice themselves. name: the path's last word, "root" at the
    top. overdue: seconds after the end of grace until a child that still lives is reported, then again after twice the time. max_children: how
    many children may be added at run time; those that come back count, and those that are down and kept. redact: sees the whole message of
    every crash before it is kept in an exit or a record, and gives what may be kept of it.
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
    max_children: float
    redact: Callable[[str], str] | None


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
    max_children: float = inf
    redact: Callable[[str], str] | None = None

    def __attrs_post_init__(self) -> None:
        for field, kind in (("strategy", Strategy), ("auto_shutdown", AutoShutdown)):
            if not isinstance(getattr(self, field), kind):
                raise BadSpec("supervisor", field, getattr(self, field), f"give a member of {kind.__name__}")
        if not is_whole(self.intensity) or self.intensity < 0:
            raise BadSpec("supervisor", "intensity", self.intensity, "give a whole number from 0")
        for field in ("period", "overdue"):
            seconds = getattr(self, field)
            if not is_seconds(seconds) or not isfinite(seconds) or seconds <= 0:
                raise BadSpec("supervisor", field, seconds, "give seconds above 0")
        for field in ("hook", "conditions", "redact"):
            check_callable("supervisor", field, getattr(self, field))
        self._check_more()

    def _check_more(self) -> None:
        if self.max_children != inf and (not is_whole(self.max_children) or self.max_children < 0):
            raise BadSpec("supervisor", "max_children", self.max_children, "give a whole number from 0, or inf")
        if self.name is not None and (not isinstance(self.name, str) or not self.name):  # pyright: ignore[reportUnnecessaryIsInstance] - not everyone runs a type checker
            raise BadSpec("supervisor", "name", self.name, "give a non-empty string, or None")
        if self.seed is not None and not is_whole(self.seed):
            raise BadSpec("supervisor", "seed", self.seed, "give a whole number, or None")
        if self.dice is not None and not callable(getattr(self.dice, "random", None)):
            raise BadSpec("supervisor", "dice", self.dice, "give a random.Random, or None")

    def check(self, child: Child) -> None:
        """Whether `child` fits under these flags.

        Raises:
            BadSpec: It is significant, and the tree would not mind its end.
        """
        if child.significant and self.auto_shutdown is AutoShutdown.NEVER:
            raise BadSpec(child.id, "significant", True, "auto_shutdown of its supervisor is NEVER: choose when to end")

    def check_all(self, children: Sequence[Child]) -> None:
        """Whether `children` fit under these flags, and beside one another.

        Raises:
            BadSpec: One does not, or two have one id.
        """
        known = set[str]()
        for child in children:
            if not isinstance(child, Child):  # pyright: ignore[reportUnnecessaryIsInstance] - the same
                raise BadSpec("supervisor", "children", child, "give Child specs")
            if child.id in known:
                raise BadSpec(child.id, "id", child.id, "a sibling has it already: give each child its own")
            known.add(child.id)
            self.check(child)

    def inherit(self, above: "Settings | None", path: tuple[str, ...]) -> "Settings":
        """These settings, with what was left open taken from the supervisor above; each supervisor of a seeded tree has its own dice."""
        seed = above.seed if self.seed is None and above is not None else self.seed
        dice = self.dice or random.Random(None if seed is None else f"{seed}/{'/'.join(path)}")  # noqa: S311 - jitter, not secrets
        if above is None:
            return attrs.evolve(self, seed=seed, dice=dice)
        return attrs.evolve(
            self,
            seed=seed,
            dice=dice,
            hook=self.hook or above.hook,
            conditions=self.conditions or above.conditions,
            redact=self.redact or above.redact,
        )
