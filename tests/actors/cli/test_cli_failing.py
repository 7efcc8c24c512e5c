"""Every failure without a key: each is met, told, and ends as a run with it would; and what the exit status says."""

import json
import re
import subprocess
import sys

import pytest

from actors.cli import main, status
from actors.cli.run import Ending
from actors.cli.scenes import SCENES
from actors.failure import Failure, FailureKind
from actors.kinds import Category, Disposition
from actors.observe.report import Tally
from actors.outcome import Outcome, Status

K = FailureKind
SURVIVED = {kind for kind in SCENES if kind.transient} | {K.MEMORY}
ALIKE = {K.UNKNOWN, K.UNKNOWN_TOOL}
"""Kinds that end no stream by themselves."""

PHRASES = {
    "rate_limit": "Rate limited",
    "invalid_key": "Invalid credentials",
    "refused": "Connection refused",
    "memory": "Memory exhausted",
    "unavailable": "Service unavailable",
    "cancelled": "Operation interrupted",
}


def shown(*words):
    process = subprocess.run(
        [sys.executable, "-m", "actors", "demo", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return process.returncode, process.stdout


@pytest.mark.row("K10")
def test_every_kind_can_be_seen(capfd):
    assert set(SCENES) | ALIKE == set(FailureKind)
    assert main(["demo", "--list"]) == 0
    out = capfd.readouterr().out
    assert all(re.search(rf"^{kind.label} +{kind.title} +{kind.category.value}", out, re.MULTILINE) for kind in SCENES)


@pytest.mark.row("K10", "G10")
@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.label)
def test_a_failure_that_is_shown_is_met_as_its_kind_and_ends_as_it_would(capfd, kind):
    ended = main(["demo", "--failure", kind.label, "--json"])
    out, err = capfd.readouterr()
    outcome = json.loads(out)
    met = [attempt["failure"]["kind"] for attempt in outcome["attempts"] if attempt["failure"]]
    if kind in SURVIVED:
        assert (ended, outcome["status"], set(met)) == (0, "completed", {kind.label})
    elif kind.disposition is Disposition.LEAVE:
        assert (outcome["status"], outcome["failure"]["kind"]) == ("interrupted", kind.label)
        assert ended == (130 if kind is K.CANCELLED else status.OF_CATEGORY[Category.CONTEXT])
    else:
        assert (outcome["status"], outcome["failure"]["kind"]) == ("failed", kind.label)
        assert ended == status.OF_CATEGORY[kind.category]
    assert kind.title in err
    assert outcome["trace_id"] in err


@pytest.mark.row("G3")
@pytest.mark.parametrize(("label", "phrase"), PHRASES.items())
def test_the_six_phrases_can_be_grepped_in_what_a_program_says(label, phrase):
    assert phrase in shown("--failure", label)[1]


@pytest.mark.row("G11")
def test_memory_that_ran_short_is_a_warning_and_the_stream_completes():
    ended, out = shown("--failure", "memory")
    warning = next(line for line in out.splitlines() if "warning" in line)
    assert "switched to buffered" in warning
    assert "Memory exhausted" in warning
    assert ended == 0
    assert out.index("switched to buffered") < out.index("stream completed")


@pytest.mark.row("L3", "L11", "J2")
def test_what_passes_is_counted_and_what_does_not_ends_with_the_last_count():
    ended, out = shown("--failure", "rate_limit")
    assert (ended, re.findall(r"attempt \d+/\d+", out)) == (0, ["attempt 1/5", "attempt 2/5"])
    ended, out = shown("--failure", "rate_limit", "--lasting")
    told = re.findall(r"attempt \d+/5|exhausted", out)
    assert told[-2:] == ["attempt 5/5", "exhausted"]
    assert ended == status.OF_CATEGORY[Category.PROVIDER]


@pytest.mark.row("L4", "J3", "L1", "K1")
def test_what_does_not_pass_has_no_count_and_says_what_to_do_and_its_trace():
    ended, out = shown("--failure", "invalid_key")
    assert ended == status.OF_CATEGORY[Category.AUTHENTICATION]
    assert not re.search(r"attempt \d+/\d+", out)
    assert "not retrying" in out
    assert re.search(r"^Invalid credentials, (connection|first event): invalid x-api-key$", out, re.MULTILINE)
    assert "Check ANTHROPIC_API_KEY" in out
    assert re.search(r"^trace [0-9a-f]{32}$", out, re.MULTILINE)
    assert "Traceback" not in out


def test_the_list_of_failures_is_there_for_programs_too(capfd):
    assert main(["demo", "--list", "--json"]) == 0
    listed = json.loads(capfd.readouterr().out)["failures"]
    assert [one["kind"] for one in listed] == [kind.label for kind in SCENES]
    assert listed[0] == {
        "kind": "connect_timeout",
        "title": "Connection timeout",
        "category": "network",
        "disposition": "retry",
    }


def test_an_unknown_failure_is_refused_with_those_there_are(capfd):
    assert main(["demo", "--failure", "plague"]) == 2
    assert "nothing called 'plague' can be shown; known are connect_timeout, timeout" in capfd.readouterr().err


# -- the exit status


def report(*kinds, interrupted=0):
    tally = Tally()
    for kind in kinds:
        failure = None if kind is None else Failure(kind)
        tally.add(Outcome(Status.COMPLETED if kind is None else Status.FAILED, failure=failure))
    for _ in range(interrupted):
        tally.add(Outcome(Status.INTERRUPTED, failure=Failure(K.DEADLINE)))
    return tally.report(1.0)


@pytest.mark.row("G10")
@pytest.mark.parametrize(
    ("told", "ended"),
    [
        (report(None, None), 0),
        (report(), 0),
        (report(K.INVALID_KEY), 11),
        (report(None, K.INVALID_KEY, K.QUOTA), 11),
        (report(K.RATE_LIMIT, K.RESET), 1),
        (report(None, interrupted=1), 1),
        (report(K.RESET, interrupted=1), 1),
    ],
)
def test_the_status_tells_the_category_where_all_failed_for_one(told, ended):
    assert Ending(told).status == ended


@pytest.mark.row("G10")
def test_every_category_has_a_status_of_its_own_and_each_status_is_explained():
    assert set(status.OF_CATEGORY) == set(Category)
    assert len(set(status.OF_CATEGORY.values())) == len(Category)
    assert {0, 1, 2, 70, 130, *status.OF_CATEGORY.values()} == set(status.MEANS)
