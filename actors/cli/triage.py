"""`triage LOG`: what a log asks a person to do now."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import json
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from actors.cli.reading import log_lines
from actors.cli.screen import paper, put
from actors.observe.entries import entry_of
from actors.observe.figures import clean, counted
from actors.observe.triage import MEANS, Finding, Triage, Verdict, triage, triage_record

_STYLES = {Verdict.BUG: "red", Verdict.PERMANENT: "red", Verdict.EXHAUSTED: "red", Verdict.TRANSIENT: "green"}


def show_triage(logs: Sequence[Path], *, in_json: bool) -> int:
    """Print the findings; gives the exit status."""
    found = triage(entry_of(line) for _, line in log_lines(logs))
    log = " --log ".join(shlex.quote(str(log)) for log in logs) or "FILE"
    if in_json:
        print(json.encode(triage_record(found, log)).decode())
    else:
        put(paper(sys.stdout, plain=False), _page(found, log))
    return 0


def _page(found: Triage, log: str) -> Group:
    others = f", {counted(found.foreign, 'other line')}" if found.foreign else ""
    head = Text(f"{counted(found.entries, 'log line')} of {counted(found.streams, 'stream')}{others}", "bold")
    if not found.entries:
        return Group(head, Text("This is no log of trio-supervisor: write one with --log-file, or give another file."))
    if not found.findings:
        return Group(head, Text("Nothing went wrong that was logged; --log-level info tells of every stream.", "green"))
    return Group(head, *(_finding(number, finding, log) for number, finding in enumerate(found.findings, 1)))


def _finding(number: int, finding: Finding, log: str) -> Group:
    kind, style = finding.kind, _STYLES.get(finding.verdict, "yellow")
    where = f" at {clean(finding.provider)}" if finding.provider else ""
    head = Text.assemble("\n", (f"{number}. {kind.title}{where}", f"bold {style}"))
    head.append(f"  {counted(finding.streams, 'stream')}, {counted(finding.lines, 'line')}")
    body: list[RenderableType] = [Text(MEANS[finding.verdict], style)]
    if finding.message:
        body.append(Text(f"said: {clean(finding.message)}", "dim"))
    steps = Table.grid(padding=(0, 1))
    for letter, step in zip("abc", finding.steps(log), strict=False):
        steps.add_row(f"{letter}.", Text(clean(step)))
    return Group(head, *(Padding(part, (0, 0, 0, 3)) for part in (*body, steps)))
