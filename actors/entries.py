"""One setting: its value, where it came from, and why it could not be read where it could not.

Pure: the environment and the lines of a `.env` file are arguments.  The one rule: the environment goes before the file, as everywhere else, so
that what a person says for one run holds; and an empty text counts as none.
"""

from collections.abc import Mapping
from enum import Enum

import attrs

from actors.dotenv import FILE, Given
from actors.errors import SettingError
from actors.variables import Value, Variable


class Origin(Enum):
    """Where a value came from."""

    ENVIRONMENT = "environment"
    DOTENV = FILE
    DEFAULT = "default"
    NOT_SET = "not set"


_GIVEN = frozenset({Origin.ENVIRONMENT, Origin.DOTENV})


@attrs.frozen
class Setting:
    """One setting: the variable that sets it, its value (`None` where there is none) and where that came from.

    `line` is that of the `.env` file; `problem` the sentence that says why a text could not be read, empty where it could.
    """

    name: str
    value: Value | None
    origin: Origin
    line: int = 0
    problem: str = ""

    @property
    def source(self) -> str:
        """Where it came from, in words: `environment`, `.env:3`, `default` or `not set`."""
        return f"{self.origin.value}:{self.line}" if self.origin is Origin.DOTENV else self.origin.value

    @property
    def given(self) -> bool:
        """Whether a person set it."""
        return self.origin in _GIVEN


def read_setting(name: str, variable: Variable, environment: Mapping[str, str], dotenv: Mapping[str, Given]) -> Setting:
    """What a variable is set to; a text that cannot be read is the setting's `problem`."""
    raw, origin, line = environment.get(name, ""), Origin.ENVIRONMENT, 0
    if not raw.strip() and name in dotenv:
        raw, origin, line = dotenv[name].value, Origin.DOTENV, dotenv[name].line
    if not raw.strip():
        return Setting(name, variable.default, Origin.NOT_SET if variable.default is None else Origin.DEFAULT)
    try:
        return Setting(name, variable.read(name, raw), origin, line)
    except SettingError as error:
        where = f"{FILE}, line {line}: " if line else ""
        return Setting(name, None, origin, line, f"{where}{error}")
