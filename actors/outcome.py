"""How a stream ended: exactly one outcome, and whatever ended it, what had arrived is there (P9).

An outcome is a value: it can be printed, pickled and compared.  Cancellation and the caller's deadline are interruptions, not failures.
"""

from enum import Enum
from typing import Any

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
    may be run; `incomplete_calls` are not.  `usage` sums every attempt.  `failure` is set on failed and interrupted outcomes; `cause` is the
    exception beneath it where there was one, without the frames it came through, and is left behind where an outcome is pickled.
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
    cause: BaseException | None = attrs.field(default=None, eq=False, repr=False)

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

    @property
    def exhausted(self) -> bool:
        """Whether it failed although asking again could have helped: attempts, time, the retry budget or the seam allowed no more.

        A failed outcome that is not exhausted is permanent: the same request would fail again.
        """
        return self.status is Status.FAILED and self.failure is not None and self.failure.transient

    @property
    def causes(self) -> tuple[Failure, ...]:
        """Why each attempt failed, in order."""
        return tuple(attempt.failure for attempt in self.attempts if attempt.failure is not None)

    def unwrap(self) -> "Outcome":
        """The outcome itself when completed; otherwise raises `StreamFailed`, or `RetryExhausted` where it is `exhausted`."""
        if self.completed:
            return self
        raise (RetryExhausted if self.exhausted else StreamFailed)(self) from self.cause

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in attrs.fields(Outcome) if field.name != "cause"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in {**state, "cause": None}.items():
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        """One line without the answer; `text` is that."""
        return f"{self.status.value}, {self.usage.output_tokens} tokens out"


class StreamFailed(ActorsError):
    """An outcome that is not a success was unwrapped.

    `outcome` has the partial answer and the timeline, `failure` is what ended it; printed, it says in which phase what happened, what was
    tried, and what to do.  The exception beneath, if there was one, is its cause.
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome)

    @property
    def failure(self) -> Failure | None:
        """What ended the stream."""
        return self.outcome.failure

    def __str__(self) -> str:
        return "\n".join(_told(self.outcome))


class RetryExhausted(StreamFailed):
    """The stream failed although asking again could have helped, and nothing on its ladder was left."""

    @property
    def elapsed(self) -> float:
        """Seconds from the beginning of the first attempt to the end of the last."""
        attempts = self.outcome.attempts
        return attempts[-1].ended - attempts[0].started if attempts else 0.0


def _told(outcome: Outcome) -> list[str]:
    """Phase and message; the attempts; what to do; what lay beneath; where to read on."""
    failure, attempts = outcome.failure, outcome.attempts
    if failure is None:
        return [f"{outcome.status.value} [trace {outcome.trace_id}]"]
    tried = f"{len(attempts)} attempt{'' if len(attempts) == 1 else 's'}: " + "; ".join(map(str, attempts))
    end = "attempts exhausted" if outcome.exhausted else "not retrying"
    lines = [
        f"[{failure.phase.value}] {failure}: {failure.advice.happened}",
        tried if outcome.status is Status.INTERRUPTED else f"{end} after {tried}",
        failure.resolution,
    ]
    beneath = f"Debug: {failure.cause}" if failure.cause else ""
    return [*lines, *filter(None, [beneath]), f"trace {outcome.trace_id}"]
