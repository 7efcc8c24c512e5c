"""From the name of a model to who is asked for it: patterns and aliases, as tables.

Pure.  An explicit `provider:model` always wins, and only a provider that is known is one: the colon of `llama3.2:1b` or of Bedrock's
`anthropic.claude-v2:1` is part of the name.  Then come one's own aliases, the usual ones, and the first pattern that fits.
"""

import re
from collections.abc import Collection, Mapping

import attrs

from actors.accounts import PROVIDERS
from actors.errors import SettingError
from actors.redaction import shown
from actors.route import Route

ALIASES: Mapping[str, str] = {
    "anthropic": "anthropic:claude-sonnet-5-5",
    "claude": "anthropic:claude-sonnet-5-5",
    "sonnet": "anthropic:claude-sonnet-5-5",
    "opus": "anthropic:claude-opus-5-5",
    "haiku": "anthropic:claude-haiku-5-5",
    "openai": "openai:gpt-5.5",
    "gpt": "openai:gpt-5.5",
    "google": "google:gemini-2.5-flash",
    "gemini": "google:gemini-2.5-flash",
}
"""Names for people: each is the model that one usually means."""

_PATTERNS: tuple[tuple[str, str, str], ...] = (
    (r"claude-code[-/](?P<model>.+)", "claude-code", "claude-code-MODEL"),
    (r"publishers/anthropic/models/(?P<model>.+)", "anthropic-vertex", "publishers/anthropic/models/…"),
    (r"publishers/google/models/(?P<model>.+)", "vertex", "publishers/google/models/…"),
    (r"models/(?P<model>gemini-.+)", "google", "models/gemini-…"),
    (r"(?P<model>claude-[^:@/]+@\w+)", "anthropic-vertex", "claude-…@DATE"),
    (r"(?P<model>(?:[a-z]+\.)?anthropic\.claude-.+)", "bedrock", "anthropic.claude-…"),
    (r"(?P<model>arn:aws[\w-]*:bedrock:.+)", "bedrock", "arn:aws:bedrock:…"),
    (r"(?P<model>claude-.+)", "anthropic", "claude-…"),
    (r"(?P<model>(?:gpt|chatgpt|codex)-.+|o\d(?:-.+)?)", "openai", "gpt-…, chatgpt-…, codex-…, o1 and its like"),
    (r"(?P<model>gemini-.+)", "google", "gemini-…"),
)
"""How a name reads as a whole, who is asked, and the pattern in words; the first that fits counts."""

PATTERNS = tuple((re.compile(pattern), provider, words) for pattern, provider, words in _PATTERNS)

_ALIAS = re.compile(r"[A-Za-z0-9][\w.-]*")


@attrs.frozen
class Names:
    """What decides about a name: one's own aliases, who is known besides the usual providers, and where the rest goes.

    `elsewhere` is the provider of names that nobody knows, empty for none; `code_model` the model of the bare name `claude-code`.
    """

    aliases: Mapping[str, str] = attrs.field(factory=dict[str, str])
    own: Collection[str] = ()
    elsewhere: str = ""
    code_model: str = "sonnet"

    def resolve(self, route: Route) -> Route:
        """The route with its provider; raises `SettingError` for a name that nobody knows."""
        if route.provider in self.own or route.provider in PROVIDERS:
            return route
        found = self._named(route.name, self.aliases)
        if found is None:
            raise SettingError(self._unknown(route.name))
        return attrs.evolve(route, provider=found.provider, model=found.model)

    def _named(self, name: str, aliases: Mapping[str, str]) -> Route | None:
        provider, colon, model = name.partition(":")
        if colon and model and (provider in self.own or provider in PROVIDERS):
            return Route(provider, model)
        if name in aliases:
            # What an alias stands for is no other alias of one's own: so there are no circles.
            return self._named(aliases[name], ALIASES if aliases is not ALIASES else {})
        if name in ALIASES:
            return self._named(ALIASES[name], {})
        return self._by_pattern(name)

    def _by_pattern(self, name: str) -> Route | None:
        if name == "claude-code":
            return Route("claude-code", self.code_model)
        prefix, slash, model = name.partition("/")
        if slash and model and prefix in PROVIDERS:
            return Route(prefix, model)
        for pattern, provider, _ in PATTERNS:
            if (found := pattern.fullmatch(name)) is not None:
                return Route(provider, found["model"])
        return Route(self.elsewhere, name) if self.elsewhere else None

    def _unknown(self, name: str) -> str:
        known = ", ".join(dict.fromkeys((*PROVIDERS, *self.own)))
        aliases = ", ".join(dict.fromkeys((*self.aliases, *ALIASES)))
        return (
            f"no provider is known for {shown(name, 100)!r}: say provider:model with one of {known}; "
            f"or an alias ({aliases}); or a model whose name tells ({', '.join(words for *_, words in PATTERNS)})"
        )


def read_aliases(name: str, text: str) -> Mapping[str, str]:
    """The aliases in `fast=openai:gpt-5-mini,best=opus`; raises `SettingError` naming the variable and the part that is none."""
    aliases: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        alias, equals, target = (piece.strip() for piece in part.partition("="))
        if not (equals and target and _ALIAS.fullmatch(alias)) or alias in PROVIDERS:
            said = shown(part, 100)
            raise SettingError(f"{name} has {said!r}; write name=provider:model, with a name that is no provider's")
        aliases[alias] = target
    return aliases
