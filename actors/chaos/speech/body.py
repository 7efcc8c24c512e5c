"""Request bodies read strictly, and what is wrong with them named by field.

Every provider has its own sentence for a missing field or a wrong type; this says only which field and what was
expected, and a dialect's table turns it into the sentence.
"""

import re
from typing import Any, TypeVar, cast

import msgspec
from attrs import frozen

Body = TypeVar("Body", bound=msgspec.Struct)


@frozen
class Flaw:
    """What is wrong: `path` such as `messages[0].content`, `expected` a JSON type, empty when the field is missing."""

    path: str
    expected: str = ""
    got: str = ""

    @property
    def dotted(self) -> str:
        """The path with dots alone: `messages.0.content`."""
        return re.sub(r"\[(\d+)\]", r".\1", self.path)


class BadBody(Exception):
    """The body is not what the format asks for; `flaw` is None when it is not JSON at all."""

    def __init__(self, flaw: Flaw | None, reason: str) -> None:
        self.flaw = flaw
        super().__init__(reason)


_SENTENCE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_EXPECTED = re.compile(r"Expected `(?P<expected>[^`]+)`(?:, got `(?P<got>[^`]+)`)?(?P<limit>.*)")


def decode(content: bytes, shape: type[Body]) -> Body:
    """The body in this shape; raises `BadBody`."""
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.ValidationError as error:
        raise BadBody(_flaw(str(error)), str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(None, str(error)) from None


def _flaw(sentence: str) -> Flaw:
    found = _SENTENCE.fullmatch(sentence)
    assert found is not None
    what, path = found["what"], found["path"] or ""
    if missing := _MISSING.fullmatch(what):
        return Flaw(f"{path}.{missing[1]}".lstrip("."))
    if expected := _EXPECTED.fullmatch(what):
        return Flaw(path, expected["expected"] + expected["limit"], expected["got"] or "")
    return Flaw(path, what)


def words_of(content: object) -> str:
    """The text in a message's content, whatever its nesting: a string, or blocks with `text` or `content`."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, map(words_of, cast("list[Any]", content))))
    if isinstance(content, dict):
        block = cast("dict[str, Any]", content)
        return words_of(block.get("text") or block.get("content") or block.get("output") or "")
    return ""
