"""The pure decisions: backoff, window, plan, ladder, breaker, budget."""

from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from supervisor import (
    Again,
    AutoShutdown,
    Backoff,
    BadSpec,
    Breaker,
    Child,
    Circuit,
    CircuitState,
    Escalate,
    Exit,
    ExitKind,
    Next,
    Past,
    Restart,
    Retry,
    RetryBudget,
    Rungs,
    Stop,
    Strategy,
)
from supervisor.policy.intensity import charge
from supervisor.policy.response import comes_back
from supervisor.policy.strategy import Member, ends_tree, plan

RAIN = Exit(ExitKind.FAULT, "rain")
rolls = st.floats(0, 1, exclude_max=True)


def past(variant=None, rung=0, started=0.0, ended=0.0):
    return Past(1, variant, rung, ExitKind.FAULT, "rain", started, ended)


# --- backoff


@given(st.integers(1, 10_000), rolls, st.floats(0, 100), st.floats(1, 10), st.floats(0, 1))
def test_a_delay_is_never_negative_and_never_above_its_cap(attempt, roll, initial, multiplier, jitter):
    delay = Backoff(initial=initial, multiplier=multiplier, cap=100, jitter=jitter).delay(attempt, roll)
    assert 0 <= delay <= 100


def test_delays_without_jitter_double_until_the_cap():
    backoff = Backoff(initial=1, multiplier=2, cap=30, jitter=0)
    assert [backoff.delay(attempt, 0.5) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


@given(rolls)
def test_jitter_spreads_by_its_share_to_both_sides(roll):
    assert 3.6 <= Backoff(initial=4, jitter=0.1).delay(1, roll) <= 4.4


@pytest.mark.parametrize(
    "fields", [{"initial": -1}, {"initial": inf}, {"multiplier": 0.5}, {"cap": 0.5}, {"jitter": 2}, {"jitter": "much"}]
)
def test_a_backoff_that_cannot_work_names_its_field(fields):
    with pytest.raises(BadSpec) as caught:
        Backoff(**fields)
    assert caught.value.field == next(iter(fields))


# --- intensity


@given(st.lists(st.floats(0, 20), max_size=60), st.integers(0, 5), st.floats(0.5, 20))
def test_the_window_says_no_exactly_when_more_than_intensity_lie_within_a_period(times, intensity, period):
    charges, times = (), sorted(times)
    for place, now in enumerate(times):
        charges, exceeded = charge(charges, now, intensity, period)
        within = sum(at >= now - period for at in times[: place + 1])
        assert exceeded == (within > intensity)
        if exceeded:
            return
        assert len(charges) <= intensity


# --- strategy

members = st.lists(
    st.builds(
        Member,
        id=st.text("abcdefgh", min_size=1, max_size=2),
        alive=st.booleans(),
        temporary=st.booleans(),
        held=st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda member: member.id,
)


@given(members, st.sampled_from(Strategy), st.data())
def test_a_plan_stops_the_living_in_reverse_and_starts_in_order_those_who_return(children, strategy, data):
    failed = data.draw(st.sampled_from(children))
    todo = plan(strategy, children, failed.id)
    order = [child.id for child in children]
    assert [*todo.start] == [name for name in order if name in todo.start]
    assert [*todo.stop] == [name for name in reversed(order) if name in todo.stop]
    by_name = {child.id: child for child in children}
    assert failed.id in todo.start
    assert failed.id not in todo.stop
    assert all(by_name[name].alive for name in todo.stop)
    assert not any(by_name[name].held or by_name[name].temporary for name in todo.start if name != failed.id)
    first = {Strategy.ONE_FOR_ONE: len(order), Strategy.ONE_FOR_ALL: 0, Strategy.REST_FOR_ONE: order.index(failed.id)}
    assert set(todo.stop) <= {*order[first[strategy] :]}


@pytest.mark.parametrize(
    ("rule", "others", "ends"),
    [
        (AutoShutdown.NEVER, False, False),
        (AutoShutdown.ANY_SIGNIFICANT, True, True),
        (AutoShutdown.ALL_SIGNIFICANT, True, False),
        (AutoShutdown.ALL_SIGNIFICANT, False, True),
    ],
)
def test_when_a_significant_end_ends_the_tree(rule, others, ends):
    assert ends_tree(rule, others=others) is ends


async def nothing():
    """Stand in for a child's function."""


@pytest.mark.parametrize(
    ("restart", "kinds"),
    [
        (Restart.PERMANENT, set(ExitKind) - {ExitKind.IGNORED}),
        (Restart.TRANSIENT, set(ExitKind) - {ExitKind.NORMAL, ExitKind.SHUTDOWN, ExitKind.IGNORED}),
        (Restart.TEMPORARY, set()),
    ],
)
def test_which_exits_bring_a_child_back(restart, kinds):
    child = Child("a", nothing, restart=restart)
    assert {kind for kind in ExitKind if comes_back(child, kind)} == kinds


# --- ladder


def test_retry_counts_attempts_on_the_present_variant_the_first_included():
    rung = Retry(3, Backoff(jitter=0))
    assert rung.answer(RAIN, (past(),), None, 0, 0.5) == Again(1)
    assert rung.answer(RAIN, (past(), past()), None, 0, 0.5) == Again(2)
    assert rung.answer(RAIN, (past(), past(), past()), None, 0, 0.5) is None
    assert rung.answer(RAIN, (past(), past(), past(), past("b")), None, 0, 0.5) == Again(1, "b")


def test_retry_is_exhausted_when_the_next_attempt_would_begin_too_late():
    rung = Retry(30, Backoff(initial=4, multiplier=1, jitter=0), within=10)
    assert rung.answer(RAIN, (past(ended=100.0), past(ended=106.0)), None, 106.0, 0.5) == Again(4)
    assert rung.answer(RAIN, (past(ended=100.0), past(ended=106.5)), None, 106.5, 0.5) is None


def test_a_life_that_was_long_enough_makes_failures_before_it_forgotten():
    rung = Retry(2, Backoff(jitter=0), within=inf, forget=60)
    healthy = past(started=10.0, ended=80.0)
    assert rung.answer(RAIN, (past(), past(), healthy), None, 80.0, 0.5) == Again(1)
    assert rung.answer(RAIN, (past(), healthy, past(started=80.5, ended=81.0)), None, 81.0, 0.5) is None


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 33}, {"limit": 1.5}, {"within": -1}, {"forget": 0}])
def test_a_retry_that_cannot_work_names_its_field(fields):
    with pytest.raises(BadSpec) as caught:
        Retry(**fields)
    assert caught.value.field == next(iter(fields))


def test_a_ladder_never_goes_back_down():
    ladder = Rungs(Retry(2, Backoff(jitter=0)), Next("b"), Next("c"))
    assert ladder(RAIN, (past("a"),), None, 0, 0.5) == Again(1, "a", 0)
    assert ladder(RAIN, (past("a"), past("a")), None, 0, 0.5) == Again(0, "b", 1)
    assert ladder(RAIN, (past("a"), past("b", 1)), None, 0, 0.5) == Again(0, "c", 2)
    assert ladder(RAIN, (past("c", 2),), None, 0, 0.5) == Stop()


def test_the_end_of_a_ladder_can_be_an_escalation():
    assert Rungs(Next("b"), end=Escalate())(RAIN, (past("b"),), None, 0, 0.5) == Escalate()


# --- circuits

RULE = Breaker(failures=3, within=10, rest=5, probes=1)


def opened(at=0.0):
    circuit = Circuit()
    for _ in range(3):
        circuit = RULE.failed(circuit, at)
    return circuit


def test_a_circuit_opens_with_the_failure_that_reaches_the_limit_within_the_window():
    circuit = Circuit()
    for at in (0.0, 9.0, 10.5):
        circuit = RULE.failed(circuit, at)
        assert circuit.state(at) is CircuitState.CLOSED
    circuit = RULE.failed(circuit, 11.0)
    assert circuit.state(11.0) is CircuitState.OPEN
    assert RULE.admit(circuit, 15.9) == (False, circuit)


def test_after_its_rest_a_circuit_lets_one_probe_pass_and_its_verdict_decides():
    passes, probing = RULE.admit(opened(), 5.0)
    assert (passes, probing.state(5.0)) == (True, CircuitState.HALF_OPEN)
    assert RULE.admit(probing, 5.0)[0] is False
    assert RULE.succeeded(probing, 5.1) == Circuit()
    assert RULE.failed(probing, 5.1).state(10.0) is CircuitState.OPEN
    assert RULE.admit(RULE.released(probing, 5.1), 5.2)[0] is True


def test_a_success_forgets_failures_and_a_late_one_does_not_close_an_open_circuit():
    assert RULE.succeeded(RULE.failed(Circuit(), 0.0), 1.0) == Circuit()
    assert RULE.succeeded(opened(), 1.0) == opened()
    assert RULE.failed(opened(), 1.0) == opened()
    assert RULE.released(opened(), 1.0) == opened()


@pytest.mark.parametrize("fields", [{"failures": 0}, {"probes": 0.5}, {"within": 0}, {"rest": -1}])
def test_a_breaker_that_cannot_work_names_its_field(fields):
    with pytest.raises(BadSpec) as caught:
        Breaker(**fields)
    assert caught.value.field == next(iter(fields))


@given(st.lists(st.tuples(st.sampled_from(["admit", "failed", "succeeded", "released"]), st.floats(0, 4)), max_size=60))
def test_a_circuit_never_has_more_probes_under_way_than_its_rule_allows(story):
    circuit, now = Circuit(), 0.0
    for verb, pause in story:
        now += pause
        answer = getattr(RULE, verb)(circuit, now)
        circuit = answer[1] if verb == "admit" else answer
        assert 0 <= circuit.probing <= RULE.probes
        assert len(circuit.failures) < RULE.failures


# --- budget


def test_retries_stay_below_a_share_of_requests():
    rule = RetryBudget(ratio=0.2, burst=2)
    tokens = rule.full(0.0)
    retried = 0
    for _ in range(100):
        tokens = rule.deposit(tokens, 0.0)
        allowed, tokens = rule.withdraw(tokens, 0.0)
        retried += allowed
    assert retried == 21
    assert retried <= 2 + 100 * 0.2


def test_time_gives_tokens_back_and_never_more_than_burst():
    rule = RetryBudget(ratio=0, burst=2, per_second=0.5)
    tokens = rule.full(0.0)
    for _ in range(2):
        allowed, tokens = rule.withdraw(tokens, 0.0)
        assert allowed
    assert rule.withdraw(tokens, 1.9)[0] is False
    assert rule.withdraw(tokens, 2.0)[0] is True
    assert rule.deposit(tokens, 1000.0).amount == 2


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=80), st.floats(0, 1), st.floats(1, 5))
def test_a_budget_allows_at_most_its_burst_and_its_share(story, ratio, burst):
    assume(burst >= 1)
    rule = RetryBudget(ratio=ratio, burst=burst)
    tokens, now, requests, retries = rule.full(0.0), 0.0, 0, 0
    for is_request, pause in story:
        now += pause
        if is_request:
            tokens, requests = rule.deposit(tokens, now), requests + 1
        else:
            allowed, tokens = rule.withdraw(tokens, now)
            retries += allowed
        assert retries <= burst + ratio * requests + 1e-6


@pytest.mark.parametrize("field", ["ratio", "burst", "per_second"])
def test_a_budget_that_cannot_work_names_its_field(field):
    with pytest.raises(BadSpec) as caught:
        RetryBudget(**{field: -1})
    assert caught.value.field == field
