"""Every example runs, stays short, and prints what it is there to show."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

SHOWN = {
    "ask_and_tell": ["balance: 35 (life 2)", "asked in vain", "balance: 35 (life 3)"],
    "backoff": ["as 'main' (life 4, rung 0)", "again in 0.00 s as 'mirror' (life 5, rung 1)", "the page, from mirror"],
    "dynamic_pool": ["1000 children", "{'crash': 100, 'normal': 900}", "0 children left"],
    "keep_it_alive": ["life 2 ended by crash (ConnectionError: line 2 went dead)", "life 3 runs"],
    "nested_trees": ["root/pool gives up", "good, running, generation 3", "calm, running, generation 1"],
    "significant_child": ["the job ended by normal and gave 42\nheartbeat stops"],
    "three_scopes": ["rest_for_one: +a +b +c b crashes: -c +b +c", "one_for_all: +a +b +c b crashes: -c -a +a +b +c"],
    "watch_a_tree": ["('root', 'flaky'), 3.0", "('root', 'slow'), 47.0"],
}


def test_every_supervision_example_is_shown_here():
    assert sorted(f"supervision_{name}.py" for name in SHOWN) == sorted(
        path.name for path in EXAMPLES.glob("supervision_*")
    )


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_prints_what_it_is_there_to_show(name, capsys):
    path = EXAMPLES / f"supervision_{name}.py"
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out
    for words in SHOWN[name]:
        assert words in printed
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
