"""The rungs of recovery as a person writes them down: where a stream runs, how often it is retried, where it goes next.

Inert values; what they mean is in policy/directive.py.  Rungs are climbed in order and none is climbed twice.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TypeAlias

import attrs

from actors.route import Route
from supervisor import Retry


class Seam(Enum):
    """What happens to a stream that breaks after content was delivered.

    `RESTART`: the consumer is told to discard the attempt, the answer begins anew.  `FAIL`: stop and hand over the partial.  `RESUME` asks
    for the provider's own resumption, `CONTINUE` to go on from the partial text; no route offers either yet, and where none does both
    restart.  Before the first content all four are the same.
    """

    RESTART = "restart"
    RESUME = "resume"
    CONTINUE = "continue"
    FAIL = "fail"


@attrs.frozen
class Switch:
    """Go to another route, given as `provider:model` or a `Route`."""

    route: Route = attrs.field(converter=Route.parse)


@attrs.frozen
class Buffered:
    """Once, on the route in force, ask for the answer in one piece instead of a stream."""


Rung: TypeAlias = Retry | Switch | Buffered


@attrs.frozen(init=False)
class Ladder:
    """A first route and the rungs after it: `Ladder("anthropic:a", Retry(5), Switch("openai:b"), Buffered())`.

    `Retry(n)` allows up to n attempts on the route in force where it stands; a route without one is asked once.
    """

    route: Route
    rungs: tuple[Rung, ...]

    def __init__(self, route: str | Route, *rungs: Rung) -> None:
        for rung in rungs:
            if not isinstance(rung, Retry | Switch | Buffered):  # pyright: ignore[reportUnnecessaryIsInstance] -- untyped callers
                message = f"a rung is Retry(...), Switch(...) or Buffered(), not {rung!r}"
                raise TypeError(message)
        self.__attrs_init__(Route.parse(route), rungs)  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType] -- attrs makes it

    @classmethod
    def over(cls, routes: Iterable[str | Route], *, attempts: int = 5, retry: Retry | None = None) -> "Ladder":
        """The usual ladder over several routes: up to `attempts` on each in turn, and one buffered attempt on the last.

        `retry` is what holds on each of them instead, waits included.
        """
        first, *others = routes
        again = retry or Retry(attempts)
        rungs: list[Rung] = [again]
        for route in others:
            rungs += [Switch(route), again]
        return cls(first, *rungs, Buffered())

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route of the ladder, in order."""
        return (self.route, *(rung.route for rung in self.rungs if isinstance(rung, Switch)))

    def with_routes(self, change: Callable[[Route], Route]) -> "Ladder":
        """The same rungs, and every route as `change` gives it."""
        rungs = (Switch(change(rung.route)) if isinstance(rung, Switch) else rung for rung in self.rungs)
        return Ladder(change(self.route), *rungs)


def as_ladder(ladder: "Ladder | Route | str") -> Ladder:
    """A ladder out of whatever a caller may give: a ladder, or a route alone, which gets the usual one."""
    return ladder if isinstance(ladder, Ladder) else Ladder.over([ladder])
