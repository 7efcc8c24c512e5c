"""A behaviour is there where a test shows it: `docs/behaviours.md` and the marks on the tests tell the same story."""

import ast
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest
from house import ROOT, files, place, tree

PAGE = (ROOT / "docs" / "behaviours.md").read_text(encoding="utf-8")
TOLD = re.findall(r"^\| ([A-Z]\d+) \| .+ \|$", PAGE, re.MULTILINE)
NEEDLESS = set(re.findall(r"^([A-Z]\d+) does not apply: ", PAGE, re.MULTILINE))
NOT_YET = set(re.findall(r"\b[A-Z]\d+\b", PAGE.partition("## Not shown by a test yet")[2]))


def marks(path: Path) -> set[str]:
    """The behaviours that a test file is marked with."""
    found = (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and _is_mark(node))
    return {ast.literal_eval(argument) for node in found for argument in node.args}


def _is_mark(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "pytest.mark.row"


SHOWN = {place(path): marks(path) for path in files("tests") if marks(path)}


def test_every_group_of_the_page_is_numbered_without_gaps():
    assert len(TOLD) > 200
    for letter, group in groupby(TOLD, key=lambda name: name[0]):
        names = list(group)
        assert names == [f"{letter}{number}" for number in range(1, len(names) + 1)]


def test_every_behaviour_is_shown_by_a_test_or_says_why_it_needs_none():
    missing = set(TOLD) - set().union(*SHOWN.values()) - NEEDLESS - NOT_YET
    assert sorted(missing) == [], "mark the test that shows it, or say on docs/behaviours.md why it does not apply"


def test_nothing_is_both_shown_and_said_not_to_apply():
    assert sorted(set().union(*SHOWN.values()) & NEEDLESS) == []


def test_every_mark_names_a_behaviour_of_the_page():
    assert {where: unknown for where, names in SHOWN.items() if (unknown := names - set(TOLD))} == {}


MARKED = """
import pytest

@pytest.mark.row("A1")
def test_one(): pass

@pytest.mark.row("A15", "B2")
def test_two(): pass
"""


@pytest.mark.parametrize(
    ("wanted", "found"), [("A1.", ["one"]), ("A15", ["two"]), ("A1", ["one", "two"]), ("B2.", ["two"])]
)
def test_a_behaviour_is_found_by_its_number(tmp_path, wanted, found):
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_marked.py").write_text(MARKED, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-k", wanted, "-W", "ignore", "--rootdir=."]
    told = subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert re.findall(r"::test_(\w+)", told) == found
