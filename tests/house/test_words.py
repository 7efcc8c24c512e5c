"""The words of the field, and none that could mean anything."""

import ast
import re
from collections.abc import Iterator

import pytest
from house import PRODUCT, ROOT, files, place, tree

KEPT_OUT = frozenset("manager handler helper util common base service engine core processor data info".split())

# What supervisord puts under the same import name: installed over ours, a file of one name would replace the other's.
SUPERVISORD = frozenset(
    "childutils compat confecho datatypes dispatchers events http http_client loggers medusa options pidproxy poller "
    "process rpcinterface scripts skel socket_manager states supervisorctl supervisord templating tests ui web "
    "xmlrpc".split()
)


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, in the singular."""
    return {word.lower().removesuffix("s") for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def names() -> Iterator[tuple[str, str]]:
    """Each file, folder and class name with where it stands."""
    for path in files(*PRODUCT, "tests"):
        yield place(path), path.stem
        yield place(path.parent), path.parent.name
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                yield f"{place(path)}:{node.lineno}", node.name


@pytest.mark.parametrize("name", ["RetryManager", "base_stream", "HTTPHandlers", "utils", "StreamInfo"])
def test_a_kept_out_word_is_seen_in_any_spelling(name):
    assert words(name) & KEPT_OUT


def test_no_file_folder_or_class_bears_a_kept_out_word():
    assert sorted({f"{where} {name}" for where, name in names() if words(name) & KEPT_OUT}) == []


def test_no_file_of_supervisor_has_the_name_of_one_of_supervisord():
    ours = {path.stem for path in (ROOT / "supervisor").iterdir()}
    assert sorted(ours & SUPERVISORD) == []
