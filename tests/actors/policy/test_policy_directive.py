"""The directive table: exit x progress x seam x conditions x history, before any task runs it."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.deltas import Progress, Reach
from actors.failure import Disposition, Failure, FailureKind, Phase
from actors.ladder import Buffered, Ladder, Seam, Switch
from actors.policy.decisions import CAPS, OF_THE_ACCOUNT
from actors.policy.directive import Broken, Conditions, Leg, Onward, Try, direct, first_leg
from actors.route import Route
from supervisor import Backoff, Retry

K = FailureKind
A, A2, B = Route.parse("anthropic:a"), Route.parse("anthropic:a2"), Route.parse("openai:b")
TEXT = Progress(Reach.TEXT, 3, 12)
NOTHING = Progress()
EVEN = 0.5  # the roll that adds no jitter


def tried(kind=K.OVERLOADED, route=A, rung=-1, ended=10.0, progress=NOTHING, retry_after=None):
    failure = Failure(kind, phase=Phase.STREAMING, retry_after=retry_after)
    return Try(Leg(route, rung), ended, Broken(failure, progress))


def after(ladder, *tries, seam=Seam.RESTART, conditions=None, now=10.0, roll=EVEN):
    return direct(ladder, seam, tries, conditions or Conditions(), now, roll)


FULL = Ladder(A, Retry(5), Switch(B), Buffered())

FIRST_FAULT = [
    # what broke the first attempt, where the full ladder goes
    (K.RATE_LIMIT, Onward(Leg(A, 0), 1.0)),
    (K.OVERLOADED, Onward(Leg(A, 0), 1.0)),
    (K.UNAVAILABLE, Onward(Leg(A, 0), 1.0)),
    (K.SERVER, Onward(Leg(A, 0), 1.0)),
    (K.CONNECT_TIMEOUT, Onward(Leg(A, 0), 1.0)),
    (K.TIMEOUT, Onward(Leg(A, 0), 1.0)),
    (K.RESET, Onward(Leg(A, 0), 1.0)),
    (K.REFUSED, Onward(Leg(A, 0), 1.0)),
    (K.DNS_TEMPORARY, Onward(Leg(A, 0), 1.0)),
    (K.TRUNCATED, Onward(Leg(A, 0), 1.0)),
    (K.MALFORMED, Onward(Leg(A, 0), 1.0)),
    (K.FILES, Onward(Leg(A, 0), 1.0)),
    (K.CPU, Onward(Leg(A, 0), 2.0)),
    (K.FIRST_EVENT_TIMEOUT, Onward(Leg(B, 1), 0.0)),
    (K.FIRST_CONTENT_TIMEOUT, Onward(Leg(B, 1), 0.0)),
    (K.STALLED, Onward(Leg(B, 1), 0.0)),
    (K.TOTAL_TIMEOUT, Onward(Leg(B, 1), 0.0)),
    (K.DNS_PERMANENT, Onward(Leg(B, 1), 0.0)),
    (K.TLS, Onward(Leg(B, 1), 0.0)),
    (K.PROTOCOL, Onward(Leg(B, 1), 0.0)),
    (K.INVALID_KEY, Onward(Leg(B, 1), 0.0)),
    (K.MISSING_KEY, Onward(Leg(B, 1), 0.0)),
    (K.EXPIRED_KEY, Onward(Leg(B, 1), 0.0)),
    (K.PERMISSION, Onward(Leg(B, 1), 0.0)),
    (K.QUOTA, Onward(Leg(B, 1), 0.0)),
    (K.MODEL_UNAVAILABLE, Onward(Leg(B, 1), 0.0)),
    (K.CONTEXT_WINDOW, Onward(Leg(B, 1), 0.0)),
    (K.MEMORY, Onward(Leg(A.buffered, 2), 0.0)),
    (K.PROGRAM, Onward(Leg(B, 1), 0.0)),
    (K.INVALID_REQUEST, None),
    (K.TOO_LARGE, None),
    (K.ANSWER_SIZE, None),
    (K.DIVERGED, None),
    (K.POLICY, None),
    (K.TOOL_JSON, None),
    (K.UNKNOWN_TOOL, None),
    (K.CRASH, None),
    (K.UNKNOWN, None),
    (K.CANCELLED, None),
    (K.DEADLINE, None),
]


@pytest.mark.parametrize(("kind", "expected"), FIRST_FAULT, ids=[kind.label for kind, _ in FIRST_FAULT])
def test_the_first_fault_goes_where_the_table_says(kind, expected):
    assert after(FULL, tried(kind)) == expected


def test_the_table_names_every_kind():
    assert {kind for kind, _ in FIRST_FAULT} == set(FailureKind)


def test_retries_wait_one_two_four_eight_seconds_then_switch():
    history, seen = [], []
    for number in range(5):
        history.append(tried(rung=-1 if number == 0 else 0, ended=10.0 + number))
        seen.append(after(FULL, *history, now=10.0 + number))
    assert seen == [*(Onward(Leg(A, 0), wait) for wait in (1.0, 2.0, 4.0, 8.0)), Onward(Leg(B, 1), 0.0)]


@pytest.mark.row("K6")
def test_the_attempt_in_one_piece_waits_as_the_retries_before_it_do():
    own = Retry(1, backoff=Backoff(initial=0.25))
    for retry, wait in ((own, 0.25), (Retry(1), 1.0)):
        assert after(Ladder(A, retry, Buffered()), tried()) == Onward(Leg(A.buffered, 1), wait)
    assert after(Ladder(A, Retry(2), Switch(B), own, Buffered()), tried(), tried(route=B, rung=1)).after == 0.25
    assert after(Ladder(A, Retry(1, within=0.5), Buffered()), tried()) is None


def test_a_route_without_retry_is_asked_once():
    assert after(Ladder(A, Switch(B)), tried()) == Onward(Leg(B, 0), 0.0)


def test_the_last_rung_is_not_climbed_twice():
    once = after(Ladder(A, Buffered()), tried(K.TRUNCATED))
    assert once == Onward(Leg(A.buffered, 0), 0.0)
    assert after(Ladder(A, Buffered()), tried(K.TRUNCATED), tried(K.TRUNCATED, A.buffered, 0)) is None


def test_a_retry_after_a_switch_holds_for_the_new_route():
    ladder = Ladder(A, Switch(B), Retry(2))
    assert after(ladder, tried(), tried(route=B, rung=0)) == Onward(Leg(B, 1), 1.0)
    assert after(ladder, tried(), tried(route=B, rung=0), tried(route=B, rung=1)) is None


@pytest.mark.parametrize("kind", [K.FIRST_EVENT_TIMEOUT, K.FIRST_CONTENT_TIMEOUT, K.STALLED])
def test_a_silent_route_is_asked_again_only_when_no_other_is_left(kind):
    assert after(Ladder(A, Retry(5)), tried(kind)) == Onward(Leg(A, 0), 1.0)
    assert after(Ladder(A, Retry(5), Switch(B)), tried(kind)) == Onward(Leg(B, 1), 0.0)


@pytest.mark.parametrize("kind", sorted(OF_THE_ACCOUNT, key=lambda kind: kind.label))
def test_trouble_with_the_account_is_not_taken_to_another_model_of_the_same_provider(kind):
    assert after(Ladder(A, Switch(A2), Switch(B)), tried(kind)) == Onward(Leg(B, 1), 0.0)
    assert after(Ladder(A, Switch(A2)), tried(kind)) is None


@pytest.mark.parametrize(("kind", "cap"), CAPS.items(), ids=[kind.label for kind in CAPS])
def test_a_kind_with_a_cap_is_not_retried_beyond_it(kind, cap):
    history = [tried(kind, rung=-1 if number == 0 else 0) for number in range(cap)]
    assert after(FULL, *history[:-1]).leg.route == A
    assert after(FULL, *history) == Onward(Leg(B, 1), 0.0)


class TestSeam:
    def test_fail_ends_the_climb_once_content_was_delivered(self):
        assert after(FULL, tried(K.RESET, progress=TEXT), seam=Seam.FAIL) is None

    @pytest.mark.parametrize("seam", Seam)
    def test_before_the_first_content_all_seams_are_the_same(self, seam):
        assert after(FULL, tried(K.RESET), seam=seam) == Onward(Leg(A, 0), 1.0)

    @pytest.mark.parametrize("seam", [Seam.RESTART, Seam.RESUME, Seam.CONTINUE])
    def test_the_other_seams_climb_also_after_content(self, seam):
        assert after(FULL, tried(K.RESET, progress=TEXT), seam=seam) == Onward(Leg(A, 0), 1.0)


class TestTime:
    def test_retry_after_is_obeyed_when_it_fits(self):
        assert after(FULL, tried(K.RATE_LIMIT, retry_after=65.0)) == Onward(Leg(A, 0), 65.0)

    def test_retry_after_beyond_the_budget_switches(self):
        assert after(FULL, tried(K.RATE_LIMIT, retry_after=121.0)) == Onward(Leg(B, 1), 0.0)

    def test_no_wait_ends_after_the_budget_counted_from_the_first_failure(self):
        history = [tried(ended=0.0), tried(rung=0, ended=118.5)]
        assert after(FULL, *history, now=118.0) == Onward(Leg(A, 0), 2.0)
        assert after(FULL, *history, now=118.5) == Onward(Leg(B, 1), 0.0)

    def test_content_starts_the_budget_and_the_backoff_anew(self):
        history = [tried(ended=0.0), tried(rung=0, ended=90.0), tried(rung=0, ended=200.0, progress=TEXT)]
        assert after(FULL, *history, now=200.0) == Onward(Leg(A, 0), 1.0)

    def test_jitter_stays_within_a_tenth(self):
        assert after(FULL, tried(), roll=0.0).after == pytest.approx(0.9)
        assert after(FULL, tried(), roll=1.0).after == pytest.approx(1.1)


class TestConditions:
    def test_an_open_breaker_is_waited_for_when_nobody_else_is_left(self):
        paused = Conditions(open_until={A.name: 40.0})
        assert after(Ladder(A, Retry(5)), tried(), conditions=paused) == Onward(Leg(A, 0), 30.0)

    def test_an_open_breaker_is_not_waited_for_while_another_route_is_left(self):
        assert after(FULL, tried(), conditions=Conditions(open_until={A.name: 40.0})) == Onward(Leg(B, 1), 0.0)

    def test_a_stream_begins_where_no_breaker_is_open(self):
        assert first_leg(FULL, Conditions(), 10.0) == Leg(A)
        assert first_leg(FULL, Conditions(open_until={A.name: 40.0}), 10.0) == Leg(B, 1)
        assert first_leg(FULL, Conditions(open_until={A.name: 40.0, B.name: 40.0}), 10.0) == Leg(A)

    def test_an_open_breaker_beyond_the_budget_switches(self):
        assert after(FULL, tried(), conditions=Conditions(open_until={A.name: 400.0})) == Onward(Leg(B, 1), 0.0)

    def test_a_route_behind_an_open_breaker_is_passed_over_while_another_is_left(self):
        ladder = Ladder(A, Switch(B), Switch("gemini:c"))
        closed = Conditions(open_until={B.name: 40.0})
        assert after(ladder, tried(), conditions=closed) == Onward(Leg(Route.parse("gemini:c"), 1), 0.0)
        assert after(Ladder(A, Switch(B)), tried(), conditions=closed) == Onward(Leg(B, 0), 30.0)

    def test_an_empty_retry_budget_allows_no_retry(self):
        assert after(FULL, tried(), conditions=Conditions(tokens={"anthropic": 0.5})) == Onward(Leg(B, 1), 0.0)
        assert after(Ladder(A, Retry(5)), tried(), conditions=Conditions(tokens={"anthropic": 0.5})) is None

    def test_an_empty_retry_budget_allows_one_piece_only_where_streaming_is_the_trouble(self):
        poor = Conditions(tokens={"anthropic": 0.5})
        assert after(Ladder(A, Buffered()), tried(K.RATE_LIMIT), conditions=poor) is None
        assert after(Ladder(A, Buffered()), tried(K.TRUNCATED), conditions=poor) == Onward(Leg(A.buffered, 0), 0.0)


routes = st.sampled_from([A, A2, B, Route.parse("gemini:c")])
rungs = st.one_of(st.integers(1, 6).map(Retry), routes.map(Switch), st.just(Buffered()))
ladders = st.builds(lambda route, rest: Ladder(route, *rest), routes, st.lists(rungs, max_size=6))
kinds = st.sampled_from(list(FailureKind))
progress = st.sampled_from(
    [NOTHING, TEXT, Progress(Reach.THINKING, 1, 5), Progress(Reach.TOOL_CALL, 2, 9, Reach.TOOL_CALL)]
)
breaks = st.lists(st.tuples(kinds, progress, st.floats(0, 200), st.floats(0, 100)), min_size=1, max_size=40)


def climb(ladder, seam, weather, roll=EVEN, conditions=None):
    """The attempts a stream makes in this weather: (try, onward) until it ends or the weather does."""
    tries, route, rung, now, told = [], ladder.route, -1, 0.0, []
    for kind, reached, retry_after, took in weather:
        now += took
        tries.append(Try(Leg(route, rung), now, Broken(Failure(kind, retry_after=retry_after), reached)))
        onward = direct(ladder, seam, tries, conditions or Conditions(), now, roll)
        told.append(onward)
        if onward is None:
            break
        route, rung, now = onward.leg.route, onward.leg.rung, now + onward.after
    return tries, told


@given(ladders, st.sampled_from(Seam), breaks, st.floats(0, 1, exclude_max=True))
def test_no_climb_breaks_the_rules(ladder, seam, weather, roll):
    tries, told = climb(ladder, seam, weather, roll)
    limit = max([rung.limit for rung in ladder.rungs if isinstance(rung, Retry)], default=1)
    for attempt, onward in zip(tries, told, strict=True):
        kind = attempt.broken.failure.kind
        if onward is None:
            continue
        assert kind.disposition not in {Disposition.STOP, Disposition.LEAVE}
        assert onward.leg.rung >= attempt.leg.rung
        assert onward.after >= 0
        assert onward.leg.route.buffered in {route.buffered for route in ladder.routes}
        if onward.leg.route == attempt.leg.route:
            assert isinstance(ladder.rungs[onward.leg.rung], Retry)
            assert onward.after >= (attempt.broken.failure.retry_after or 0)
        if seam is Seam.FAIL:
            assert not attempt.broken.progress.any
    per_rung = {rung: sum(1 for attempt in tries if attempt.leg.rung == rung) for rung in range(len(ladder.rungs))}
    assert all(count <= (limit if isinstance(ladder.rungs[rung], Retry) else 1) for rung, count in per_rung.items())


@given(ladders, st.sampled_from(Seam), kinds, progress)
def test_a_climb_ends_in_bad_weather_that_lasts(ladder, seam, kind, reached):
    tries, told = climb(ladder, seam, [(kind, reached, 0.0, 1.0)] * 60)
    assert told[-1] is None
    assert len(tries) <= 1 + sum(rung.limit if isinstance(rung, Retry) else 1 for rung in ladder.rungs)


@given(ladders, st.sampled_from(Seam), breaks)
def test_the_judgement_is_a_function_of_its_arguments(ladder, seam, weather):
    assert climb(ladder, seam, weather) == climb(ladder, seam, weather)


@given(ladders, breaks)
def test_more_trouble_never_gives_more_attempts(ladder, weather):
    """An empty retry budget and open breakers only ever take away."""
    freely, _ = climb(ladder, Seam.RESTART, weather)
    bound = Conditions(tokens={route.provider: 0.0 for route in ladder.routes})
    tightly, _ = climb(ladder, Seam.RESTART, weather, conditions=bound)
    assert sum(a.leg.rung >= 0 and isinstance(ladder.rungs[a.leg.rung], Retry) for a in tightly) == 0
    assert len(freely) >= 1
    assert attrs.asdict(freely[0]) == attrs.asdict(tightly[0])
