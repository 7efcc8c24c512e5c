"""Bounds on an answer are numbers that JSON has, or refused where they are said."""

import math

import pytest

from actors import Limits


@pytest.mark.parametrize("name", ["temperature", "top_p"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_bound_that_is_no_number_is_refused_where_it_is_said(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number, not {value}; leave it out"):
        Limits(**{name: value})
    assert getattr(Limits(**{name: 0}), name) == 0
