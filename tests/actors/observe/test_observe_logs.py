"""What is logged of streams, how loud, and what never is."""

import io
import json
import re

import attrs
import pytest
import structlog
import trio
from observed import CAPTURED, TREE, A, B, busy, completed, ended, failed, forbidden, streams
from structlog.testing import capture_logs

from actors import (
    Buffered,
    FailureKind,
    Ladder,
    Retry,
    SettingError,
    Settings,
    Status,
    Switch,
    from_call,
    open_streams,
)
from actors.failure import CIRCUIT_OPEN, Category, Failure
from actors.lifecycle import SPAN
from actors.observe.logs import Level, StreamLogs, lines, loudness
from actors.observe.rendering import BODIES, configure_logs, make_log
from supervisor.lifecycle import SupervisorStarted

COUNTED = re.compile(r"attempt [0-9]+/[0-9]+")
KINDS = [kind for kind in FailureKind if kind.category is not Category.CONTEXT]
LADDER = Ladder("a:m", Retry(5), Switch("b:n"), Retry(5), Buffered())


@pytest.fixture
def lines_out():
    """What the program writes as JSON at a level."""
    file = io.StringIO()

    def read(level="debug"):
        configure_logs(level, json=True, file=file)
        return lambda: [json.loads(line) for line in file.getvalue().splitlines()]

    return read


def told(record):
    return [(line.level, line.event) for line in lines(record)]


RETRY_LINES = [
    (failed(FailureKind.RATE_LIMIT, 2, 2, 5, then=A), [(Level.WARNING, "attempt 2/5 failed")]),
    (
        failed(FailureKind.SERVER, 5, 5, 5, then=B),
        [(Level.WARNING, "attempt 5/5 failed"), (Level.WARNING, "switched provider")],
    ),
    (
        failed(FailureKind.MALFORMED, 3, 3, 3, then=A.buffered),
        [(Level.WARNING, "attempt 3/3 failed"), (Level.WARNING, "switched to buffered")],
    ),
    (failed(FailureKind.RESET, 3, 3, 3), [(Level.WARNING, "attempt 3/3 failed"), (Level.ERROR, "exhausted")]),
    (failed(FailureKind.RESET, 2, 2, 5), [(Level.WARNING, "attempt 2/5 failed"), (Level.ERROR, "exhausted")]),
    (failed(FailureKind.RATE_LIMIT, 2, 2, 5, final=True), [(Level.ERROR, "not retrying")]),
    (
        failed(FailureKind.RATE_LIMIT, 2, 2, 5, final=True, then=B),
        [(Level.WARNING, "not retrying"), (Level.WARNING, "switched provider")],
    ),
    (failed(FailureKind.INVALID_REQUEST), [(Level.ERROR, "not retrying")]),
    (
        failed(FailureKind.INVALID_KEY, then=B),
        [(Level.WARNING, "not retrying"), (Level.WARNING, "switched provider")],
    ),
    (failed(FailureKind.MEMORY, then=A.buffered), [(Level.WARNING, "switched to buffered")]),
    (failed(FailureKind.MEMORY), [(Level.ERROR, "not retrying")]),
    (failed(FailureKind.CRASH, then=A), [(Level.ERROR, "attempt crashed")]),
    (failed(FailureKind.CRASH), [(Level.ERROR, "not retrying")]),
    (failed(FailureKind.CANCELLED), [(Level.DEBUG, "attempt left")]),
    (completed(), [(Level.DEBUG, "attempt completed")]),
    (ended(), [(Level.INFO, "stream completed")]),
    (ended(Status.FAILED, Failure(FailureKind.SERVER)), [(Level.INFO, "stream failed")]),
    (ended(Status.INTERRUPTED, Failure(FailureKind.DEADLINE)), [(Level.INFO, "stream interrupted")]),
    (
        failed(FailureKind.UNAVAILABLE, code=CIRCUIT_OPEN, then=B),
        [(Level.WARNING, "attempt held back"), (Level.WARNING, "switched provider")],
    ),
    (TREE[0], [(Level.WARNING, "child overdue")]),
    (TREE[1], [(Level.WARNING, "mailbox overflowed")]),
    (TREE[2], [(Level.ERROR, "supervisor gave up")]),
    (SupervisorStarted(0.0, ("root",)), []),
]


@pytest.mark.row("J5", "J4", "L11")
@pytest.mark.parametrize(("record", "expected"), RETRY_LINES)
def test_each_record_is_told_by_its_event_at_its_level(record, expected):
    assert told(record) == expected


@pytest.mark.row("J2", "J3")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("then", [None, A, B, A.buffered])
def test_only_transient_failures_are_counted_and_only_others_are_not_retried(kind, then):
    events = [line.event for line in lines(failed(kind, 2, 2, 5, then=then))]
    assert any(COUNTED.search(event) for event in events) == kind.transient
    assert not (kind.transient and "not retrying" in events)
    assert ("exhausted" in events) == (kind.transient and then is None)


@pytest.mark.row("J1")
@pytest.mark.parametrize("record", [record for record, told in RETRY_LINES if told])
def test_every_line_bears_its_trace_and_its_span(record):
    for line in lines(record):
        assert re.fullmatch("[0-9a-f]{32}", line.fields["trace_id"])
        assert re.fullmatch("[0-9a-f]{16}", line.fields["span_id"])


@pytest.mark.row("J6")
def test_a_failure_is_told_with_all_that_is_known_of_it():
    record = failed(FailureKind.RATE_LIMIT, 2, 2, 5, then=A, after=4.0, retry_after=4.0, status=429, code="slow")
    (line,) = lines(record)
    assert line.fields == {
        "trace_id": "ab" * 16,
        "span_id": record.trace.span_of(2),
        "stream": "mine",
        "attempt": 2,
        "provider": "a",
        "model": "m",
        "mode": "streaming",
        "elapsed": 2.5,
        "phase": "streaming",
        "error_type": "rate_limit",
        "title": "Rate limited",
        "category": "provider",
        "disposition": "retry",
        "retry_after": 4.0,
        "status": 429,
        "code": "slow",
        "message": "why",
        "next_route": "a:m",
        "after": 4.0,
    }


@pytest.mark.parametrize("record", [record for record, _ in RETRY_LINES])
def test_no_line_is_louder_than_its_record_seems_at_a_glance(record):
    loudest = max((line.level.number for line in lines(record)), default=None)
    assert loudest is None or loudest <= loudness(record).number
    assert (loudest is None) == (loudness(record) is None)


async def test_a_logger_that_cannot_say_what_it_drops_is_given_everything(autojump_clock):
    heard = []

    class Plain:
        def bind(self):
            return self

        def __getattr__(self, method):
            if method == "is_enabled_for":
                raise AttributeError
            return lambda event, **_: heard.append((method, event))

    async with streams(StreamLogs(Plain()), a=[]) as service:
        await service.ask("hello", "a:m")
    assert heard == [("debug", "attempt completed"), ("info", "stream completed")]


@pytest.mark.row("J7")
async def test_nothing_is_logged_of_success_at_the_default_level(lines_out, autojump_clock):
    written = lines_out("warning")
    async with streams(StreamLogs(), a=[]) as service:
        assert (await service.ask("hello", "a:m")).completed
    assert written() == []


@pytest.mark.row("J10", "M8")
async def test_a_bad_day_reads_from_top_to_bottom(lines_out, autojump_clock):
    written = lines_out("info")
    async with streams(StreamLogs(), a=[busy(), forbidden()], b=[]) as service:
        outcome = await service.ask("hello", LADDER, name="mine")
    assert [(line["level"], line["event"]) for line in written()] == [
        ("warning", "attempt 1/5 failed"),
        ("warning", "not retrying"),
        ("warning", "switched provider"),
        ("info", "stream completed"),
    ]
    assert {line["trace_id"] for line in written()} == {outcome.trace_id}
    summary = written()[-1]
    assert (summary["attempts"], summary["provider"], summary["output_tokens"]) == (3, "b", outcome.usage.output_tokens)
    assert len({line["span_id"] for line in written()}) == 3


@pytest.mark.row("J4", "G11")
async def test_memory_that_ran_short_is_told_as_a_switch_to_buffered(autojump_clock):
    with capture_logs() as logs:
        async with streams(StreamLogs(), a=[MemoryError()]) as service:
            assert (await service.ask("hello", Ladder("a:m", Retry(5), Buffered()))).completed
    events = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert events == ["switched to buffered"]


@pytest.mark.row("J1", "L2")
async def test_two_streams_at_once_can_be_told_apart_by_their_trace_ids(lines_out, autojump_clock):
    written, outcomes = lines_out(), {}

    async def ask(service, name, route):
        outcomes[name] = await service.ask("hello", Ladder(route, Retry(3)), name=name)

    async with (
        streams(StreamLogs(), a=[busy()], b=[busy(), busy()]) as service,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(ask, service, "first", "a:m")
        nursery.start_soon(ask, service, "second", "b:n")
    for name, number in (("first", 3), ("second", 4)):
        mine = [line for line in written() if line["trace_id"] == outcomes[name].trace_id]
        assert {line["stream"] for line in mine} == {name}
        assert len(mine) == number


@pytest.mark.promise("P13")
@pytest.mark.parametrize("as_json", [True, False])
async def test_no_secret_is_in_a_line_whoever_says_it(as_json, autojump_clock):
    file, secret = io.StringIO(), "sk-ant-api03-abcdefghijklmnop"
    configure_logs("debug", json=as_json, file=file)
    async with streams(StreamLogs(), a=[forbidden()]) as service:
        await service.ask("hello", "a:m", name=f"with {secret}")
    log = structlog.get_logger()
    log.info(secret, deep={"key": [secret, ("x", secret)]}, other=Failure)
    try:
        raise ValueError(secret)  # noqa: TRY301 -- its traceback is what is looked at
    except ValueError:
        log.exception("it broke")
    assert "abcdefgh" not in file.getvalue()
    assert "***" in file.getvalue()
    assert "ValueError" in file.getvalue()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_is_written_without_the_locals_of_its_frames(as_json):
    file = io.StringIO()
    configure_logs(json=as_json, file=file)
    try:
        prompt = " ".join(reversed(["diary", "my"]))
        raise ValueError(len(prompt))  # noqa: TRY301 -- its traceback is what is looked at
    except ValueError:
        structlog.get_logger().exception("it broke")
    assert "test_observe_logs" in file.getvalue()
    assert "my diary" not in file.getvalue()


@pytest.mark.parametrize("spelling", ["warning", " WARN ", "Warning"])
def test_a_level_is_known_by_its_usual_spellings(spelling, lines_out):
    written = lines_out(spelling)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in written()] == ["loud"]


def test_an_unknown_level_is_refused_with_those_there_are():
    with pytest.raises(SettingError, match="log level 'loud' must be one of debug, info, warning, error"):
        configure_logs("loud")


def test_what_belongs_to_the_tree_says_where_and_has_the_ids_of_no_trace():
    overdue, overflow, gave_up = (lines(record)[0].fields for record in TREE)
    assert overdue == {
        "trace_id": "0" * 32,
        "span_id": "0" * 16,
        "child": "root/streams/service/mine",
        "generation": 2,
        "since": 3.5,
        "where": "b.py:7 in hangs",
    }
    assert (overflow["capacity"], overflow["lost"]) == (100, 7)
    assert (gave_up["supervisor"], gave_up["child"]) == ("root/streams/service/mine", "mine")


@pytest.mark.row("J11")
def test_the_bodies_of_a_failed_attempt_are_logged_at_debug_only_bounded_and_redacted(lines_out):
    written, logs = lines_out("debug"), StreamLogs()
    secret = "sk-ant-api03-abcdefghijklmnop"
    long = "x" * (BODIES["response_body"] + 5_000)
    logs.captured(attrs.evolve(CAPTURED, request=f'{{"key": "{secret}"}}', response=f"{secret} {long} {secret}"))
    (line,) = written()
    assert (line["event"], line["level"], line["trace_id"]) == ("attempt bodies", "debug", "ab" * 16)
    assert len(line["response_body"].encode()) <= 256 * 1024
    assert "abcdefgh" not in str(line)
    assert line["request_body"] == '{"key": "***"}'
    quiet = lines_out("info")
    StreamLogs().captured(CAPTURED)
    assert len(quiet()) == 1


@pytest.mark.row("L13")
async def test_lines_of_failures_say_what_the_program_held(lines_out, autojump_clock):
    written = lines_out("info")
    logs = StreamLogs(gauges=lambda: {"memory_mb": 80, "connections": 3})
    async with streams(logs, a=[busy()]) as service:
        assert (await service.ask("hello", "a:m")).completed
    first, last = written()
    assert (first["memory_mb"], first["connections"]) == (80, 3)
    assert "memory_mb" not in last


@pytest.mark.row("J1")
async def test_what_a_provider_logs_by_itself_bears_the_ids_of_the_attempt_it_runs_in(lines_out, autojump_clock):
    written = lines_out("info")

    async def chatty(_request, _route):
        structlog.get_logger().info("asked")
        await trio.sleep(1)
        return "It scatters."

    async with open_streams(
        settings=Settings.read({}), providers={"mine": from_call(chatty)}, hook=StreamLogs()
    ) as some:
        outcomes = [await some.ask("hello", "mine:m"), await some.ask("hello", "mine:m")]
    said = [line for line in written() if line["event"] == "asked"]
    assert [line["trace_id"] for line in said] == [outcome.trace_id for outcome in outcomes]
    assert SPAN.get() is None


@pytest.mark.promise("P13")
def test_a_key_that_looks_like_none_is_blotted_out_where_it_is_known():
    file = io.StringIO()
    log = make_log("debug", file, secrets=["plain-word-password", "short"])
    log.info("with plain-word-password", deep=[{"a": "plain-word-password"}], request_body="plain-word-password")
    assert "plain-word" not in file.getvalue()
    log.info("short is a word")
    assert "short is a word" in file.getvalue()
