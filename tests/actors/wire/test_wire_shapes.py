"""Fields of decoded JSON whose shape nobody promised."""

import pytest

from actors.wire.shapes import count_at, objects, text_at


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"a": {"b": 3}}, 3),
        ({"a": {"b": 3.0}}, 3),
        ({"a": {"b": "3"}}, 0),
        ({"a": 3}, 0),
        ({}, 0),
        (None, 0),
        ({"a": {"b": float("inf")}}, 0),
    ],
)
def test_a_count_is_the_number_at_the_end_of_the_path_or_nothing(fields, count):
    assert count_at(fields, "a", "b") == count


def test_what_has_another_shape_reads_as_absent():
    assert objects([{"a": 1}, 2, None]) == [{"a": 1}]
    assert objects({"a": 1}) == []
    assert text_at({"a": 1}, "a") == text_at({}, "a") == ""
