"""The house stays small: short functions, short files, few methods. Reviews forget, a test does not."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from house import PACKAGES, PRODUCT, files, place, tree

BODY = 45
BODY_P90 = 20
LINES = 300
LINES_EVER = 400
METHODS = 10

# Files above 300 lines, each with the reason why it is one idea that two files would tell worse.
LONG: dict[str, str] = {}

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, int]]:
    """Each function of the product with the lines of its body, docstring left out."""
    for path in files(*PRODUCT):
        for node in ast.walk(tree(path)):
            if isinstance(node, FUNCTION):
                body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
                yield f"{place(path)}:{node.lineno} {node.name}", _lines(body)


def _lines(body: list[ast.stmt]) -> int:
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def public_methods(node: ast.ClassDef) -> set[str]:
    """Methods a user can call; properties and dunders are not counted, overloads count once."""
    methods = (item for item in node.body if isinstance(item, FUNCTION))
    return {item.name for item in methods if not item.name.startswith("_") and not _is_property(item)}


def _is_property(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator).split(".")[-1] in {"property", "setter"} for decorator in method.decorator_list)


def test_no_function_body_is_longer_than_45_lines():
    assert [f"{name}: {lines} lines" for name, lines in functions() if lines > BODY] == []


def test_nine_function_bodies_of_ten_have_at_most_20_lines():
    lengths = [lines for _, lines in functions()]
    assert len(lengths) < 2 or quantiles(lengths, n=10)[-1] <= BODY_P90


def test_no_file_is_longer_than_400_lines():
    long = [f"{place(path)}: {length(path)} lines" for path in files(*PRODUCT, "tests") if length(path) > LINES_EVER]
    assert long == []


def test_files_above_300_lines_are_those_with_a_reason():
    assert {place(path) for path in files(*PRODUCT) if length(path) > LINES} == set(LONG)


def test_no_class_has_more_than_10_public_methods():
    crowded = [
        f"{place(path)}:{node.lineno} {node.name}: {len(public_methods(node))} methods"
        for path in files(*PRODUCT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and len(public_methods(node)) > METHODS
    ]
    assert crowded == []


def test_every_init_file_holds_names_only():
    doing = [
        f"{place(path)}:{node.lineno}"
        for path in files(*PACKAGES)
        if path.name == "__init__.py"
        for node in tree(path).body
        if not _names_only(node)
    ]
    assert doing == []


def _names_only(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__path__")]):
            return True  # `__path__`: what supervisord puts beside us in another directory stays importable
    return False
