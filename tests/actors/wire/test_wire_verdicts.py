"""Every recorded failure of real providers has a reviewed verdict, and gets it."""

from collections import Counter

import pytest
from verdicts import failures, reviewed, verdict
from wire_corpus import ABSENT

from actors.failure import Disposition, FailureKind

LABELS = {kind.label: kind for kind in FailureKind}


@ABSENT
@pytest.mark.row("A4", "A5", "A7", "A8", "A9", "A10", "A11", "A12", "A15", "A16", "A27")
def test_every_recorded_failure_gets_the_verdict_that_was_reviewed():
    held = {row[0]: row for row in reviewed()}
    got = {row[0]: row for row in (verdict(*met) for met in failures())}
    assert sorted(got.keys() - held.keys()) == [], "records nobody has judged yet: review them, then add their rows"
    assert sorted(held.keys() - got.keys()) == [], (
        "rows of records that are there no longer, or are read without a fault"
    )
    assert {name: row for name, row in got.items() if row != held[name]} == {}


def test_the_reviewed_table_is_whole_and_has_nothing_but_verdicts():
    rows = reviewed()
    assert len({row[0] for row in rows}) == len(rows) == 435
    for name, status, provider, kind, helps, wait in rows:
        assert name.startswith(provider)
        assert (status, wait) == (status and str(int(status)), wait and f"{float(wait):g}")
        usual = LABELS[kind].disposition
        assert Disposition(helps.rstrip("!")) is (
            Disposition.ELSEWHERE if "!" in helps and usual is Disposition.RETRY else usual
        )
    assert Counter(row[2] for row in rows)["anthropic"] == 43
