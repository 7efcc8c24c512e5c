"""Changes that leave the framing and the JSON as they are, so that what is behind them is reached too.

An answer is a list of lines; a line with JSON in it gets one value changed, or lines are lost, doubled, exchanged or taken from another answer.
"""

import json
import random

ODD = (
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    1e308,
    "",
    "{}",
    "\N{GRINNING FACE}",
    [],
    {},
    [{}],
    "tool_use",
    "text",
    "error",
    "STOP",
)
"""Values of every kind, to be put where another is."""


def changed(octets, seed, others, begin):
    """The octets after a few such changes behind `begin`."""
    dice = random.Random(seed)
    begins, lines = octets[:begin], octets[begin:].split(b"\n")
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(lines))
        match dice.randrange(8):
            case 0:
                del lines[at : at + dice.randint(1, 4)]
            case 1:
                lines[at:at] = lines[at : at + dice.randint(1, 4)]
            case 2:
                to = dice.randrange(len(lines))
                lines[at], lines[to] = lines[to], lines[at]
            case 3:
                strange = dice.choice(others)[begin:].split(b"\n")
                start = dice.randrange(len(strange))
                lines[at:at] = strange[start : start + dice.randint(1, 4)]
            case _:
                lines[at] = rewritten(lines[at], dice)
        lines = lines or [b""]
    return begins + b"\n".join(lines)


def rewritten(line, dice):
    """A line with one value of its JSON replaced, lost, doubled or taken from elsewhere in it; itself where it has none."""
    start = line.find(b"{")
    try:
        told = json.loads(line[start:]) if start >= 0 else None
    except ValueError:
        told = None
    if not told:
        return line
    places = list(walk(told))
    here, name = dice.choice(places)
    match dice.randrange(4):
        case 0:
            del here[name]
        case 1:
            here[name] = dice.choice(ODD)
        case 2:
            there, other = dice.choice(places)
            here[name] = json.loads(json.dumps(there.get(other) if isinstance(there, dict) else there[other]))
        case _:
            here[name] = stretched(here[name], dice)
    return line[:start] + json.dumps(told).encode()


def stretched(value, dice):
    """Something like the value."""
    match value:
        case str():
            return value * 2 if dice.random() < 0.5 else value[: len(value) // 2]
        case bool() | None:
            return not value
        case int() | float():
            return value + dice.choice((-1, 1))
        case list():
            return value * 2
    return [value]


def walk(value):
    """Every place in a JSON value: what holds it, and its name or number there."""
    names = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from walk(value[name])
