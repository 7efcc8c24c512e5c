"""Fuzzes one decoder for a bounded time, led by what its code does with each input: `fuzz_wire.py NAME SECONDS`.

What was found to be worth keeping stays beside the environment for the next time.  An input that breaks a check is written there too, as
`NAME-crash-...`; given behind the seconds, such files are tried again and nothing else.
"""

import sys
from pathlib import Path

from fuzz_prepare import CORPORA, ENGINE

sys.path[:0] = [str(ENGINE), str(Path(__file__).parents[1] / "actors/wire")]

import atheris  # noqa: E402 -- from its own folder

with atheris.instrument_imports(include=["actors.wire", "actors.policy.assemble"]):
    from fuzz_properties import CHECKS, SIZES, seeds

from fuzz_mutations import changed  # noqa: E402 -- the same

MOST = 20_000
"""Bytes of an input."""

FLAGS = ("-timeout=10", "-rss_limit_mb=1500", f"-max_len={MOST}", "-print_final_stats=1", "-verbosity=1")


def main(name, seconds, *again):
    corpus, known = CORPORA / name, seeds(name)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(known):
        (corpus / f"seed-{number}").write_bytes(octets)

    def mutated(octets, most, seed):
        if seed % 3:
            return changed(octets, seed, known, 0 if name.endswith("_whole") else len(SIZES))[:most]
        return atheris.Mutate(octets, most)

    flags = (*FLAGS, f"-max_total_time={seconds}", f"-artifact_prefix={CORPORA}/{name}-")
    atheris.Setup([name, *(again or [str(corpus)]), *flags], CHECKS[name], custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
