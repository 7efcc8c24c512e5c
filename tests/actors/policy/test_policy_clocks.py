"""The alarm of an attempt: as a table, and for any course of events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.failure import FailureKind
from actors.policy.clocks import Alarm, Marks, clocks_for, next_alarm
from actors.route import Clocks, Route

K = FailureKind
OFF = Clocks(None, None, None, None, None, None)
ALL = Clocks(connect=1, first_event=20, first_content=60, gap=30, buffered=600, total=1000)

ALARMS = [
    # marks, streams, the alarm under all clocks
    (Marks(100), True, Alarm(120, K.FIRST_EVENT_TIMEOUT)),
    (Marks(100, first_event=101), True, Alarm(160, K.FIRST_CONTENT_TIMEOUT)),
    (Marks(100, 101, 102, 102), True, Alarm(132, K.STALLED)),
    (Marks(100, 101, 102, 150), True, Alarm(180, K.STALLED)),
    (Marks(100, 101, 102, 1080), True, Alarm(1100, K.TOTAL_TIMEOUT)),
    (Marks(100, 101, 102, 150, blocked=True), True, None),
    (Marks(100, waited=7), True, Alarm(127, K.FIRST_EVENT_TIMEOUT)),
    (Marks(100, 101, waited=7), True, Alarm(167, K.FIRST_CONTENT_TIMEOUT)),
    (Marks(100, 101, 102, 1085, waited=7), True, Alarm(1107, K.TOTAL_TIMEOUT)),
    (Marks(100), False, Alarm(700, K.TIMEOUT)),
    (Marks(100, 101, 102, 102), False, Alarm(700, K.TIMEOUT)),
]


@pytest.mark.parametrize(("marks", "streams", "alarm"), ALARMS)
def test_the_earliest_clock_that_runs_rings(marks, streams, alarm):
    assert next_alarm(ALL, marks, streams=streams) == alarm


@pytest.mark.parametrize(("marks", "streams", "alarm"), ALARMS)
def test_a_clock_of_none_never_rings(marks, streams, alarm):
    assert next_alarm(OFF, marks, streams=streams) is None


ONLY = [
    (Clocks(None, 5, None, None, None, None), Marks(0), Alarm(5, K.FIRST_EVENT_TIMEOUT)),
    (Clocks(None, 5, None, None, None, None), Marks(0, 1), None),
    (Clocks(None, None, 5, None, None, None), Marks(0), Alarm(5, K.FIRST_CONTENT_TIMEOUT)),
    (Clocks(None, None, 5, None, None, None), Marks(0, 1, 2, 2), None),
    (Clocks(None, None, None, 5, None, None), Marks(0, 1), None),
    (Clocks(None, None, None, 5, None, None), Marks(0, 1, 2, 3), Alarm(8, K.STALLED)),
    (Clocks(None, None, None, None, 5, None), Marks(0), None),
    (Clocks(None, None, None, None, None, 5), Marks(0, 1, 2, 3), Alarm(5, K.TOTAL_TIMEOUT)),
    (Clocks(5, None, None, None, None, None), Marks(0), None),
]


@pytest.mark.parametrize(("clocks", "marks", "alarm"), ONLY)
def test_each_clock_rings_for_its_own_silence_alone(clocks, marks, alarm):
    assert next_alarm(clocks, marks, streams=True) == alarm


# -- any course of events; whole seconds, so that sums are exact

limits = st.none() | st.integers(1, 50)
any_clocks = st.builds(Clocks, limits, limits, limits, limits, limits, limits)
courses = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["ping", "content", "block", "ready"])), max_size=20)


class Course:
    """What the reading task writes down, and the seconds that count, kept apart from it."""

    def __init__(self):
        self.marks = Marks(started=0)
        self.now = 0
        self.counted = 0
        self.counted_at_content = 0
        self.blocked_since = 0

    def step(self, seconds, event):
        self.now += seconds
        self.counted += 0 if self.marks.blocked else seconds
        if event == "block" and not self.marks.blocked:
            self.marks.blocked, self.blocked_since = True, self.now
        elif event == "ready" and self.marks.blocked:
            self._ready()
        elif event in {"ping", "content"} and not self.marks.blocked:
            self._heard(content=event == "content")

    def _ready(self):
        marks = self.marks
        marks.blocked = False
        marks.waited += self.now - self.blocked_since
        if marks.last_content is not None:
            marks.last_content, self.counted_at_content = self.now, self.counted

    def _heard(self, *, content):
        marks = self.marks
        marks.first_event = self.now if marks.first_event is None else marks.first_event
        if content:
            marks.first_content = self.now if marks.first_content is None else marks.first_content
            marks.last_content, self.counted_at_content = self.now, self.counted

    def silence(self, kind, clocks):
        """The seconds that count for a clock so far, and its limit."""
        return {
            K.FIRST_EVENT_TIMEOUT: (self.counted, clocks.first_event),
            K.FIRST_CONTENT_TIMEOUT: (self.counted, clocks.first_content),
            K.STALLED: (self.counted - self.counted_at_content, clocks.gap),
            K.TIMEOUT: (self.counted, clocks.buffered),
            K.TOTAL_TIMEOUT: (self.counted, clocks.total),
        }[kind]


@given(any_clocks, courses, st.booleans())
def test_an_alarm_rings_exactly_when_its_clock_counted_its_limit(clocks, course, streams):
    told = Course()
    for seconds, event in course:
        told.step(seconds, event)
        alarm = next_alarm(clocks, told.marks, streams=streams)
        if alarm is not None:
            counted, limit = told.silence(alarm.kind, clocks)
            assert not told.marks.blocked
            assert counted + (alarm.at - told.now) == limit


@given(any_clocks, courses, st.integers(0, 30))
def test_a_ping_after_the_first_event_winds_no_clock(clocks, course, seconds):
    told = Course()
    for step in (*course, (0, "ready"), (0, "ping")):
        told.step(*step)
    before = next_alarm(clocks, told.marks, streams=True)
    told.step(seconds, "ping")
    assert next_alarm(clocks, told.marks, streams=True) == before


@given(any_clocks, courses, st.integers(0, 1000))
def test_time_blocked_on_the_consumer_moves_every_alarm_by_itself(clocks, course, seconds):
    told = Course()
    for step in (*course, (0, "ready")):
        told.step(*step)
    if told.marks.last_content is not None:
        told.step(0, "content")  # blocking follows what was delivered
    before = next_alarm(clocks, told.marks, streams=True)
    told.step(0, "block")
    assert next_alarm(clocks, told.marks, streams=True) is None
    told.step(seconds, "ready")
    after = next_alarm(clocks, told.marks, streams=True)
    assert after == (before and Alarm(before.at + seconds, before.kind))


# -- which clocks a route is held to

ROUTES = [
    ("anthropic:claude-sonnet-4-5", Clocks()),
    ("openai:gpt-4.1", Clocks()),
    ("openai:gpt-5-mini", Clocks(first_event=60, first_content=300, gap=180)),
    ("openai:gpt-5-pro-2025-10-06", Clocks(first_event=60, first_content=1800, gap=600)),
    ("openai:o3-pro", Clocks(first_event=60, first_content=600, gap=300)),
    ("openai-chat:o4-mini", Clocks(first_event=600, first_content=600, gap=300)),
    ("openai-chat:openai/o3", Clocks(first_event=600, first_content=600, gap=300)),
    ("openai-chat:olmo-3", Clocks()),
    ("openai-chat:someone/gpt-oss", Clocks()),
    ("anthropic:o3", Clocks()),
    ("claude-code:sonnet", Clocks(first_event=60, first_content=180, gap=300)),
]


@pytest.mark.parametrize(("route", "clocks"), ROUTES)
def test_a_model_that_thinks_in_silence_gets_longer_clocks(route, clocks):
    assert clocks_for(Route.parse(route)) == clocks


def test_clocks_of_the_route_itself_hold_before_the_table():
    assert clocks_for(Route("openai", "o3", clocks=ALL)) is ALL


@pytest.mark.parametrize(("provider", "like"), [("azure", "openai"), ("azure-chat", "openai-chat")])
def test_a_deployment_on_azure_has_the_clocks_of_the_model_it_is_called_like(provider, like):
    for model in ("gpt-5-mini", "o3", "my-deployment"):
        assert clocks_for(Route(provider, model)) == clocks_for(Route(like, model))
    assert clocks_for(Route(provider, "o3")) != clocks_for(Route(provider, "my-deployment"))
