"""While a crowd is stopped, what exists is set aside from the garbage collector; whatever ends the stop, it is handed back."""

import gc

import pytest
import trio

from supervisor import Child, GaveUp, open_supervisor, subtree
from supervisor.runtime.collector import CROWD
from supervisor.testing import crash, quiet


@pytest.fixture(autouse=True)
def _collector_as_it_was():
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    yield
    gc.enable()
    gc.unfreeze()


class Looks:
    """Children that look at the collector when they are stopped."""

    def __init__(self):
        self.frozen = []
        self.enabled = set()

    async def child(self):
        try:
            await trio.sleep_forever()
        finally:
            self.frozen.append(gc.get_freeze_count() > 0)
            self.enabled.add(gc.isenabled())

    def crowd(self, tree, count=CROWD):
        tree.start_soon(Child("looks", self.child))
        for number in range(count - 1):
            tree.start_soon(Child(f"{number}", trio.sleep_forever))


async def test_what_exists_is_set_aside_for_the_time_of_the_stop_and_the_collector_stays_on():
    looks = Looks()
    async with open_supervisor() as tree:
        looks.crowd(tree)
        await quiet()
        assert gc.get_freeze_count() == 0
    assert looks.frozen == [True]
    assert looks.enabled == {True}
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("how", ["cancel", "raise", "give up"])
async def test_it_is_handed_back_however_the_tree_ends(how, autojump_clock):
    looks = Looks()
    flaky = [Child("flaky", crash, 1.0)] if how == "give up" else []
    try:
        with trio.CancelScope() as scope:
            async with open_supervisor(*flaky, intensity=0) as tree:
                looks.crowd(tree)
                await quiet()
                if how == "cancel":
                    scope.cancel()
                elif how == "raise":
                    {}["mine"]
                await trio.sleep_forever()
    except (KeyError, GaveUp):
        pass
    assert looks.frozen == [True]
    assert gc.get_freeze_count() == 0


async def test_a_small_tree_is_stopped_without_it():
    looks = Looks()
    async with open_supervisor() as tree:
        looks.crowd(tree, CROWD - 1)
        await quiet()
    assert looks.frozen == [False]


async def test_what_a_program_froze_itself_stays_frozen():
    gc.freeze()
    count = gc.get_freeze_count()
    async with open_supervisor() as tree:
        Looks().crowd(tree)
        await quiet()
    assert 0.9 * count < gc.get_freeze_count() <= count
    gc.unfreeze()


async def test_a_collector_that_is_switched_off_stays_so_and_nothing_is_frozen():
    gc.disable()
    looks = Looks()
    async with open_supervisor() as tree:
        looks.crowd(tree)
        await quiet()
    assert looks.frozen == [False]
    assert looks.enabled == {False}
    assert not gc.isenabled()


async def test_of_two_crowds_the_last_to_be_gone_hands_it_back(autojump_clock):
    frozen = []

    async def slow():
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)

    async def stop(tree):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tree.stop, "quick")
            nursery.start_soon(tree.stop, "slow")
            await trio.sleep(1)
            frozen.append(gc.get_freeze_count() > 0)

    async with open_supervisor(subtree("quick"), subtree("slow")) as tree:
        Looks().crowd(tree["quick"].value)
        Looks().crowd(tree["slow"].value)
        tree["slow"].value.start_soon(Child("last", slow, shutdown=9))
        await quiet()
        await stop(tree)
        frozen.append(gc.get_freeze_count() > 0)
    assert frozen == [True, False]


async def test_a_crowd_inside_another_is_one_stop():
    looks = Looks()
    async with open_supervisor(subtree("below")) as tree:
        looks.crowd(tree["below"].value)
        Looks().crowd(tree)
        await quiet()
    assert looks.frozen == [True]
    assert gc.get_freeze_count() == 0


async def test_no_collection_looks_at_the_crowd_while_it_is_stopped():
    seen = []

    async def collects():
        try:
            await trio.sleep_forever()
        finally:
            gc.collect()
            seen.append(len(gc.get_objects(generation=2)))

    async with open_supervisor() as tree:
        tree.start_soon(Child("collects", collects))
        Looks().crowd(tree, 3 * CROWD)
        await quiet()
        known = len(gc.get_objects())
    assert 0 < seen[0] < known / 10
