"""Puts the fuzzing engine beside the environment: `make fuzz-engine` runs it.

The package is installed into a folder of its own, which only the fuzzing program sees.  The one rule: whatever is in the way is one sentence
on the screen and in `REASON`, where the test reads why it skips; it is never an error.
"""

import subprocess
import sys
from pathlib import Path
from shutil import rmtree

HOME = Path(sys.prefix) / "fuzz"
ENGINE = HOME / "engine"
CORPORA = HOME / "corpora"
REASON = HOME / "missing"
LOG = HOME / "log"
WANTED = Path(__file__).with_name("requirements.txt")
FLAGS = "--no-input --disable-pip-version-check --retries 1 --no-deps --only-binary :all: --require-hashes".split()


def why_not():
    """Why nothing can be fuzzed here, in one sentence; an empty text where it can."""
    if (ENGINE / "atheris").is_dir():
        return ""
    return (
        REASON.read_text()
        if REASON.exists()
        else "the fuzzing engine is not there: make fuzz-engine fetches it (35 MB)"
    )


def main():
    if why_not():
        rmtree(HOME, ignore_errors=True)
        HOME.mkdir(parents=True)
        REASON.write_text(
            "" if _install() else f"atheris has no wheel that can be had here (the end of {LOG} says why)"
        )
    sys.stdout.write((why_not() or f"the fuzzing engine is in {ENGINE}") + "\n")


def _install():
    command = [sys.executable, "-m", "pip", "install", *FLAGS, "--target", ENGINE, "--requirement", WANTED]
    with LOG.open("w") as log:
        try:
            return subprocess.run(command, stdout=log, stderr=log, timeout=120, check=False).returncode == 0
        except subprocess.TimeoutExpired as error:
            print(error, file=log)
            return False


if __name__ == "__main__":
    main()
