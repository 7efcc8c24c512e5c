"""Every example runs as a person runs it: alone, without a key, to its end, and shows what it is there to show."""

import os
import subprocess
import sys

import pytest
from house import ROOT

SHOWN = {
    "streams_any_client": "2 on theirs:any\nBecause air scatters blue light most.",
    "streams_ask_many": "100 of 100 answered",
    "streams_follow_the_seams": "the same as the outcome's: True",
    "streams_own_tree": "attempt 3: an answer\ndelphi says: it will rain",
    "supervision_ask_and_tell": "balance: 35 (life 2)",
    "supervision_backoff": "the page, from mirror",
    "supervision_dynamic_pool": "{'crash': 100, 'normal': 900}",
    "supervision_keep_it_alive": "feed: life 3 runs",
    "supervision_nested_trees": "root/pool gives up",
    "supervision_significant_child": "the job ended by normal and gave 42\nheartbeat stops",
    "supervision_three_scopes": "rest_for_one: +a +b +c b crashes: -c +b +c",
    "supervision_watch_a_tree": "most restarts:",
}
PATIENCE = 60
"""Seconds after which an example hangs; the slowest takes three, half of it imports."""


def test_every_example_is_run():
    assert sorted(SHOWN) == sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


@pytest.mark.row("M13")
@pytest.mark.parametrize("name", SHOWN)
def test_an_example_runs_alone_and_shows_its_idea(name, tmp_path):
    keyless = {key: value for key, value in os.environ.items() if not key.endswith(("_API_KEY", "_BASE_URL"))}
    command = [sys.executable, "-W", "error", ROOT / "examples" / f"{name}.py"]
    ran = subprocess.run(
        command, cwd=tmp_path, env=keyless, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert SHOWN[name] in ran.stdout


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_is_read_at_a_glance(name):
    assert len((ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 40
