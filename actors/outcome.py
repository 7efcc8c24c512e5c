"""How a stream ended: exactly one outcome, and whatever ended it, what had arrived is there (P9).

An outcome is a value: it can be printed, pickled and compared.  Cancellation and the caller's deadline are interruptions, not failures.
"""

from enum import Enum

import attrs

from actors.deltas import Finish, Progress, Usage
from actors.errors import ActorsError
from actors.failure import Failure
from actors.messages import Message, Part, Role, Text, Thinking, ToolCall
from actors.route import Route


class Status(Enum):
    """The three ends of a stream."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@attrs.frozen
class IncompleteCall:
    """A tool call that was cut off: never to be run.  `fragment` is the raw JSON text that had arrived."""

    name: str
    id: str
    fragment: str


@attrs.frozen
class Attempt:
    """One attempt in the timeline; times are seconds on trio's clock.

    `failure` is `None` for the attempt that completed and for one that was left because the stream was.  `first_event` is
    when the provider first said anything, `first_content` when content first arrived; `None` where it did not.
    """

    number: int
    route: Route
    started: float
    ended: float
    first_content: float | None = None
    delivered: Progress = attrs.field(factory=Progress)
    usage: Usage = attrs.field(factory=Usage)
    failure: Failure | None = None
    request_id: str = ""
    first_event: float | None = None

    @property
    def seconds(self) -> float:
        """How long the attempt took."""
        return self.ended - self.started

    def __str__(self) -> str:
        return f"{self.number} on {self.route}" + (f" ({self.failure.kind.label})" if self.failure else "")


@attrs.frozen
class Outcome:
    """What became of a stream.

    `parts` are the closed parts of the last attempt and, where it was cut, the text of the one that was open; `tool_calls` are complete and
    may be run; `incomplete_calls` are not.  `usage` sums every attempt.  `failure` is set on failed and interrupted outcomes.
    """

    status: Status
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    incomplete_calls: tuple[IncompleteCall, ...] = ()
    usage: Usage = attrs.field(factory=Usage)
    attempts: tuple[Attempt, ...] = ()
    finish: Finish | None = None
    failure: Failure | None = None
    model: str = ""
    trace_id: str = ""

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def thinking(self) -> str:
        """The thinking parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Thinking) and not part.redacted)

    @property
    def completed(self) -> bool:
        """Whether the provider's own terminal event arrived."""
        return self.status is Status.COMPLETED

    @property
    def message(self) -> Message:
        """The answer as a turn of the conversation."""
        return Message(Role.ASSISTANT, self.parts)

    def unwrap(self) -> "Outcome":
        """The outcome itself when completed; raises `StreamFailed`, which carries it, otherwise."""
        if self.completed:
            return self
        raise StreamFailed(self)

    def __str__(self) -> str:
        """One line without the answer; `text` is that."""
        return f"{self.status.value}, {self.usage.output_tokens} tokens out"


class StreamFailed(ActorsError):
    """An outcome that is not a success was unwrapped; `outcome` has the partial answer, the timeline and the failure."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome)

    def __str__(self) -> str:
        outcome = self.outcome
        tries = f"{len(outcome.attempts)} attempt" + ("" if len(outcome.attempts) == 1 else "s")
        return f"{outcome.failure or outcome.status.value} after {tries} [trace {outcome.trace_id}]"
