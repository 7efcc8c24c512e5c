"""`trace ID`: all that a log has of one stream, fit to be handed on."""

import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import json
from rich.text import Text

from actors.cli.configuration import here
from actors.cli.reading import log_lines
from actors.cli.screen import paper, put
from actors.config import Settings
from actors.observe.figures import clean
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
    page = paper(sys.stdout, plain=False)
    several = len({source for source, _, _ in story.lines}) > 1
    for source, line, entry in story.lines:
        said = clean(clean_line(line, secrets), keep="\t")
        style = "" if entry is None else _STYLES.get(entry.level, "")
        shown = Text(f"{source}: {said}" if several else said, style)
        if page.is_terminal:
            put(page, shown)
        else:
            page.print(shown, soft_wrap=True, highlight=False)


def _settings(settings: Settings) -> list[dict[str, object]]:
    """Every setting that is set, as `settings` lists it: keys are not shown."""
    return [
        {"name": name, "value": str(setting.value), "from": setting.origin.value}
        for name, setting in settings.entries.items()
        if setting.value is not None
    ]
