"""A plan carried out from outside of an event loop: on the clock that fits it, and with an eye on its recording.

A replay runs on the recording's time: where everybody waits, the clock jumps, so that a minute of silence is over at once.
"""

import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager

import attrs
import trio
from trio.testing import MockClock

from actors.cli.run import Audience, Ending, Plan, carry_out
from actors.cli.screen import show_nothing
from actors.errors import RecordingStopped


def perform(plan: Plan, audience: Audience) -> Ending:
    """Run a plan to its end; a recording that stops is told once, on standard error, and the run goes on."""
    if plan.tape.replay is not None:
        # Nothing is drawn meanwhile: whoever looks again every few seconds would look without end.
        audience = attrs.evolve(audience, show=show_nothing)
        return trio.run(carry_out, plan, audience, clock=MockClock(autojump_threshold=0))
    if plan.tape.record is None:
        return trio.run(carry_out, plan, audience)
    with _stops_told() as stops:
        ending = trio.run(carry_out, plan, audience)
    return attrs.evolve(ending, unrecorded=bool(stops))


@contextmanager
def _stops_told() -> Generator[list[str]]:
    """Tell of a recording that stops as a command does; gives what was told."""
    told: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", RecordingStopped)
        usual = warnings.showwarning

        def show(*warning: object) -> None:
            if isinstance(warning[0], RecordingStopped):
                told.append(str(warning[0]))
                print(f"trio-supervisor: {warning[0]}", file=sys.stderr)
            else:
                usual(*warning)  # pyright: ignore[reportArgumentType] -- as it came

        warnings.showwarning = show
        yield told
