"""What is done about a failure: one row a kind, and what differs by phase and by provider.

Tables, and `decide`, which reads them for whoever judges (`directive`), counts (`ration`) or prints (`docs/failures.md`): nobody has rules of
his own.  Two limits hold beside them for every route, whichever comes first: the attempts and the seconds of its `Retry`.
"""

from collections.abc import Mapping
from enum import Enum

import attrs

from actors.failure import SILENT, Disposition, Failure, FailureKind, Phase
from actors.messages import Foreign, Part, ToolCall

K, D = FailureKind, Disposition


class Action(Enum):
    """What comes first; where its rung is missing or spent, the ladder is climbed on."""

    AGAIN = "again on the same route, after a wait"
    ELSEWHERE = "another route; without one, it ends"
    ELSEWHERE_OR_AGAIN = "another route; without one, again on the same"
    IN_ONE_PIECE = "the same route in one piece"
    STOP = "nothing: the same request would fail everywhere"
    LEAVE = "nothing: nobody wants the answer any more"


@attrs.frozen
class Decision:
    """What is done about a failure.

    `most`: attempts on one route that may end with this kind, where that is less than its `Retry` allows.  `slower`: by how much every wait is
    longer than usual.
    """

    action: Action
    most: int | None = None
    slower: float = 1.0

    @property
    def repeats(self) -> bool:
        """Whether the same route may be asked again as it was."""
        return self.action in {Action.AGAIN, Action.ELSEWHERE_OR_AGAIN}


CAPS: Mapping[FailureKind, int] = {
    K.CONNECT_TIMEOUT: 3,
    K.TIMEOUT: 3,
    K.RESET: 3,
    K.REFUSED: 3,
    K.DNS_TEMPORARY: 3,
    K.TRUNCATED: 3,
    K.MALFORMED: 3,
    K.FILES: 2,
}
"""Attempts on one route that may end with this kind; kinds not named are bounded by `Retry` alone."""

SLOWER: Mapping[FailureKind, float] = {K.CPU: 2.0}
"""By how much every wait is longer than usual: a machine that is too busy to follow is not helped by more work soon."""

BY_PHASE: Mapping[tuple[FailureKind, Phase], Decision] = {
    # Garbage before anything was understood is rather another language (a login page, a wrong address) than a bad line.
    (K.MALFORMED, Phase.FIRST_EVENT): Decision(Action.AGAIN, 2),
}
"""Where the phase makes a difference that the kind does not yet make: broken TLS, or HTTP, is `tls` or `protocol` only while connecting."""

BY_PROVIDER: Mapping[tuple[str, FailureKind], Decision] = {
    # `slow_down`: OpenAI asks for fewer requests than before, for a while.
    ("openai", K.OVERLOADED): Decision(Action.AGAIN, slower=2.0),
    ("openai-chat", K.OVERLOADED): Decision(Action.AGAIN, slower=2.0),
    # The program has tried again by itself, for minutes, before it says so.
    ("claude-code", K.TIMEOUT): Decision(Action.AGAIN, 2),
    ("claude-code", K.TRUNCATED): Decision(Action.AGAIN, 2),
}
"""Where a provider differs from the others."""

_ACTIONS: Mapping[Disposition, Action] = {
    D.RETRY: Action.AGAIN,
    D.ELSEWHERE: Action.ELSEWHERE,
    D.DEGRADE: Action.IN_ONE_PIECE,
    D.STOP: Action.STOP,
    D.LEAVE: Action.LEAVE,
}


def usual(kind: FailureKind, phase: Phase = Phase.CONNECTION, provider: str = "") -> Decision:
    """What the tables say."""
    row = BY_PROVIDER.get((provider, kind)) or BY_PHASE.get((kind, phase))
    if row is not None:
        return row
    action = Action.ELSEWHERE_OR_AGAIN if kind in SILENT else _ACTIONS[kind.disposition]
    return Decision(action, CAPS.get(kind), SLOWER.get(kind, 1.0))


def decide(failure: Failure) -> Decision:
    """What is done about this failure; one that is `final` is not repeated, whatever is usual."""
    row = usual(failure.kind, failure.phase, failure.provider)
    return Decision(Action.ELSEWHERE) if failure.final and row.repeats else row


OF_THE_ACCOUNT = frozenset({K.INVALID_KEY, K.MISSING_KEY, K.EXPIRED_KEY, K.QUOTA})
"""What no other model of the same provider would cure."""

CURED_IN_ONE_PIECE = frozenset({K.TRUNCATED, K.MALFORMED, K.MEMORY})
"""Trouble with streaming itself, of which an answer in one piece is the cure: it is asked for at once, though the retry budget be spent."""

HARMLESS_TOOLS = frozenset(
    # searches, sandboxes and images of Anthropic
    "web_search web_fetch code_execution bash_code_execution text_editor_code_execution tool_search_tool_regex tool_search_tool_bm25 advisor "
    # what Claude Code reads and notes for itself
    "Read Glob Grep LS NotebookRead WebFetch WebSearch TodoRead TodoWrite ToolSearch ExitPlanMode StructuredOutput".split()
)
"""Tools that are run by a provider or a program and change nothing outside: they may run twice."""

ACTING_ITEMS = frozenset({"mcp_call"})
"""Items of an answer, by the provider's word, in which somebody else's tool was run."""


def acts(part: Part) -> bool:
    """Whether a closed part tells of a tool that was run and may have changed something: its request is not sent again."""
    match part:
        case ToolCall(name=name, hosted=True):
            return name not in HARMLESS_TOOLS
        case Foreign(kind=kind):
            return kind in ACTING_ITEMS
        case _:
            return False
