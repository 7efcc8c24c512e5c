"""A provider that keeps its side passes every check, one that does not fails most of them."""

from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from rows_world import ROUTES
from stream_world import ENVIRONMENT

from actors import Route, Settings
from actors.chaos import Generated, Simulator, open_network
from actors.deltas import Finish, Finished, FinishReason, TextDelta
from actors.providers.table import open_providers
from actors.testing import CHECKS, failures

PAGE = (Path(__file__).parents[2] / "docs" / "writing-a-provider.md").read_text(encoding="utf-8")
MINE = Route("mine", "any")
DONE = Finished(Finish(FinishReason.STOP))


class Whole:
    """Nine lines, and a source of its own for each answer."""

    request_id = ""

    @asynccontextmanager
    async def open(self, request, _route):
        source = Whole()
        source.rest = [[DONE], [TextDelta(request.messages[-1].text)]]
        yield source

    async def receive(self):
        await trio.lowlevel.checkpoint()
        return self.rest.pop() if self.rest else None


class Broken:
    """Ends without saying so, deaf to cancels, one answer in its life, nothing in one piece, and no name for it."""

    request_id = None
    rest = ["hel", "lo"]  # noqa: RUF012 -- that is what is wrong with it

    @asynccontextmanager
    async def open(self, _request, _route):
        yield self

    async def receive(self):
        with trio.CancelScope(shield=True):
            await trio.sleep(2)
        return [TextDelta(self.rest.pop(0))] if self.rest else None


def page_provider():
    """The provider of the page, as it stands there."""
    code = PAGE.split("class Echo")[1].split("\n\nassert")[0]
    space = {"asynccontextmanager": asynccontextmanager, "trio": trio, "TextDelta": TextDelta}
    exec("class Echo" + code, space | {"Finish": Finish, "Finished": Finished, "FinishReason": FinishReason}, space)
    return space["Echo"]()


@pytest.mark.row("C18", "M15")
async def test_a_provider_of_nine_lines_passes_every_check(autojump_clock):
    assert await failures(Whole(), MINE) == []


@pytest.mark.row("C18", "C1", "M9")
@pytest.mark.parametrize("route", ROUTES)
async def test_the_providers_in_the_box_pass_every_check(autojump_clock, route):
    network = open_network(Simulator(Generated(tokens=24)))
    async with network as wire, open_providers(Settings.read(ENVIRONMENT), {}, wire) as known:
        assert await failures(known[Route.parse(route).provider], Route.parse(route)) == []


@pytest.mark.row("M15")
async def test_a_broken_provider_fails_most_checks(autojump_clock):
    failed = await failures(Broken(), MINE)
    assert len(failed) >= 6
    assert set(failed) <= {check.__name__ for check in CHECKS}


@pytest.mark.row("C18")
async def test_the_provider_of_the_page_fails_where_the_page_says_it_does(autojump_clock):
    """It is its own source: what one stream at a time does not notice."""
    assert await failures(page_provider(), MINE) == ["answers_at_once_do_not_mix"]
