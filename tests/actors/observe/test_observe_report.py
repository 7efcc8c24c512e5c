"""The arithmetic of reports: sums, steps and quantiles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.config import Settings
from actors.deltas import Usage
from actors.failure import CIRCUIT_OPEN, Failure, FailureKind
from actors.ladder import Ladder
from actors.observe.quantiles import Quantiles
from actors.observe.report import Latency, Step, Tally, step_between
from actors.outcome import Attempt, Outcome, Status
from actors.policy.brakes import Brakes
from actors.providers.foreign import from_deltas
from actors.route import Route
from actors.streams import open_streams
from supervisor import Breaker

A, B = Route("anthropic", "a"), Route("anthropic", "b")
ROUTES = st.sampled_from([A, B, A.buffered, B.buffered])
KINDS = st.sampled_from(
    [FailureKind.OVERLOADED, FailureKind.RATE_LIMIT, FailureKind.TRUNCATED, FailureKind.INVALID_KEY]
)
HELD = Failure(FailureKind.UNAVAILABLE, provider="anthropic", model="a", code=CIRCUIT_OPEN)
SECONDS = st.floats(0.001, 1000)


@st.composite
def outcomes(draw):
    status = draw(st.sampled_from(Status))
    routes = draw(st.lists(ROUTES, min_size=1, max_size=6))
    now, attempts = draw(st.floats(0, 1e4)), []
    for number, route in enumerate(routes, 1):
        last = number == len(routes)
        lived = draw(SECONDS)
        broken = draw(st.one_of(st.just(HELD), st.builds(Failure, KINDS, provider=st.just("anthropic"))))
        failure = None if last and status is not Status.FAILED else broken
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
    held = sum(bool(one.failure and one.failure.held_back) for outcome in made for one in outcome.attempts)
    assert (report.held.total(), report.asked.total()) == (held, report.attempts - held)
    assert report.usage.output_tokens == sum(outcome.usage.output_tokens for outcome in made)


@given(st.lists(outcomes(), max_size=8))
def test_troubles_add_up_to_the_failed_attempts_and_the_failed_streams(made):
    report = tallied(made)
    attempts = [attempt for outcome in made for attempt in outcome.attempts]
    failed = [attempt for attempt in attempts if attempt.failure and not attempt.failure.held_back]
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


async def test_what_a_circuit_breaker_held_back_is_known_by_the_failure_it_leaves(autojump_clock):
    async def refuses(request, route):
        raise ConnectionRefusedError
        yield ""

    brakes = Brakes(breaker=Breaker(failures=1))
    async with open_streams(
        settings=Settings.read({}), providers={"mine": from_deltas(refuses)}, brakes=brakes
    ) as streams:
        sent, held = [await streams.ask("Why?", Ladder("mine:m")) for _ in range(2)]
    assert (sent.failure.held_back, held.failure.held_back) == (False, True)
    assert not Failure(FailureKind.UNAVAILABLE, status=503, code=CIRCUIT_OPEN).held_back


def test_streams_that_began_elsewhere_are_counted_for_the_route_they_passed_over():
    tally = Tally()
    for routes in ((A, B), (B,), (B, A), (A.buffered,), ()):
        attempts = tuple(Attempt(number, route, 0.0, 1.0) for number, route in enumerate(routes, 1))
        tally.add(Outcome(Status.COMPLETED, attempts=attempts), A)
    assert tally.report(1.0).passed == {"anthropic:a": 2}


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
