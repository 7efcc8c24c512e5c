"""Who is asked when nobody was named: the order of preference, as a table and two questions.

Pure.  First whatever `*_MODEL` variables say, all of them, in order: the first is asked and the others are where to go from there.  Where
none is set, the usual model of the first provider that there is a key for.
"""

from collections.abc import Mapping

from actors.accounts import PROVIDERS
from actors.entries import Setting
from actors.route import Route
from actors.routing import ALIASES

ORDER = ("openai", "anthropic", "google", "claude-code")
"""Whose `*_MODEL` goes first."""

NO_ROUTE = (
    "no route: give --route provider:model, for example --route anthropic:claude-sonnet-5-5, or set OPENAI_MODEL, ANTHROPIC_MODEL or "
    "GEMINI_MODEL, or a key: OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY"
)
"""What is said where nobody is named and nobody can be guessed."""


def preferred(entries: Mapping[str, Setting]) -> tuple[Route, ...]:
    """The routes that the settings prefer; empty where they name nobody and hold no key."""
    return _named(entries) or _first_ready(entries)


def reason(entries: Mapping[str, Setting]) -> str:
    """Why `preferred` prefers what it does, in words."""
    named = [PROVIDERS[provider].model for provider in ORDER if entries[PROVIDERS[provider].model].value]
    if named:
        return f"as {' and '.join(named)} {'say' if len(named) > 1 else 'says'}"
    first = next((provider for provider, there in _ready(entries).items() if there), "")
    if not first:
        return "no *_MODEL and no key is set"
    why = "OPENAI_BASE_URL" if first == "openai-chat" else PROVIDERS[first].key
    return f"no *_MODEL is set, and {why} is"


def _named(entries: Mapping[str, Setting]) -> tuple[Route, ...]:
    given = ((provider, entries[PROVIDERS[provider].model].value) for provider in ORDER)
    return tuple(_own(provider, model, entries) for provider, model in given if isinstance(model, str))


def _own(provider: str, model: str, entries: Mapping[str, Setting]) -> Route:
    """What a `*_MODEL` says: a model of that provider, an alias for one, or explicitly another provider's."""
    named, colon, of_it = model.partition(":")
    if colon and of_it and named in PROVIDERS:
        return Route(named, of_it)
    alias = ALIASES.get(model, "")
    if alias.startswith(f"{provider}:"):
        return Route.parse(alias)
    # A server of one's own is sure to know chat completions, and often knows nothing else.
    chat = provider == "openai" and entries["OPENAI_BASE_URL"].given
    return Route("openai-chat" if chat else provider, model)


def _ready(entries: Mapping[str, Setting]) -> Mapping[str, bool]:
    elsewhere = entries["OPENAI_BASE_URL"].given
    return {
        "openai": bool(entries["OPENAI_API_KEY"].value) and not elsewhere,
        "anthropic": bool(entries["ANTHROPIC_API_KEY"].value),
        "openai-chat": elsewhere,
        "google": bool(entries["GEMINI_API_KEY"].value),
    }


def _first_ready(entries: Mapping[str, Setting]) -> tuple[Route, ...]:
    first = next((provider for provider, there in _ready(entries).items() if there), "")
    return (Route(first, PROVIDERS[first].usual),) if first else ()
