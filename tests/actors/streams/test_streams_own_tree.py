"""The stream service in a tree of one's own: whoever waits for it learns when it does not come back."""

from functools import partial

import pytest
import trio

from actors import Status, StreamClosed, from_call, serve_streams
from supervisor import Child, Restart, open_supervisor
from supervisor.testing import Recorder, quiet


async def answer(request, route):
    return "fine"


def service(**options):
    return Child("streams", partial(serve_streams, providers={"mine": from_call(answer)}), **options)


async def test_who_waits_for_a_service_that_was_stopped_for_good_is_told(autojump_clock):
    async with open_supervisor() as tree:
        streams = (await tree.start(service())).value
        assert (await streams.ask("well?", "mine:a")).status is Status.COMPLETED
        await tree.stop("streams")
        with trio.fail_after(1), pytest.raises(StreamClosed, match="closed"):
            await streams.ask("well?", "mine:a")


async def test_who_waits_while_the_service_gives_up_is_told(autojump_clock):
    told = []

    async def ask(streams):
        try:
            await streams.ask("well?", "mine:a")
        except StreamClosed:
            told.append(trio.current_time())

    async def once(*, task_status):
        if tree:
            await trio.sleep(5)
            raise RuntimeError("no second time")
        await serve_streams(providers={"mine": from_call(answer)}, task_status=task_status)

    tree = []
    async with open_supervisor() as above:
        streams = (await above.start(Child("streams", once, restart=Restart.TRANSIENT))).value
        tree.append(above)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(_fall, above))
            await trio.sleep(1)
            nursery.start_soon(ask, streams)
    assert told == [5]


async def _fall(tree):
    with pytest.raises(Exception, match="did not start"):
        await tree.restart("streams")


async def test_a_service_that_is_started_again_by_hand_opens_streams_again_and_falls_like_the_first(autojump_clock):
    async with open_supervisor() as tree:
        streams = (await tree.start(service())).value
        for _ in range(3):
            await tree.stop("streams")
            assert (await tree.restart("streams")).value is streams
            assert (await streams.ask("well?", "mine:a")).status is Status.COMPLETED
        await tree.restart("streams")
        await quiet()
        assert (await streams.ask("well?", "mine:a")).status is Status.COMPLETED


async def test_a_secret_in_the_text_of_a_bug_is_in_no_record_of_the_service(autojump_clock):
    key = "sk-ant-api03-" + "a1B2c3D4" * 8

    async def leaky(request, route):
        raise TypeError(f"bad header {key}")

    recorder = Recorder()
    async with open_supervisor(hook=recorder, intensity=50) as tree:
        child = Child("streams", partial(serve_streams, providers={"mine": from_call(leaky)}))
        streams = (await tree.start(child)).value
        await streams.ask("well?", "mine:a")
    assert "crash (TypeError: bad header ***" in recorder.text()
    assert key not in recorder.text() + repr(recorder.records)
