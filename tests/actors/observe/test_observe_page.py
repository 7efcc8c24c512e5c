"""The page on observing says what the code does."""

import re
from pathlib import Path

from observed import CAPTURED, TREE, A, B, completed, ended, failed

from actors import Category, FailureKind
from actors.failure import CIRCUIT_OPEN
from actors.observe.instruments import INSTRUMENTS
from actors.observe.logs import MOVES, captured_line, lines
from actors.outcome import Status

PAGE = (Path(__file__).parents[3] / "docs" / "observing.md").read_text(encoding="utf-8")


def rows(section):
    """The cells of the table in a section, the heading left out."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    table = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_the_table_of_metrics_is_the_table_in_the_code():
    assert rows("Metrics") == [
        [
            f"`{instrument.name}`",
            instrument.shape.value,
            f"`{instrument.unit}`",
            ", ".join(f"`{label}`" for label in instrument.labels),
            instrument.tells,
        ]
        for instrument in INSTRUMENTS
    ]


def test_every_event_that_can_be_logged_is_on_the_page_with_its_level_and_no_other():
    records = [failed(kind, then=then) for kind in FailureKind for then in (None, A, B, A.buffered)]
    records += [
        failed(FailureKind.UNAVAILABLE, code=CIRCUIT_OPEN, then=B),
        completed(),
        *(ended(status) for status in Status),
        *TREE,
    ]
    said = [line for record in records for line in lines(record)] + [captured_line(CAPTURED)]
    logged = {(re.sub(r"\d+/\d+", "N/M", line.event), line.level.method) for line in said}
    told = {(event, level) for events, level, _ in rows("Log lines") for event in re.findall("`(.+?)`", events)}
    assert {event for event, _ in told} == {event for event, _ in logged}
    for event, level in logged:
        assert any(event == name and level in levels for name, levels in told), (event, level)
    assert set(MOVES.values()) <= {event for event, _ in told}


def test_every_field_of_a_failure_is_on_the_page():
    kinds = [kind for kind in FailureKind if kind.category is not Category.CONTEXT]
    fields = {name for kind in kinds for line in lines(failed(kind, then=B)) for name in line.fields}
    assert {name for name in fields if f"`{name}`" not in PAGE} == set()
