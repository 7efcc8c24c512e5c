"""People come in by the doors: what a door lists is all there is, and nobody inside uses it."""

import ast
import importlib
import inspect

import pytest
from house import DOORS, PACKAGES, ROOT, blocks, files, imported, module, pages, place, tree


def public(door: str) -> set[str]:
    """The names without an underscore that a door brings in, or, where it is a module of its own, defines."""
    folder = ROOT.joinpath(*door.split("."))
    if folder.is_dir():
        body = tree(folder / "__init__.py").body
        names = {name.asname or name.name for node in body if isinstance(node, ast.ImportFrom) for name in node.names}
    else:
        body = tree(folder.with_suffix(".py")).body
        names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    return {name for name in names if not name.startswith("_")}


def strangers(names: set[str]) -> list[str]:
    """Of some imported modules, those of ours that are no door."""
    return sorted(name for name in names if name.split(".")[0] in PACKAGES and name not in DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_a_door_lists_every_name_it_gives(door):
    listed = getattr(importlib.import_module(door), "__all__", [])
    assert sorted(listed) == sorted(public(door))


@pytest.mark.parametrize("door", DOORS)
def test_every_class_and_function_on_a_door_has_a_docstring_of_its_own(door):
    opened = importlib.import_module(door)
    things = {name: getattr(opened, name) for name in opened.__all__}
    silent = [name for name, thing in things.items() if _is_called(thing) and not thing.__doc__]
    assert silent == []


def _is_called(thing: object) -> bool:
    return inspect.isclass(thing) or inspect.isroutine(thing)


def test_no_module_imports_a_door_it_stands_behind():
    circular = [
        f"{place(path)} imports {name}"
        for path in files(*PACKAGES)
        for name in set(imported(tree(path), module(path) if path.name == "__init__.py" else module(path.parent)))
        if module(path).startswith(f"{name}.")
    ]
    assert sorted(circular) == []


@pytest.mark.parametrize("path", files("examples"), ids=place)
def test_an_example_imports_from_the_doors_only(path):
    assert strangers(set(imported(tree(path)))) == []


@pytest.mark.parametrize("page", pages(), ids=place)
def test_the_code_on_a_page_imports_from_the_doors_only(page):
    assert strangers({name for block in blocks(page) for name in imported(ast.parse(block.code))}) == []
