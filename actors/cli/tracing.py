"""`trace ID`: all that a log has of one stream, fit to be handed on."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import json
from rich.console import Group
from rich.table import Table
from rich.text import Text

from actors.cli.configuration import here
from actors.cli.reading import log_lines
from actors.cli.screen import paper, put
from actors.config import Settings
from actors.observe.entries import Entry
from actors.observe.figures import clean, seconds
from actors.observe.story import Story, clean_line, story_record, tell, wanted
from actors.redaction import scrubbed

_STYLES = {"error": "red", "warning": "yellow", "debug": "dim"}


def show_trace(trace_id: str, logs: Sequence[Path], *, in_json: bool) -> int:
    """Print the story of a trace; gives the exit status, 1 where there is none."""
    asked = wanted(trace_id)
    settings = here()
    story = tell(asked, log_lines(logs))
    if story is None:
        looked = ", ".join(map(str, logs)) or "standard input"
        print(f"trio-supervisor: no line of {looked} is of a trace that begins with {asked}", file=sys.stderr)
        return 1
    if in_json:
        octets = json.encode(story_record(story, _settings(settings)))
        sys.stdout.write(scrubbed(octets, settings.secrets).decode() + "\n")
        return 0
    _print(story, settings.secrets)
    return 0


def _print(story: Story, secrets: Sequence[str]) -> None:
    """The lines as they were written, to be handed on; for a person on a terminal what they come to."""
    page = paper(sys.stdout, plain=False)
    several = len({source for source, _, _ in story.lines}) > 1
    if page.is_terminal:
        put(page, _timeline(story, secrets, several=several))
        return
    for source, line, _ in story.lines:
        said = clean(clean_line(line, secrets), keep="\t")
        page.print(Text(f"{source}: {said}" if several else said), soft_wrap=True, highlight=False)


def _timeline(story: Story, secrets: Sequence[str], *, several: bool) -> Group:
    table = Table.grid(padding=(0, 2))
    for name in ("when", "what", "where"):
        table.add_column(no_wrap=name == "when", style="dim" if name == "when" else None, overflow="fold")
    for source, line, entry in story.lines:
        if entry is None:
            table.add_row("", Text(clean(clean_line(line, secrets))), source)
            continue
        told = [
            Text(entry.event, _STYLES.get(entry.level, "")),
            *(Text(said, "dim") for said in _details(entry, secrets)),
        ]
        where = _where(entry) + (f"\n{source}" if several else "")
        table.add_row(entry.at[11:23], Group(*told), Text(where, "dim"))
    return Group(Text(f"trace {story.trace_id}", "bold"), table)


def _details(entry: Entry, secrets: Sequence[str]) -> Iterator[str]:
    moved = entry.event.startswith("switched provider")  # the line before it has told why
    if not moved and (entry.text("title") or entry.text("message")):
        said = ": ".join(filter(None, (entry.text("title"), entry.text("message"))))
        yield clean(clean_line(said, secrets))
    if entry.text("next_route"):
        yield f"then {clean(entry.text('next_route'))} after {seconds(entry.number('after') or 0.0)}"


def _where(entry: Entry) -> str:
    route = ":".join(filter(None, (entry.text("provider"), entry.text("model"))))
    buffered = " (buffered)" if entry.text("mode") == "buffered" else ""
    took = entry.number("elapsed")
    return clean(f"{route}{buffered}{'' if took is None else f', {seconds(took)}'}")


def _settings(settings: Settings) -> list[dict[str, object]]:
    """Every setting that is set, as `settings` lists it: keys are not shown."""
    return [
        {"name": name, "value": str(setting.value), "from": setting.origin.value}
        for name, setting in settings.entries.items()
        if setting.value is not None
    ]
