"""What is configured, where it came from, and what is missing: the settings as the commands read them, and as a person sees them.

The one rule: nothing that is wrong hides the rest, and no key is shown, not even its end; its length tells whether it was copied whole.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from msgspec import json
from rich.table import Table

from actors.cli.screen import Paper, paper
from actors.config import PROVIDERS, VARIABLES, Secret, Setting, Settings
from actors.dotenv import FILE, MOST_BYTES
from actors.entries import Origin
from actors.errors import SettingError
from actors.preferred import reason
from actors.providers.table import complaint
from actors.redaction import shown
from actors.route import Route
from actors.routing import ALIASES

WIDE = 250
"""Columns where no terminal counts them: a setting is one line then, for `grep`."""

SHOWN_BYTES = 200
"""What is shown of a value."""


def here() -> Settings:
    """The settings of the environment and of the `.env` file in the working directory; raises `SettingError` for what cannot be read."""
    return Settings.read(os.environ, dotenv=_dotenv())


def _dotenv() -> str:
    """The text of the file; empty where there is none."""
    try:
        if not Path(FILE).is_file():  # a named pipe would be waited for
            return ""
        with Path(FILE).open("rb") as file:
            return file.read(MOST_BYTES + 1).decode()
    except UnicodeDecodeError:
        raise SettingError(f"{FILE} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise SettingError(f"cannot read {FILE}: {(error.strerror or str(error)).lower()}") from None


@attrs.frozen
class Configuration:
    """All there is to tell: the settings, the routes asked when none is given and why, what each provider lacks, what is wrong."""

    settings: Settings
    routes: tuple[Route, ...]
    why: str
    missing: Mapping[str, str]
    problems: tuple[str, ...]

    @classmethod
    def survey(cls) -> "Configuration":
        """What is configured here; nothing is sent to find out."""
        broken: tuple[str, ...] = ()
        try:
            settings = Settings.survey(os.environ, dotenv=_dotenv())
        except SettingError as error:
            broken = (str(error),)
            settings = Settings.survey(os.environ)
        missing = {provider: complaint(provider, settings) for provider in PROVIDERS}
        routes = tuple(settings.in_mode(route) for route in settings.routes)
        return cls(settings, routes, reason(settings.entries), missing, (*broken, *settings.problems))


def show_config(*, in_json: bool) -> int:
    """Print what is configured; gives the exit status, 2 where something is wrong."""
    told = Configuration.survey()
    if in_json:
        print(json.encode(_record(told)).decode())
    else:
        console = paper(sys.stdout, plain=False)
        if not console.is_terminal:
            console.width = WIDE
        _draw(told, console)
    return 2 if told.problems else 0


def shown_value(setting: Setting) -> str:
    """A value as it may be seen."""
    match setting.value:
        case None:
            return "" if not setting.problem else "(cannot be read)"
        case Secret() as key:
            return f"set, {len(key.reveal())} characters"
        case tuple() as keys:
            lengths = " and ".join(str(len(key.reveal())) for key in keys)
            return f"set, {lengths} characters" if len(keys) == 1 else f"{len(keys)} keys, {lengths} characters"
        case bool() as switch:
            return str(switch).lower()
        case float() as number:
            return f"{number:g}"
        case other:
            return shown(str(other), SHOWN_BYTES)


def _draw(told: Configuration, console: Paper) -> None:
    table = _table("variable", "value", "from", "what it sets")
    for name, setting in told.settings.entries.items():
        style = "red" if setting.problem else None if setting.given else "dim"
        table.add_row(name, shown_value(setting), setting.source, VARIABLES[name].about, style=style)
    console.print(table)
    asked = ", then ".join(map(str, told.routes)) or "nobody"
    console.print(f"\nAsked when no route is given: {asked} ({told.why})\n", highlight=False, markup=False)
    ready = _table("provider", "ready", "what is missing")
    for provider, missing in told.missing.items():
        ready.add_row(provider, "no" if missing else "yes", missing, style="dim" if missing else None)
    console.print(ready)
    for problem in told.problems:
        console.print(f"\nwrong: {problem}", highlight=False, markup=False, style="red", soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in {"variable", "from", "provider"})
    return table


def _record(told: Configuration) -> Mapping[str, Any]:
    return {
        "settings": {name: dict(_fields(setting)) for name, setting in told.settings.entries.items()},
        "routes": [route.name for route in told.routes],
        "why": told.why,
        "aliases": {**ALIASES, **_own_aliases(told.settings)},
        "providers": {
            name: {"ready": not missing, **({"missing": missing} if missing else {})}
            for name, missing in told.missing.items()
        },
        "problems": told.problems,
    }


def _fields(setting: Setting) -> Iterator[tuple[str, Any]]:
    plain = setting.value is None or isinstance(setting.value, bool | int | float)
    yield "value", setting.value if plain else shown_value(setting)
    yield "from", setting.origin.value
    if setting.origin is Origin.DOTENV:
        yield "line", setting.line
    yield "sets", VARIABLES[setting.name].about
    if setting.problem:
        yield "problem", setting.problem


def _own_aliases(settings: Settings) -> Mapping[str, str]:
    try:
        return settings.names.aliases
    except SettingError:
        return {}
