"""What becomes of a failure if it does not go away: the judgement asked again and again, and what it answers.

Pure, and no second opinion: the very `direct` that streams stand on is played through, without dice and with the clock that its own waits
make.
"""

import attrs

from actors.failure import Failure
from actors.kinds import Disposition
from actors.ladder import Ladder, Seam
from actors.policy.directive import Broken, Conditions, Leg, Try, direct
from actors.route import Route
from supervisor import Retry

MIDDLE = 0.5
"""The roll that jitter leaves as it is."""

_HERE, _THERE = "the-same-provider:model", "another-provider:model"


@attrs.frozen
class Prospects:
    """How a stream goes on that meets the same failure every time, on the usual ladder.

    `waits`: seconds before each further attempt on the same route, as a stream.  `buffered`: whether it is then asked for in one piece.
    `elsewhere`: whether another route is tried where the ladder has one; `first_elsewhere`: before it is asked again on the same.
    """

    waits: tuple[float, ...]
    buffered: bool
    elsewhere: bool
    first_elsewhere: bool

    @property
    def retried(self) -> bool:
        """Whether the same route is asked again."""
        return bool(self.waits)

    @property
    def attempts(self) -> int:
        """Attempts on one route, the first included."""
        return 1 + len(self.waits)

    @property
    def seconds(self) -> float:
        """How long all the waiting takes."""
        return sum(self.waits)


USUAL = Retry(5)
"""How often a route is asked where nobody says otherwise."""


def prospects(failure: Failure, retry: Retry = USUAL) -> Prospects:
    """What is ahead of a stream that failed so, on the usual ladder with these retries."""
    alone = _climb(failure, Ladder.over([_HERE], retry=retry))
    both = _climb(failure, Ladder.over([_HERE, _THERE], retry=retry))
    same = Route.parse(_HERE)
    here = tuple(onward.after for onward in alone if onward.leg.route == same)
    elsewhere = any(onward.leg.route.name == _THERE for onward in both)
    first = bool(both) and both[0].leg.route.name == _THERE
    return Prospects(here, any(not onward.leg.route.streams for onward in alone), elsewhere, first)


def _climb(failure: Failure, ladder: Ladder) -> list["_Onward"]:
    """Every step of a stream that fails in this way on its first route until it has left it, or has nowhere to go."""
    leg, now = Leg(ladder.route), 0.0
    tries: list[Try] = []
    steps: list[_Onward] = []
    while leg.route.name == ladder.route.name and leg.route.streams:
        tries.append(Try(leg, now, Broken(_at(failure, leg))))
        onward = direct(ladder, Seam.RESTART, tries, Conditions(), now, MIDDLE)
        if onward is None:
            break
        steps.append(_Onward(onward.leg, onward.after))
        leg, now = onward.leg, now + onward.after
    return steps


def _at(failure: Failure, leg: Leg) -> Failure:
    provider, _, model = leg.route.name.partition(":")
    return attrs.evolve(failure, provider=provider, model=model)


@attrs.frozen
class _Onward:
    leg: Leg
    after: float


def reason(failure: Failure) -> str:
    """Why it is retried or not, in one sentence."""
    return _REASONS[failure.disposition]


_REASONS = {
    Disposition.RETRY: "the same request on the same route can succeed, later",
    Disposition.ELSEWHERE: "the same route would fail again; another one may answer",
    Disposition.DEGRADE: "the same answer is asked for in one piece, which takes less memory",
    Disposition.STOP: "the request itself would fail again, anywhere",
    Disposition.LEAVE: "nobody waits for the answer any more",
}
