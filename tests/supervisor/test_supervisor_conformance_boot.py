"""Conformance A and B: boot, specs, stops."""

import ast
import itertools
import math
from pathlib import Path

import pytest
import trio
from supervisor_cases import ALL, LEFT_OUT, case

from supervisor import (
    AutoShutdown,
    BadSpec,
    Bounds,
    Child,
    ChildEnded,
    ChildExited,
    ExitKind,
    GaveUp,
    Restart,
    StartFailed,
    State,
    Strategy,
    TreeStopped,
    UnknownChild,
    cleanup,
    open_supervisor,
    subtree,
)
from supervisor.testing import Recorder, Trace, fail_in_cleanup, linger, quiet, shield, swallow


def test_every_case_is_answered_or_left_out_with_a_reason():
    answered = set()
    for path in Path(__file__).parent.glob("test_supervisor_conformance_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "case":
                answered |= {ast.literal_eval(argument) for argument in node.args}
    assert sorted(answered & set(LEFT_OUT)) == []
    assert sorted(answered | set(LEFT_OUT)) == sorted(ALL)
    assert len(ALL) == 90


# --- A: boot and specs


def generator():
    yield


async def async_generator():
    yield


@case("A1")
async def test_a_tree_without_children_starts_and_stops():
    async with open_supervisor() as tree:
        assert tree.count().specs == 0


@case("A4", "A22")
async def test_a_failed_start_names_the_cause_through_every_level_and_leaves_nothing_running():
    trace = Trace()

    async def broken(*, task_status):
        raise ValueError("no socket")

    inner = subtree("inner", Child("b", trace.steady), Child("broken", broken))
    with pytest.raises(StartFailed) as caught:
        async with open_supervisor(Child("a", trace.steady), inner):
            pytest.fail("the body ran")
    assert caught.value.child == "inner"
    assert caught.value.exit.error.type == "StartFailed"
    assert "no socket" in caught.value.exit.error.message
    assert str(trace) == "+a +b -b -a"


@case("A10")
@pytest.mark.parametrize("how", ["raises", "returns"])
async def test_start_of_a_child_that_is_never_ready_raises_and_keeps_nothing(how):
    async def broken(*, task_status):
        if how == "raises":
            raise OSError("in use")

    async with open_supervisor() as tree:
        with pytest.raises(StartFailed, match="in use" if how == "raises" else "normal"):
            await tree.start(Child("x", broken))
        assert "x" not in tree
        await tree.start(Child("x", trio.sleep_forever))


@case("A12")
async def test_a_child_that_cannot_be_restarted_by_hand_stays_listed_as_down():
    lives = []

    async def once(*, task_status):
        lives.append(1)
        if len(lives) > 1:
            raise RuntimeError("only once")
        task_status.started()
        await trio.sleep_forever()

    async with open_supervisor(Child("a", once), intensity=0) as tree:
        await tree.stop("a")
        with pytest.raises(StartFailed, match="only once"):
            await tree.restart("a")
        assert tree["a"].state is State.DOWN


@case("A13")
def test_a_minimal_spec_has_all_defaults():
    child = Child("a", trio.sleep_forever)
    assert (child.restart, child.shutdown, child.start_timeout, child.significant) == (
        Restart.PERMANENT,
        5,
        math.inf,
        False,
    )
    assert (child.respond, child.variant, child.notify, child.backoff, child.mailbox) == (None, None, None, None, None)
    assert subtree("b").shutdown == math.inf


@case("A15", "A16")
@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("id", lambda: Child("", trio.sleep_forever)),
        ("id", lambda: Child(7, trio.sleep_forever)),
        ("run", lambda: Child("a", None)),
        ("restart", lambda: Child("a", trio.sleep_forever, restart="always")),
        ("shutdown", lambda: Child("a", trio.sleep_forever, shutdown=-1)),
        ("shutdown", lambda: Child("a", trio.sleep_forever, shutdown="soon")),
        ("shutdown", lambda: Child("a", trio.sleep_forever, shutdown=math.nan)),
        ("start_timeout", lambda: Child("a", trio.sleep_forever, start_timeout=0)),
        ("significant", lambda: Child("a", trio.sleep_forever, significant=1)),
        ("respond", lambda: Child("a", trio.sleep_forever, respond="retry")),
        ("notify", lambda: Child("a", trio.sleep_forever, notify=[])),
        ("backoff", lambda: Child("a", trio.sleep_forever, backoff=3)),
        ("mailbox", lambda: Child("a", trio.sleep_forever, mailbox=100)),
        ("capacity", lambda: Bounds(0)),
        ("overflow", lambda: Bounds(1, "wait")),
        ("capacity", lambda: Bounds(True)),
        ("capacity", lambda: Bounds(2.5)),
        ("fresh", lambda: Bounds(1, fresh="no")),
        ("run", lambda: Child("a", generator)),
        ("run", lambda: Child("a", async_generator)),
        ("notify", lambda: Child("a", trio.sleep_forever, notify=trio.sleep)),
        ("respond", lambda: Child("a", trio.sleep_forever, respond=trio.sleep)),
        ("start_timeout", lambda: Child("a", trio.sleep_forever, start_timeout=True)),
        ("shutdown", lambda: Child("a", trio.sleep_forever, shutdown=None)),
        ("polite", lambda: Child("a", trio.sleep_forever, polite=-1)),
        ("polite", lambda: Child("a", trio.sleep_forever, polite=math.inf)),
        ("polite", lambda: Child("a", trio.sleep_forever, polite="please")),
        ("restart", lambda: subtree("a", restart="never")),
        ("intensity", lambda: subtree("a", intensity=-1)),
        ("id", lambda: subtree("a", Child("b", trio.sleep_forever), Child("b", trio.sleep_forever))),
        ("children", lambda: subtree("a", trio.sleep_forever)),
        ("significant", lambda: subtree("a", significant=True)),
        ("significant", lambda: subtree("a", Child("b", trio.sleep, 1, restart=Restart.TEMPORARY, significant=True))),
    ],
)
def test_a_wrong_field_is_named_when_the_spec_is_made(field, spec):
    with pytest.raises(BadSpec) as caught:
        spec()
    assert caught.value.field == field
    assert f": {field} cannot be {caught.value.value!r}; {caught.value.rule}." in str(caught.value)


@case("A15")
def test_a_coroutine_object_in_place_of_its_function_is_explained():
    coroutine = fail_in_cleanup()
    with pytest.raises(BadSpec, match="run"):
        Child("a", coroutine)
    coroutine.close()


@case("A17")
def test_every_combination_of_good_fields_is_a_spec():
    shutdowns = (0, 0.5, math.inf)
    for restart, shutdown, timeout in itertools.product(Restart, shutdowns, (1, math.inf)):
        assert Child("a", trio.sleep_forever, restart=restart, shutdown=shutdown, start_timeout=timeout).id == "a"


@case("A18")
@pytest.mark.parametrize("mode", AutoShutdown)
@pytest.mark.parametrize("restart", Restart)
async def test_each_restart_type_with_each_auto_shutdown_is_either_a_tree_or_refused_by_name(restart, mode):
    async def boot():
        child = Child("a", trio.sleep_forever, restart=restart, significant=True)
        async with open_supervisor(child, auto_shutdown=mode) as tree:
            return tree["a"].state

    if restart is not Restart.PERMANENT and mode is not AutoShutdown.NEVER:
        assert await boot() is State.RUNNING
        return
    with pytest.raises(BadSpec) as caught:
        await boot()
    assert (caught.value.field, caught.value.value) == ("significant", True)


@case("A18")
async def test_significant_needs_a_child_that_can_end_and_a_tree_that_minds():
    with pytest.raises(BadSpec, match="permanent"):
        Child("a", trio.sleep_forever, significant=True)
    odd = Child("a", trio.sleep_forever, restart=Restart.TRANSIENT, significant=True)
    with pytest.raises(BadSpec, match="auto_shutdown"):
        async with open_supervisor(odd):
            pytest.fail("the body ran")
    async with open_supervisor() as tree:
        with pytest.raises(BadSpec, match="auto_shutdown"):
            tree.start_soon(odd)


@case("A19")
async def test_two_static_children_of_one_id_are_refused():
    with pytest.raises(BadSpec, match="sibling"):
        async with open_supervisor(Child("a", trio.sleep_forever), Child("a", trio.sleep_forever)):
            pytest.fail("the body ran")


@case("A21")
@pytest.mark.parametrize(
    "flags",
    [
        {"strategy": "one_for_one"},
        {"intensity": -1},
        {"intensity": 1.5},
        {"intensity": True},
        {"period": 0},
        {"period": math.inf},
        {"auto_shutdown": "never"},
        {"hook": 1},
        {"conditions": {}},
        {"overdue": 0},
        {"overdue": math.inf},
        {"period": True},
        {"period": math.nan},
        {"hook": trio.sleep},
        {"redact": "***"},
        {"max_children": -1},
        {"max_children": 2.5},
        {"name": ""},
        {"name": 7},
        {"seed": "x"},
        {"dice": 6},
    ],
)
async def test_a_wrong_flag_is_named(flags):
    with pytest.raises(BadSpec) as caught:
        async with open_supervisor(**flags):
            pytest.fail("the body ran")
    assert caught.value.field == next(iter(flags))
    assert repr(caught.value.value) in str(caught.value)
    assert caught.value.rule in str(caught.value)


@case("A27")
async def test_arguments_are_given_at_every_start():
    seen = []

    async def child(*args):
        seen.append(args)
        if len(seen) < 3:
            raise RuntimeError
        await trio.sleep_forever()

    async with open_supervisor(Child("a", child, 1, "two")):
        await quiet()
    assert seen == [(1, "two")] * 3


# --- B: stops


@case("B1")
async def test_workers_and_supervisors_with_unbounded_grace_end_by_shutdown():
    recorder = Recorder()
    worker = Child("a", trio.sleep_forever, shutdown=math.inf)
    async with open_supervisor(worker, subtree("b"), hook=recorder):
        pass
    assert [record.exit.kind for record in recorder.of(ChildEnded)] == [ExitKind.SHUTDOWN] * 2


@case("B2", "B4", "B13")
@pytest.mark.promise("P12")
async def test_only_the_child_that_overstays_its_grace_is_killed(autojump_clock):
    recorder = Recorder()
    slow = Child("slow", linger, lambda: cleanup(100), 50, shutdown=1)
    brutal = Child("brutal", linger, lambda: cleanup(100), 50, shutdown=0)
    quick = Child("quick", linger, lambda: cleanup(100), 0.5, shutdown=1)
    async with open_supervisor(slow, brutal, quick, hook=recorder):
        pass
    ends = {record.path[1]: record.exit.kind for record in recorder.of(ChildEnded)}
    assert ends == {"slow": ExitKind.KILLED, "brutal": ExitKind.KILLED, "quick": ExitKind.SHUTDOWN}
    assert trio.current_time() == 1.5


@case("B5", "B11")
async def test_dynamic_children_are_stopped_together_each_with_its_own_grace(autojump_clock):
    async with open_supervisor() as tree:
        refs = [
            await tree.start(Child(f"{n}", linger, lambda: cleanup(100), 50, shutdown=float(n % 4))) for n in range(20)
        ]
    assert trio.current_time() == 3
    assert {ref.exit.kind for ref in refs} == {ExitKind.KILLED}


@case("B7")
@pytest.mark.parametrize("restart", Restart)
async def test_whatever_a_child_answers_to_a_stop_the_stop_goes_on(restart):
    recorder = Recorder()
    async with open_supervisor(hook=recorder) as tree:
        for run in (trio.sleep_forever, swallow, fail_in_cleanup):
            await tree.start(Child(run.__name__, run, restart=restart))
    ends = {record.path[1]: record.exit for record in recorder.of(ChildEnded)}
    assert {end.kind for end in ends.values()} == {ExitKind.SHUTDOWN}
    assert ends["fail_in_cleanup"].error.type == "RuntimeError"
    assert ends["swallow"].value == "swallowed"
    assert len(recorder.of(ChildExited)) == 3


@case("B8")
async def test_order_is_that_of_starts_and_not_of_names():
    trace, crash = Trace(), trio.Event()
    children = [Child(name, trace.steady) for name in ("e", "d")]
    rest = [Child("c", trace.brittle, crash), *(Child(name, trace.steady) for name in ("b", "a"))]
    async with open_supervisor(*children, *rest, strategy=Strategy.REST_FOR_ONE):
        trace.take()
        crash.set()
        await quiet()
        assert trace.take() == "-c -a -b +c +b +a"
    assert trace.take() == "-a -b -c -d -e"


@case("B10")
async def test_a_child_that_swallows_cancellation_cannot_hang_its_supervisor():
    async with open_supervisor(Child("a", swallow)) as tree:
        await quiet()
        end = await tree.stop("a")
        assert (end.kind, tree["a"].state) == (ExitKind.SHUTDOWN, State.DOWN)


@case("B16")
async def test_a_stop_that_hangs_can_be_left_and_asked_again(autojump_clock):
    async with open_supervisor(Child("a", shield, 10, shutdown=1)) as tree:
        await quiet()
        with trio.move_on_after(2) as scope:
            await tree.stop("a")
        assert scope.cancelled_caught
        assert (await tree.stop("a")).kind is ExitKind.KILLED
        assert (await tree.stop("a")).kind is ExitKind.KILLED
        assert trio.current_time() == 10
        await tree.delete("a")
        with pytest.raises(UnknownChild):
            await tree.stop("a")


@case("B17")
async def test_siblings_of_a_failure_see_a_cancel_with_its_reason():
    reasons = []

    async def curious():
        try:
            await trio.sleep_forever()
        except trio.Cancelled as cancelled:
            reasons.append(cancelled.reason)
            raise

    async def bad():
        await quiet()
        raise RuntimeError

    with pytest.raises(GaveUp):
        async with open_supervisor(Child("a", curious), Child("bad", bad), intensity=0) as tree:
            await tree.wait_closed()
    assert reasons == ["gave up: more restarts than its intensity of 0 in 5 s allows"]


@case("F17")
async def test_adding_to_a_tree_that_stops_is_refused(autojump_clock):
    refused = []

    async def late(tree):
        try:
            await trio.sleep_forever()
        finally:
            with cleanup(1):
                try:
                    await tree().start(Child("later", trio.sleep_forever))
                except TreeStopped:
                    refused.append(True)

    async with open_supervisor(Child("a", late, lambda: tree), auto_shutdown=AutoShutdown.NEVER) as tree:
        await quiet()
    assert refused == [True]
