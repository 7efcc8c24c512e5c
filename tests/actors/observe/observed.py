"""Streams in a given weather with a hook, each attempt played by a function; and records without streams."""

import trio

from actors import Mode, Settings, from_deltas, open_streams
from actors.deltas import Finish, Finished, FinishReason, TextDelta, Usage, UsageDelta
from actors.failure import Failure, Phase
from actors.lifecycle import AttemptEnded, Captured, StreamEnded, Trace
from actors.outcome import Attempt, Outcome, Status
from actors.route import Route
from actors.source import RefusedError
from supervisor import ChildOverdue, Exit, ExitKind, MailboxOverflowed, SupervisorGaveUp

A, B = Route("a", "m"), Route("b", "n")
TRACE = Trace("ab" * 16, "cd" * 8)
PATH = ("root", "streams", "service", "mine")
CRASHED = Exit(ExitKind.CRASH)
TREE = (
    ChildOverdue(1.0, PATH, 2, 3.5, ("a.py:1 in f", "b.py:7 in hangs")),
    MailboxOverflowed(1.0, PATH, 100, 7),
    SupervisorGaveUp(1.0, PATH, "mine", CRASHED, "4 crashes in 5 s"),
)
CAPTURED = Captured("ab" * 16, "cd" * 8, A, 429, '{"q": 1}', "slow down", 8, 9)


def failed(kind, number=1, tries=1, limit=1, *, route=A, then=None, after=0.0, **words):
    failure = Failure(kind, words.pop("message", "why"), Phase.STREAMING, route.provider, route.model, **words)
    attempt = Attempt(number, route, 10.0, 12.5, failure=failure)
    return AttemptEnded(12.5, PATH, TRACE, attempt, failure, tries, limit, then, after)


def completed(route=A, usage=None):
    attempt = Attempt(1, route, 10.0, 12.5, 11.0, usage=usage or Usage(), first_event=10.5)
    return AttemptEnded(12.5, PATH, TRACE, attempt, None, 1, 1)


def ended(status=Status.COMPLETED, failure=None, *records):
    attempts = tuple(record.attempt for record in records)
    return StreamEnded(12.5, PATH, TRACE, Outcome(status, attempts=attempts, failure=failure, trace_id=TRACE.trace_id))


class Scripted:
    """A provider whose nth request goes as the nth entry says: `None` answers in three seconds, an error is raised after one."""

    def __init__(self, *script):
        self.script = list(script)

    async def __call__(self, _request, route):
        fate = self.script.pop(0) if self.script else None
        await trio.sleep(1)
        if fate is not None and not (fate is MemoryError and route.mode is Mode.BUFFERED):
            raise fate
        yield TextDelta("one")
        await trio.sleep(1)
        yield TextDelta("two")
        await trio.sleep(1)
        yield UsageDelta(Usage(5, 7, 3, 2))
        yield Finished(Finish(FinishReason.STOP, "stop"))


def busy():
    return RefusedError("slow down", status=429, kind="rate_limit_error")


def forbidden():
    return RefusedError("no such key sk-ant-api03-abcdefghijklmnop", status=401, kind="authentication_error")


def streams(hook, seed=1, **scripts):
    """Streams over providers of these names."""
    providers = {name: from_deltas(Scripted(*script)) for name, script in scripts.items()}
    return open_streams(settings=Settings.read({}), providers=providers, hook=hook, seed=seed)
