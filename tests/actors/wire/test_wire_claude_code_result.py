"""The verdict on a run of Claude Code: its last line, by `is_error` alone, and no line, no success."""

import pytest
from wire_claude_code_lines import INIT, folded, read, result, said, streamed, synthetic, whole_message, written

from actors.deltas import Finish, Finished, FinishReason
from actors.messages import Text
from actors.source import TruncatedError
from actors.wire.claude_code import DIALECT


@pytest.mark.parametrize(
    ("fields", "kind", "status", "message"),
    [
        ({"api_error_status": 529, "result": "API Error: 529"}, "server_error", 529, "API Error: 529"),
        ({"result": "API Error: Connection closed"}, "server_error", 0, "API Error: Connection closed"),
        ({"subtype": "error_max_turns", "result": None, "errors": ["Reached 1"]}, "error_max_turns", 0, "Reached 1"),
        ({"subtype": "error_during_execution"}, "error_during_execution", 0, "the run ended as error_during_execution"),
    ],
)
def test_is_error_decides_whatever_the_subtype_says(fields, kind, status, message):
    lines = [INIT, *streamed(["par", "tial"]), synthetic("API Error", "server_error"), result(is_error=True, **fields)]
    deltas, reader = read(*lines)
    assert (reader.fault.kind, reader.fault.status, str(reader.fault)) == (kind, status, message)
    assert folded(deltas).parts == (Text("partial"),)
    assert not reader.finished


def test_a_refusal_of_the_model_is_a_finish_reason():
    deltas, reader = read(INIT, said("Hi"), result("violates our policy", is_error=True, stop_reason="refusal"))
    assert deltas[-1] == Finished(Finish(FinishReason.REFUSAL, "refusal", "violates our policy"))
    assert reader.finished


def test_a_result_without_a_stop_reason_is_a_plain_stop():
    deltas, _ = read(INIT, said("Hi"), result(stop_reason=None, total_cost_usd=None))
    assert deltas[-1] == Finished(Finish(FinishReason.STOP, "success"))


@pytest.mark.promise("P7")
@pytest.mark.parametrize("lines", [[], [INIT], [INIT, *whole_message(["all of it"])]])
def test_without_a_result_line_the_run_was_cut(lines):
    _, reader = read(*lines)
    assert isinstance(reader.fault, TruncatedError)
    assert not reader.finished


def test_a_last_line_without_its_end_counts_and_half_a_line_is_a_cut():
    octets = written(INIT, said("Hi"), result())
    complete, cut = DIALECT.reader(), DIALECT.reader()
    complete.feed(octets[:-1])
    assert isinstance(complete.close()[-1], Finished)
    cut.feed(octets[:-9])
    cut.close()
    assert isinstance(cut.fault, TruncatedError)


def test_a_success_without_any_answer_is_none_but_local_output_is_one():
    _, empty = read(INIT, result(""))
    assert isinstance(empty.fault, TruncatedError)
    assert parts_of_local() == (Text("Compacted."),)


def parts_of_local():
    deltas, _ = read(INIT, result("Compacted."))
    return folded(deltas).parts
