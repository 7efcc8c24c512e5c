"""Actors: mailboxes, tell and ask, watching, names and tags."""

import pytest
import trio

from supervisor import (
    Backoff,
    Bounds,
    Call,
    CalleeDied,
    Child,
    ChildDown,
    Down,
    ExitKind,
    MailboxFull,
    NameTaken,
    NoMailbox,
    Overflow,
    Restart,
    SelfAsk,
    State,
    UnknownName,
    behave,
    current_child,
    open_supervisor,
    subtree,
    watch,
)
from supervisor.testing import quiet


async def collect(seen, *, mailbox):
    async for message in mailbox:
        match message:
            case Call("seen") as call:
                call.reply(list(seen))
            case Call("crash") | "crash":
                raise RuntimeError("told to")
            case Call("silence"):
                pass
            case _:
                seen.append(message)


def collector(seen, name="a", **options):
    return Child(name, collect, seen, **({"mailbox": Bounds()} | options))


async def test_messages_arrive_in_the_order_they_were_told_and_urgent_ones_first():
    seen = []
    async with open_supervisor() as tree:
        ref = tree.start_soon(collector(seen))
        for message in (1, 2, 3):
            ref.tell(message)
        ref.tell("now", urgent=True)
        assert await ref.ask("seen") == ["now", 1, 2, 3]


async def test_a_mailbox_survives_the_restart_and_only_the_message_in_hand_is_lost():
    seen = []
    async with open_supervisor(collector(seen)) as tree:
        ref = tree["a"]
        for message in (1, "crash", 2, 3):
            ref.tell(message)
        assert await ref.ask("seen") == [1, 2, 3]
        assert ref.generation == 2


async def test_a_fresh_mailbox_forgets_what_waited():
    seen = []
    async with open_supervisor(collector(seen, mailbox=Bounds(fresh=True))) as tree:
        ref = tree["a"]
        for message in (1, "crash", 2):
            ref.tell(message)
        await quiet()
        assert await ref.ask("seen") == [1]


async def test_an_asker_learns_that_the_callee_died_with_its_question():
    async with open_supervisor(collector([])) as tree:
        with pytest.raises(CalleeDied) as caught:
            await tree["a"].ask("crash")
        assert caught.value.exit.kind is ExitKind.CRASH


async def test_a_question_that_waits_through_a_backoff_is_answered_by_the_next_incarnation(autojump_clock):
    slow = Backoff(initial=5, cap=5, jitter=0)
    async with open_supervisor(collector([], backoff=slow)) as tree:
        ref = tree["a"]
        ref.tell("crash")
        await quiet()
        assert ref.state is State.BACKOFF
        assert await ref.ask("seen") == []
        assert trio.current_time() == 5


async def test_the_callers_scope_is_the_timeout_and_a_late_answer_is_dropped(autojump_clock):
    async def slow(message):
        await trio.sleep(message)
        return message

    async with open_supervisor(Child("slow", behave, slow, mailbox=Bounds())) as tree:
        ref = tree["slow"]
        with trio.move_on_after(1) as scope:
            await ref.ask(3)
        assert scope.cancelled_caught
        assert await ref.ask(4) == 4
        assert trio.current_time() == 7


async def test_a_question_whose_asker_left_is_not_even_taken(autojump_clock):
    taken = []

    async def note(message):
        taken.append(message)
        await trio.sleep(2)

    async with open_supervisor(Child("busy", behave, note, mailbox=Bounds())) as tree:
        ref = tree["busy"]
        ref.tell("first")
        with trio.move_on_after(1):
            await ref.ask("second")
        ref.tell("third")
        await trio.sleep(10)
    assert taken == ["first", "third"]


async def test_a_child_that_ended_for_good_takes_nothing_and_says_how_it_ended():
    async with open_supervisor() as tree:
        ref = await tree.start(collector([], restart=Restart.TEMPORARY))
        waiting = []

        async def ask():
            with pytest.raises(CalleeDied):
                await ref.ask("silence")
            waiting.append("told")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await quiet()
            await tree.stop("a")
        assert waiting == ["told"]
        with pytest.raises(ChildDown, match="ended by shutdown"):
            ref.tell("late")
        with pytest.raises(ChildDown):
            await ref.ask("late")


@pytest.mark.parametrize(
    ("overflow", "kept", "dropped"), [(Overflow.DROP_OLDEST, [3, 4], 2), (Overflow.DROP_NEWEST, [1, 2], 2)]
)
async def test_a_full_mailbox_drops_what_its_policy_says(overflow, kept, dropped):
    seen = []
    async with open_supervisor() as tree:
        ref = tree.start_soon(collector(seen, mailbox=Bounds(2, overflow)))
        for message in (1, 2, 3, 4):
            ref.tell(message)
        await quiet()
        assert seen == kept
        assert ref._slot.mailbox.dropped == dropped


@pytest.mark.parametrize("overflow", [Overflow.REJECT, Overflow.WAIT])
async def test_tell_raises_when_there_is_no_room(overflow):
    async with open_supervisor() as tree:
        ref = tree.start_soon(collector([], mailbox=Bounds(1, overflow)))
        ref.tell(1)
        with pytest.raises(MailboxFull, match="1 messages"):
            ref.tell(2)


@pytest.mark.promise("P10")
async def test_send_waits_for_room_and_keeps_the_order():
    seen = []
    async with open_supervisor() as tree:
        ref = tree.start_soon(collector(seen, mailbox=Bounds(3)))
        for message in range(200):
            await ref.send(message)
            assert tree.which()[0].mailbox <= 3
        assert await ref.ask("seen") == list(range(200))


async def test_senders_that_wait_are_told_when_the_child_ends():
    async def deaf(*, mailbox):
        await trio.sleep_forever()

    async with open_supervisor() as tree:
        ref = await tree.start(Child("deaf", deaf, mailbox=Bounds(1)))
        ref.tell(1)
        told = []

        async def send():
            with pytest.raises(ChildDown):
                await ref.send(2)
            told.append(True)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await quiet()
            await tree.stop("deaf")
        assert told == [True]


async def test_a_child_that_asks_itself_gets_an_error_and_no_deadlock():
    async def selfish(*, mailbox):
        with pytest.raises(SelfAsk):
            await tree["selfish"].ask("me")
        return "fine"

    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("selfish", selfish, mailbox=Bounds(), restart=Restart.TEMPORARY))
        assert (await ref.wait()).value == "fine"


async def test_a_child_without_a_mailbox_says_so():
    async with open_supervisor(Child("mute", trio.sleep_forever)) as tree:
        with pytest.raises(NoMailbox, match="mute"):
            tree["mute"].tell(1)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_watcher_gets_exactly_one_down_also_of_one_already_dead(when):
    seen = []

    async def watcher(ref, *, mailbox):
        watch(ref)
        while True:
            seen.append(await mailbox.receive())

    async with open_supervisor() as tree:
        ref = await tree.start(Child("mortal", trio.sleep_forever, restart=Restart.TEMPORARY))
        if when == "after":
            await tree.stop("mortal")
        await tree.start(Child("watcher", watcher, ref, mailbox=Bounds()))
        await quiet()
        if when == "before":
            await tree.stop("mortal")
        await quiet()
        assert seen == [Down(("root", "mortal"), ref.exit)]


async def test_a_watch_taken_back_delivers_nothing():
    seen = []

    async def watcher(ref, *, mailbox):
        watch(ref)()
        while True:
            seen.append(await mailbox.receive())

    async with open_supervisor(Child("mortal", trio.sleep_forever)) as tree:
        await tree.start(Child("watcher", watcher, tree["mortal"], mailbox=Bounds()))
        await quiet()
        await tree.stop("mortal")
        await quiet()
    assert seen == []


async def test_names_and_tags_hold_through_a_restart_and_go_with_the_child(autojump_clock):
    slow = Backoff(initial=5, cap=5, jitter=0)
    crash = trio.Event()

    async def mortal():
        if current_child().generation == 1:
            await crash.wait()
            raise RuntimeError
        await trio.sleep_forever()

    async with open_supervisor(Child("a", mortal, backoff=slow), subtree("below")) as tree:
        names = tree["below"].value.registry
        names.register("service", tree["a"])
        names.tag("worker", tree["a"])
        crash.set()
        await quiet()
        assert tree.registry.whereis("service").state is State.BACKOFF
        assert tree.registry.tagged("worker") == (tree["a"],)
        with pytest.raises(NameTaken, match="root/a"):
            names.register("service", tree["below"])
        await tree.stop("a")
        assert tree.registry.tagged("worker") == ()
        with pytest.raises(UnknownName):
            tree.registry.whereis("service")


async def test_two_receivers_of_one_mailbox_are_refused():
    async def twice(*, mailbox):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mailbox.receive)
            await quiet()
            with pytest.raises(trio.BusyResourceError):
                await mailbox.receive()
            nursery.cancel_scope.cancel()

    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("twice", twice, mailbox=Bounds(), restart=Restart.TEMPORARY))
        assert (await ref.wait()).kind is ExitKind.NORMAL


async def test_senders_that_wait_are_served_in_the_order_in_which_they_came():
    seen, gate = [], trio.Event()

    async def gated(*, mailbox):
        await gate.wait()
        while True:
            seen.append(await mailbox.receive())

    async with open_supervisor() as tree, trio.open_nursery() as nursery:
        ref = await tree.start(Child("gated", gated, mailbox=Bounds(1)))
        ref.tell(0)
        for number in range(1, 20):
            nursery.start_soon(ref.send, number)
            await quiet()
        ref.tell("urgent", urgent=True)
        gate.set()
        await quiet()
        assert seen == ["urgent", *range(20)]


async def test_a_mailbox_emptied_by_a_fresh_life_lets_waiting_senders_in():
    seen, crash = [], trio.Event()

    async def forgetful(*, mailbox):
        if current_child().generation == 1:
            await crash.wait()
            raise RuntimeError
        while True:
            seen.append(await mailbox.receive())

    async with open_supervisor() as tree, trio.open_nursery() as nursery:
        ref = await tree.start(Child("a", forgetful, mailbox=Bounds(2, fresh=True)))
        ref.tell("forgotten")
        ref.tell("forgotten too")
        nursery.start_soon(ref.send, "waited")
        await quiet()
        crash.set()
        await quiet()
        assert seen == ["waited"]
        assert (ref.generation, ref._slot.mailbox.peak) == (2, 2)
