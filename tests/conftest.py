"""What all tests share: the behaviours that a test shows can be asked for by number, `pytest -k A15`; `-k A1.` is not A15."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers("row"):
            item.extra_keyword_matches.update(f"{name}." for name in mark.args)
