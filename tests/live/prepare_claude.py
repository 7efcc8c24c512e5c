"""Puts the real Claude Code beside the environment, for the live tests: `make real-claude` runs it.

npm checks what it fetches against the sums of the lock beside this file and runs no script of the package.  The one rule: whatever is in
the way is one sentence on the screen and in `REASON`, where the tests read why they skip; it is never an error.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(sys.prefix) / "real-claude"
REASON = HOME / "missing"
LOG = HOME / "log"
WANTED = Path(__file__).parent / "claude_code"
ALONE = {"HOME": str(HOME), "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
"""What the program is told when it is tried: nothing of the person's, and to ask nobody."""


def program():
    """The program that the tests run: the one that CLAUDE_CODE_PROGRAM names, else the one that was fetched; `None` where neither is."""
    named = os.environ.get("CLAUDE_CODE_PROGRAM")
    if named:
        return Path(named).resolve()
    found = sorted(HOME.glob("node_modules/@anthropic-ai/claude-code-*/claude"))
    return found[0] if found and not _reason() else None


def why_not():
    """Why these tests cannot run here, in one sentence; an empty text where they can."""
    if program() is not None:
        return ""
    return _reason() or "the real Claude Code is not there: make real-claude fetches it (235 MB)"


def _reason():
    return REASON.read_text() if REASON.exists() else ""


def main():
    if program() is None:
        shutil.rmtree(HOME, ignore_errors=True)
        shutil.copytree(WANTED, HOME)
        REASON.write_text(_install())
    sys.stdout.write((why_not() or f"the real Claude Code is {program()}") + "\n")


def _install():
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm here, by which the real Claude Code is fetched"
    if not _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"], 120):
        return f"npm cannot fetch the real Claude Code here (the end of {LOG} says why)"
    found = HOME.glob("node_modules/@anthropic-ai/claude-code-*/claude")
    runs = any(_run([path, "--version"], 30, **ALONE) for path in found)
    return "" if runs else f"there is no Claude Code that runs on this machine (the end of {LOG} says why)"


def _run(command, seconds, **environment):
    """Whether a command ended well; what it says goes into the log."""
    with LOG.open("a") as log:
        try:
            subprocess.run(
                command,
                cwd=HOME,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=seconds,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            print(error, file=log)
            return False
    return True


if __name__ == "__main__":
    main()
