# ruff: noqa: INP001 -- a script beside its pages
"""The tables of `failures.md`: for each kind how it is recognised, what is done about it and what people are told."""

import errno
from collections.abc import Iterable

from actors.catalogue import advise
from actors.kinds import Category, FailureKind, Phase
from actors.policy.decisions import BY_PHASE, BY_PROVIDER, HARMLESS_TOOLS, Decision, usual
from actors.policy.meanings import BY_CODE, BY_ERRNO, BY_STATUS, BY_TYPE

PROVIDER = "anthropic"
"""Whose variables and pages stand in the sentences, as an example."""


def catalogue() -> str:
    """A section for each kind, by category."""
    sections: list[str] = []
    for category in Category:
        sections.append(f"\n### {category.value.capitalize()}\n")
        sections += [_entry(kind) for kind in FailureKind if kind.category is category]
    return "\n".join(sections) + "\n"


def _entry(kind: FailureKind) -> str:
    advice, decision = advise(kind, PROVIDER), usual(kind, Phase.STREAMING)
    heading = "" if advice.heading == kind.title else f" - {advice.heading}"
    lines = [
        f"#### `{kind.label}` {kind.title}{heading}",
        "",
        f"- What happened: {advice.happened}.",
        f"- What to do: {advice.remedy}.",
        f"- What is done: {_done(decision)}.",
    ]
    seen = _seen(kind)
    return "\n".join([*lines, *([f"- Seen as: {seen}."] if seen else []), ""])


def _seen(kind: FailureKind) -> str:
    parts = (
        (
            "status",
            _joined(str(status) for status, meant in BY_STATUS.items() if meant is kind and status not in _THREES),
        ),
        ("status", "300 to 399" if kind is FailureKind.PROTOCOL else ""),
        ("code", _joined(word for word, meant in BY_CODE.items() if meant is kind)),
        ("errno", _joined(errno.errorcode[number] for number, meant in BY_ERRNO.items() if meant is kind)),
        ("exception", _joined(name for name, meant in BY_TYPE.items() if meant is kind)),
    )
    return "; ".join(f"{what} {names}" for what, names in parts if names)


_THREES = range(300, 400)


def _joined(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _done(decision: Decision) -> str:
    most = f", at most {decision.most} times" if decision.most else ""
    slower = f", every wait {decision.slower:g} times as long" if decision.slower != 1 else ""
    return decision.action.value + most + slower


def differences() -> str:
    """Where the phase or the provider makes a difference."""
    rows = [(kind, f"phase {phase.value}", row) for (kind, phase), row in BY_PHASE.items()]
    rows += [(kind, f"provider `{provider}`", row) for (provider, kind), row in BY_PROVIDER.items()]
    lines = [f"| `{kind.label}` | {where} | {_done(row)} |\n" for kind, where, row in rows]
    return "| kind | where | what is done |\n| --- | --- | --- |\n" + "".join(lines)


def decisions() -> str:
    """Every kind: what comes first, and the numbers."""
    head = "| kind | what is done | attempts that may end so | waits |\n| --- | --- | --- | --- |\n"
    rows = ((kind, usual(kind, Phase.STREAMING)) for kind in FailureKind)
    return head + "".join(
        f"| `{kind.label}` | {row.action.value} | {_most(row)} | {f'x {row.slower:g}' if row.repeats else '-'} |\n"
        for kind, row in rows
    )


def _most(row: Decision) -> str:
    return (str(row.most) if row.most else "as many as its `Retry` allows (5)") if row.repeats else "1"


def harmless() -> str:
    """The tools that may run twice."""
    return f"{_joined(sorted(HARMLESS_TOOLS))}\n"


FAILURES = (catalogue, decisions, differences, harmless)
