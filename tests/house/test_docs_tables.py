"""The tables on the pages are those of the code, and what the operator's page names is there."""

import importlib.util
import re

import pytest
from house import ROOT, place

from actors.failure import FailureKind

PAGES = sorted((ROOT / "docs").glob("*.md"))
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
MARKED = re.compile(r"<!-- table: ([\w-]+) -->")
PHRASES = (
    "Rate limited",
    "Invalid credentials",
    "Connection refused",
    "Memory exhausted",
    "Service unavailable",
    "Operation interrupted",
)


def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=place)
@pytest.mark.row("D9")
def test_every_table_that_is_made_is_the_one_that_would_be_made_now(page):
    text = page.read_text(encoding="utf-8")
    assert tables().filled(text) == text, "run: make docs"


def test_every_table_that_can_be_made_stands_on_a_page():
    used = {name for page in PAGES for name in MARKED.findall(page.read_text(encoding="utf-8"))}
    assert used == set(tables().TABLES)


def test_a_table_that_is_out_of_date_is_seen():
    assert (
        tables().filled("<!-- table: issues -->\n| old |\n<!-- end -->")
        != "<!-- table: issues -->\n| old |\n<!-- end -->"
    )
    with pytest.raises(KeyError):
        tables().filled("<!-- table: nobodys -->\n<!-- end -->")


@pytest.mark.row("L10", "G3")
def test_the_six_common_issues_are_on_the_operators_page_and_are_titles():
    section = OPERATING.partition("## Common issues")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| **")]
    assert [re.findall(r"\*\*(.+?)\*\*", row)[0] for row in rows] == list(PHRASES)
    assert set(PHRASES) <= {kind.title for kind in FailureKind}


@pytest.mark.row("M16")
def test_the_checklists_and_the_figures_are_on_the_operators_page():
    checklists = OPERATING.partition("## Checklists")[2]
    assert checklists.count("- [ ]") >= 13
    for part in ("Classification", "Telemetry", "Lifecycle", "Resources", "Configuration"):
        assert f"**{part}**" in checklists
    assert "Performance, to be measured" in checklists


@pytest.mark.row("M16")
@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=place)
def test_every_link_between_the_pages_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
