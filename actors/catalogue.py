"""What people are told about a failure: what happened and what to do, in their words.

One row a kind, so no failure is without advice (P14); `docs/failures.md` is made of these tables.  In the sentences `{place}` is the
provider, `{key}` the variable of its key, `{url}` that of its address, `{portal}` where its keys and limits are, `{status}` where it tells of
outages.
"""

from collections.abc import Mapping

import attrs

from actors.config import PROVIDERS
from actors.kinds import FailureKind

K = FailureKind


@attrs.frozen
class Place:
    """Where a person goes for a provider: to its keys and limits, and to what it says of outages."""

    portal: str
    status: str


_ANTHROPIC = Place("https://console.anthropic.com", "https://status.anthropic.com")
_AZURE = Place("https://ai.azure.com", "https://azure.status.microsoft")
_GOOGLE_CLOUD = Place("https://console.cloud.google.com/vertex-ai", "https://status.cloud.google.com")
_OPENAI = Place("https://platform.openai.com", "https://status.openai.com")

PLACES: Mapping[str, Place] = {
    "anthropic": _ANTHROPIC,
    "openai": _OPENAI,
    "openai-chat": _OPENAI,
    "google": Place("https://aistudio.google.com", "https://status.cloud.google.com"),
    "claude-code": _ANTHROPIC,
    "azure": _AZURE,
    "azure-chat": _AZURE,
    "vertex": _GOOGLE_CLOUD,
    "anthropic-vertex": _GOOGLE_CLOUD,
    "bedrock": Place("https://console.aws.amazon.com/bedrock", "https://health.aws.amazon.com"),
}
"""By the name of the provider."""

ANYWHERE = Place("the provider's portal", "the provider's status page")
"""For the providers of others."""


@attrs.frozen
class Advice:
    """What happened and what a person can do about it, one sentence each; `heading` is what a page or a notice puts above them."""

    happened: str
    remedy: str
    heading: str = ""


_NETWORK = "Check the network, the firewall and {url}; then run it again"
_LATER = "Try again later, or add a route of another provider; outages are told at {status}"
_LONGER = "Give the route longer clocks if the model thinks that long, or add another route"
_AGAIN = "Run it again; if it comes back, add a route or ask for the answer in one piece"

ADVICE: Mapping[FailureKind, Advice] = {
    K.CONNECT_TIMEOUT: Advice("{place} did not take the connection in time", _NETWORK),
    K.TIMEOUT: Advice("{place} did not answer in time", _NETWORK),
    K.RESET: Advice("the connection to {place} broke", _NETWORK),
    K.REFUSED: Advice("nothing listens where {place} should be", "Check {url} and that the server runs"),
    K.DNS_TEMPORARY: Advice(
        "the name of {place} could not be looked up for now", "Check the network and its name server"
    ),
    K.DNS_PERMANENT: Advice("the host name of {place} does not exist", "Correct {url}"),
    K.TLS: Advice("{place} could not prove who it is", "Check {url}, the clock of this machine and its certificates"),
    K.PROTOCOL: Advice("what answers for {place} does not speak HTTP", "Check {url}: host, port and http or https"),
    K.INVALID_KEY: Advice("{place} does not accept the key", "Check {key}: whole, not withdrawn; keys are at {portal}"),
    K.MISSING_KEY: Advice("there is no key for {place}", "Export {key}=... and run it again"),
    K.EXPIRED_KEY: Advice(
        "the key for {place} is no longer valid", "Make a new key at {portal} and export it as {key}"
    ),
    K.PERMISSION: Advice("the key may not do this at {place}", "Ask for the permission, or use another model or key"),
    K.QUOTA: Advice(
        "the quota or credit at {place} is used up", "Raise the limit or pay in at {portal}, or add another route"
    ),
    K.MODEL_UNAVAILABLE: Advice(
        "Model not available: {place} does not offer it to this key",
        "Check the model's name in the route, and {url}",
    ),
    K.MEMORY: Advice("memory ran short, so the answer was fetched in one piece", "Lower --concurrency or ask for less"),
    K.ANSWER_SIZE: Advice("the answer is larger than this program may keep", "Ask for less in one answer"),
    K.FILES: Advice("this process may not open more files", "Raise the limit (ulimit -n) or lower --concurrency"),
    K.PROGRAM: Advice(
        "the program behind {place} cannot do its work here",
        "Install or update it (npm install -g @anthropic-ai/claude-code), or add another route",
    ),
    K.CPU: Advice("this machine is too busy to follow", "Lower --concurrency"),
    K.RATE_LIMIT: Advice("{place} asks for fewer requests", "Lower --concurrency, or raise the limit at {portal}"),
    K.OVERLOADED: Advice("{place} is overloaded", _LATER),
    K.UNAVAILABLE: Advice("{place} is not available for now", _LATER),
    K.SERVER: Advice("{place} failed inside", _LATER),
    K.DIVERGED: Advice("the recording has no answer to this request", "Ask as it was recorded, or record it anew"),
    K.INVALID_REQUEST: Advice("{place} does not accept the request", "Correct what its message names"),
    K.TOO_LARGE: Advice("the request is too large for {place}", "Send less in one request"),
    K.CONTEXT_WINDOW: Advice(
        "the conversation and its answer do not fit the model",
        "Shorten it, allow a longer answer, or use a model with a larger window",
    ),
    K.POLICY: Advice(
        "{place} refused the request for its content", "Rephrase it; another route is not tried on purpose"
    ),
    K.TRUNCATED: Advice("the answer of {place} ended before it was complete", _AGAIN),
    K.MALFORMED: Advice("{place} sent what its format does not allow", _AGAIN),
    K.FIRST_EVENT_TIMEOUT: Advice("{place} said nothing in time", _LONGER),
    K.FIRST_CONTENT_TIMEOUT: Advice("{place} was there but gave no content in time", _LONGER),
    K.STALLED: Advice("{place} stopped in the middle of the answer", _LONGER),
    K.TOTAL_TIMEOUT: Advice("the attempt took longer than it may", _LONGER),
    K.TOOL_JSON: Advice("the model called a tool with arguments that are no JSON", "Simplify the tool's parameters"),
    K.UNKNOWN_TOOL: Advice("the model called a tool that was not offered", "Name only tools that the request carries"),
    K.CANCELLED: Advice("it was interrupted", "What had arrived is in the outcome; ask again for the rest"),
    K.DEADLINE: Advice("its time was over", "What had arrived is in the outcome; give it more time"),
    K.CRASH: Advice("a bug of this program ended it", "Run it with --debug and report what that shows"),
    K.UNKNOWN: Advice("something unforeseen happened", "Run it with --debug; the message says what is known"),
}


HEADINGS: Mapping[FailureKind, str] = {
    K.UNAVAILABLE: "LLM service temporarily unavailable",
    K.REFUSED: "Cannot connect to LLM service",
    K.INVALID_KEY: "Invalid API credentials",
    K.RATE_LIMIT: "Rate limited by LLM provider",
    K.MEMORY: "Memory exhausted (switching to buffered mode)",
    K.FILES: "Resource limit exceeded",
    K.TOOL_JSON: "Tool invocation failed",
    K.PROGRAM: "Claude Code CLI not installed",
}
"""Headings longer than the title of the kind, which stands for the others."""


def advise(kind: FailureKind, provider: str = "") -> Advice:
    """The advice for a kind of failure, with its provider's name, variables and pages in it."""
    account, place = PROVIDERS.get(provider), PLACES.get(provider, ANYWHERE)
    words = {
        "place": provider or "the provider",
        "key": (account.key if account else "") or "the key",
        "url": (account.base_url if account else "") or "the address",
        "portal": place.portal,
        "status": place.status,
    }
    row = ADVICE[kind]
    heading = HEADINGS.get(kind, kind.title)
    return Advice(row.happened.format_map(words), row.remedy.format_map(words), heading)
