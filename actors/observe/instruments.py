"""The metrics there are: names, units, buckets and labels, as tables that the documentation is held to.

Names beginning with `gen_ai.` and their labels and buckets are copied from the OpenTelemetry semantic conventions for generative AI
(github.com/open-telemetry/semantic-conventions-genai, status Development); the published constants are
deprecated, so the strings stand here.
"""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import TypeAlias

import attrs

from actors.failure import Category, FailureKind

Labels: TypeAlias = Mapping[str, str]

OTHER = "other"
"""The label of what is not named, so that the number of time series is bounded."""

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Buckets that the conventions give for durations."""

TOKENS = tuple(float(4**power) for power in range(14))
"""Buckets that the conventions give for tokens: 1 to 67,108,864."""

MILLISECONDS = tuple(1000 * bound for bound in SECONDS)


class Shape(Enum):
    """What an instrument does with what it is given."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"


@attrs.frozen
class Instrument:
    """One metric; `labels` are the names of its labels."""

    name: str
    shape: Shape
    unit: str
    tells: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] | None = None


_WHERE = ("provider", "model")
_GEN_AI = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model")

DURATION_MS = Instrument(
    "llm.request.duration_ms",
    Shape.HISTOGRAM,
    "ms",
    "Time of a request: until the provider's first word (`connection`), from there to its end (`streaming`), and both (`total`)",
    (*_WHERE, "phase"),
    MILLISECONDS,
)
RETRIES = Instrument(
    "llm.request.retries",
    Shape.COUNTER,
    "{retry}",
    "Failed requests that are repeated on the same route",
    (*_WHERE, "error_type"),
)
ERRORS = Instrument(
    "llm.streaming.errors",
    Shape.COUNTER,
    "{error}",
    "Failed requests, and streams that were interrupted: `transient`, `permanent`, `context` (interrupted) or `resource`",
    (*_WHERE, "error_category"),
)
FALLBACKS = Instrument(
    "llm.fallback.triggered",
    Shape.COUNTER,
    "{fallback}",
    "Steps away from a route that failed: `provider_switch`, `memory_exhaustion` (to buffered, for want of memory) or `buffered`",
    (*_WHERE, "fallback_type"),
)
INPUT_TOKENS = Instrument(
    "llm.input_tokens", Shape.COUNTER, "{token}", "Tokens of all requests, those from a cache included", _WHERE
)
OUTPUT_TOKENS = Instrument(
    "llm.output_tokens", Shape.COUNTER, "{token}", "Tokens of all answers, abandoned ones included", _WHERE
)
OPERATION = Instrument(
    "gen_ai.client.operation.duration",
    Shape.HISTOGRAM,
    "s",
    "Time of a request; `error.type` where it failed",
    (*_GEN_AI, "error.type"),
    SECONDS,
)
FIRST_CHUNK = Instrument(
    "gen_ai.client.operation.time_to_first_chunk",
    Shape.HISTOGRAM,
    "s",
    "Time from a request to the first content of its answer; of streamed answers alone",
    _GEN_AI,
    SECONDS,
)
PER_CHUNK = Instrument(
    "gen_ai.client.operation.time_per_output_chunk",
    Shape.HISTOGRAM,
    "s",
    "Mean time between two pieces of content of a streamed answer, recorded once for each answer",
    _GEN_AI,
    SECONDS,
)
USAGE = Instrument(
    "gen_ai.client.token.usage",
    Shape.HISTOGRAM,
    "{token}",
    "Tokens of one complete answer as its provider counted them, `input` or `output`",
    (*_GEN_AI, "gen_ai.token.type"),
    TOKENS,
)

INSTRUMENTS = (
    DURATION_MS,
    RETRIES,
    ERRORS,
    FALLBACKS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    OPERATION,
    FIRST_CHUNK,
    PER_CHUNK,
    USAGE,
)

PROVIDERS: Mapping[str, str] = {
    "anthropic": "anthropic",
    "claude-code": "anthropic",
    "openai": "openai",
    "openai-chat": "openai",
    "google": "gcp.gemini",
    "azure": "azure.ai.openai",
    "azure-chat": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "vertex": "gcp.vertex_ai",
    "anthropic-vertex": "gcp.vertex_ai",
}
"""What the conventions call our providers (`gen_ai.provider.name`); others keep their name."""


def error_category(kind: FailureKind, *, final: bool = False) -> str:
    """The four categories that operators watch; `final`: this time the same request is not sent again, whatever is usual."""
    if kind.category is Category.CONTEXT:
        return "context"
    if kind.category is Category.RESOURCE:
        return "resource"
    return "transient" if kind.transient and not final else "permanent"


def goes_nowhere(provider: object) -> bool:
    """Whether a provider of meters or tracers is the API's own, which drops everything; an SDK brings another."""
    return type(provider).__module__.startswith(("opentelemetry.metrics", "opentelemetry.trace"))


class Names:
    """Bounded label values: those allowed, else the first `limit` that are met; every other one is `other`."""

    __slots__ = ("_closed", "_known", "_limit")

    def __init__(self, allowed: Collection[str] | None = None, limit: int = 64) -> None:
        self._known = set(allowed or ())
        self._closed = allowed is not None
        self._limit = limit

    def __call__(self, name: str) -> str:
        """The name, or `other`."""
        if name in self._known:
            return name
        if self._closed or len(self._known) >= self._limit:
            return OTHER
        self._known.add(name)
        return name
