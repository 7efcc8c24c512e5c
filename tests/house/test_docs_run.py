"""What the pages show is true: their python blocks run, those of one page in order and in one namespace.

A block that only illustrates says so and why, in an HTML comment right above it: `<!-- illustration: needs a key -->`.
It must still parse, and what it imports from our doors must be there.
"""

import ast

import pytest
from house import PACKAGES, Block, blocks, pages, place


def code_of(block: Block):
    """A block compiled so that a traceback shows the line of its page."""
    body = ast.parse("\n" * block.line + block.code, place(block.page))
    if block.why is not None:
        body.body = [node for node in body.body if _brings_ours(node)]
    return compile(body, str(block.page), "exec")


def _brings_ours(node: ast.stmt) -> bool:
    match node:
        case ast.ImportFrom(module=str(name)):
            return name.split(".")[0] in PACKAGES
        case ast.Import(names=names):
            return all(item.name.split(".")[0] in PACKAGES for item in names)
    return False


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page)], ids=place)
def test_the_code_on_a_page_runs(page):
    namespace = {"__name__": "__main__"}
    for block in blocks(page):
        exec(code_of(block), namespace)
