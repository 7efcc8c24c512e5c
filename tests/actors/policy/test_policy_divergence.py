"""The first place where two requests differ is found wherever it is, and shown in a few words."""

import copy
import json

from hypothesis import assume, given
from hypothesis import strategies as st

from actors.policy.divergence import FIELDS, first_difference, likeness

LEAF = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=60)
TREE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=9,
)
REQUESTS = st.dictionaries(st.sampled_from(FIELDS), TREE)


@given(REQUESTS)
def test_equal_requests_differ_nowhere(request):
    assert first_difference(request, copy.deepcopy(request)) is None


@given(REQUESTS, REQUESTS)
def test_a_difference_is_where_it_is_said_to_be(one, other):
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    difference = first_difference(one, other)
    assert at(one, difference.place) == difference.asked or repr(difference.asked) == "nothing"
    assert at(other, difference.place) == difference.recorded or repr(difference.recorded) == "nothing"
    assert len(str(difference)) <= 170


def at(value, place):
    for step in place:
        try:
            value = value[step]
        except (KeyError, IndexError):
            return None
    return value


def test_true_is_not_one():
    assert str(first_difference({"schema": {"x": True}}, {"schema": {"x": 1}})) == "schema.x is true, recorded is 1"


def test_the_route_and_the_messages_are_looked_at_first():
    one = {"limits": 1, "system": "a", "messages": ["x"], "model": "m"}
    other = {"limits": 2, "system": "b", "messages": ["y"], "model": "n"}
    assert first_difference(one, other).place == ("model",)
    assert first_difference({**one, "model": "n"}, other).place == ("messages", 0)


def test_a_longer_text_is_shown_from_where_the_shorter_one_ends():
    shown = str(first_difference({"system": "a" * 40}, {"system": "a" * 40 + "and more"}))
    assert shown == "system is '…aaaaaaaa', recorded is '…aaaaaaaaand more'"


def test_a_deep_place_is_clipped():
    one, other = 1, 2
    for number in range(20):
        one, other = {f"field{number}": one}, {f"field{number}": other}
    place, _, rest = str(first_difference({"schema": one}, {"schema": other})).partition(" is ")
    assert (len(place), place[-1], rest) == (60, "…", "1, recorded is 2")


def test_more_messages_in_common_are_a_greater_likeness():
    asked = {"provider": "a", "messages": ["one", "two", "three"]}
    near, far = {"provider": "a", "messages": ["one", "two", "3"]}, {"provider": "a", "messages": ["1", "two", "three"]}
    assert likeness(asked, near) > likeness(asked, far) > likeness(asked, {**near, "provider": "b"})
