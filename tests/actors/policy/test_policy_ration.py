"""The N/M that people read is what the judgement does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.deltas import Progress, Reach
from actors.failure import Category, Failure, FailureKind
from actors.kinds import SILENT
from actors.ladder import Buffered, Ladder, Seam, Switch
from actors.policy.directive import Broken, Conditions, Leg, Try, direct
from actors.policy.ration import Ration, ration
from supervisor import Retry

KINDS = [kind for kind in FailureKind if kind.category is not Category.CONTEXT]


def climbed(ladder, seam, kinds, progress=None):
    """The tries of a stream whose attempts fail like this, the last kind for ever."""
    leg, tries, now = Leg(ladder.route), [], 0.0
    for kind in [*kinds, *[kinds[-1]] * 40]:
        tries.append(Try(leg, now, Broken(Failure(kind), progress or Progress())))
        onward = direct(ladder, seam, tries, Conditions(), now, 0.5)
        yield list(tries), onward
        if onward is None:
            return
        leg, now = onward.leg, now + onward.after


LADDERS = [
    Ladder("a:m"),
    Ladder("a:m", Retry(5)),
    Ladder("a:m", Retry(2), Buffered()),
    Ladder("a:m", Retry(4), Switch("b:n"), Retry(3), Buffered(), Retry(2)),
    Ladder("a:m", Switch("b:n"), Retry(6)),
]


@pytest.mark.parametrize("ladder", LADDERS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seam", [Seam.RESTART, Seam.FAIL])
def test_failures_of_one_kind_are_counted_up_to_the_limit_that_was_announced(ladder, kind, seam):
    steps = list(climbed(ladder, seam, [kind], Progress(Reach.TEXT, 1, 3)))
    for tries, onward in steps:
        spent = ration(ladder, seam, tries)
        repeats = onward is not None and onward.leg.route == tries[-1].leg.route
        assert repeats == (spent.tries < spent.limit)


@given(st.sampled_from(LADDERS), st.lists(st.sampled_from(KINDS), min_size=1, max_size=8))
def test_no_attempt_is_numbered_above_its_limit(ladder, kinds):
    for tries, _ in climbed(ladder, Seam.RESTART, kinds):
        spent = ration(ladder, Seam.RESTART, tries)
        here = [past for past in tries if past.leg.route == tries[-1].leg.route]
        assert 1 <= spent.tries == len(here) <= spent.limit


def test_a_silent_route_has_no_second_attempt_while_another_is_left():
    kind = next(iter(SILENT))
    tries = [Try(Leg(LADDERS[3].route), 0.0, Broken(Failure(kind)))]
    assert ration(LADDERS[3], Seam.RESTART, tries) == Ration(1, 1)
    assert ration(LADDERS[1], Seam.RESTART, tries) == Ration(1, 5)
