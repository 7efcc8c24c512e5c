"""What a failure costs: microseconds to classify one, by kind, and the bytes that its value holds.

Figures to be read, not asserted: `python -m benchmarks.failures`.  Nothing of this runs where a stream succeeds.
"""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Iterator, Sequence

from actors.failure import Failure, FailureKind, Phase
from actors.policy.classify import classify
from actors.policy.meanings import BY_CODE, BY_ERRNO, BY_STATUS, BY_TYPE
from actors.source import EncodingError, MalformedError, RefusedError, TruncatedError

ROUNDS, TIMES, HELD = 7, 200, 1000
HEADERS = {"request-id": "req_011CbrHhHrg2uRYHCX3zqzPp", "retry-after": "7", "x-should-retry": "true"}
MESSAGE = "This request would exceed the rate limit of 200,000 input tokens per minute. For details, refer to the documentation."


def errors() -> Iterator[Exception]:
    """One exception for every way into the tables."""
    yield from (RefusedError(MESSAGE, status=status, headers=HEADERS) for status in BY_STATUS)
    yield from (RefusedError(MESSAGE, status=200, code=code, in_stream=True, headers=HEADERS) for code in BY_CODE)
    yield from (OSError(number, "the system's own words") for number in BY_ERRNO)
    yield from (type(name, (Exception,), {})("a client's own words") for name in BY_TYPE)
    yield from (TruncatedError("cut"), MalformedError("garbled"), EncodingError("no images"), MemoryError())
    yield chained()


def chained() -> Exception:
    """A refused connection, as a client wraps it: three exceptions, each raised from the next."""
    outer, middle = type("APIConnectionError", (Exception,), {})("no"), type("ConnectError", (Exception,), {})("no")
    outer.__cause__, middle.__cause__ = middle, ConnectionRefusedError(111, "refused")
    return outer


def microseconds(error: Exception) -> float:
    """The median time of classifying it once."""
    rounds: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(TIMES):
            classify(error, Phase.STREAMING, "anthropic", "claude-sonnet-4-5")
        rounds.append((time.perf_counter() - began) / TIMES * 1e6)
    return statistics.median(rounds)


def by_kind() -> dict[FailureKind, list[float]]:
    """The times of all errors, by the kind they are."""
    found: dict[FailureKind, list[float]] = {}
    for error in errors():
        failure = classify(error, Phase.STREAMING)
        if failure is not None:
            found.setdefault(failure.kind, []).append(microseconds(error))
    return found


def held(message: str) -> float:
    """Bytes that one failure with such a message holds, of a thousand."""
    told = [
        RefusedError(f"{number} {message}", status=429, kind="rate_limit_error", headers=HEADERS)
        for number in range(HELD)
    ]
    gc.collect()
    tracemalloc.start()
    failures: Sequence[Failure | None] = [classify(one, Phase.STREAMING, "anthropic", "claude") for one in told]
    bytes_, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return bytes_ / len(failures)


def main() -> None:
    """Measure, and print."""
    times = by_kind()
    everything = [one for some in times.values() for one in some]
    print("classify, microseconds (median of one kind's errors; the slowest of them)")
    for kind, some in sorted(times.items(), key=lambda pair: -max(pair[1])):
        print(f"  {kind.label:24}{statistics.median(some):8.1f}{max(some):8.1f}")
    print(f"  {'all ' + str(len(everything)):24}{statistics.median(everything):8.1f}{max(everything):8.1f}")
    print("one failure, bytes held (tracemalloc over 1,000)")
    for name, message in (
        ("a usual message", MESSAGE),
        ("5,000 letters", "m" * 5000),
        ("5,000 beyond the BMP", "\U0001f642" * 5000),
    ):
        print(f"  {name:24}{held(message):8.0f}")


if __name__ == "__main__":
    main()
