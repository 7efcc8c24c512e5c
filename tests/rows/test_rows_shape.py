"""What the house is made of: modules, tables that are whole, and a stream that is a child like any other."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import trio
from rows_world import DONE, ONE, ROUTES, Played, always

from actors import Category, Disposition, FailureKind, Ladder, Retry, TextDelta
from actors.catalogue import ADVICE
from actors.failure import Failure, Phase
from actors.lifecycle import AttemptEnded, Trace
from actors.observe.instruments import ERRORS, OPERATION, RETRIES, Names, error_category
from actors.observe.metrics import measures
from actors.outcome import Attempt
from actors.policy.classify import classify
from actors.route import Route
from actors.runtime.outlet import CAPACITY
from supervisor import ChildStarting, SupervisorGaveUp

PAGE = (Path(__file__).parents[2] / "docs" / "observing.md").read_text(encoding="utf-8")


@pytest.mark.row("A1", "X16")
def test_there_are_eight_categories_and_each_has_kinds():
    names = {category.value for category in Category}
    assert names == {"network", "authentication", "resource", "provider", "stream", "content", "context", "unknown"}
    assert {kind.category for kind in FailureKind} == set(Category)


@pytest.mark.row("A2", "X16")
def test_every_disposition_is_that_of_some_kind():
    assert {kind.disposition for kind in FailureKind} == set(Disposition)
    assert {kind for kind in FailureKind if kind.disposition is Disposition.LEAVE} == {
        kind for kind in FailureKind if kind.category is Category.CONTEXT
    }


PHASES_OF_THE_WORK = {
    "classification": ("actors.policy.classify", "classify"),
    "failures": ("actors.failure", "Failure"),
    "retries": ("actors.policy.directive", "direct"),
    "messages": ("actors.catalogue", "advise"),
    "logs": ("actors.observe.logs", "lines"),
    "fallbacks": ("actors.ladder", "Ladder"),
    "command line": ("actors.cli", "main"),
}


@pytest.mark.row("M12")
@pytest.mark.parametrize("part", PHASES_OF_THE_WORK)
def test_each_part_of_the_work_is_a_module_of_its_own(part):
    module, name = PHASES_OF_THE_WORK[part]
    assert callable(getattr(import_module(module), name))
    assert len({module for module, _ in PHASES_OF_THE_WORK.values()}) == 7


def told(kind, then):
    """The labels under which one failure of this kind is counted."""
    route = Route("a", "m")
    attempt = Attempt(1, route, 0.0, 1.0, failure=Failure(kind))
    record = AttemptEnded(1.0, ("root", "s"), Trace("ab" * 16, "cd" * 8), attempt, attempt.failure, 1, 5, then, 1.0)
    return [(measure.instrument, measure.labels) for measure in measures(record, Names(), Names())]


@pytest.mark.row("M14", "I2", "I3")
@pytest.mark.parametrize("kind", FailureKind)
def test_a_kind_has_a_message_its_labels_and_a_line_in_the_documentation(kind):
    counted = told(kind, Route("a", "m"))
    assert kind in ADVICE
    assert [labels["error_type"] for instrument, labels in counted if instrument is RETRIES] == [kind.label]
    assert [labels["error.type"] for instrument, labels in counted if instrument is OPERATION] == [kind.label]
    assert [labels["error_category"] for instrument, labels in counted if instrument is ERRORS] == [
        error_category(kind)
    ]
    assert f"`{kind.label}`" in PAGE


@pytest.mark.row("M14", "M16")
@pytest.mark.parametrize("category", ["transient", "permanent", "resource", "context"])
def test_the_page_lists_what_each_category_of_errors_counts(category):
    (line,) = re.findall(rf"^\| `{category}` \| (.*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", line) == [kind.label for kind in FailureKind if error_category(kind) == category]


@pytest.mark.row("O1")
@pytest.mark.parametrize("route", ROUTES)
async def test_each_attempt_starts_its_stream_afresh_as_the_same_child(world, autojump_clock, route):
    async with world(always("cut:5", times=2)) as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(3)), name="mine")
        lives = [
            record.generation for record in w.records if isinstance(record, ChildStarting) and record.path[-1] == "mine"
        ]
    assert lives == [1, 2, 3]
    assert outcome.completed


@pytest.mark.row("O1", "O4")
async def test_streams_that_use_up_their_budgets_leave_the_supervisor_its_own(world, autojump_clock):
    async with world(always("status503", times=5000)) as w:
        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(w.streams.ask, f"prompt {number}", Ladder(ONE, Retry(5)))
        assert len(w.entries) == 1000
        assert not [record for record in w.records if isinstance(record, SupervisorGaveUp)]


@pytest.mark.row("O4")
async def test_of_a_hundred_streams_one_fails_and_the_others_do_not_notice(world, autojump_clock):
    ends = []

    async def ask(streams, number):
        ends.append(await streams.ask(f"prompt {number}", "broken:model" if number == 50 else ONE))

    async with world(providers={"broken": Played([ConnectionResetError()])}) as w, trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(ask, w.streams, number)
    assert sum(outcome.completed for outcome in ends) == 99
    assert {len(outcome.attempts) for outcome in ends if outcome.completed} == {1}


@pytest.mark.row("O2")
async def test_a_slow_consumer_slows_its_stream_and_what_waits_for_it_is_bounded(world, autojump_clock):
    given, most = [], 0

    def deltas():
        for number in range(100_000):
            given.append(number)
            yield [TextDelta("x")]
        yield DONE

    taken = 0
    fast = {"fast": Played(deltas())}
    async with world(providers=fast) as w, w.streams.open("hello", Ladder("fast:model")) as stream:
        async for event in stream:
            if isinstance(event, TextDelta):
                taken += 1
                most = max(most, len(given) - taken)
                if taken % 100 == 0:
                    await trio.sleep(1)
    assert taken == len(given) == 100_000
    assert CAPACITY / 2 < most <= CAPACITY + 1


@pytest.mark.row("O3")
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ExceptionGroup("", [ConnectionResetError()]), FailureKind.RESET),
        (ExceptionGroup("", [ExceptionGroup("", [TimeoutError()])]), FailureKind.TIMEOUT),
        (ExceptionGroup("", [ConnectionResetError(), KeyError("a bug")]), None),
    ],
)
def test_a_group_is_what_is_in_it(error, kind):
    failure = classify(error, Phase.STREAMING, "mine", "model")
    assert (failure and failure.kind) == kind


@pytest.mark.row("O3", "F3", "G6")
async def test_a_cancellation_inside_a_group_of_the_provider_is_never_swallowed(world, autojump_clock):
    async def nested():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep_forever)

    async with world(providers={"mine": Played([[TextDelta("so far")], nested])}) as w:
        with trio.move_on_after(1) as scope:
            async with w.streams.open("hello", Ladder("mine:model", Retry(5))) as stream:
                await stream.wait()
        assert scope.cancelled_caught
    assert (stream.outcome.text, stream.outcome.failure.kind) == ("so far", FailureKind.DEADLINE)


@pytest.mark.row("X13", "A26")
@pytest.mark.parametrize("route", ROUTES)
async def test_a_malformed_event_is_never_skipped(world, autojump_clock, route):
    async with world(always("garble:5", times=1)) as w:
        outcome = await w.streams.ask("hello", Ladder(route, Retry(2)))
        assert len(w.entries) == 2
    assert outcome.attempts[0].failure.category is Category.STREAM
    assert outcome.attempts[0].failure.kind in {FailureKind.MALFORMED, FailureKind.TRUNCATED}
