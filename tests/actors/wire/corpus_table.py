"""What became of every recorded answer, file by file: `make corpus` prints it.

Each record is read whole and in slices and held against a naive reader that shares no code with the product.  The one rule: every record of
every file is in the table, and a file that is not known is an error.
"""

import json
import sys
from collections import Counter

import test_wire_anthropic_corpus as anthropic
import test_wire_claude_code_corpus as claude
import test_wire_gemini_corpus as gemini
import test_wire_openai_chat_corpus as chat
import test_wire_openai_responses_corpus as responses
from naive_anthropic import Naive as NaiveAnthropic
from naive_gemini import Naive as NaiveGemini
from naive_openai_chat import Naive as NaiveChat
from test_wire_errors_corpus import NOT_SPOKEN
from wire_corpus import CORPUS, body, everything
from wire_dialects import DIALECTS
from wire_fold import fold

COLUMNS = ("read", "failed as recorded", "left out")
FILES = {"anthropic": "anthropic", "openai": "openai_chat", "gemini": "gemini", "compat": "openai_chat"}
"""The files of recorded HTTP, and the dialect that reads their errors."""

STREAMS = {
    "messages": anthropic.check_stream,
    "chat.completions": chat.check_stream,
    "responses": responses.check_stream,
    "streamGenerateContent": gemini.check_stream,
    "streamGenerateContent(vertex)": gemini.check_stream,
}
REPLIES = {
    "messages": (anthropic, NaiveAnthropic, NaiveAnthropic.message),
    "chat.completions": (chat, NaiveChat, NaiveChat.chunk),
    "generateContent": (gemini, NaiveGemini, NaiveGemini.response),
}


def became(name, record, seed=0):
    """What became of one record, in the words of a column; raises where it does not say what it holds."""
    kind, api = record["kind"], record["api"]
    if (name, kind, api) in NOT_SPOKEN:
        return "left out"
    if kind == "error":
        refused = DIALECTS[FILES[name]].read_error(record["status"], {}, body(record).encode())
        assert (refused.status, bool(refused.message)) == (record["status"], True)
        return "failed as recorded"
    if kind == "stream":
        return next(column for column in COLUMNS if STREAMS[api](record, seed).startswith(column))
    module, naive, add = REPLIES[api]
    held = naive()
    add(held, json.loads(body(record)))
    module.compare(held, fold(module.DIALECT.read_reply(body(record).encode())))
    return "read"


def run(text, seed=0):
    """What became of one run of Claude Code."""
    return "read" if claude.check(text, seed)[0] == "finished" else "failed as recorded"


def table():
    """For each file, and each kind of record in it: how many became what."""
    found, unknown = {}, []
    for path in sorted(CORPUS.iterdir()):
        name = path.name.removesuffix(".jsonl.gz")
        if name in FILES:
            for record in everything(name):
                found.setdefault((name, record["kind"]), Counter())[became(name, record)] += 1
        elif name == "claude-code":
            found[name, "stream"] = Counter(run(body(record)) for record in everything(name))
        elif path.is_dir() and name == "claude-code-live":
            found[name, "stream"] = Counter(run(one.read_text()) for one in path.glob("*.stdout.ndjson"))
        elif name != "README.md":
            unknown.append(path.name)
    assert not unknown, f"nobody reads {unknown}"
    return found


def main():
    row = "{:<18}{:<10}{:>6}{:>20}{:>10}{:>8}\n"
    sys.stdout.write(row.format("file", "kind", *COLUMNS, "of"))
    for (name, kind), counts in table().items():
        sys.stdout.write(row.format(name, kind, *(counts[column] for column in COLUMNS), counts.total()))


if __name__ == "__main__":
    main()
