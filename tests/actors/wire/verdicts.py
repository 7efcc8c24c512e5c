"""The verdict on every recorded failure: what `classify` makes of it, and the reviewed table it is held to.

`make verdicts` prints the table as it is now.  A row is ours alone: the record's name, its HTTP status, the
provider, the kind, what can help, and the seconds to wait; a `!` behind what can help marks a failure that the provider called final.
"""

import csv
import sys
from pathlib import Path

from wire_corpus import CORPUS, body, everything

from actors.failure import Phase
from actors.policy.classify import classify
from actors.source import WireError
from actors.wire import anthropic, claude_code, gemini, openai_chat, openai_responses

REVIEWED = Path(__file__).with_name("verdicts.csv")
FIELDS = ("record", "status", "provider", "kind", "helps", "wait")
DIALECTS = {
    "anthropic": anthropic.DIALECT,
    "openai": openai_chat.DIALECT,
    "compat": openai_chat.DIALECT,
    "gemini": gemini.DIALECT,
    "claude-code": claude_code.DIALECT,
}
FILES = tuple(DIALECTS)
NOT_SPOKEN = {"completions", "interactions"}


def dialect_of(record, name):
    return openai_responses.DIALECT if record["api"] == "responses" else DIALECTS[name]


def refusal(record, name):
    headers = {key.lower(): value for key, value in record["response_headers"].items()}
    return DIALECTS[name].read_error(record["status"], headers, body(record).encode())


def fault(dialect, octets, *, whole=False):
    """What ends the reading of these bytes, `None` for an answer."""
    if whole:
        try:
            dialect.read_reply(octets)
        except WireError as error:
            return error
        return None
    reader = dialect.reader()
    reader.feed(octets)
    if reader.fault is None and not reader.finished:
        reader.close()
    return reader.fault


def failures():
    """Every recorded failure: its name, its provider, the phase it was met in, and the exception."""
    for name in FILES:
        for record in everything(name):
            if record["kind"] == "error":
                yield record["id"], name, Phase.CONNECTION, refusal(record, name)
            elif record["api"] not in NOT_SPOKEN:
                broken = fault(dialect_of(record, name), body(record).encode(), whole=record["kind"] == "buffered")
                if broken is not None:
                    yield record["id"], name, Phase.STREAMING, broken
    for path in sorted((CORPUS / "claude-code-live").glob("*.stdout.ndjson")):
        broken = fault(claude_code.DIALECT, path.read_bytes())
        if broken is not None:
            yield f"claude-code-live/{path.name.partition('.')[0]}", "claude-code", Phase.STREAMING, broken


def verdict(name, provider, phase, error):
    """One row of the table."""
    failure = classify(error, phase, provider)
    helps = failure.disposition.value + ("!" if failure.final else "")
    wait = "" if failure.retry_after is None else f"{failure.retry_after:g}"
    return (name, str(failure.status or ""), provider, failure.kind.label, helps, wait)


def reviewed():
    with REVIEWED.open(newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    assert tuple(header) == FIELDS
    return [tuple(row) for row in rows]


if __name__ == "__main__":
    rows = [FIELDS, *(verdict(*met) for met in failures())]
    widths = [max(len(row[at]) for row in rows) for at in range(len(FIELDS))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    sys.stdout.writelines(f"{line}\n" for line in (*lines, f"{len(rows) - 1} verdicts"))
