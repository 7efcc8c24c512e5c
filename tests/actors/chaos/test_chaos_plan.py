import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.chaos import (
    Ask,
    BadPlan,
    Cut,
    ErrorEvent,
    ErrorKind,
    Garble,
    Hang,
    How,
    PingsOnly,
    Plan,
    Refuse,
    SlowStart,
    Stall,
    Status,
    Truncate,
    Turn,
    Visit,
    parse_fault,
)

positions = st.integers(0, 50)
seconds = st.floats(0.001, 1e6)
faults = st.one_of(
    st.builds(Cut, positions, st.sampled_from(How)),
    st.builds(Stall, positions),
    st.builds(ErrorEvent, positions, st.sampled_from(ErrorKind)),
    st.builds(Truncate, positions),
    st.builds(Garble, positions),
    st.builds(SlowStart, seconds),
    st.builds(PingsOnly, seconds),
    st.builds(Status, st.integers(400, 599), st.none() | st.sampled_from(ErrorKind), st.none() | seconds),
    st.just(Refuse()),
    st.just(Hang()),
)


def visit(prompt="hello", *, model="claude-sonnet-4-5", provider="anthropic", **counts):
    return Visit(Ask(provider, model, (Turn("user", prompt),)), **counts)


@given(faults)
def test_a_fault_is_read_back_from_its_term(fault):
    assert parse_fault(str(fault)) == fault


@pytest.mark.parametrize(
    "line",
    [
        "seed=0",
        "seed=7 cut=0.1 stall=0.05 status529=0.05",
        "seed=1 reach=3 error:rate_limited=0.123456789 pings:5=0.01 status429:quota:7=0.2",
        "seed=2 claude-sonnet-4-5#3=cut:5 anthropic#1=refuse *#9=status500",
        "seed=3 down:anthropic=1..40 down:gpt-5-mini=0s..30.5s@refuse down:*=2s..3s@status529",
        "seed=5 full:anthropic=50 full:*=8@status503",
        "seed=4 'prompt:tell me a = b #7#1=tear:3'",
    ],
)
def test_a_plan_gives_its_line_back(line):
    assert str(Plan.parse(line)) == line
    assert Plan.parse(str(Plan.parse(line))) == Plan.parse(line)


@pytest.mark.parametrize(
    ("line", "term", "reason"),
    [
        ("seed=1 cut=2", "cut=2", "2 is not a probability between 0 and 1"),
        ("cut=often", "cut=often", "'often' is not a probability between 0 and 1"),
        ("colour=0.1", "colour=0.1", "no fault is called 'colour'"),
        ("cut", "cut", "write NAME=VALUE, such as cut=0.1"),
        ("cut=0.9 stall=0.2", "stall=0.2", "the probabilities of this plan add up to more than 1"),
        ("status200=0.1", "status200=0.1", "'status200' names no HTTP error"),
        ("m#0=refuse", "m#0=refuse", "write MODEL#N=FAULT with N from 1 up"),
        ("m#1=cut:x", "m#1=cut:x", "'x' is neither a number nor a kind of error"),
        ("cut:overloaded=0.1", "cut:overloaded=0.1", "cut takes no kind of error"),
        ("down:m=4..2", "down:m=4..2", "write down:MODEL=FIRST..LAST"),
        ("down:m=1s..2", "down:m=1s..2", "write down:MODEL=FIRST..LAST"),
        ("full:=4", "full:=4", "write full:MODEL=MOST"),
        ("seed=-1", "seed=-1", "'-1' is not a whole number from 0 up"),
        ("'cut=0.1", "'cut=0.1", "no closing quotation"),
    ],
)
def test_a_bad_plan_names_the_term_and_what_to_write(line, term, reason):
    with pytest.raises(BadPlan) as caught:
        Plan.parse(line)
    assert caught.value.term == term
    assert reason in str(caught.value)


def test_chance_does_not_depend_on_the_order_of_arrival():
    plan = Plan.parse("seed=7 cut=0.3 stall=0.2")
    first = [plan.fault(visit(f"prompt {n}", number=n + 1, nth_of_model=n + 1)) for n in range(200)]
    second = [plan.fault(visit(f"prompt {n}", number=900 - n, nth_of_model=900 - n)) for n in range(200)]
    assert first == second
    assert {type(fault) for fault in first} == {Cut, Stall, type(None)}


def test_another_seed_or_attempt_meets_other_weather():
    prompts = [f"prompt {n}" for n in range(100)]
    seven, eight = Plan.parse("seed=7 cut=0.3"), Plan.parse("seed=8 cut=0.3")
    assert [seven.fault(visit(p)) for p in prompts] != [eight.fault(visit(p)) for p in prompts]
    assert [seven.fault(visit(p)) for p in prompts] != [seven.fault(visit(p, attempt=2)) for p in prompts]


def test_the_share_of_faults_is_the_probability():
    plan = Plan.parse("cut=0.1 status529=0.05")
    met = [plan.fault(visit(f"p{n}")) for n in range(4000)]
    assert 320 < sum(isinstance(fault, Cut) for fault in met) < 480
    assert 140 < sum(isinstance(fault, Status) for fault in met) < 260


def test_a_drawn_position_lies_within_reach_and_a_given_one_stays():
    drawn = Plan.parse("reach=3 cut=1")
    assert {drawn.fault(visit(f"p{n}")).after_events for n in range(100)} == {0, 1, 2, 3}
    assert {Plan.parse("cut:5=1").fault(visit(f"p{n}")) for n in range(20)} == {Cut(5)}


def test_a_schedule_hits_the_nth_request_of_its_target_only():
    plan = Plan.parse("claude-sonnet-4-5#3=cut:5 anthropic#5=refuse")
    assert plan.fault(visit(nth_of_model=3)) == Cut(5)
    assert plan.fault(visit(nth_of_model=4, nth_of_provider=5)) == Refuse()
    assert plan.fault(visit(nth_of_model=3, model="claude-haiku-4-5")) is None


def test_an_outage_lasts_from_request_to_request_or_from_second_to_second():
    by_count, by_time = Plan.parse("down:anthropic=2..3"), Plan.parse("down:*=10s..20s@status529")
    assert [by_count.fault(visit(nth_of_provider=n)) for n in range(1, 5)] == [None, Status(503), Status(503), None]
    assert [by_time.fault(visit(now=now)) for now in (9.9, 10.0, 19.9, 20.0)] == [None, Status(529), Status(529), None]


def test_a_full_provider_answers_one_request_too_many_with_its_fault():
    plan = Plan.parse("full:anthropic=2 full:*=9@status503")
    assert plan.fault(visit(at_once={"*": 3, "anthropic": 2})) is None
    assert plan.fault(visit(at_once={"*": 3, "anthropic": 3})) == Status(429)
    assert plan.fault(visit(at_once={"*": 10, "anthropic": 1})) == Status(503)


def test_a_prompt_can_be_given_its_own_fault():
    plan = Plan.parse("'prompt:tell me a story#2=garble:1'")
    assert plan.fault(visit("tell me a story", attempt=2)) == Garble(1)
    assert plan.fault(visit("tell me a story", attempt=1)) is None
    assert plan.fault(visit("tell me a joke", attempt=2)) is None
