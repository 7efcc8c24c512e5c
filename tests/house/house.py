"""What the house tests read: the project's own files, parsed once, and the python blocks of its pages."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = ("supervisor", "actors")
PRODUCT = (*PACKAGES, "examples", "benchmarks")
DOORS = ("supervisor", "supervisor.testing", "actors", "actors.chaos", "actors.telemetry", "actors.testing")

_FENCE = re.compile(
    r"(?:^<!-- illustration: (?P<why>[^\n]+) -->\n+)?^```py(?:thon)?\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """One python block of a page; `why` says why it is only an illustration, `None` that it runs."""

    page: Path
    line: int
    code: str
    why: str | None


def files(*folders: str) -> list[Path]:
    """Every python file under these folders of the project."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def place(path: Path) -> str:
    """A file as the project names it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module(path: Path) -> str:
    """The dotted name under which a file of a package is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(root: ast.AST, package: str = "") -> Iterator[str]:
    """Every module an import statement reaches; `from a import b` is `a.b` where that is a module of ours, else `a`."""
    for node in ast.walk(root):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=name, names=names, level=level):
                source = importlib.util.resolve_name("." * level + (name or ""), package)
                yield from {_owner(source, item.name) for item in names}


def _owner(source: str, name: str) -> str:
    inner = ROOT.joinpath(*source.split("."), name)
    return f"{source}.{name}" if inner.is_dir() or inner.with_suffix(".py").is_file() else source


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The python blocks of a page in reading order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start("code")), found["code"], found["why"])
        for found in _FENCE.finditer(text)
    ]
