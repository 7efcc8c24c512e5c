"""Each decoder meets bytes that nobody would send, for a bounded time: no crash, no hang, nothing held without bound."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_prepare import why_not
from fuzz_properties import CHECKS, seeds

SECONDS = int(os.environ.get("FUZZ_SECONDS", "2"))
PROGRAM = Path(__file__).with_name("fuzz_wire.py")


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_as_it_should_be_passes_its_check(name):
    known = seeds(name)
    assert known
    for octets in known:
        CHECKS[name](octets)


@pytest.mark.skipif(bool(why_not()), reason=why_not())
@pytest.mark.parametrize("name", CHECKS)
def test_no_bytes_that_fuzzing_finds_break_a_decoder(name):
    ran = subprocess.run(
        [sys.executable, PROGRAM, name, str(SECONDS)], capture_output=True, text=True, timeout=SECONDS + 90, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    executed = re.search(r"number_of_executed_units: (\d+)", ran.stderr)
    assert int(executed[1]) > 50 * SECONDS
    sys.stdout.write(f"{name}: {executed[1]} executions in {SECONDS} s\n")
