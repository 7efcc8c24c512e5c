"""The seven checks of an operator hold, as the script that a person runs tells."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("seven_checks.sh")
SECONDS = 300


@pytest.mark.row("L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "G3", "J8", "M8")
def test_all_seven_checks_hold():
    environment = {**os.environ, "TRIO_SUPERVISOR": f"{sys.executable} -m actors"}
    told = subprocess.run(
        ["bash", SCRIPT], capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
    )
    assert "WRONG" not in told.stdout, told.stdout + told.stderr
    assert told.stdout.endswith("All seven hold.\n"), told.stdout + told.stderr
    assert told.returncode == 0
    assert [line[0] for line in told.stdout.splitlines() if line[:1].isdecimal()] == list("1234567")
