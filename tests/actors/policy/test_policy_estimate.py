import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.deltas import Progress, Reach, Usage
from actors.messages import Image, Message, Role, Text, Thinking, ToolCall, ToolResult
from actors.policy.estimate import billed
from actors.request import Request, Tool

ASKED = Request("x" * 40)
SAID = Progress(Reach.TEXT, 5, 41)

BILLS = [
    # what the provider said, what it delivered, whether it was complete, what is billed
    (Usage(12, 30), SAID, True, Usage(12, 30)),
    (Usage(), Progress(), False, Usage()),
    (Usage(), SAID, False, Usage(10, 11, estimated=True)),
    (Usage(12, 1), SAID, False, Usage(12, 11, estimated=True)),
    (Usage(12, 1), Progress(), False, Usage(12, 1, estimated=True)),
    (Usage(12, 30), SAID, False, Usage(12, 30, estimated=True)),
    (Usage(0, 1, cache_read_tokens=900), SAID, False, Usage(0, 11, cache_read_tokens=900, estimated=True)),
    (Usage(), SAID, True, Usage(10, 11, estimated=True)),
    (Usage(12, 0), Progress(), True, Usage(12, 0)),
]


@pytest.mark.parametrize(("said", "delivered", "complete", "expected"), BILLS)
def test_what_the_provider_did_not_bill_is_estimated_and_marked(said, delivered, complete, expected):
    assert billed(said, ASKED, delivered, complete=complete) == expected


def test_everything_that_is_text_counts_as_asked():
    parts = (Text("a" * 4), Thinking("b" * 4), ToolResult("1", "c" * 4), ToolCall("1", "t", {}), Image(url="http://x"))
    tool = Tool("name", "d" * 4, {})
    request = Request(Message(Role.USER, parts), system="e" * 4, tools=[tool])
    characters = 4 * 4 + len("{}") + len("name") + 4 + len("{}")
    assert billed(Usage(), request, SAID, complete=False).input_tokens == -(-characters // 4)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.booleans())
def test_an_estimate_never_takes_away_what_was_said(output, characters, complete):
    progress = Progress(Reach.TEXT, 1, characters)
    told = billed(Usage(3, output), ASKED, progress, complete=complete)
    assert told.output_tokens >= output
    assert told.input_tokens == 3
