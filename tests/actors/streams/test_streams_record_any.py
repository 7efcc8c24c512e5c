"""Programs and clients of one's own are recorded too, and replayed without either: same events, same failures, same outcome."""

import json
from contextlib import asynccontextmanager

import pytest
import trio
from fake_claude import Claude, answer, lines, quick
from recording_world import KEYLESS, NoNetwork, bare, events_of, lines_of
from wire_claude_code_lines import INIT, block, result, retry, said, start, streamed, text, whole_message

from actors import (
    Clocks,
    FailureKind,
    Finish,
    Finished,
    FinishReason,
    Foreign,
    Ladder,
    PartEnded,
    Request,
    Retry,
    Route,
    SettingError,
    Status,
    Switch,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
    from_call,
    from_deltas,
    open_streams,
)
from actors.deltas import CitationDelta, ResponseStarted, Restarted, SignatureDelta, ThinkingDelta
from actors.kinds import NextKey
from actors.messages import Image
from actors.source import MalformedError, RefusedError, TruncatedError
from supervisor import Backoff

__all__ = ["quick"]

CODE = Route("claude-code", "claude-a", clocks=Clocks(first_event=0.5, first_content=0.5, gap=0.5))
SOON = Retry(2, backoff=Backoff(initial=0.01))


@pytest.fixture
def claude(tmp_path, monkeypatch):
    made = Claude(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.home))
    return made


@asynccontextmanager
async def recording(path, **providers):
    """Streams without HTTP whose attempts go into `path`."""
    async with open_streams(settings=KEYLESS, network=NoNetwork(), seed=1, record=path, providers=providers) as streams:
        yield streams


@asynccontextmanager
async def replaying(path, **providers):
    async with open_streams(settings=KEYLESS, network=NoNetwork(), seed=1, replay=path, providers=providers) as streams:
        yield streams


# -- programs

RUNS = {
    "an answer": (answer("Hello", " there"), "complete", 0),
    "in the middle it stops": (lines(INIT, *streamed(["Hel"])) + "; sys.exit(3)", "failed", 3),
    "it says it failed": (lines(INIT, result("API Error: 529", is_error=True, api_error_status=529)), "failed", None),
    "an option it lacks": ("os.write(2, b\"error: unknown option '--tools='\"); sys.exit(1)", "refused", 1),
    "killed": (lines(INIT, *streamed(["Hel"])) + "; os.kill(os.getpid(), 9)", "failed", -9),
    "garbled": (lines(INIT) + "; say(b'Warning: {oops\\n'); wait()", "failed", None),
    "its key is refused": (lines(INIT, retry("authentication_failed", 401)) + "; wait()", "failed", None),
    "it begins again": (
        f"listen(); {lines(INIT, start(), block(text=''), text('wa'), said('water', message='m2'), result())}",
        "complete",
        0,
    ),
}


@pytest.mark.row("C11", "C14")
@pytest.mark.parametrize("case", RUNS)
async def test_a_run_of_the_program_is_replayed_without_the_program(tmp_path, claude, case):
    body, ended, exited = RUNS[case]
    claude.does(body)
    path, ladder = tmp_path / "tape.jsonl", Ladder(CODE)
    async with recording(path) as streams:
        first = await events_of(streams, "the prompt", ladder)
    (claude.home / "claude").unlink()
    async with replaying(path) as streams:
        second = await events_of(streams, "the prompt", ladder)
    assert second == first
    assert len(claude.runs) == 1
    (line,) = lines_of(path)
    assert (line["carrier"], line["request_body"], line["ended"]) == ("program", "the prompt", ended)
    if exited is not None:
        assert line["exit"] == exited


async def test_a_program_that_fell_silent_is_given_up_again(tmp_path, claude):
    claude.does(lines(INIT, *streamed(["Hel"])) + "; wait()")
    path, outcomes = tmp_path / "tape.jsonl", []
    for opened in (recording(path), replaying(path)):
        async with opened as streams:
            outcomes.append(await streams.ask("the prompt", Ladder(CODE)))
    assert [(one.failure.kind, one.text) for one in outcomes] == [(FailureKind.STALLED, "Hel")] * 2
    assert len(claude.runs) == 1
    (line,) = lines_of(path)
    assert (line["ended"], line["exit"]) == ("left", None)


async def test_a_program_that_cannot_be_started_cannot_be_started_again(tmp_path, claude):
    path, ladder = tmp_path / "tape.jsonl", Ladder(CODE)
    claude.does(answer())
    async with recording(path) as streams:
        (claude.home / "claude").write_bytes(b"\0\0\0 no program")
        first = await events_of(streams, "hi", ladder)
    async with replaying(path) as streams:
        second = await events_of(streams, "hi", ladder)
    assert second == first
    assert first[1].failure.kind is FailureKind.PROGRAM
    assert "exit" not in lines_of(path)[0]


async def test_a_climb_over_a_program_and_a_client_is_replayed_whole(tmp_path, claude):
    claude.does("listen(); sys.exit(0)", answer("not this"))

    async def chat(_request, _route):
        yield "mine"

    path, ladder = tmp_path / "tape.jsonl", Ladder(CODE, SOON, Switch("mine:one"))
    claude.does("listen(); sys.exit(0)")
    async with recording(path, mine=from_deltas(chat)) as streams:
        first = await events_of(streams, "hi", ladder)
    async with replaying(path) as streams:
        second = await events_of(streams, "hi", ladder)
    assert second == first
    assert first[1].text == "mine"
    assert [(line["stream"], line["attempt"], line["carrier"]) for line in lines_of(path)] == [
        ("stream-1", 1, "program"),
        ("stream-1", 2, "program"),
        ("stream-1", 3, "deltas"),
    ]


async def test_what_the_program_cannot_be_asked_is_refused_in_a_replay_too(tmp_path, claude):
    claude.does(answer())
    odd = Request("hi", extras={"claude-code": {"nope": 1}})
    async with recording(tmp_path / "tape.jsonl") as streams:
        first = await streams.ask(odd, Ladder(CODE))
    async with replaying(tmp_path / "tape.jsonl") as streams:
        second = await streams.ask(odd, Ladder(CODE))
    assert first.failure.kind is second.failure.kind is FailureKind.INVALID_REQUEST
    assert second.failure.message == first.failure.message


# -- clients of one's own

BLOCK = {"deep": [1, {"x": None, "ünï": "水\n"}], "f": 1.5, "b": True}
EVERY_KIND = (
    ResponseStarted("id-1", "model-9"),
    ThinkingDelta("hm", 0),
    SignatureDelta("sig", 0),
    PartEnded(0),
    TextDelta("half", 1),
    Restarted("overloaded", "asked again", 1),
    TextDelta("whole", 1),
    CitationDelta(BLOCK, 1),
    PartEnded(1),
    PartEnded(2, Foreign("mine", "block", BLOCK)),
    PartEnded(3, Image("image/png", b"\x89PNG\0\xff")),
    ToolCallStarted("weather", "c1", 4),
    ToolCallDelta('{"city": "Zür', 4),
    ToolCallDelta('ich"}', 4),
    PartEnded(4),
    UsageDelta(Usage(3, 4, 5, 6, 7)),
    Finished(Finish(FinishReason.TOOL_CALLS, "tools", "why", releases=True)),
)


@pytest.mark.row("C14")
async def test_every_kind_of_delta_of_a_client_comes_back_as_it_was(tmp_path, autojump_clock):
    async def chat(_request, _route):
        for delta in EVERY_KIND:
            await trio.sleep(1)
            yield delta

    path = tmp_path / "tape.jsonl"
    async with recording(path, mine=from_deltas(chat)) as streams:
        first = await events_of(streams, "hello", Ladder("mine:one"))
    async with replaying(path) as streams:
        began = trio.current_time()
        second = await events_of(streams, "hello", Ladder("mine:one"))
        assert trio.current_time() == began
    assert second == first
    assert first[1].completed
    assert [delta["is"] for delta in lines_of(path)[0]["deltas"]] == [
        *("started", "thinking", "signature", "part", "text", "restarted", "text", "citation", "part", "part", "part"),
        *("call", "arguments", "arguments", "part", "usage", "finished"),
    ]


class APIStatusError(Exception):
    """As the official clients name it."""

    def __init__(self, status, message, headers):
        super().__init__(f"Error code: {status}")
        self.status_code = status
        self.message = message
        self.response = type("Response", (), {"headers": headers, "status_code": status})()


class APIError(APIStatusError):
    pass


class APITimeoutError(Exception):
    """As the official clients name it."""


def caused(error, cause):
    error.__cause__ = cause
    return error


def renewed(error):
    error.next_key = NextKey.ANOTHER
    return error


ENDS = {
    "a reset": ConnectionResetError(104, "reset by peer"),
    "a time limit": TimeoutError("too slow"),
    "too slow": trio.TooSlowError(),
    "a refusal of ours": RefusedError("slow down", status=429, kind="rate_limit_error", headers={"retry-after": "7"}),
    "a refusal in the stream": RefusedError("busy", status=529, code="overloaded_error", in_stream=True),
    "cut": TruncatedError("the line went dead"),
    "garbled": MalformedError("what is this"),
    "a client's refusal": APIError(429, "you are limited", {"retry-after": "3"}),
    "a client's veto": APIError(500, "no", {"x-should-retry": "false"}),
    "a client's time limit": APITimeoutError("timed out"),
    "a client's wrapping": caused(APITimeoutError("timed out"), OSError(111, "refused")),
    "memory": MemoryError("no room"),
    "several": ExceptionGroup("two", [ConnectionResetError(104, "reset"), ConnectionResetError(104, "reset")]),
    "a refused key, and there is another": renewed(RefusedError("no", status=401, kind="authentication_error")),
    "a bug": ValueError("this is a bug"),
    "half a character": TruncatedError("half \ud83d"),
}


@pytest.mark.parametrize("case", ENDS)
async def test_what_a_client_raised_is_raised_again_and_judged_alike(tmp_path, autojump_clock, case):
    async def chat(_request, _route):
        yield "half"
        raise ENDS[case]

    path, ladder = tmp_path / "tape.jsonl", Ladder("mine:one", SOON)
    async with recording(path, mine=from_deltas(chat)) as streams:
        first = await events_of(streams, "hello", ladder)
    async with replaying(path) as streams:
        second = await events_of(streams, "hello", ladder)
    assert [
        one.failure and (one.failure.kind, one.failure.retry_after, one.failure.message) for one in first[1].attempts
    ] == [
        one.failure and (one.failure.kind, one.failure.retry_after, one.failure.message) for one in second[1].attempts
    ]
    assert second[1].failure == first[1].failure
    assert second[1].text == first[1].text == "half"


async def test_one_call_is_replayed_as_one_call(tmp_path, autojump_clock):
    async def call(_request, _route):
        await trio.sleep(3)
        return "whole"

    path = tmp_path / "tape.jsonl"
    async with recording(path, mine=from_call(call)) as streams:
        first = await events_of(streams, "hello", Ladder("mine:one"))
    async with replaying(path) as streams:
        second = await events_of(streams, "hello", Ladder("mine:one"))
    assert second == first
    assert lines_of(path)[0]["mode"] == "buffered"


async def test_a_client_that_fell_silent_falls_silent_at_the_same_second(tmp_path, autojump_clock):
    async def chat(_request, _route):
        yield "a"
        await trio.sleep(30)
        yield "b"
        await trio.sleep_forever()

    path, ladder = tmp_path / "tape.jsonl", Ladder(Route("mine", "one", clocks=Clocks(gap=45)))
    outcomes = []
    for opened in (recording(path, mine=from_deltas(chat)), replaying(path)):
        async with opened as streams:
            began = trio.current_time()
            outcomes.append(bare(await streams.ask("hello", ladder)))
            assert trio.current_time() - began == pytest.approx(75)
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].failure.kind is FailureKind.STALLED
    assert outcomes[0].text == "ab"
    assert lines_of(path)[0]["overdue"] is True


@pytest.mark.promise("P4")
async def test_a_client_that_was_left_leaves_a_whole_line(tmp_path, autojump_clock):
    async def chat(_request, _route):
        yield "a"
        await trio.sleep_forever()

    path = tmp_path / "tape.jsonl"
    async with recording(path, mine=from_deltas(chat)) as streams:
        with trio.move_on_after(2):
            await streams.ask("hello", "mine:one")
    (line,) = lines_of(path)
    assert (line["ended"], line["overdue"]) == ("left", False)
    assert line["deltas"] == [{"is": "text", "text": "a", "index": 0}]


async def test_a_recording_answers_for_a_client_that_is_there_too(tmp_path, autojump_clock):
    said = ["recorded", "live"]

    async def chat(_request, _route):
        yield said.pop(0)

    path = tmp_path / "tape.jsonl"
    async with recording(path, mine=from_deltas(chat)) as streams:
        await streams.ask("hello", "mine:one")
    async with replaying(path, mine=from_deltas(chat), other=from_deltas(chat)) as streams:
        assert (await streams.ask("hello", "mine:one")).text == "recorded"
        assert (await streams.ask("hello", "other:one")).text == "live"  # of whom nothing was recorded


async def test_a_client_whom_the_recording_does_not_know_is_a_wrong_setting(tmp_path, autojump_clock):
    async def chat(_request, _route):
        yield "x"

    path = tmp_path / "tape.jsonl"
    async with recording(path, mine=from_deltas(chat)) as streams:
        await streams.ask("hello", "mine:one")
    async with replaying(path) as streams:
        with pytest.raises(SettingError, match="other"):
            await streams.ask("hello", "other:one")


# -- what is kept out

CANARY = "sk-ant-api03-Canary0123456789abcdefg"


@pytest.mark.promise("P13")
async def test_no_secret_of_a_client_or_a_program_is_in_a_recording(tmp_path, claude):
    told = f"with Authorization: Bearer {CANARY} or {CANARY}"

    async def chat(_request, _route):
        yield f"a {CANARY}"
        yield PartEnded(0)
        yield PartEnded(1, Foreign("mine", CANARY, {CANARY: [CANARY]}))
        yield CitationDelta({"url": f"https://x.test/?sig={'c0ffee' * 8}"}, 0)

    async def fail(_request, _route):
        yield "x"
        raise RefusedError(told, status=400, code=CANARY, headers={"set-cookie": CANARY, "request-id": CANARY})

    claude.does(f"listen(); os.write(2, {told.encode()!r}); {lines(INIT, *whole_message([told]), result())}")
    path = tmp_path / "tape.jsonl"
    async with recording(path, mine=from_deltas(chat), bad=from_deltas(fail)) as streams:
        for route in (CODE, "mine:one", "bad:one"):
            outcome = await streams.ask(Request(told, system=told), Ladder(route))
    assert outcome.status is Status.FAILED
    content = path.read_text(encoding="utf-8")
    assert len(lines_of(path)) == 3
    for secret in (CANARY, CANARY[8:], "c0ffee" * 8):
        assert secret not in content
    assert json.loads(content.splitlines()[0])["stderr"] == "with Authorization: Bearer *** or ***"
