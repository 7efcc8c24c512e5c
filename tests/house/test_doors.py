"""People come in by the doors: what a door lists is all there is, and nobody inside uses it."""

import ast
import importlib
import inspect
from types import ModuleType

import pytest
from house import DOORS, PACKAGES, ROOT, blocks, files, imported, module, pages, place, tree


def open_doors() -> list[ModuleType]:
    return [importlib.import_module(door) for door in DOORS if importlib.util.find_spec(door)]


def public(door: ModuleType) -> set[str]:
    """What a door's file brings in by import, as users see it with `dir`."""
    body = tree(ROOT.joinpath(door.__file__)).body
    return {name.asname or name.name for node in body if isinstance(node, ast.ImportFrom) for name in node.names}


def strangers(names: set[str]) -> list[str]:
    """Of some imported modules, those of ours that are no door."""
    return sorted(name for name in names if name.split(".")[0] in PACKAGES and name not in DOORS)


@pytest.mark.parametrize("door", [door for door in open_doors() if door.__file__.endswith("__init__.py")])
def test_a_door_lists_every_name_it_brings_in(door):
    listed = getattr(door, "__all__", [])
    assert sorted(listed) == sorted(name for name in public(door) if not name.startswith("_"))


@pytest.mark.parametrize("door", open_doors())
def test_every_class_and_function_on_a_door_has_a_docstring_of_its_own(door):
    things = {name: getattr(door, name) for name in getattr(door, "__all__", [])}
    documented = {name: thing for name, thing in things.items() if inspect.isclass(thing) or inspect.isroutine(thing)}
    assert [name for name, thing in documented.items() if not thing.__doc__] == []


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
