r"""A `.env` file as variables: strict, pure, and silent about values.

A line is `NAME=value`, with `export` before it and blanks around it where one likes.  A value in double quotes may go over several lines and
knows \\n, \\t, \\" and \\\\; one in single quotes is taken to the letter; one without ends at ` #`.  Nothing is looked up or run in a value.  The
one rule: what is no such line is an error that names file and line and never shows the text, for it may hold a key.
"""

import re
from collections.abc import Iterator, Mapping

import attrs

from actors.errors import SettingError

FILE = ".env"
"""How such a file is called."""

MOST_BYTES = 1 << 20
"""Longer than any such file is: one that is was meant to be something else."""

_ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*")
_QUOTED = {
    '"': re.compile(r'"(?P<value>(?:[^"\\]|\\.)*)"[ \t]*(?:#[^\n]*)?(?=\n|\Z)', re.DOTALL),
    "'": re.compile(r"'(?P<value>[^']*)'[ \t]*(?:#[^\n]*)?(?=\n|\Z)", re.DOTALL),
}
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#")
_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?=\n|\Z)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\n": ""}


@attrs.frozen(repr=False)
class Given:
    """What a line sets, and its number; it shows no value."""

    value: str
    line: int

    def __repr__(self) -> str:
        return f"<Given on line {self.line}>"


def parse_dotenv(text: str, source: str = FILE) -> Mapping[str, Given]:
    """The variables that the text of a `.env` file sets, the last of two that are called the same.

    Raises `SettingError` naming `source` and the line that is none.
    """
    if len(text) > MOST_BYTES:
        raise SettingError(f"{source} is longer than {MOST_BYTES >> 20} MiB; a file of settings is not")
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return dict(_lines(plain, source))


def _lines(text: str, source: str) -> Iterator[tuple[str, Given]]:
    at, line = 0, 1
    while at < len(text):
        nothing = _NOTHING.match(text, at)
        if nothing is None:
            name, value, end = _assignment(text, at, f"{source}, line {line}")
            yield name, Given(value, line)
        else:
            end = nothing.end()
        line += text.count("\n", at, end + 1)
        at = end + 1


def _assignment(text: str, at: int, place: str) -> tuple[str, str, int]:
    """Name, value, and where the line's end is."""
    begun = _ASSIGNMENT.match(text, at)
    if begun is None:
        raise SettingError(f"{place} is no NAME=value; correct it or make it a comment with #")
    name, quote = begun["name"], text[begun.end() : begun.end() + 1]
    value, end = _quoted(text, begun.end(), quote) if quote in _QUOTED else _plain(text, begun.end())
    if end < 0:
        raise SettingError(f"{place}: the value of {name} has no closing {quote}, or something behind it")
    if "\x00" in value:
        raise SettingError(f"{place}: the value of {name} holds a zero byte, which no variable can")
    return name, value, end


def _plain(text: str, at: int) -> tuple[str, int]:
    """A value without quotes: what stands before the line's end, or before a comment."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    value = text[at:end]
    comment = _COMMENT.search(value)
    return value[: comment.start() if comment else None].strip(" \t"), end


def _quoted(text: str, at: int, quote: str) -> tuple[str, int]:
    """A value in quotes, and where it ends; -1 where it does not."""
    found = _QUOTED[quote].match(text, at)
    if found is None:
        return "", -1
    value = found["value"]
    return (_ESCAPE.sub(_unescaped, value) if quote == '"' else value), found.end()


def _unescaped(escape: "re.Match[str]") -> str:
    return _ESCAPED.get(escape[1], escape[1])
