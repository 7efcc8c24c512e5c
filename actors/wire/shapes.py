"""Narrowing of decoded JSON, for fields whose shape depends on the provider's mood.

The one rule: a value of another shape than expected reads as absent, so that only what is decoded strictly can be malformed.
"""

import math
from collections.abc import Mapping
from typing import TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Whether a decoded value is a JSON array."""
    return isinstance(value, list)


def objects(value: object) -> list[dict[str, object]]:
    """The objects of an array; none where it is no array."""
    return [one for one in value if is_object(one)] if is_array(value) else []


def text_at(fields: Mapping[str, object], name: str) -> str:
    """The text of a field; empty where it is no text."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def count_at(fields: object, *path: str) -> int:
    """The whole number at the end of a path of fields; 0 where there is none."""
    for name in path:
        fields = fields.get(name) if is_object(fields) else None
    return int(fields) if isinstance(fields, int | float) and math.isfinite(fields) else 0
