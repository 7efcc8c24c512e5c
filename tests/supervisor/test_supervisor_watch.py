"""Looking at a tree: statuses, counts, snapshots, records."""

from contextlib import suppress

import attrs
import pytest
import trio

from supervisor import (
    Backoff,
    Bounds,
    Child,
    ChildExited,
    ChildReady,
    ChildRestarting,
    Count,
    ExitKind,
    GaveUp,
    MailboxFull,
    MailboxOverflowed,
    Overflow,
    Restart,
    State,
    SupervisorStopping,
    TreeStopped,
    cleanup,
    current_child,
    keep,
    line,
    open_supervisor,
    subtree,
    top,
)
from supervisor.errors import NotAChild
from supervisor.testing import Recorder, crash, quiet


async def wait_for_mail(*, mailbox):
    await trio.sleep_forever()


async def test_a_snapshot_shows_state_generation_uptime_restarts_mailbox_and_what_is_below(autojump_clock):
    pool = subtree("pool", Child("deaf", wait_for_mail, mailbox=Bounds()))
    flaky = Child("flaky", crash, 1.0, 1, backoff=Backoff(initial=2, jitter=0))
    async with open_supervisor(pool, flaky) as tree:
        pool = tree["pool"].value
        for message in range(3):
            pool["deaf"].tell(message)
        await trio.sleep(1.5)
        statuses = tree.snapshot().flat()
        assert list(statuses) == [("root", "pool"), ("root", "pool", "deaf"), ("root", "flaky")]
        assert statuses["root", "pool", "deaf"].mailbox == 3
        assert statuses["root", "flaky"].state is State.BACKOFF
        assert statuses["root", "flaky"].last.kind is ExitKind.CRASH
        assert tree.count() == Count(specs=2, active=1, restarting=1, supervisors=1)
        await trio.sleep(2.5)
        status = tree.which()[1]
        assert (status.state, status.generation, status.restarts, status.uptime) == (State.RUNNING, 2, 1, 1)
        assert "deaf, running, generation 1, up 4.0 s, 3 waiting" in str(tree.snapshot())


async def test_top_gives_the_fullest_mailboxes_and_the_fastest_growing():
    async with open_supervisor(*(Child(f"a{n}", wait_for_mail, mailbox=Bounds()) for n in range(5))) as tree:
        for n in range(5):
            for message in range(n):
                tree[f"a{n}"].tell(message)
        before = tree.snapshot()
        assert top(before, lambda child: child.mailbox, 2) == [(("root", "a4"), 4), (("root", "a3"), 3)]
        tree["a1"].tell("more")
        assert top(tree.snapshot(), lambda child: child.mailbox, 1, since=before) == [(("root", "a1"), 1)]


async def test_a_reference_says_where_its_child_waits():
    async with open_supervisor(Child("deaf", wait_for_mail, mailbox=Bounds())) as tree:
        await quiet()
        assert any("in wait_for_mail" in line for line in tree["deaf"].where())
        await tree.stop("deaf")
        assert tree["deaf"].where() == ()


async def test_a_hook_that_raises_is_counted_and_harms_nobody():
    def broken(record):
        raise ValueError(record)

    async with open_supervisor(Child("a", trio.sleep_forever, notify=broken), hook=broken) as tree:
        assert tree["a"].state is State.RUNNING
        assert tree.hook_errors == 5


async def test_the_hook_of_the_root_hears_of_the_whole_tree():
    recorder = Recorder()
    async with open_supervisor(subtree("a", subtree("b", Child("c", trio.sleep_forever))), hook=recorder):
        assert [record.path[1:] for record in recorder.of(ChildReady)] == [("a", "b", "c"), ("a", "b"), ("a",)]


async def test_a_child_knows_itself_and_what_is_kept_for_it():
    seen = []

    async def curious(*, variant):
        child = current_child()
        box = keep(list)
        box.append(child.generation)
        assert keep(list) is box
        assert keep(list, "other") is not box
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_inside, seen)
        seen.append((child.id, child.path, child.generation, child.variant, child.rung, list(box)))
        if child.generation < 3:
            raise RuntimeError
        await trio.sleep_forever()

    async def ask_inside(seen):
        seen.append(current_child().generation)

    async with open_supervisor(Child("a", curious, variant="v")):
        await quiet()
    assert seen[::2] == [1, 2, 3]
    assert seen[-1] == ("a", ("root", "a"), 3, "v", 0, [1, 2, 3])


async def test_outside_of_a_child_there_is_no_current_child():
    with pytest.raises(NotAChild):
        current_child()


async def test_cleanup_protects_for_its_seconds_outside_of_any_supervisor(autojump_clock):
    marks = []
    with trio.move_on_after(1):
        try:
            await trio.sleep_forever()
        finally:
            with cleanup(3) as scope:
                await trio.sleep(2)
                marks.append(trio.current_time())
                await trio.sleep(2)
            marks.append((trio.current_time(), scope.cancelled_caught))
    assert marks == [3, (4, True)]


async def test_calls_on_a_tree_that_is_gone_say_so():
    async with open_supervisor(Child("a", trio.sleep_forever)) as tree:
        ref = tree["a"]
    with pytest.raises(TreeStopped):
        await tree.start(Child("b", trio.sleep_forever))
    with pytest.raises(TreeStopped):
        await tree.restart("a")
    assert (await ref.wait()).kind is ExitKind.SHUTDOWN
    assert (await tree.stop("a")).kind is ExitKind.SHUTDOWN
    ref.cancel()
    await tree.join()


async def test_starting_children_from_inside_a_child_does_not_deadlock():
    async def parent(*, task_status):
        await tree.start(Child("sibling", trio.sleep_forever))
        task_status.started()
        await tree.stop("parent")
        pytest.fail("it stopped itself and is still there")

    async with open_supervisor() as tree:
        await tree.start(Child("parent", parent, restart=Restart.TEMPORARY))
        assert tree["sibling"].state is State.RUNNING


@attrs.frozen
class Route:
    """A variant with a repr of its own."""

    name: str


class Anonymous:
    """A variant with the repr that everything has."""


@pytest.mark.parametrize(
    ("variant", "text"),
    [(Route("a"), "variant=Route(name='a')"), (Anonymous(), "Anonymous>"), (State.DOWN, "variant=State.DOWN")],
)
def test_a_record_as_a_line_tells_values_and_never_addresses(variant, text):
    record = ChildRestarting(1.5, ("root", "a"), 2, 0.25, variant, 1)
    assert text in line(record)
    assert " at 0x" not in line(record)
    assert line(record).startswith("1.500000 root/a ChildRestarting generation=2 after=0.250000")


async def test_the_reason_of_an_outer_cancel_is_that_of_the_stop():
    recorder = Recorder()
    with trio.CancelScope() as scope:
        async with open_supervisor(subtree("below", Child("a", trio.sleep_forever)), hook=recorder):
            scope.cancel("the user is gone")
            await trio.sleep_forever()
    assert {record.reason for record in recorder.of(SupervisorStopping)} == {"the user is gone"}


@pytest.mark.parametrize(
    ("attribute", "most"),
    [
        (lambda child: child.generation, "flaky"),
        (lambda child: child.restarts, "flaky"),
        (lambda child: child.uptime, "old"),
        (lambda child: child.mailbox, "full"),
        (lambda child: child.last is not None and child.last.kind is ExitKind.CRASH, "flaky"),
        (lambda child: child.state is State.DOWN, "down"),
    ],
)
async def test_top_ranks_by_anything_a_status_has(attribute, most, autojump_clock):
    async with open_supervisor(Child("old", trio.sleep_forever), Child("down", trio.sleep_forever)) as tree:
        await tree.stop("down")
        await trio.sleep(1)
        await tree.start(Child("flaky", crash, 1.0, 2))
        await tree.start(Child("full", wait_for_mail, mailbox=Bounds()))
        tree["full"].tell("one")
        await trio.sleep(5)
        assert top(tree.snapshot(), attribute, 1)[0][0] == ("root", most)


@pytest.mark.parametrize("overflow", Overflow)
async def test_an_overflow_is_told_with_the_first_message_lost_and_each_time_their_number_doubled(overflow):
    recorder = Recorder()
    spec = Child("deaf", wait_for_mail, mailbox=Bounds(2, overflow))
    async with open_supervisor(spec, hook=recorder) as tree:
        for message in range(2 + 9):
            with suppress(MailboxFull):
                tree["deaf"].tell(message)
        told = [(record.path, record.capacity, record.lost) for record in recorder.of(MailboxOverflowed)]
        assert told == [(("root", "deaf"), 2, lost) for lost in (1, 2, 4, 8)]


async def leak(after=1.0):
    await trio.sleep(after)
    raise ValueError("no luck with key sk-secret, " + "x" * 280 + " nor with sk-secret")


async def test_what_redact_takes_out_of_a_crash_is_in_no_exit_and_no_record(autojump_clock):
    recorder = Recorder()
    inner = subtree("pool", Child("a", leak, restart=Restart.TEMPORARY), Child("b", leak), intensity=0)
    with pytest.raises(GaveUp) as caught:
        async with open_supervisor(
            inner, intensity=0, hook=recorder, redact=lambda text: text.replace("sk-secret", "***")
        ) as tree:
            await tree.join()
    assert "no luck with key ***" in recorder.text()
    assert "secret" not in recorder.text() + str(caught.value) + repr(
        [record.exit for record in recorder.of(ChildExited)]
    )


@pytest.mark.parametrize("redact", [lambda _: 1 / 0, lambda _: None])
async def test_a_message_that_cannot_be_redacted_is_kept_out_and_counted_if_that_failed(redact, autojump_clock):
    async with open_supervisor(Child("a", leak, restart=Restart.TEMPORARY), redact=redact) as tree:
        ref = tree["a"]
        end = await ref.wait()
    assert end.error.type == "ValueError"
    assert "secret" not in end.error.message


async def test_an_error_that_cannot_even_be_printed_is_a_crash_like_any_other():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    async with open_supervisor() as tree:
        ref = tree.start_soon(Child("b", mute, Mute, restart=Restart.TEMPORARY))
        end = await ref.wait()
        assert (end.kind, end.error.message, tree.hook_errors >= 1) == (ExitKind.CRASH, "", True)
        assert end.error.frames


async def mute(error):
    raise error


async def test_a_child_hears_of_its_final_end_once_however_many_lives_it_had(autojump_clock):
    ends = []

    async def child():
        current_child().on_end(ends.append)
        await crash(1.0, 2)

    async with open_supervisor(Child("a", child)) as tree:
        await trio.sleep(5)
        assert (tree["a"].generation, ends) == (3, [])
        end = await tree.stop("a")
        assert ends == [end]
        await tree.restart("a")
        await quiet()
    assert [end.kind for end in ends] == [ExitKind.SHUTDOWN] * 2


async def test_a_child_takes_its_wish_to_hear_of_its_end_back():
    ends = []

    async def child():
        current_child().on_end(ends.append)()
        await trio.sleep_forever()

    async with open_supervisor(Child("a", child)):
        await quiet()
    assert ends == []


async def test_what_is_told_of_an_end_and_raises_is_counted_and_harms_nobody():
    def broken(end):
        raise ValueError(end)

    async with open_supervisor(Child("a", trio.sleep_forever), Child("b", trio.sleep_forever)) as tree:
        tree["a"].on_end(broken)
        assert (await tree.stop("a")).kind is ExitKind.SHUTDOWN
        assert (tree.hook_errors, tree["b"].state) == (1, State.RUNNING)
