"""The errors a caller can meet, each named for its situation.

All but `BadSpec` and `NotAChild` say that a tree could not do what was asked; every text names the child, the state and what to do.
"""

from supervisor.exits import Exit
from supervisor.lifecycle import State


class SupervisorError(Exception):
    """What the calls of a supervisor raise."""


class BadSpec(SupervisorError, ValueError):
    """A child spec or a supervisor's flag has a value that cannot work."""

    def __init__(self, child: object, field: str, value: object, advice: str) -> None:
        super().__init__(f"{child}: {field} cannot be {value!r}; {advice}.")
        self.field, self.value, self.rule = field, value, advice


class GaveUp(SupervisorError):
    """Children failed more often than the supervisor's intensity allows, or a policy escalated.

    `path` is the supervisor's, `child` the id of the last that failed, `exit` how it ended.
    """

    def __init__(self, path: tuple[str, ...], child: str, end: Exit, why: str) -> None:
        super().__init__(f"supervisor {'/'.join(path)} gave up: child {child!r} ended by {end}; {why}.")
        self.path, self.child, self.exit = path, child, end


class StartFailed(SupervisorError):
    """A child ended before it was ready."""

    def __init__(self, child: str, end: Exit) -> None:
        super().__init__(f"child {child!r} did not start: it ended by {end} before it was ready.")
        self.child, self.exit = child, end


class ChildExists(SupervisorError):
    """The id is taken by a child of this supervisor, alive or down."""

    def __init__(self, child: str, state: State) -> None:
        super().__init__(
            f"child {child!r} is already there ({state.value}); restart or delete it, or choose another id."
        )
        self.child, self.state = child, state


class TooManyChildren(SupervisorError):
    """The supervisor has as many children added at run time as its `max_children` allows."""

    def __init__(self, path: tuple[str, ...], limit: int) -> None:
        super().__init__(
            f"supervisor {'/'.join(path)} has {limit} children added at run time, its max_children; "
            "wait until one has ended, delete one that is down, or raise the limit."
        )
        self.path, self.limit = path, limit


class WouldDeadlock(SupervisorError):
    """A task inside a child would wait for something that waits for this very task."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(
            f"a task inside {'/'.join(path)} would wait for ever, because what it waits for waits for its end; "
            "return, use `ref.cancel()`, or ask from outside."
        )
        self.path = path


class UnknownChild(SupervisorError, KeyError):
    """The supervisor has no child of that id."""

    def __init__(self, child: str) -> None:
        super().__init__(f"there is no child {child!r}; `which()` lists those that are.")
        self.child = child

    def __str__(self) -> str:
        return str(self.args[0])


class ChildAlive(SupervisorError):
    """The child must be down for this, and is not."""

    def __init__(self, child: str, state: State) -> None:
        super().__init__(f"child {child!r} is {state.value}; stop it first.")
        self.child, self.state = child, state


class TreeStopped(SupervisorError):
    """The supervisor is stopping or has stopped, and starts nothing more."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(f"supervisor {'/'.join(path)} is stopping or has stopped; open a new one.")
        self.path = path


class TooDeep(SupervisorError):
    """Supervisors are nested deeper than trio can unwind safely."""

    def __init__(self, path: tuple[str, ...], limit: int) -> None:
        super().__init__(
            f"supervisors are nested {len(path)} deep at {path[-1]!r}; the limit is {limit}: flatten the tree."
        )


class NotAChild(SupervisorError):
    """The calling task does not run inside a child of a supervisor."""

    def __init__(self) -> None:
        super().__init__("this task does not run inside a supervised child; start it with a Child spec.")


class NoMailbox(SupervisorError):
    """The child cannot receive messages."""

    def __init__(self, child: str) -> None:
        super().__init__(f"child {child!r} has no mailbox; give its spec `mailbox=Bounds(...)`.")
        self.child = child


class MailboxFull(SupervisorError):
    """A bounded mailbox has no room."""

    def __init__(self, child: str, capacity: int) -> None:
        super().__init__(
            f"the mailbox of {child!r} is full ({capacity} messages); wait with `send`, or choose another overflow policy."
        )
        self.child, self.capacity = child, capacity


class ChildDown(SupervisorError):
    """The child has ended for good and receives nothing any more."""

    def __init__(self, child: str, end: Exit) -> None:
        super().__init__(f"child {child!r} receives no messages: it ended by {end}.")
        self.child, self.exit = child, end


class CalleeDied(SupervisorError):
    """The incarnation that had taken the question ended without an answer."""

    def __init__(self, child: str, end: Exit) -> None:
        super().__init__(f"child {child!r} ended by {end} with the question in its hands; ask again if that is safe.")
        self.child, self.exit = child, end


class SelfAsk(SupervisorError):
    """A child asks itself, and would wait for ever."""

    def __init__(self, child: str) -> None:
        super().__init__(f"child {child!r} asks itself, and would wait for ever; use `tell`, or call the function.")
        self.child = child


class NameTaken(SupervisorError):
    """A name belongs to another child."""

    def __init__(self, name: str, holder: tuple[str, ...]) -> None:
        super().__init__(f"the name {name!r} belongs to {'/'.join(holder)}; choose another, or use a tag.")
        self.name, self.holder = name, holder


class UnknownName(SupervisorError, KeyError):
    """Nobody bears that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nobody is registered as {name!r}.")
        self.name = name

    def __str__(self) -> str:
        return str(self.args[0])
