# ruff: noqa: INP001 -- a script beside its pages
"""The tables of the page on configuration, made of those in the code."""

from collections.abc import Callable

from actors.accounts import PROVIDERS
from actors.routing import ALIASES, PATTERNS


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def accounts() -> str:
    """What each provider lives on."""
    rows = [
        (
            f"`{name}:`",
            " or ".join(f"`{key}`" for key in (account.key, account.or_key) if key),
            f"`{account.base_url}`" if account.base_url else "",
            ", ".join(f"`{names[0]}`" for names in account.options.values()),
            f"`{account.model}`" if account.model else "",
        )
        for name, account in PROVIDERS.items()
    ]
    return _table(("provider", "key", "address", "what else it is told", "model of the default route"), rows)


def names() -> str:
    """Who is asked for a model's name."""
    own = [("`PROVIDER/…`, with any provider's name", "that provider, asked for what comes after the slash")]
    return _table(("name", "goes to"), own + [(words, f"`{provider}:`") for _, provider, words in PATTERNS])


def aliases() -> str:
    """Names for people."""
    return _table(("alias", "route"), [(f"`{alias}`", f"`{route}`") for alias, route in ALIASES.items()])


CONFIGURATION: tuple[Callable[[], str], ...] = (accounts, names, aliases)
