"""A provider that begins again by itself takes back what it said: nothing is in the answer twice."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_policy_assemble import RELEASED, answers, assembled, call

from actors.deltas import PartEnded, Progress, Reach, Restarted, TextDelta, ThinkingDelta, Usage, UsageDelta
from actors.messages import Text, ToolCall


def said(assembly):
    """What it says; what was done stays done."""
    return msgspec.structs.replace(assembly.progress, acted=False)


@given(answers(), answers(), st.data())
@pytest.mark.promise("P6")
def test_what_a_provider_takes_back_is_in_the_answer_no_longer(abandoned, answer, data):
    (_, before), (_, deltas) = abandoned, answer
    cut = data.draw(st.integers(0, len(before)))
    assembly = assembled(*before[:cut], Restarted("overloaded"))
    assert (assembly.parts, assembly.incomplete, assembly.ready) == ((), (), ())
    assert said(assembly) == Progress()
    for delta in deltas:
        assembly.add(delta)
    once = assembled(*deltas)
    assert (assembly.parts, assembly.incomplete, said(assembly)) == (once.parts, once.incomplete, said(once))


@pytest.mark.promise("P6")
def test_parts_before_the_point_a_provider_goes_back_to_stay():
    kept = (TextDelta("one"), PartEnded(0), *call('{"a": 1}', 1))
    lost = (ThinkingDelta("two", 2), PartEnded(2), TextDelta("three", 3), *call('{"b', 4))
    assembly = assembled(*kept, *lost, Restarted("cut off", index=2), TextDelta("four", 2), PartEnded(2), RELEASED)
    assert assembly.parts == (Text("one"), ToolCall("c", "f", {"a": 1}), Text("four"))
    assert assembly.incomplete == ()
    assert assembly.progress.characters == len("onefour")
    assert assembly.progress.reach is Reach.TOOL_CALL


def test_beginning_again_is_no_progress_and_keeps_the_usage():
    assembly = assembled(UsageDelta(Usage(3, 4)), TextDelta("paid for"))
    assert assembly.add(Restarted("overloaded")) is False
    assert assembly.usage == Usage(3, 4)
    assert not assembly.progress.any
