"""Logs read back: entries, the story of one trace, what a log asks of a person, and the figures in it."""

import io
import json
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logged import BUFFERED, EXHAUSTED, PERMANENT, SECRET, SWITCHED, TRANSIENT, written
from observed import TRACE

from actors import FailureKind, SettingError
from actors.observe.entries import LONGEST, entry_of, lines_of
from actors.observe.readout import MEANINGS, Readout, read_out, readout_record
from actors.observe.story import clean_line, story_record, tell, wanted
from actors.observe.triage import Triage, Verdict, triage, triage_record

ID = TRACE.trace_id
FORMS = pytest.mark.parametrize("as_json", [True, False], ids=["json", "console"])


def entries(text):
    return [entry_of(line) for line in text.splitlines()]


def found(text):
    return [
        (finding.verdict.value, finding.kind.label, finding.provider, finding.lines, finding.streams)
        for finding in triage(entries(text)).findings
    ]


@FORMS
@pytest.mark.row("J6")
def test_what_was_logged_is_read_back_with_every_field(as_json):
    first, _, _, last = entries(written(*TRANSIENT, json=as_json))
    assert (first.level, first.event, first.kind, first.counted) == (
        "warning",
        "attempt 1/5 failed",
        FailureKind.RATE_LIMIT,
        ("1", "5"),
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", first.at)
    assert (first.trace_id, first.text("phase"), first.text("provider")) == (ID, "streaming", "a")
    assert re.fullmatch("[0-9a-f]{16}", first.text("span_id"))
    assert (first.number("status"), first.number("after"), first.text("message")) == (429, 1.0, "slow down")
    assert (last.event, last.fields["attempts"]) == ("stream completed", 1)


def test_a_coloured_line_is_read_like_a_plain_one():
    plain = written(*PERMANENT).splitlines()[0]
    coloured = re.sub(r"(\w+)=", "\x1b[36m\\1\x1b[0m=", plain).replace("not", "\x1b[1mnot", 1)
    assert entry_of(coloured) == entry_of(plain)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "{",
        '{"a": 1}',
        '{"event": 5}',
        "[1]",
        "Traceback (most recent call last):",
        "\x00\x01\xff",
        "{" * 9_999,
    ],
)
def test_a_line_of_somebody_else_is_no_entry(line):
    assert entry_of(line) is None


@given(st.text(max_size=200))
def test_no_line_whatever_is_too_much(line):
    assert entry_of(line) is None or entry_of(line).event is not None


def test_a_long_line_costs_what_is_read_of_it_and_the_next_one_is_whole():
    file = io.BytesIO(b"x" * (LONGEST + 10) + b"\nsecond\r\n\xff\xfethird")
    first, second, third = lines_of(file)
    assert len(first) == LONGEST
    assert (second, third) == ("second", "\ufffd\ufffdthird")


def test_a_log_is_read_in_pieces_however_long_it_is():
    line = written(*TRANSIENT).splitlines()[0].encode() + b"\n"

    class Endless(io.RawIOBase):
        left = 40_000

        def readline(self, _limit=-1):
            self.left -= 1
            return line if self.left >= 0 else b""

    tracemalloc.start()
    try:
        read = triage(entry_of(text) for text in lines_of(Endless()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read.entries == 40_000
    assert peak < 1_000_000


# -- the story of one trace


@pytest.mark.row("L2", "J1")
@FORMS
def test_a_story_is_all_of_one_trace_in_order_and_nothing_of_another(as_json):
    mine = written(*TRANSIENT, json=as_json).splitlines()
    other = [line.replace(ID, "ff" * 16) for line in mine]
    mixed = [("b.log", mine[2]), ("b.log", other[0]), ("b.log", mine[3]), ("a.log", mine[0]), ("a.log", other[1])]
    story = tell(ID[:6], [*mixed, ("a.log", mine[1]), ("c.log", mine[1]), ("c.log", "")])
    assert [line for _, line, _ in story.lines] == mine
    assert story.trace_id == ID


def test_a_line_that_is_not_ours_belongs_to_the_trace_that_stands_in_it():
    line = f"nginx: upstream said 502 for trace {ID}"
    story = tell(ID, [("x", line), ("x", "nginx: nothing")])
    assert [told[1] for told in story.lines] == [line]
    assert story.entries == ()


def test_a_beginning_that_several_share_is_refused_with_their_names():
    one, other = "abcd" + "1" * 28, "abcd" + "2" * 28
    lines = [("x", f'{{"event": "e", "trace_id": "{trace_id}"}}') for trace_id in (one, other)]
    with pytest.raises(SettingError, match=f"several traces begin with abcd: {one}, {other}; give more digits"):
        tell("abcd", lines)
    assert tell("abcd1", lines).trace_id == one
    assert tell("dddd", lines) is None


@pytest.mark.parametrize("text", ["", "abc", "xyz12345", "g" * 32, "a" * 33, "../../etc", "ab cd"])
def test_what_is_no_trace_id_is_refused(text):
    with pytest.raises(SettingError, match="is no trace id"):
        wanted(text)


def test_an_id_may_be_written_with_dashes_and_in_capitals():
    assert wanted(" ABCD-ef01 ") == "abcdef01"


@pytest.mark.promise("P13")
@pytest.mark.row("L8")
def test_what_leaves_is_redacted_again_whoever_wrote_it():
    line = f"trace_id={ID} key is {SECRET} and my-own-password-77 eyJhbGciOiJI.eyJzdWIiOiIx.x" + "y" * 9_000
    clean = clean_line(line, ["my-own-password-77"])
    assert not re.search("canary|own-password|eyJz", clean)
    assert len(clean) <= 4096


@pytest.mark.row("L15")
@FORMS
def test_an_export_has_the_five_parts_of_the_checklist(as_json):
    lines = [("a.log", line) for line in written(*EXHAUSTED, json=as_json).splitlines()]
    record = story_record(tell(ID, lines), [{"name": "LOG_LEVEL", "value": "info", "from": "default"}])
    assert list(record) == ["trace_id", "classification", "telemetry", "lifecycle", "resources", "configuration"]
    assert [(one["kind"], one["status"], one["disposition"]) for one in record["classification"]] == [
        ("overloaded", 529, "retry")
    ] * 3
    assert all(one["happened"] and one["remedy"] for one in record["classification"])
    assert len(record["telemetry"]["spans"]) == 3
    assert [one["event"] for one in record["lifecycle"]][-2:] == ["attempt 3/3 failed", "exhausted"]
    assert (record["resources"]["memory_mb"], record["resources"]["connections"]) == (80, 3)
    assert record["configuration"]["routes"] == ["a:m (streaming)"]
    assert record["configuration"]["limits"] == ["overloaded: 3"]
    assert record["configuration"]["settings"][0]["name"] == "LOG_LEVEL"
    json.dumps(record)


# -- what a log asks of a person


@pytest.mark.row("L14")
@FORMS
@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (TRANSIENT, [("transient", "rate_limit", "a", 2, 1)]),
        (PERMANENT, [("permanent", "invalid_key", "a", 1, 1)]),
        (BUFFERED, [("buffered", "memory", "a", 1, 1)]),
        (EXHAUSTED, [("exhausted", "overloaded", "a", 1, 1)]),
        (SWITCHED, [("switched", "quota", "a", 1, 1)]),
    ],
    ids=["transient", "permanent", "buffered", "exhausted", "switched"],
)
def test_a_sample_log_has_the_verdict_of_the_flowchart(records, expected, as_json):
    assert found(written(*records, json=as_json, level="warning")) == expected


@pytest.mark.row("L14")
def test_what_needs_a_person_comes_first():
    text = "".join(
        written(*records).replace(ID, f"{number:032x}")
        for number, records in enumerate((TRANSIENT, SWITCHED, BUFFERED, EXHAUSTED, PERMANENT), 1)
    )
    read = triage(entries(text + "torn li\n"))
    assert [finding.verdict for finding in read.findings] == [
        Verdict.PERMANENT,
        Verdict.EXHAUSTED,
        Verdict.BUFFERED,
        Verdict.SWITCHED,
        Verdict.TRANSIENT,
    ]
    assert (read.streams, read.foreign) == (5, 1)
    for finding in read.findings:
        assert finding.steps("x.log")
        assert finding.examples[0] in str(finding.steps("x.log")) or finding.verdict is Verdict.TRANSIENT
    json.dumps(triage_record(read))


def test_an_empty_log_asks_nothing():
    assert Triage().findings == ()
    assert triage(entries("nothing\nof ours\n")).foreign == 2


# -- figures


def outcome(*attempts, status="completed"):
    return json.dumps({"id": "1", "status": status, "attempts": list(attempts), "usage": {"output_tokens": 7}})


def attempt(route, kind=None, *, mode="streaming", started=0.0):
    failure = kind and {"kind": kind}
    return {"route": route, "mode": mode, "started": started, "seconds": 2.0, "failure": failure}


@pytest.mark.row("I7", "L9")
def test_the_figures_of_a_log_and_of_outcomes_say_the_same():
    log = written(*TRANSIENT, *BUFFERED, *SWITCHED)
    outcomes = [
        outcome(attempt("a:m", "rate_limit"), attempt("a:m", "rate_limit"), attempt("a:m")),
        outcome(attempt("a:m", "memory"), attempt("a:m", mode="buffered")),
        outcome(attempt("a:m", "quota"), attempt("b:n")),
    ]
    for readout in (read_out(log.splitlines()), read_out(outcomes)):
        assert readout.retries == {"rate_limit": 2}
        assert readout.fallbacks == {"memory_exhaustion": 1, "provider_switch": 1}
        assert readout.errors == {"transient": 2, "resource": 1, "permanent": 1}


@pytest.mark.row("L9")
def test_every_figure_comes_with_what_it_means():
    record = readout_record(read_out([outcome(attempt("a:m"))]))
    assert {name: one["means"] for name, one in record["metrics"].items()} == dict(MEANINGS)
    assert "rate limit" in MEANINGS["llm.request.duration_ms"]
    assert "transient" in MEANINGS["llm.request.retries"]
    assert "permanent up: investigate" in MEANINGS["llm.streaming.errors"]
    assert "short of memory" in MEANINGS["llm.fallback.triggered"]
    assert record["metrics"]["llm.request.duration_ms"]["figures"]["p50"] == pytest.approx(2000, rel=0.02)
    assert record["streams"] == {"completed": 1, "interrupted": 0, "failed": 0}


@pytest.mark.parametrize(
    "line",
    [
        '{"status": "completed", "attempts": [{"started": "x"}]}',
        '{"first_content_seconds": {}, "attempts": "many"}',
        '{"first_content_seconds": {}, "attempts": 3}',
        '{"attempts": [1, null], "status": 3, "usage": []}',
        "[]",
        "{",
        "\x00",
    ],
)
def test_a_record_that_only_looks_like_ours_is_passed_over(line):
    readout = Readout()
    readout.take(line)
    assert readout.sources in ({"other line": 1}, {"outcome": 1})
