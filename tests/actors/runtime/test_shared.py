"""What attempts leave behind for the attempts of others: circuits and retry budgets, to the last slot and token."""

import pytest

from actors.failure import Failure, FailureKind, Phase
from actors.policy.brakes import Brakes
from actors.route import Route
from actors.runtime.shared import Pass, Shared
from supervisor import RetryBudget

ROUTE = Route.parse("anthropic:claude-one")
DOWN = Failure(FailureKind.UNAVAILABLE, status=503)
LEFT = Failure(FailureKind.CANCELLED)
SILENT_OF_HEALTH = [
    Failure(FailureKind.INVALID_REQUEST, "cannot be encoded"),
    Failure(FailureKind.FILES),
    Failure(FailureKind.MEMORY),
    Failure(FailureKind.DNS_PERMANENT),
    LEFT,
    Failure(FailureKind.CANCELLED, phase=Phase.STREAMING),
]
ANSWERED = [
    None,
    Failure(FailureKind.INVALID_REQUEST, status=400),
    Failure(FailureKind.RATE_LIMIT, status=429),
    Failure(FailureKind.TRUNCATED, phase=Phase.STREAMING),
]


def asked(shared, verdict, now=0.0):
    passed = shared.admit(ROUTE, now)
    assert isinstance(passed, Pass)
    shared.verdict(ROUTE, passed, verdict, now)


def is_open(shared, now=0.0):
    return ROUTE.name in shared.conditions(now).open_until


@pytest.mark.parametrize("verdict", SILENT_OF_HEALTH, ids=lambda failure: failure.kind.label)
def test_what_says_nothing_of_the_provider_neither_mends_nor_breaks_a_row_of_failures(verdict):
    shared = Shared(Brakes())
    for failure in (DOWN, DOWN, DOWN, DOWN, verdict):
        asked(shared, failure)
    assert not is_open(shared)
    asked(shared, DOWN)
    assert is_open(shared)


@pytest.mark.parametrize("verdict", ANSWERED, ids=lambda failure: failure.kind.label if failure else "complete")
def test_an_answer_of_any_kind_ends_a_row_of_failures(verdict):
    shared = Shared(Brakes())
    for failure in (DOWN, DOWN, DOWN, DOWN, verdict, DOWN):
        asked(shared, failure)
    assert not is_open(shared)


@pytest.mark.parametrize("verdict", SILENT_OF_HEALTH, ids=lambda failure: failure.kind.label)
def test_a_probe_without_a_verdict_gives_its_place_to_another_and_closes_nothing(verdict):
    shared = Shared(Brakes())
    for _ in range(5):
        asked(shared, DOWN)
    asked(shared, verdict, 20.0)
    assert shared.admit(ROUTE, 20.0) is Pass.PROBE
    assert shared.admit(ROUTE, 20.0).code == "circuit_open"


@pytest.mark.promise("P11")
def test_who_was_let_through_before_the_circuit_opened_has_no_place_to_give_back():
    shared = Shared(Brakes())
    crowd = [shared.admit(ROUTE, 0.0) for _ in range(25)]
    for passed in crowd[:5]:
        shared.verdict(ROUTE, passed, DOWN, 0.0)
    assert shared.admit(ROUTE, 20.0) is Pass.PROBE
    for passed in crowd[5:]:
        shared.verdict(ROUTE, passed, LEFT, 20.0)
        assert shared.admit(ROUTE, 20.0).code == "circuit_open"


@pytest.mark.promise("P11")
def test_attempts_that_were_not_let_through_earn_no_retries():
    shared = Shared(Brakes(budget=RetryBudget(burst=5.0)))
    for _ in range(5):
        asked(shared, DOWN)
    for _ in range(5):
        shared.repeated("anthropic", 0.0)
    for _ in range(100):
        assert shared.admit(ROUTE, 1.0).code == "circuit_open"
    assert shared.conditions(1.0).tokens["anthropic"] < 1
