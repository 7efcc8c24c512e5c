"""`demo --failure KIND`: one stream that meets one failure, from the first attempt to the outcome, without a key or a network.

Everything is as in earnest but the provider, which does what the scene says: twice where that can pass, every time otherwise.
"""

import sys
from collections.abc import AsyncGenerator

import attrs
import trio
from msgspec import json
from rich.table import Table
from rich.text import Text

from actors.cli import status
from actors.cli.logbook import Logbook, opened
from actors.cli.options import Failing, Logging, Showing
from actors.cli.scenes import SCENES, Scene
from actors.cli.screen import Paper, paper, put
from actors.config import Settings
from actors.deltas import Delta, TextDelta
from actors.errors import SettingError
from actors.kinds import FailureKind
from actors.ladder import Buffered, Ladder
from actors.observe.printing import outcome_text
from actors.observe.records import outcome_record
from actors.outcome import Outcome
from actors.policy.recognise import exception_of
from actors.providers.foreign import from_deltas
from actors.request import Request
from actors.route import Route
from actors.streams import open_streams
from supervisor import Backoff, Retry

PROVIDER = "anthropic"
"""Whose part is played: advice names its variables and pages."""

LEAVING = 0.3
"""Seconds after which the caller has enough, where that is the scene."""

PASSES = 2
"""Attempts that a transient failure lasts for."""

_RETRY = Retry(5, backoff=Backoff(initial=0.2, cap=1.0))


def list_failures(*, in_json: bool) -> int:
    """Print every failure that can be shown; gives the exit status."""
    if in_json:
        print(json.encode({"failures": [_listed(kind) for kind in SCENES]}).decode())
        return status.FINE
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("--failure", "what", "category", "disposition"):
        table.add_column(name)
    for kind in SCENES:
        table.add_row(*_listed(kind).values())
    put(paper(sys.stdout, plain=False), table)
    return status.FINE


def _listed(kind: FailureKind) -> dict[str, str]:
    return {
        "kind": kind.label,
        "title": kind.title,
        "category": kind.category.value,
        "disposition": kind.disposition.value,
    }


def kind_of(label: str) -> FailureKind:
    """The kind by its label or title; raises `SettingError` naming those there are."""
    wanted = label.strip().lower()
    for kind in SCENES:
        if wanted in {kind.label, kind.label.replace("_", "-"), kind.title.lower()}:
            return kind
    known = ", ".join(kind.label for kind in SCENES)
    raise SettingError(f"--failure: nothing called {label[:40]!r} can be shown; known are {known}")


def show_failure(failing: Failing, showing: Showing, logging: Logging) -> int:
    """Show one failure; gives the exit status that a run would have."""
    kind = kind_of(failing.failure)
    settings = Settings.read({"LOG_LEVEL": "info"})
    console = paper(sys.stderr, plain=showing.plain)
    with opened(logging, settings, console, shy=False) as log:
        outcome = trio.run(_play, _Player(kind, SCENES[kind], failing.lasting), log)
    if showing.json:
        print(json.encode(outcome_record("1", outcome)).decode())
    else:
        _tell(outcome, paper(sys.stdout, plain=showing.plain))
    return _status(outcome)


def _tell(outcome: Outcome, page: Paper) -> None:
    put(page, outcome_text("1", outcome))
    tried = [f"{attempt}, {attempt.seconds:.1f} s" for attempt in outcome.attempts]
    put(page, Text("tried: " + "; ".join(tried), "dim"))


def _status(outcome: Outcome) -> int:
    if outcome.completed or outcome.failure is None:
        return status.FINE
    if outcome.failure.kind is FailureKind.CANCELLED:
        return status.SIGNALLED + 2
    return status.OF_CATEGORY[outcome.failure.category]


@attrs.define
class _Player:
    """The provider: does what the scene says, then what a provider should."""

    kind: FailureKind
    scene: Scene
    lasting: bool
    number: int = 0

    async def __call__(self, request: Request, route: Route) -> AsyncGenerator[Delta]:
        del request
        self.number += 1
        if self.lasting or not self._over(route):
            for piece in self.scene.pieces:
                yield piece
            await trio.sleep(self.scene.silence)
            if error := self._error():
                raise error
            return
        for word in ("It ", "scatters ", "blue ", "light."):
            await trio.sleep(0.02)
            yield TextDelta(word)

    def _over(self, route: Route) -> bool:
        if self.kind is FailureKind.MEMORY:
            return not route.streams
        return self.kind.transient and self.number > PASSES - (self.kind is FailureKind.FILES)

    def _error(self) -> BaseException | None:
        if self.scene.error is not None:
            return self.scene.error(self.scene.text)
        return exception_of(self.scene.text) if self.scene.text else None


async def _play(player: _Player, log: Logbook) -> Outcome:
    ladder = Ladder(Route(PROVIDER, "demo", clocks=player.scene.clocks), _RETRY, Buffered())
    providers = {PROVIDER: from_deltas(player)}
    async with open_streams(settings=Settings.read({}), providers=providers, hook=log.hook, seed=8) as streams:
        stream = streams.open("Why is the sky blue?", ladder)
        with trio.CancelScope() as scope:
            async with stream:
                if player.kind is FailureKind.DEADLINE:
                    scope.deadline = trio.current_time() + LEAVING
                if player.kind is FailureKind.CANCELLED:
                    await trio.sleep(LEAVING)
                    scope.cancel(reason="interrupted")
                await stream.wait()
    return stream.outcome
