"""Which key the next attempt takes: turns, rests, refusals; and what the judgement makes of them."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import Failure, FailureKind, Ladder, Retry, Seam, Switch
from actors.failure import NextKey
from actors.policy.directive import MOST_KEYS, Broken, Conditions, Leg, Onward, Try, direct
from actors.policy.keyring import Keyring
from actors.policy.ration import ration
from actors.route import Route

K = FailureKind
ROUTE, OTHER = Route("anthropic", "a"), Route("openai", "b")


def taken(ring, times, now=0.0):
    places = []
    for _ in range(times):
        place, ring = ring.take(now)
        places.append(place)
    return places


@given(st.integers(1, 6), st.integers(1, 50))
def test_keys_share_the_load_evenly(number, times):
    places = taken(Keyring.of(number), times)
    counts = [places.count(place) for place in range(number)]
    assert max(counts) - min(counts) <= 1


def test_a_key_that_was_rate_limited_rests_as_long_as_was_asked():
    ring = Keyring.of(2).rested(0, until=10.0)
    assert taken(ring, 3, now=9.9) == [1, 1, 1]
    assert set(taken(ring, 2, now=10.0)) == {0, 1}


def test_where_all_keys_rest_the_one_that_is_back_first_is_taken():
    ring = Keyring.of(3).rested(0, 9.0).rested(1, 4.0).rested(2, 7.0)
    assert taken(ring, 2, now=1.0) == [1, 1]
    assert (ring.soonest(1.0), ring.another(1, 1.0), ring.another(1, 7.0)) == (3.0, False, True)


def test_a_refused_key_is_set_aside_until_it_is_answered_after_all():
    ring = Keyring.of(2).refused(0, now=1.0)
    assert taken(ring, 3, now=1e6) == [1, 1, 1]
    assert set(taken(ring.accepted(0), 2, now=1e6)) == {0, 1}
    assert ring.accepted(1) == ring


def test_where_all_keys_were_refused_the_one_of_longest_ago_is_asked():
    ring = Keyring.of(2).refused(1, now=1.0).refused(0, now=2.0)
    assert taken(ring, 1, now=3.0) == [1]
    assert ring.soonest(3.0) == 0.0


moves = st.lists(
    st.tuples(st.sampled_from(["take", "rest", "refuse", "accept", "renew"]), st.integers(0, 3), st.floats(0, 50))
)


@given(moves, st.floats(0, 100))
def test_whatever_happened_there_is_a_key_and_a_fresh_one_goes_first(moved, now):
    ring = Keyring.of(4)
    for move, place, number in moved:
        match move:
            case "take":
                _, ring = ring.take(number)
            case "rest":
                ring = ring.rested(place, number)
            case "refuse":
                ring = ring.refused(place, number)
            case "accept":
                ring = ring.accepted(place)
            case _:
                ring = ring.renewed(place)
    place, after = ring.take(now)
    assert ring.keys[place].fresh(now) or not any(hung.fresh(now) for hung in ring.keys)
    assert len(after.keys) == 4


# -- what follows


def tried(*failures, leg=None):
    return [Try(leg or Leg(ROUTE), float(at), Broken(failure)) for at, failure in enumerate(failures)]


def onward(tries, *rungs):
    return direct(Ladder(ROUTE, *rungs), Seam.RESTART, tries, Conditions(), now=len(tries) - 1.0, roll=0.5)


REFUSED = Failure(K.INVALID_KEY, status=401)
ANOTHER = attrs.evolve(REFUSED, next_key=NextKey.ANOTHER)
RENEWED = attrs.evolve(REFUSED, kind=K.EXPIRED_KEY, next_key=NextKey.RENEWED)
LIMITED = Failure(K.RATE_LIMIT, status=429, retry_after=40.0)


@pytest.mark.row("A14")
def test_a_renewed_key_gives_one_attempt_more_at_once_and_a_second_refusal_none():
    assert onward(tried(RENEWED)) == Onward(Leg(ROUTE), 0.0)
    assert onward(tried(RENEWED, RENEWED)) is None
    assert onward(tried(RENEWED, RENEWED), Switch(OTHER)) == Onward(Leg(OTHER, 0), 0.0)


def test_each_key_given_is_asked_once_whatever_the_ladder_allows():
    assert onward(tried(*[ANOTHER] * 3)) == Onward(Leg(ROUTE), 0.0)
    assert onward(tried(*[ANOTHER] * (MOST_KEYS + 1))) is None
    assert onward(tried(ANOTHER, REFUSED)) is None


def test_a_refused_key_is_charged_neither_to_the_attempts_nor_to_the_budget():
    tries = tried(ANOTHER, ANOTHER, Failure(K.SERVER, status=500))
    again = direct(Ladder(ROUTE, Retry(2)), Seam.RESTART, tries, Conditions(), now=2.0, roll=0.5)
    assert again.leg == Leg(ROUTE, 0)
    assert ration(Ladder(ROUTE, Retry(2)), Seam.RESTART, tries).tries == 1
    broke = Conditions(tokens={"anthropic": 0.0})
    assert direct(Ladder(ROUTE), Seam.RESTART, tries[:1], broke, now=0.0, roll=0.5) == Onward(Leg(ROUTE), 0.0)


def test_a_wait_that_was_asked_of_one_key_is_not_kept_by_another():
    fresh = attrs.evolve(LIMITED, next_key=NextKey.ANOTHER)
    assert onward(tried(fresh), Retry(3)) == Onward(Leg(ROUTE, 0), 0.0)
    assert onward(tried(LIMITED), Retry(3)).after == 40.0
    assert onward(tried(fresh, fresh, fresh), Retry(3)) is None
