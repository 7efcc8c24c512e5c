"""The first rung of a stop, where a spec asks for it: a word before the cancel."""

import math

import pytest
import trio

from supervisor import (
    Bounds,
    Call,
    CalleeDied,
    Child,
    ChildOverdue,
    ChildStopping,
    ExitKind,
    Leave,
    Restart,
    State,
    behave,
    cleanup,
    current_child,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder, quiet, shield


async def leaver(seconds, told=None):
    """Leave so many seconds after being asked to."""
    await current_child().leaving.wait()
    if told is not None:
        told.append(trio.current_time())
    await trio.sleep(seconds)
    return "left"


async def test_a_child_that_leaves_when_asked_is_never_cancelled(autojump_clock):
    async with open_supervisor(Child("a", leaver, 2, polite=3)) as tree:
        await quiet()
        end = await tree.stop("a")
    assert (end.kind, end.value, trio.current_time()) == (ExitKind.SHUTDOWN, "left", 2)


async def test_a_child_whose_spec_asks_for_no_word_is_cancelled_at_once(autojump_clock):
    async with open_supervisor(Child("a", leaver, 2)) as tree:
        await quiet()
        end = await tree.stop("a")
    assert (end.kind, end.value, trio.current_time()) == (ExitKind.SHUTDOWN, None, 0)


async def test_the_whole_ladder_is_word_cancel_cut_and_reports_that_double(autojump_clock):
    recorder, told = Recorder(), []

    async def stubborn():
        try:
            await leaver(math.inf, told)
        finally:
            told.append(trio.current_time())
            try:
                with cleanup(100):
                    await trio.sleep_forever()
            finally:
                told.append(trio.current_time())
                await shield(0)

    async def deaf():
        try:
            await stubborn()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(20)

    async with open_supervisor(Child("a", deaf, polite=2, shutdown=3), hook=recorder, overdue=1) as tree:
        await quiet()
        assert (await tree.stop("a", "enough")).kind is ExitKind.KILLED
    assert told == [0, 2, 5]
    assert [(record.at, record.reason, record.grace) for record in recorder.of(ChildStopping)] == [(0, "enough", 3)]
    assert [(record.at, record.since) for record in recorder.of(ChildOverdue)] == [
        (6, 1),
        (7, 2),
        (9, 4),
        (13, 8),
        (21, 16),
    ]


async def test_an_actor_gets_the_word_as_an_urgent_message_and_finishes_what_it_has_in_hand(autojump_clock):
    answered = []

    async def echo(message):
        await trio.sleep(1)
        answered.append(message)
        return message

    async with open_supervisor(Child("a", behave, echo, mailbox=Bounds(), polite=5)) as tree:
        tree["a"].tell("in hand")
        tree["a"].tell("waiting")
        await quiet()
        assert (await tree.stop("a")).kind is ExitKind.SHUTDOWN
    assert (answered, trio.current_time()) == (["in hand"], 1)


async def test_a_word_that_was_not_read_is_not_left_to_the_next_life(autojump_clock):
    seen = []

    async def busy(*, mailbox):
        if current_child().generation == 1:
            await trio.sleep_forever()
        while True:
            seen.append(await mailbox.receive())

    async with open_supervisor(Child("a", busy, mailbox=Bounds(), polite=1)) as tree:
        tree["a"].tell("ordinary")
        tree["a"].tell("urgent", urgent=True)
        await quiet()
        await tree.restart("a")
        await quiet()
        assert (seen, tree["a"].generation, trio.current_time()) == (["urgent", "ordinary"], 2, 1)


async def test_the_word_tells_the_reason(autojump_clock):
    seen = []

    async def reader(*, mailbox):
        async for message in mailbox:
            seen.append(message)
            if isinstance(message, Leave):
                return

    async with open_supervisor(Child("a", reader, mailbox=Bounds(), polite=1)) as tree:
        await quiet()
        await tree.stop("a", "the shop closes")
    assert seen == [Leave("the shop closes")]


async def test_a_child_that_is_not_ready_or_whose_supervisor_hurries_is_not_asked(autojump_clock):
    async def slow(*, task_status):
        await trio.sleep_forever()

    async with open_supervisor() as tree:
        tree.start_soon(Child("a", slow, polite=10))
        await quiet()
        await tree.stop("a")
        assert trio.current_time() == 0
        await tree.start(subtree("b", Child("c", leaver, 100, polite=10), shutdown=2))
        await quiet()
        end = await tree.stop("b")
    assert (end.kind, trio.current_time()) == (ExitKind.KILLED, 2)


async def test_a_crash_after_the_word_is_part_of_the_stop_and_not_restarted(autojump_clock):
    async def clumsy():
        await current_child().leaving.wait()
        raise RuntimeError("tripped")

    async with open_supervisor(Child("a", clumsy, polite=9), intensity=0) as tree:
        await quiet()
        end = await tree.stop("a")
        assert (end.kind, str(end.error), tree["a"].state) == (ExitKind.SHUTDOWN, "RuntimeError: tripped", State.DOWN)


async def test_leaving_is_set_for_whoever_asks_late_and_by_a_plain_cancel(autojump_clock):
    seen = []

    async def late():
        try:
            await trio.sleep_forever()
        finally:
            seen.append(current_child().leaving.is_set())

    async def early():
        leaving = current_child().leaving
        seen.append(leaving.is_set())
        try:
            await trio.sleep_forever()
        finally:
            seen.append(leaving.is_set())

    async with open_supervisor(Child("late", late), Child("early", early)):
        await quiet()
    assert seen == [False, True, True]


@pytest.mark.parametrize("asked", [True, False])
async def test_a_question_in_hand_of_an_actor_that_was_asked_to_leave_is_still_answered(asked, autojump_clock):
    async def answers(*, mailbox):
        async for message in mailbox:
            match message:
                case Call(question) as call:
                    await trio.sleep(1)
                    call.reply(question)
                case Leave():
                    return

    replies = []

    async def ask(ref):
        try:
            replies.append(await ref.ask("why"))
        except CalleeDied:
            replies.append("nothing")

    spec = Child("a", answers, mailbox=Bounds(), polite=2.0 if asked else 0.0, restart=Restart.TEMPORARY)
    async with trio.open_nursery() as nursery, open_supervisor(spec) as tree:
        nursery.start_soon(ask, tree["a"])
        await quiet()
        await tree.stop("a")
    assert replies == (["why"] if asked else ["nothing"])
