"""Where a request departs from the recorded one: the first differing place, in the words of a request's own fields.

Pure.  The one rule: a person sees the place, both texts around it, and nothing of what is equal.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias, TypeGuard

import attrs

Place: TypeAlias = tuple[str | int, ...]

FIELDS = ("provider", "model", "mode", "messages", "system", "tools", "tool_choice", "limits", "schema", "extras")
"""The order in which a request is compared: what decides most first."""

_CLIP = 30
"""Characters shown of either text."""
_LEAD = 8
"""Of those, the ones before the difference."""
_PLACE_CLIP = 60


class Nothing:
    """What stands where one of the two has nothing."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = Nothing()


@attrs.frozen
class Difference:
    """The first place where two requests differ, and what either has there."""

    place: Place
    asked: object
    recorded: object

    def __str__(self) -> str:
        asked, recorded = _around(self.asked, self.recorded)
        return f"{_spelled(self.place)} is {asked}, recorded is {recorded}"


def first_difference(asked: Mapping[str, object], recorded: Mapping[str, object]) -> Difference | None:
    """The first of them; `None` where there is none."""
    return next(_differences(asked, recorded, ()), None)


def likeness(asked: Mapping[str, object], recorded: Mapping[str, object]) -> tuple[int, int, int]:
    """How near a recorded request is, to be compared: equal fields of the route, messages that agree from the first, equal other fields."""
    route = sum(asked.get(name) == recorded.get(name) for name in FIELDS[:3])
    pairs = zip(_items(asked.get("messages")), _items(recorded.get("messages")), strict=False)
    agree = 0
    for one, other in pairs:
        if one != other:
            break
        agree += 1
    return route, agree, sum(asked.get(name) == recorded.get(name) for name in FIELDS[3:])


def _is_fields(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _is_items(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list)


def _items(value: object) -> Sequence[object]:
    return value if _is_items(value) else ()


def _differences(asked: object, recorded: object, place: Place) -> Iterator[Difference]:
    if _is_fields(asked) and _is_fields(recorded):
        for name in sorted({*asked, *recorded}, key=_rank):
            yield from _differences(asked.get(name, NOTHING), recorded.get(name, NOTHING), (*place, name))
    elif _is_items(asked) and _is_items(recorded):
        for at, (one, other) in enumerate(zip_longest(asked, recorded, fillvalue=NOTHING)):
            yield from _differences(one, other, (*place, at))
    elif asked != recorded or type(asked) is not type(recorded):
        yield Difference(place, asked, recorded)


def _rank(name: str) -> tuple[int, str]:
    return (FIELDS.index(name) if name in FIELDS else len(FIELDS), name)


def _spelled(place: Place) -> str:
    """`messages[2].parts[0].text`."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")
    return words if len(words) <= _PLACE_CLIP else words[: _PLACE_CLIP - 1] + "…"


def _around(asked: object, recorded: object) -> tuple[str, str]:
    """Both, clipped to the neighbourhood of the first character that differs."""
    texts = [one if isinstance(one, str) else _word(one) for one in (asked, recorded)]
    pairs = zip(*texts, strict=False)
    first = next((at for at, (one, other) in enumerate(pairs) if one != other), min(map(len, texts)))
    start = max(0, first - _LEAD)
    shown = [_clipped(text, start) for text in texts]
    quoted = [f"'{text}'" if isinstance(one, str) else text for one, text in zip((asked, recorded), shown, strict=True)]
    return quoted[0], quoted[1]


def _clipped(text: str, start: int) -> str:
    end = start + _CLIP
    return ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")


def _word(value: object) -> str:
    return repr(value) if isinstance(value, Nothing) else json.dumps(value, ensure_ascii=False)
