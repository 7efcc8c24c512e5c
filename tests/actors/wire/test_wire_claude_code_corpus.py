"""Every recorded run of Claude Code against a naive reader that shares no code with the product."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_claude_code import naive_run
from wire_corpus import ABSENT, CORPUS, SEEDS, Table, body, records, slices
from wire_fold import drive, ending, fold

from actors.deltas import Restarted
from actors.messages import Foreign, ToolCall
from actors.wire.claude_code import DIALECT

pytestmark = ABSENT

RUNS = {"finished": 79}

LIVE = {
    "conn_refused": ("refused", 1),
    "cut_mid_text": ("refused", 0),
    "cut_rst": ("refused", 1),
    "err400_toolong": ("refused 400 invalid_request", 0),
    "err401": ("refused 401 authentication_failed", 0),
    "err429_retryafter": ("refused 429 rate_limit", 2),
    "err500_max2": ("refused 500 server_error", 0),
    "err503_envoy_max2": ("refused 503 server_error", 2),
    "err529_default": ("refused 529 server_error", 10),
    "err529_max2": ("refused 529 server_error", 2),
    "llamacpp": ("finished", 0),
    "max_tokens": ("refused 0 max_output_tokens", 0),
    "mid_overloaded_after_text": ("refused 0 unknown", 0),
    "mid_overloaded_first": ("refused 0 unknown", 0),
    "ok": ("finished", 0),
    "recover_529_then_ok": ("finished", 1),
    "recover_cut_then_ok": ("refused", 0),
    "refusal": ("finished", 0),  # the finish reason says what it was
    "stall_mid": ("refused 0 unknown", 0),
    "text": ("finished", 0),
    "text_partial": ("finished", 0),
    "thinking_partial": ("finished", 0),
    "tool_allowed": ("finished", 0),
    "tool_denied": ("finished", 0),
    "tool_maxturns": ("refused 0 error_max_turns", 0),
    "sigINT": ("refused 0 error_during_execution", 0),
    "sigHUP": ("truncated", 0),
    "sigKILL": ("truncated", 0),
    "sigTERM": ("truncated", 0),
    "bad_flag": ("truncated", 0),
    "no_prompt": ("truncated", 0),
}
"""How each run of the real program ended, and how often it said that it began again."""


def standing(deltas):
    """What stands of the deltas after all that was taken back."""
    kept = []
    for delta in deltas:
        if isinstance(delta, Restarted):
            kept = [one for one in kept if getattr(one, "index", -1) < delta.index]
        else:
            kept.append(delta)
    return kept


def compare(naive, deltas):
    told = fold(standing(deltas))
    hosted = [part for _, part in sorted(told.parts.items()) if isinstance(part, ToolCall)]
    results = [part.block for _, part in sorted(told.parts.items()) if isinstance(part, Foreign)]
    assert told.text == naive.of("text")
    assert told.thinking == naive.of("thinking")
    assert [(call.name, call.id, call.arguments) for call in hosted] == naive.calls
    assert all(call.hosted for call in hosted)
    assert [block["tool_use_id"] for block in results] == naive.results
    assert (told.id, told.model) == (naive.session, naive.model)
    if naive.usage:
        assert naive.usage.items() <= {name: getattr(told.usage, name) for name in told.usage.__struct_fields__}.items()
    assert (told.finish and told.finish.spelling) == (naive.stop if naive.ending == "finished" else None)
    assert told.finish is None or told.finish.releases is False
    assert sum(isinstance(delta, Restarted) for delta in deltas) == naive.retries + naive.taken_back


def check(text, seed):
    """Read one run whole and sliced; gives the naive reading, and how the reader ended."""
    naive, octets = naive_run(text), text.encode()
    whole, sliced = DIALECT.reader(), DIALECT.reader()
    deltas = drive(whole, [octets] if octets else [])
    assert drive(sliced, slices(octets, seed)) == deltas
    compare(naive, deltas)
    assert ending(whole) == ending(sliced)
    assert ending(whole).partition(" ")[0] == naive.ending
    if naive.ending == "refused":
        assert str(whole.fault) == naive.error
    return ending(whole), naive


@SEEDS
@given(st.integers(0, 2**32))
def test_recorded_runs_say_what_a_naive_reader_finds_in_any_slicing(seed):
    found = records("claude-code", "stream")
    table = Table(found)
    for record in found:
        table.enter(record, check(body(record), seed)[0])
    assert table.rows == RUNS


def test_no_run_of_the_real_program_is_left_out():
    files = {path.name.partition(".")[0] for path in (CORPUS / "claude-code-live").glob("*.ndjson")}
    assert files == LIVE.keys()


@pytest.mark.parametrize("name", LIVE)
@pytest.mark.promise("P7")
@SEEDS
@given(seed=st.integers(0, 2**32))
def test_a_run_of_the_real_program_ends_as_its_result_line_says(name, seed):
    text = (CORPUS / f"claude-code-live/{name}.stdout.ndjson").read_text()
    became, naive = check(text, seed)
    expected, retries = LIVE[name]
    assert became.startswith(expected)
    assert naive.retries == retries


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_a_run_cut_anywhere_is_truncated(cut):
    for record in records("claude-code", "stream"):
        octets = body(record).rstrip().encode()
        reader = DIALECT.reader()
        drive(reader, [octets[: int(len(octets) * cut)]])
        assert ending(reader) == "truncated", record["id"]


def test_every_line_that_is_carried_past_is_of_a_kind_that_holds_no_answer():
    kinds = Counter()
    for record in records("claude-code", "stream"):
        for line in body(record).splitlines():
            told = json.loads(line or "{}")
            kinds[told.get("type"), told.get("subtype")] += 1
    assert {kind for kind, _ in kinds if kind} == {
        *("system", "stream_event", "assistant", "user", "result"),
        *("rate_limit_event", "control_request", "control_response"),
    }
