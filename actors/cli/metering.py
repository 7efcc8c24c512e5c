"""`metrics`: the figures of a run, with what they mean."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import json
from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from actors.cli.reading import log_lines
from actors.cli.screen import paper, put
from actors.errors import SettingError
from actors.observe.figures import clean, count, counted, seconds
from actors.observe.readout import CATEGORIES, FALLBACKS, HELD, MEANINGS, Readout, read_out, readout_record
from actors.outcome import Status


def show_metrics(file: Path | None, *, in_json: bool) -> int:
    """Print the figures; gives the exit status."""
    readout = read_out(line for _, line in log_lines([] if file is None else [file]))
    if not set(readout.sources) - {"other line"}:
        raise SettingError("there are no figures in it: give what run --json, run --out or --log-file wrote")
    if in_json:
        print(json.encode(readout_record(readout)).decode())
    else:
        put(paper(sys.stdout, plain=False), _page(readout))
    return 0


def _page(readout: Readout) -> Group:
    streams = ", ".join(f"{count(readout.streams[status.value])} {status.value}" for status in Status)
    total = sum(readout.streams.values())
    read = ", ".join(counted(number, clean(name)) for name, number in readout.sources.items())
    lines: list[Text | Padding] = [
        Text(f"{counted(total, 'stream')}: {streams}", "bold"),
        Text(f"{counted(readout.requests, 'request')} told of in {read}", "dim"),
    ]
    for name, told in _rows(readout):
        lines += [Text.assemble("\n", (name, "bold"), f"  {told}"), Padding(Text(MEANINGS[name], "dim"), (0, 0, 0, 3))]
    if readout.peaks:
        held = ", ".join(f"{name.replace('_', ' ')} {count(most)}" for name, most in readout.peaks.items())
        lines += [Text.assemble("\n", ("held at most", "bold"), f"  {held}"), Padding(Text(HELD, "dim"), (0, 0, 0, 3))]
    return Group(*lines)


def _rows(readout: Readout) -> Iterator[tuple[str, str]]:
    times = "  ".join(f"{name} {seconds(figure)}" for name, figure in readout.durations.items())
    yield "llm.request.duration_ms", f"of whole answers: {times}"
    yield "llm.request.retries", _told(readout.retries, ())
    yield "llm.streaming.errors", _told(readout.errors, CATEGORIES)
    yield "llm.fallback.triggered", _told(readout.fallbacks, FALLBACKS[:2])
    yield "llm.input_tokens", count(readout.tokens["input_tokens"])
    yield "llm.output_tokens", count(readout.tokens["output_tokens"])


def _told(counter: Mapping[str, int], always: tuple[str, ...]) -> str:
    names = (*always, *sorted(set(counter) - set(always)))
    parts = [f"{name} {count(counter.get(name, 0))}" for name in names if name in always or counter.get(name)]
    return f"{count(sum(counter.values()))}{': ' if parts else ''}{', '.join(parts)}"
