"""What this machine has of what the program needs: versions, files that may be open, the other package of the same name, Claude Code."""

import os
import platform
import resource
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import trio

import supervisor
from actors.observe.checkup import Finding, Mark, of_file_limit
from actors.providers.processes import open_program
from actors.redaction import shown

CLIENTS = ("anthropic", "openai", "google-genai", "httpx2")
COMMAND = "claude"
VERSION_SECONDS = 10.0
VERSION_BYTES = 64
INSTALL = "Install it: npm install -g @anthropic-ai/claude-code"


def machine() -> Iterator[Finding]:
    """The findings that need no network."""
    ours = f"trio-supervisor {_version('trio-supervisor')}"
    yield Finding(
        "machine",
        Mark.FINE,
        f"{ours}, Python {platform.python_version()}, trio {_version('trio')}, {platform.system()}",
    )
    lacking = [name for name in CLIENTS if not _version(name)]
    there = ", ".join(f"{name} {_version(name)}" for name in CLIENTS if name not in lacking)
    if lacking:
        do = f"Install again: pip install {' '.join(lacking)}"
        yield Finding("machine", Mark.WRONG, f"clients that are not installed: {', '.join(lacking)}", do)
    if there:
        yield Finding("machine", Mark.FINE, f"clients: {there}")
    yield _package()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield of_file_limit(None if soft == resource.RLIM_INFINITY else soft)


def _package() -> Finding:
    """Whose `supervisor` is imported: the other one, had it won, would have been told of at the import of `actors`."""
    other = _version("supervisor")
    where = os.path.dirname(supervisor.__file__ or "")  # noqa: PTH120 -- a text is wanted
    if not other:
        return Finding("machine", Mark.FINE, f"package supervisor is ours ({where})")
    told = f"supervisord {other} is installed beside us and has a package supervisor of its own; ours was found first ({where})"
    return Finding("machine", Mark.NOTE, told, "Keep the two in environments of their own")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


async def claude_code(findings: list[Finding], wanted: bool) -> None:  # noqa: FBT001 -- called by start_soon
    """Find the program of Claude Code and ask for its version; where nobody wants it its absence is no fault."""
    path = shutil.which(COMMAND)
    if path is None:
        mark = Mark.WRONG if wanted else Mark.NOTE
        findings.append(Finding("claude-code", mark, "claude is not in PATH", INSTALL if wanted else ""))
        return
    told = b""
    with trio.move_on_after(VERSION_SECONDS):
        try:
            async with open_program((path, "--version"), b"", dict(os.environ)) as program:
                while len(told) < VERSION_BYTES and (piece := await program.receive()):
                    told += piece
        except OSError as error:
            do = f"See what {path} --version says"
            findings.append(Finding("claude-code", Mark.WRONG, f"claude cannot be started: {error.strerror}", do))
            return
    said = shown(told.decode("utf-8", "replace"), VERSION_BYTES)
    if said:
        findings.append(Finding("claude-code", Mark.FINE, f"{path}, version {said}"))
    else:
        do = f"See what {path} --version says"
        findings.append(Finding("claude-code", Mark.WRONG, "claude does not tell its version", do))
