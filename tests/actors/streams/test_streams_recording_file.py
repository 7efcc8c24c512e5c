"""The file of a recording: whole after a crash, named where it is none of ours, and no stream's trouble when it cannot be written."""

import base64
import re
import resource
import signal
from errno import ENOSPC
from functools import partial
from os import strerror
from pathlib import Path

import pytest
from msgspec.structs import replace
from recording_world import ENVIRONMENT, KEYLESS, ROUTE, bare, lines_of, recorded, replayed, tape

from actors import (
    FailureKind,
    Ladder,
    Retry,
    SettingError,
    Settings,
    open_streams,
    serve_streams,
)
from actors.chaos import Scripted, Simulator, open_network
from actors.errors import RecordingStopped
from actors.wire.recording import Ended, Fact, read, written
from supervisor import Child, Restart, open_supervisor


async def test_bytes_that_are_no_text_are_kept_as_they_came(tmp_path, autojump_clock):
    path, models = tmp_path / "tape.jsonl", [f"m{number}" for number in range(40)]
    plan = " ".join(f"{model}#1=tear:{number}" for number, model in enumerate(models))
    async with recorded(path, plan, answers=Scripted("水空море " * 20)) as streams:
        first = [bare(await streams.ask("hello", f"openai:{model}")) for model in models]
    odd = [line for line in lines_of(path) if "response_base64" in line]
    assert odd, "no tear hit a character"
    for line in odd:
        octets = base64.b64decode(line["response_base64"])
        assert line["response_body"] == octets.decode(errors="replace")
        assert sum(size for _, size in line["slices"]) == len(octets)
    async with replayed(path) as streams:
        assert [bare(await streams.ask("hello", f"openai:{model}")) for model in models] == first


async def test_lines_are_there_as_soon_as_their_attempt_is_over(tmp_path, autojump_clock):
    path = tmp_path / "tape.jsonl"
    async with recorded(path) as streams:
        for number in (1, 2, 3):
            await streams.ask("hello", ROUTE)
            assert [line["number"] for line in lines_of(path)] == list(range(1, number + 1))


async def test_a_line_torn_by_a_crash_is_passed_over_and_then_replaced(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "one", "two")
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    async with replayed(path) as streams:
        assert (await streams.ask("one", ROUTE)).completed
        assert (await streams.ask("two", ROUTE)).failure.message.startswith("tape.jsonl was played to its end")
    await tape(path, "three")
    assert [line["number"] for line in lines_of(path)] == [1, 2]


UNREADABLE = {
    "not JSON": (b"{nope\n", "line 1 is no attempt that was recorded: JSON is malformed"),
    "of another kind": (
        b'{"response_body": "x"}\n',
        "line 1 is no attempt that was recorded: Object missing required field",
    ),
    "a number": (b"\n7\n", "line 2 is no attempt that was recorded: Expected `object`, got `int`"),
    "not text": (b"\xff\xfe\n", "line 1 is no attempt that was recorded"),
}


@pytest.mark.parametrize("case", UNREADABLE)
async def test_a_file_that_is_no_recording_is_neither_replayed_nor_added_to(tmp_path, case):
    content, told = UNREADABLE[case]
    path = tmp_path / "tape.jsonl"
    path.write_bytes(content)
    for verb, way in (("replay", "replay"), ("record to", "record")):
        with pytest.raises(SettingError, match=re.escape(f"cannot {verb} {path}: {told}")):
            async with open_streams(settings=KEYLESS, **{way: path}):
                pass
    assert path.read_bytes() == content


async def test_a_file_that_cannot_be_opened_is_named_before_anything_is_asked(tmp_path):
    for way in ("record", "replay"):
        with pytest.raises(SettingError, match=rf"cannot {way}.* {tmp_path}: Is a directory; "):
            async with open_streams(settings=KEYLESS, **{way: tmp_path}):
                pass
    missing = tmp_path / "none" / "tape.jsonl"
    for way in ("record", "replay"):
        with pytest.raises(SettingError, match=f"{missing}: No such file or directory"):
            async with open_streams(settings=KEYLESS, **{way: missing}):
                pass


async def test_recording_a_replay_is_refused(tmp_path):
    with pytest.raises(SettingError, match="exclude each other"):
        async with open_streams(settings=KEYLESS, record=tmp_path / "a", replay=tmp_path / "b"):
            pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
@pytest.mark.promise("P5")
async def test_a_full_disk_is_told_once_and_costs_no_stream_and_no_request(autojump_clock):
    simulator = Simulator()
    with pytest.warns(RecordingStopped) as told:
        async with recorded("/dev/full", server=simulator) as streams:
            outcomes = [await streams.ask(f"hello {number}", Ladder(ROUTE, Retry(5))) for number in range(3)]
    assert [(outcome.completed, len(outcome.attempts)) for outcome in outcomes] == [(True, 1)] * 3
    assert len(simulator.journal.entries) == 3
    (warning,) = told
    assert str(warning.message) == (
        f"cannot go on recording to /dev/full: {strerror(ENOSPC)}; it has 0 attempts of this run and gets no more,"
        " the streams go on: make room and record anew"
    )


async def test_a_disk_that_takes_half_a_line_is_left_with_whole_ones(tmp_path, autojump_clock, monkeypatch):
    path = tmp_path / "tape.jsonl"
    async with recorded(path) as streams:
        await streams.ask("one", ROUTE)
        whole = path.read_bytes()
        room = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 100, room[1]))
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            with pytest.warns(RecordingStopped, match="the disk took 100 of [0-9]+ bytes; it has 1 attempts"):
                assert (await streams.ask("two", ROUTE)).completed
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, room)
            signal.signal(signal.SIGXFSZ, before)
        assert (await streams.ask("three", ROUTE)).completed
    assert path.read_bytes() == whole


async def test_a_service_that_is_restarted_goes_on_where_its_replay_was(tmp_path, autojump_clock):
    path = await tape(tmp_path / "tape.jsonl", "hello", "hello", answers=Scripted("first", "second"))
    service = partial(serve_streams, settings=KEYLESS, replay=path)
    async with open_supervisor() as tree:
        ref = await tree.start(Child("streams", service, restart=Restart.PERMANENT))
        streams = ref.value
        said = [(await streams.ask("hello", ROUTE)).text]
        await tree.restart("streams")
        said.append((await streams.ask("hello", ROUTE)).text)
        assert said == ["first", "second"]


async def test_a_service_that_is_restarted_goes_on_recording(tmp_path, autojump_clock):
    path = tmp_path / "tape.jsonl"
    async with open_network(Simulator()) as network:
        service = partial(serve_streams, settings=Settings.read(ENVIRONMENT), network=network, record=path)
        async with open_supervisor() as tree:
            streams = (await tree.start(Child("streams", service, restart=Restart.PERMANENT))).value
            await streams.ask("one", ROUTE)
            await tree.restart("streams")
            await streams.ask("two", ROUTE)
    assert [(line["number"], line["ended"]) for line in lines_of(path)] == [(1, "complete"), (2, "complete")]


ODD_ENDS = {
    "left within the body of an error": ({"status": 500, "ended": Ended.LEFT}, FailureKind.FIRST_EVENT_TIMEOUT),
    "a crash before an answer": ({"status": 0, "ended": Ended.FAILED}, FailureKind.TRUNCATED),
    "a connection that broke in an unknown way": (
        {"status": 0, "ended": Ended.CUT, "error": (Fact("NewError", "as told"),)},
        FailureKind.RESET,
    ),
}


@pytest.mark.parametrize("case", ODD_ENDS)
async def test_an_attempt_with_an_odd_end_is_played_too(tmp_path, autojump_clock, case):
    fields, kind = ODD_ENDS[case]
    (line,) = read((await tape(tmp_path / "tape.jsonl", "hello")).read_bytes())
    (tmp_path / "tape.jsonl").write_bytes(written(replace(line, slices=(), response_body="", **fields)))
    async with replayed(tmp_path / "tape.jsonl") as streams:
        outcome = await streams.ask("hello", ROUTE)
    assert outcome.attempts[0].failure.kind is kind
