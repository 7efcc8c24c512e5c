"""Arguments of a call that come value by value, each with its place in the object (`streamFunctionCallArguments`).

The one rule: a place is a JSON path of plain names and numbers, such as `$.items[0].name`; any other place cannot be read and is a fault.
"""

import re

from actors.source import MalformedError
from actors.wire.shapes import is_array, is_object, objects

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


def place(arguments: dict[str, object], partial: object) -> None:
    """Put the values of a `partialArgs` field where they belong; raises `MalformedError` for a place that is none."""
    for one in objects(partial):
        path = str(one.get("jsonPath"))
        steps = [int(number) if number else name or quoted for name, number, quoted in _STEP.findall(path)]
        if not steps or "$" + "".join(match[0] for match in _STEP.finditer(path)) != path:
            raise MalformedError(f"a call's argument has the place {path!r}, which is no path")
        value = next((one[name] for name in _VALUES if name in one), None)
        _set(arguments, steps, None if "nullValue" in one else value)


def _set(at: object, steps: list[int | str], value: object) -> None:
    """Go down the steps, making what is missing, and set the value; a text goes on where there is one."""
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        fresh: object = value if following is None else [] if isinstance(following, int) else {}
        here = _get(at, step)
        if following is None:
            joined = here + value if isinstance(here, str) and isinstance(value, str) else value
            _put(at, step, joined)
        elif here is None:
            _put(at, step, fresh)
        at = _get(at, step)


def _get(at: object, step: int | str) -> object:
    if is_object(at):
        return at.get(str(step))
    return at[step] if is_array(at) and isinstance(step, int) and step < len(at) else None


def _put(at: object, step: int | str, value: object) -> None:
    if is_object(at):
        at[str(step)] = value
    elif is_array(at) and isinstance(step, int) and step <= len(at):
        at[step : step + 1] = [value]
    else:
        raise MalformedError(f"a call's argument has the place {step!r} in something that has no such place")
