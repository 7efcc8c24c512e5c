"""What the commands do once their words are read: settings, the inlet, the surface, and the run between them."""

import sys
from functools import partial
from typing import TYPE_CHECKING

import attrs
import trio

from actors.cli.configuration import here
from actors.cli.inlet import Inlet, from_file, from_prompts, from_stdin
from actors.cli.jobs import Job, Wishes, admit
from actors.cli.options import Asking, Logging, Reading, Showing
from actors.cli.performing import perform
from actors.cli.run import Plan, Tape
from actors.cli.surface import Surface
from actors.cli.tools import tools_of_file
from actors.config import Settings
from actors.errors import SettingError
from actors.ladder import Ladder
from actors.route import Route
from supervisor import Retry

if TYPE_CHECKING:
    from actors.cli.demo import Demo


def ask(prompts: tuple[str, ...], reading: Reading, asking: Asking, showing: Showing, logging: Logging) -> int:
    """Answer the prompts; gives the exit status."""
    settings = here()
    tools = () if asking.tools is None else tools_of_file(asking.tools)
    offline = asking.replay is not None
    wishes = Wishes(settings, _routes(asking, settings), asking.system, asking.max_tokens, tools, offline)
    inlet = _inlet(prompts, reading, wishes)
    with Surface.open(showing, logging, settings, answers=True) as surface:
        title = f"run on {', then '.join(map(str, wishes.routes))}" if wishes.routes else "run"
        ladder = partial(_ladder, _retry(asking.attempts, settings))
        plan = Plan(title, settings, wishes.routes, inlet, ladder, asking.concurrency, asking.seam)
        ending = perform(attrs.evolve(plan, tape=Tape(asking.record, asking.replay)), surface.audience)
        return surface.close(ending)


def show(demo: "Demo", showing: Showing, logging: Logging) -> int:
    """Show the demonstration; gives the exit status."""
    from actors.cli.demo import demonstrate  # noqa: PLC0415 -- a run in earnest needs no providers that are built in

    try:
        simulator = demo.simulator
    except ValueError as error:
        raise SettingError(f"--faults: {error}") from None
    with Surface.open(showing, logging, here(), answers=False, every=1.0) as surface:
        ending, agreement = trio.run(demonstrate, demo, simulator, surface.audience)
        return surface.close(ending, agreement)


def _routes(asking: Asking, settings: Settings) -> tuple[Route, ...]:
    wishes = Wishes(settings, offline=asking.replay is not None)
    try:
        return admit(asking.route, wishes) or tuple(map(wishes.admit, settings.routes))
    except ValueError as error:
        raise SettingError(str(error)) from None


def _inlet(prompts: tuple[str, ...], reading: Reading, wishes: Wishes) -> Inlet:
    sources = (bool(prompts), reading.from_ is not None, reading.stdin)
    if sum(sources) > 1:
        raise SettingError("prompts are given in more than one way; choose words, --from or standard input")
    if reading.from_ is not None:
        return from_file(reading.from_, reading.form, wishes)
    if prompts:
        return from_prompts(prompts, wishes)
    if reading.stdin or not sys.stdin.isatty():
        return from_stdin(reading.form, wishes)
    raise SettingError('nothing to ask: give prompts ("Why is the sky blue?"), a file of them (--from) or pipe them in')


def _retry(attempts: int | None, settings: Settings) -> Retry:
    return settings.retry if attempts is None else attrs.evolve(settings.retry, limit=attempts)


def _ladder(retry: Retry, job: Job) -> Ladder:
    return Ladder.over(job.routes, retry=retry)
