"""What people are told: complete, short, in their words."""

import re

import pytest

from actors.catalogue import ADVICE, PLACES, advise
from actors.config import PROVIDERS
from actors.failure import FailureKind


@pytest.mark.promise("P14")
@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("provider", ["", "somebody", *PROVIDERS])
def test_every_kind_has_advice_without_gaps_or_class_names(kind, provider):
    advice = advise(kind, provider)
    for sentence in (advice.happened, advice.remedy):
        assert 10 < len(sentence) < 120
        assert "{" not in sentence
        assert not re.search(r"[a-z][A-Z]|Error|Exception", sentence)
        assert not sentence.endswith(".")


def test_the_advice_names_the_variable_of_the_provider():
    assert "OPENAI_API_KEY" in advise(FailureKind.INVALID_KEY, "openai").remedy
    assert "GEMINI_BASE_URL" in advise(FailureKind.REFUSED, "google").remedy
    assert PLACES["anthropic"].status in advise(FailureKind.OVERLOADED, "anthropic").remedy


def test_the_table_has_nothing_beside_the_kinds():
    assert set(ADVICE) == set(FailureKind)


@pytest.mark.parametrize(
    "phrase",
    [
        "Rate limited",
        "Invalid credentials",
        "Connection refused",
        "Memory exhausted",
        "Service unavailable",
        "Operation interrupted",
    ],
)
def test_the_phrases_operators_search_for_are_titles(phrase):
    assert phrase in {kind.title for kind in FailureKind}
