"""A promise is kept where a test shows it: `docs/promises.md` and the marks on the tests tell the same story."""

import ast
import re
from pathlib import Path

from house import ROOT, files, place, tree

PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
PROMISED = re.findall(r"^\*\*(P\d+) ", PAGE, re.MULTILINE)
NOT_YET = re.findall(r"\bP\d+\b", PAGE.partition("## Not shown by a test yet")[2])


def marks(path: Path) -> set[str]:
    """The promises that a test file is marked with."""
    found = (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and _is_mark(node))
    return {ast.literal_eval(argument) for node in found for argument in node.args}


def _is_mark(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "pytest.mark.promise"


SHOWN = {place(path): marks(path) for path in files("tests") if marks(path)}


def test_the_page_lists_sixteen_promises_in_order():
    assert [f"P{number}" for number in range(1, 17)] == PROMISED


def test_every_promise_is_shown_by_a_test_or_named_as_not_shown_yet():
    shown = set().union(*SHOWN.values())
    assert sorted(set(PROMISED) - shown) == sorted(NOT_YET), "bring the last section of docs/promises.md up to date"


def test_every_mark_names_a_promise_of_the_page():
    assert {where: unknown for where, names in SHOWN.items() if (unknown := names - set(PROMISED))} == {}
