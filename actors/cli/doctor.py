"""`doctor`: is this machine, are the settings, is every key as it should be?

One cheap authenticated request for each key (`providers.listing`), all at the same time; nothing else is sent, and nobody is asked to type.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import attrs
import trio
from msgspec import json
from rich.console import Group
from rich.table import Table
from rich.text import Text

from actors.catalogue import ANYWHERE, PLACES
from actors.cli.configuration import Configuration, shown_value
from actors.cli.machine import claude_code, machine
from actors.cli.screen import paper, put
from actors.config import PROVIDERS, Endpoint
from actors.errors import SettingError
from actors.observe.checkup import Finding, Mark, of_answer, of_model, of_models, sound
from actors.observe.figures import clean
from actors.providers.listing import SHELVES, Offer, ask_models
from actors.redaction import shown

_STYLES = {Mark.FINE: "green", Mark.NOTE: "dim", Mark.WRONG: "bold red"}
_PROGRAM = "claude-code"


@attrs.frozen
class Wish:
    """What is looked at: all that is configured or these providers; whether requests may be sent; whether all models are named."""

    providers: tuple[str, ...]
    offline: bool
    all_models: bool


def examine(providers: tuple[str, ...], *, offline: bool, all_models: bool, in_json: bool) -> int:
    """Look at everything and print what was found; gives the exit status, 1 where something is wrong."""
    for name in providers:
        if name not in PROVIDERS:
            raise SettingError(f"--provider: there is no provider {name!r}; known are {', '.join(PROVIDERS)}")
    found = trio.run(_examine, Wish(providers, offline, all_models))
    if in_json:
        print(json.encode(_record(found)).decode())
    else:
        put(paper(sys.stdout, plain=False), _page(found))
    return 0 if sound(found.findings) else 1


@attrs.frozen
class _Found:
    findings: tuple[Finding, ...]
    models: Mapping[str, tuple[str, ...]]


async def _examine(wish: Wish) -> _Found:
    configured = Configuration.survey()
    findings = [*machine(), *_of_settings(configured)]
    names = wish.providers or tuple(_configured(configured))
    if not names:
        do = "Export one of ANTHROPIC_API_KEY, OPENAI_API_KEY and GEMINI_API_KEY"
        findings.append(Finding("providers", Mark.WRONG, "No credentials configured", do))
    offers: dict[str, list[Offer]] = {name: [] for name in names}
    program: list[Finding] = []
    async with trio.open_nursery() as nursery:
        if _PROGRAM in names or not wish.providers:
            nursery.start_soon(claude_code, program, _PROGRAM in names)
        for name in names:
            if name in SHELVES and not configured.missing[name] and not wish.offline:
                nursery.start_soon(_ask, configured.settings.endpoint(name), offers[name])
    for name in names:
        findings += _of_provider(name, configured, offers[name], wish)
    findings += program
    models = {name: some[0].models for name, some in offers.items() if some and some[0].models}
    return _Found(tuple(findings), models)


def _configured(configured: Configuration) -> Iterator[str]:
    """The providers that somebody set something for, one of each account."""
    seen: set[tuple[str, str]] = set()
    for name, account in PROVIDERS.items():
        own = [variable for variable in (account.key, account.or_key, account.base_url, account.model) if variable]
        given = any(configured.settings.entries[variable].given for variable in own)
        if given and (account.key, account.base_url) not in seen:
            seen.add((account.key, account.base_url))
            yield name


async def _ask(endpoint: Endpoint, offers: list[Offer]) -> None:
    offers.extend([await ask_models(endpoint, key) for key in [key.reveal() for key in endpoint.keys] or [""]])


def _of_settings(configured: Configuration) -> Iterator[Finding]:
    for problem in configured.problems:
        yield Finding("settings", Mark.WRONG, problem)
    for name, setting in configured.settings.entries.items():
        if setting.given and not setting.problem:
            yield Finding("settings", Mark.FINE, f"{name} is {shown_value(setting)} ({setting.source})")


def _of_provider(name: str, configured: Configuration, offers: Sequence[Offer], wish: Wish) -> Iterator[Finding]:
    place, missing = PLACES.get(name, ANYWHERE), configured.missing[name]
    if missing and name != _PROGRAM:
        first = "No credentials configured: " if "is not set" in missing else ""
        yield Finding(name, Mark.WRONG, f"{first}{missing}")
    elif name in SHELVES:
        yield Finding(name, Mark.NOTE, f"asked at {shown(configured.settings.endpoint(name).base_url, 200)}")
    for number, offer in enumerate(offers, 1):
        which = "the key" if len(offers) == 1 else f"key {number} of {len(offers)}"
        yield of_answer(name, which, offer.models, offer.failure, offer.seconds)
    if not missing and not offers and name != _PROGRAM:
        why = "--offline" if wish.offline else "it lists no models for a key; a stream tries it"
        yield Finding(name, Mark.NOTE, f"not asked: {why}")
    models = next((offer.models for offer in offers if offer.models), ())
    if models:
        yield of_models(name, models, all_of_them=wish.all_models)
        yield from _of_routes(name, configured, models)
    yield Finding(name, Mark.NOTE, f"outages, status page: {place.status}; keys and limits: {place.portal}")


def _of_routes(name: str, configured: Configuration, models: Sequence[str]) -> Iterator[Finding]:
    """Whether the models that would be asked are there; an account may serve several names of a provider."""
    if not SHELVES[name].names_routes:
        return
    entries, account = configured.settings.entries, PROVIDERS[name]
    for route in configured.routes:
        other = PROVIDERS[route.provider]
        if (other.key, other.base_url) != (account.key, account.base_url):
            continue
        given = account.model and entries[account.model].given and entries[account.model].value == route.model
        yield of_model(name, route.model, account.model if given else "asked when no route is given", models)


def _page(found: _Found) -> Group:
    parts: list[Text | Table] = []
    for of, findings in groupby(found.findings, key=lambda finding: finding.of):
        parts.append(Text(of if not parts else f"\n{of}", "bold"))
        table = Table.grid(padding=(0, 1))
        table.add_column(width=6)
        table.add_column(overflow="fold")
        for finding in findings:
            table.add_row(Text(finding.mark.value, _STYLES[finding.mark]), Text(clean(finding.said)))
            if finding.do:
                table.add_row("", Text(clean(f"{finding.do}."), "bold"))
        parts.append(table)
    wrong = sum(finding.mark is Mark.WRONG for finding in found.findings)
    end = "\nNothing is wrong." if not wrong else f"\n{wrong} wrong."
    return Group(*parts, Text(end, "bold red" if wrong else "bold green"))


def _record(found: _Found) -> dict[str, object]:
    return {
        "ok": sound(found.findings),
        "findings": [{"of": one.of, "mark": one.mark.value, "said": one.said, "do": one.do} for one in found.findings],
        "models": {name: list(models) for name, models in found.models.items()},
        "places": {name: {"status_page": place.status, "portal": place.portal} for name, place in PLACES.items()},
    }
