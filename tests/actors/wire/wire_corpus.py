"""The recorded traffic: where it is, how it is sliced, and a table that accounts for every record."""

import gzip
import itertools
import json
import random
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import Phase, settings

CORPUS = Path(__file__).parents[3] / "../shared/wire"
ABSENT = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the recorded traffic is not part of the project: ../shared/wire is absent"
)

SEEDS = settings(max_examples=3, deadline=None, phases=(Phase.generate,), database=None)
"""For tests that read a whole file with one seed: a failure names its seed at once instead of looking for a smaller one."""


@cache
def everything(name):
    with gzip.open(CORPUS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


def records(name, kind, apis=None):
    return [record for record in everything(name) if record["kind"] == kind and (apis is None or record["api"] in apis)]


def body(record):
    """The body as the provider sent it: some recorders put it into an envelope of their own."""
    text = record["response_body"].removeprefix(" ")  # one recorder indents
    if text.startswith(('{"type": "json"', '{"type": "text"')):
        envelope = json.loads(text)
        if envelope.keys() == {"type", "content"}:
            content = envelope["content"]
            return content if isinstance(content, str) else json.dumps(content)
    return text


def slices(octets, seed, most=24):
    """The bytes in up to `most` + 1 pieces, and small ones one byte at a time now and then."""
    dice = random.Random(f"{seed}:{len(octets)}")
    if len(octets) < 3000 and dice.random() < 0.2:
        return [octets[at : at + 1] for at in range(len(octets))]
    cuts = sorted(dice.randrange(len(octets) + 1) for _ in range(dice.randrange(most)))
    edges = [0, *cuts, len(octets)]
    return [octets[start:stop] for start, stop in itertools.pairwise(edges)]


class Table:
    """What became of each record; `rows` sees that none is missing and none counted twice."""

    def __init__(self, found):
        self.found = found
        self.became = {}

    def enter(self, record, what):
        assert record["id"] not in self.became
        self.became[record["id"]] = what

    @property
    def rows(self):
        assert self.became.keys() == {record["id"] for record in self.found}
        return dict(Counter(self.became.values()))
