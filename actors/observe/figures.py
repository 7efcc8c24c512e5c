"""Figures and foreign texts as people read them.

Whatever came from a model, a provider or a file passes `clean` before a terminal sees it: an escape sequence in an answer must not
command the terminal.
"""


def seconds(length: float | None) -> str:
    """A length of time: `0.41 s`, `12.3 s`, `3 min 05 s`; `-` for none."""
    if length is None:
        return "-"
    if length < 10:
        return f"{length:.2f} s"
    if length < 100:
        return f"{length:.1f} s"
    return f"{int(length // 60)} min {int(length % 60):02} s"


def count(number: float) -> str:
    """A whole number with its thousands apart."""
    return f"{round(number):,}"


_MANY = {"retry": "retries", "switch": "switches"}


def counted(number: int, thing: str) -> str:
    """A number of things: `1 stream`, `2 streams`."""
    return f"{number:,} {thing if number == 1 else _MANY.get(thing, f'{thing}s')}"


def clean(text: str, keep: str = "") -> str:
    """The text without anything that commands a terminal; of the control characters only those in `keep` stay."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in keep else "\N{REPLACEMENT CHARACTER}" for letter in text)
