"""The arithmetic of reports: sums, steps and quantiles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.deltas import Usage
from actors.failure import Failure, FailureKind
from actors.observe.quantiles import Quantiles
from actors.observe.report import Latency, Step, Tally, step_between
from actors.outcome import Attempt, Outcome, Status
from actors.route import Route

A, B = Route("anthropic", "a"), Route("anthropic", "b")
ROUTES = st.sampled_from([A, B, A.buffered, B.buffered])
KINDS = st.sampled_from(
    [FailureKind.OVERLOADED, FailureKind.RATE_LIMIT, FailureKind.TRUNCATED, FailureKind.INVALID_KEY]
)
SECONDS = st.floats(0.001, 1000)


@st.composite
def outcomes(draw):
    status = draw(st.sampled_from(Status))
    routes = draw(st.lists(ROUTES, min_size=1, max_size=6))
    now, attempts = draw(st.floats(0, 1e4)), []
    for number, route in enumerate(routes, 1):
        last = number == len(routes)
        lived = draw(SECONDS)
        failure = None if last and status is not Status.FAILED else Failure(draw(KINDS), provider="anthropic")
        attempts.append(
            Attempt(number, route, now, now + lived, draw(st.sampled_from([None, now + lived / 2])), failure=failure)
        )
        now += lived + draw(SECONDS)
    usage = Usage(input_tokens=draw(st.integers(0, 999)), output_tokens=draw(st.integers(0, 999)))
    failure = attempts[-1].failure if status is Status.FAILED else None
    return Outcome(status, usage=usage, attempts=tuple(attempts), failure=failure)


def tallied(made, seconds=1.0):
    tally = Tally()
    for outcome in made:
        tally.add(outcome)
    return tally.report(seconds)


@given(st.lists(outcomes(), max_size=8))
def test_every_attempt_and_every_step_is_counted_once(made):
    report = tallied(made)
    assert report.streams == len(made)
    assert report.attempts == sum(len(outcome.attempts) for outcome in made)
    assert report.steps.total() == report.attempts - len(made)
    assert report.usage.output_tokens == sum(outcome.usage.output_tokens for outcome in made)


@given(st.lists(outcomes(), max_size=8))
def test_troubles_add_up_to_the_failed_attempts_and_the_failed_streams(made):
    report = tallied(made)
    failed = [attempt for outcome in made for attempt in outcome.attempts if attempt.failure]
    assert sum(trouble.attempts for trouble in report.troubles) == len(failed)
    assert sum(trouble.streams for trouble in report.troubles) == report.statuses[Status.FAILED]
    weights = [(trouble.streams, trouble.attempts) for trouble in report.troubles]
    assert weights == sorted(weights, reverse=True)
    assert report.worst == report.troubles[:3]


@given(st.lists(outcomes(), max_size=8), st.randoms())
def test_the_order_of_outcomes_changes_no_figure(made, random):
    shuffled = list(made)
    random.shuffle(shuffled)
    one, other = tallied(made), tallied(shuffled)
    assert (one.statuses, one.steps, one.usage, one.total) == (other.statuses, other.steps, other.usage, other.total)


@given(st.lists(outcomes(), max_size=8))
def test_only_completed_streams_are_timed(made):
    done = [outcome for outcome in made if outcome.completed]
    report = tallied(made)
    assert (report.total == Latency()) is (not done)
    assert (report.first_content == Latency()) is all(outcome.attempts[-1].first_content is None for outcome in done)


def test_latency_counts_from_the_first_attempt_and_to_the_content_that_stayed():
    attempts = (
        Attempt(1, A, 10.0, 11.0, 10.1, failure=Failure(FailureKind.TRUNCATED)),
        Attempt(2, A, 12.0, 14.0, 12.5),
    )
    report = tallied([Outcome(Status.COMPLETED, attempts=attempts)])
    assert report.first_content.p50 == pytest.approx(2.5, rel=0.01)
    assert report.total.p99 == pytest.approx(4.0, rel=0.01)


@pytest.mark.parametrize(
    ("before", "after", "step"),
    [
        (A, A, Step.RETRY),
        (A, B, Step.SWITCH),
        (A, A.buffered, Step.DEGRADE),
        (A.buffered, A.buffered, Step.RETRY),
        (A, B.buffered, Step.SWITCH),
        (A, Route("openai", "a"), Step.SWITCH),
    ],
)
def test_a_step_is_told_from_the_two_routes(before, after, step):
    assert step_between(before, after) is step


def test_a_failure_without_any_attempt_is_a_trouble_too():
    failure = Failure(FailureKind.INVALID_REQUEST, "no", provider="anthropic")
    (trouble,) = tallied([Outcome(Status.FAILED, failure=failure)]).worst
    assert (trouble.attempts, trouble.streams, trouble.latest) == (0, 1, failure)


def test_the_same_failure_at_two_providers_is_two_troubles():
    attempts = tuple(
        Attempt(number, Route(provider, "m"), 0.0, 1.0, failure=Failure(FailureKind.OVERLOADED, provider=provider))
        for number, provider in enumerate(["anthropic", "openai", "openai"], 1)
    )
    first, second = tallied([Outcome(Status.INTERRUPTED, attempts=attempts)]).worst
    assert [(trouble.latest.provider, trouble.attempts) for trouble in (first, second)] == [
        ("openai", 2),
        ("anthropic", 1),
    ]
    assert "openai" in first.advice.happened


def test_tokens_a_second_are_those_of_the_whole_run():
    outcome = Outcome(Status.COMPLETED, usage=Usage(output_tokens=300))
    assert tallied([outcome], seconds=2.0).tokens_a_second == 150
    assert tallied([outcome], seconds=0.0).tokens_a_second == 0


@given(st.lists(st.floats(1e-5, 1e6), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_quantile_is_within_one_percent_of_the_true_one(figures, share):
    quantiles = Quantiles()
    for figure in figures:
        quantiles.add(figure)
    true = sorted(figures)[max(1, math.ceil(share * len(figures))) - 1]
    assert quantiles.at(share) == pytest.approx(true, rel=0.0100001)


def test_quantiles_of_nothing_are_none_and_of_much_take_little():
    quantiles = Quantiles()
    assert quantiles.at(0.5) is None
    for number in range(20_000):
        quantiles.add(0.001 * number)
    assert len(quantiles._buckets) < 900
    quantiles.add(-1.0)
    assert quantiles.at(0) == pytest.approx(1e-6, rel=0.01)
