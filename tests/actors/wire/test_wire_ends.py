"""Every reason for which the official clients say that an answer may end is in our tables, or is left unknown on purpose."""

from typing import get_args

import pytest
from anthropic.types.stop_reason import StopReason
from google.genai.types import BlockedReason
from google.genai.types import FinishReason as GeminiReason
from openai.types.chat.chat_completion_chunk import Choice
from openai.types.responses.response import IncompleteDetails

from actors.deltas import FinishReason
from actors.wire import blockwise
from actors.wire.gemini import answer as gemini
from actors.wire.openai_chat import answer as chat
from actors.wire.openai_responses import answer as responses

R = FinishReason

MEANINGS = {
    "anthropic": {
        "end_turn": R.STOP,
        "stop_sequence": R.STOP,
        "tool_use": R.TOOL_CALLS,
        "max_tokens": R.LENGTH,
        "model_context_window_exceeded": R.CONTEXT_WINDOW,
        "pause_turn": R.PAUSE,
        "compaction": R.PAUSE,
        "refusal": R.REFUSAL,
    },
    "openai_chat": {
        "stop": R.STOP,
        "length": R.LENGTH,
        "tool_calls": R.TOOL_CALLS,
        "function_call": R.TOOL_CALLS,
        "content_filter": R.REFUSAL,
    },
    "openai_responses": {"max_output_tokens": R.LENGTH, "content_filter": R.REFUSAL},
    "gemini": {
        "STOP": R.STOP,
        "MAX_TOKENS": R.LENGTH,
        **dict.fromkeys("SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII MODEL_ARMOR".split(), R.REFUSAL),
        **dict.fromkeys("IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION".split(), R.REFUSAL),
        **dict.fromkeys("MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS".split(), R.MALFORMED_CALL),
    },
}
"""What each reason means, written down a second time."""

OURS = {
    "anthropic": {spelling: reason for spelling, (reason, _) in blockwise.FINISHES.items()},
    "openai_chat": {spelling: reason for spelling, (reason, _) in chat._FINISHES.items()},
    "openai_responses": dict(responses._INCOMPLETE),
    "gemini": dict(gemini._FINISHES),
}

OFFICIAL = {
    "anthropic": set(get_args(StopReason)),
    "openai_chat": {
        one for part in get_args(Choice.model_fields["finish_reason"].annotation) for one in get_args(part)
    },
    "openai_responses": {
        one for part in get_args(IncompleteDetails.model_fields["reason"].annotation) for one in get_args(part)
    },
    "gemini": {reason.value for reason in GeminiReason} - {"FINISH_REASON_UNSPECIFIED"},
}

OTHER = {
    "anthropic": set(),
    "openai_chat": set(),
    "openai_responses": {"max_messages", "steered"},
    "gemini": set(
        "LANGUAGE OTHER IMAGE_OTHER NO_IMAGE PUP_LIMITED_DISABLED MALFORMED_RESPONSE ESCALATION CONTINUATION "
        "MISSING_THOUGHT_SIGNATURE".split()
    ),
}
"""What ends an answer in a way that no neutral word tells: the provider's own is kept, and no call is released."""


@pytest.mark.row("A30", "C9")
@pytest.mark.parametrize("dialect", MEANINGS)
def test_every_finish_reason_has_its_meaning(dialect):
    assert OURS[dialect] == MEANINGS[dialect]


@pytest.mark.row("A30")
@pytest.mark.parametrize("dialect", MEANINGS)
def test_every_reason_of_the_official_client_is_known_or_left_unknown_on_purpose(dialect):
    assert OFFICIAL[dialect]
    assert OFFICIAL[dialect] - MEANINGS[dialect].keys() == OTHER[dialect]


def test_every_official_reason_to_block_a_prompt_is_a_refusal():
    for blocked in BlockedReason:
        body = b'{"promptFeedback": {"blockReason": "%s"}}' % blocked.value.encode()
        finish = gemini.DIALECT.read_reply(body)[-1].finish
        assert (finish.reason, finish.spelling, finish.releases) == (R.REFUSAL, blocked.value, False)


@pytest.mark.row("A30")
@pytest.mark.parametrize("dialect", MEANINGS)
def test_only_clean_reasons_release_calls(dialect):
    released = {
        "anthropic": {spelling for spelling, (_, releases) in blockwise.FINISHES.items() if releases},
        "openai_chat": {spelling for spelling, (_, releases) in chat._FINISHES.items() if releases},
        "openai_responses": set(),
        "gemini": {"STOP"},
    }[dialect]
    assert released <= {"tool_use", "stop", "tool_calls", "function_call", "STOP"}
