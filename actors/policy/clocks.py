"""How long an attempt may be silent.

Pure: marks in, the next alarm out.  Pings prove life, not progress: only content winds the content clocks again, and time in which the
consumer was not ready to take more does not count, for any clock.
"""

from typing import NamedTuple

import attrs

from actors.failure import FailureKind
from actors.route import Clocks, Route

BY_MODEL: tuple[tuple[str, str, Clocks], ...] = (
    # Reasoning models of the GPT-5 and o families think without a word, for minutes at high effort.
    ("openai", "gpt-5-pro", Clocks(first_event=60, first_content=1800, gap=600)),
    ("openai", "o1", Clocks(first_event=60, first_content=600, gap=300)),
    ("openai", "o3", Clocks(first_event=60, first_content=600, gap=300)),
    ("openai", "o4", Clocks(first_event=60, first_content=600, gap=300)),
    ("openai", "gpt-5", Clocks(first_event=60, first_content=300, gap=180)),
    ("openai-chat", "o1", Clocks(first_event=600, first_content=600, gap=300)),
    ("openai-chat", "o3", Clocks(first_event=600, first_content=600, gap=300)),
    ("openai-chat", "o4", Clocks(first_event=600, first_content=600, gap=300)),
    ("openai-chat", "gpt-5", Clocks(first_event=300, first_content=300, gap=180)),
    # The command line starts a process, and runs tools between two pieces of text.
    ("claude-code", "", Clocks(first_event=60, first_content=180, gap=300)),
)
"""Provider, beginning of the model's name, clocks: the first row that fits holds, else the defaults of `Clocks`.

A vendor before the name, as routers write it (`openai/o3`), does not matter.
"""

ALIKE = {"azure": "openai", "azure-chat": "openai-chat"}
"""Providers that serve another one's models in its format; a deployment is mostly called like its model."""


def clocks_for(route: Route) -> Clocks:
    """The clocks a route is held to: its own, else the table's for its model, else the defaults."""
    if route.clocks is not None:
        return route.clocks
    model = route.model.rpartition("/")[2]
    served = ALIKE.get(route.provider, route.provider)
    fitting = (clocks for provider, prefix, clocks in BY_MODEL if served == provider and model.startswith(prefix))
    return next(fitting, Clocks())


@attrs.define
class Marks:
    """When things happened in an attempt, in seconds on one clock; `None`: not yet.  Written by the task that reads the answer.

    `blocked`: the consumer is not ready now; `waited`: the seconds for which it was not, before.  Where there was content before that,
    `last_content` is moved to the moment at which the consumer was ready again.
    """

    started: float
    first_event: float | None = None
    first_content: float | None = None
    last_content: float | None = None
    blocked: bool = False
    waited: float = 0.0


class Alarm(NamedTuple):
    """When the attempt is to be given up, and as what."""

    at: float
    kind: FailureKind


def next_alarm(clocks: Clocks, marks: Marks, *, streams: bool) -> Alarm | None:
    """The earliest alarm that the marks leave standing; `None` where no clock runs.

    A buffered answer has no first event before its last: only `buffered` and `total` hold for it.
    """
    due = [
        Alarm(since + limit, kind)
        for limit, since, kind in _running(clocks, marks, streams=streams)
        if limit is not None
    ]
    return min(due, key=_when, default=None)


def _running(clocks: Clocks, marks: Marks, *, streams: bool) -> list[tuple[float | None, float, FailureKind]]:
    if marks.blocked:
        return []
    began = marks.started + marks.waited
    total = (clocks.total, began, FailureKind.TOTAL_TIMEOUT)
    if not streams:
        return [total, (clocks.buffered, began, FailureKind.TIMEOUT)]
    if marks.last_content is not None:
        return [total, (clocks.gap, marks.last_content, FailureKind.STALLED)]
    waiting = (clocks.first_content, began, FailureKind.FIRST_CONTENT_TIMEOUT)
    if marks.first_event is not None:
        return [total, waiting]
    return [total, waiting, (clocks.first_event, began, FailureKind.FIRST_EVENT_TIMEOUT)]


def _when(alarm: Alarm) -> float:
    return alarm.at
