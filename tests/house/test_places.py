"""What touches the outside world is done in one place, where it can be closed, limited and replaced."""

import ast
from pathlib import Path

import pytest
from house import PACKAGES, files, place, tree

OPENERS = {
    "HTTP clients": frozenset(
        "AsyncClient AsyncConnectionPool AsyncHTTPTransport Client HTTPTransport urlopen".split()
    ),
    "sockets": frozenset(
        "HTTPConnection HTTPSConnection create_connection open_ssl_over_tcp_stream open_tcp_stream".split()
    ),
    "processes": frozenset(
        "Popen check_call check_output create_subprocess_exec create_subprocess_shell execv execve execvp fork "
        "open_process popen posix_spawn run_process".split()
    ),
}


def calls(path: Path) -> set[str]:
    """The last word of everything a file calls."""
    called = (ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    return {name.split(".")[-1] for name in called}


@pytest.mark.parametrize("what", OPENERS)
def test_one_file_opens(what):
    places = [place(path) for path in files(*PACKAGES) if calls(path) & OPENERS[what]]
    assert len(places) <= 1, f"{what} are opened in {', '.join(places)}"
