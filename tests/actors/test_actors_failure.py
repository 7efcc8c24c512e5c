"""The failure as a value, and the exceptions by which people meet it."""

import pickle
import tracemalloc

import attrs
import msgspec
import pytest

from actors import check_call, failed_call
from actors.catalogue import ADVICE, HEADINGS, PLACES, advise
from actors.config import PROVIDERS
from actors.failure import Category, Disposition, Failure, FailureKind, Phase
from actors.messages import Message, Role, ToolCall, user
from actors.observe.records import failure_record
from actors.outcome import Attempt, IncompleteCall, Outcome, RetryExhausted, Status, StreamFailed
from actors.policy.classify import classify
from actors.policy.meanings import BY_CODE, BY_ERRNO, BY_PHRASE, BY_STATUS, BY_TYPE
from actors.request import Request, Tool
from actors.route import Route
from actors.source import RefusedError
from actors.wire.anthropic import DIALECT

K = FailureKind
TRACE = "9b810e766ec9d28663ca828dd5f4b3b2"
ROUTE = Route.parse("anthropic:claude-one")
LIMITED = Failure(
    K.RATE_LIMIT,
    "slow down",
    Phase.CONNECTION,
    "anthropic",
    "claude-one",
    status=429,
    code="rate_limit_error",
    retry_after=7.0,
    request_id="req_1",
    tries=2,
    limit=2,
    trace_id=TRACE,
)
BROKEN = attrs.evolve(LIMITED, kind=K.RESET, message="", cause="ReadError from BrokenResourceError", tries=1)


def outcome(*failures, status=Status.FAILED, cause=None):
    attempts = tuple(
        Attempt(number, ROUTE, 10.0 * number, 10.0 * number + 4, failure=failure)
        for number, failure in enumerate(failures, 1)
    )
    return Outcome(status, attempts=attempts, failure=failures[-1], trace_id=TRACE, cause=cause)


# -- the value


@pytest.mark.row("G4", "L1")
def test_a_failure_says_all_that_an_operator_asks_for():
    assert (LIMITED.phase, LIMITED.provider, LIMITED.model, LIMITED.kind) == (
        Phase.CONNECTION,
        "anthropic",
        "claude-one",
        K.RATE_LIMIT,
    )
    assert (LIMITED.tries, LIMITED.limit, LIMITED.message, LIMITED.trace_id) == (2, 2, "slow down", TRACE)
    assert LIMITED.resolution == advise(K.RATE_LIMIT, "anthropic").remedy
    assert (LIMITED.transient, LIMITED.category, LIMITED.disposition) == (True, Category.PROVIDER, Disposition.RETRY)
    assert pickle.loads(pickle.dumps(LIMITED)) == LIMITED
    assert msgspec.json.decode(msgspec.json.encode(failure_record(LIMITED)))["kind"] == "rate_limit"


WORST = [
    ("ascii", "m" * 5000),
    ("latin", "é" * 5000),
    ("two bytes", "ж" * 5000),
    ("three bytes", "漢" * 5000),
    ("one wide letter", "m" * 200 + "漢"),
    ("one astral letter", "m" * 200 + "🙂"),
    ("astral", "🙂" * 5000),
]


@pytest.mark.row("G7", "N2")
@pytest.mark.promise("P14")
@pytest.mark.parametrize("words", [words for _, words in WORST], ids=[name for name, _ in WORST])
def test_a_thousand_failures_take_less_than_a_kilobyte_each(words):
    headers = {"request-id": "r" * 5000}
    errors = [
        RefusedError(f"{at}{words}", status=500, kind="k" * 900, code=f"{at}" + "ж" * 900, headers=headers)
        for at in range(1000)
    ]
    classify(errors[0], Phase.STREAMING)
    tracemalloc.start()
    failures = [classify(error, Phase.STREAMING, "anthropic", "claude-one") for error in errors]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{held / len(failures):.0f} bytes a failure")  # noqa: T201 -- the figure is what the row asks for
    assert held / len(failures) < 1024
    assert len(pickle.dumps(failures[0])) < 1024
    assert len(failures[0].message.encode()) <= 256


@pytest.mark.row("G8")
def test_a_key_that_a_provider_echoes_is_in_no_part_of_the_value():
    key = "sk-ant-api03-CanaryCanaryCanary1234567890"
    error = RefusedError(f"no {key}", status=401, code=key, kind=key, headers={"request-id": key})
    failure = classify(error, Phase.CONNECTION, "anthropic", "m")
    assert key not in repr(failure)
    assert key.encode() not in pickle.dumps(failure)


# -- the catalogue

SEED = {
    "Rate limited by LLM provider",
    "Connection timeout",
    "LLM service temporarily unavailable",
    "Cannot connect to LLM service",
    "Invalid API credentials",
    "No credentials configured",
    "Memory exhausted (switching to buffered mode)",
    "Resource limit exceeded",
    "Model unavailable",
    "Tool invocation failed",
    "Claude Code CLI not installed",
    "Operation interrupted",
    "Operation timeout",
}


@pytest.mark.row("G2", "M7")
def test_the_headings_that_operators_know_are_there():
    assert {advise(kind).heading for kind in K} >= SEED
    assert advise(K.MODEL_UNAVAILABLE).happened.startswith("Model not available")
    assert set(HEADINGS.values()) <= SEED


@pytest.mark.row("G1", "M7", "M14")
def test_every_kind_has_its_words_its_label_and_its_way_in():
    assert set(ADVICE) == set(K)
    assert len({kind.label for kind in K}) == len(K)
    assert all(kind.label.replace("_", "").isalpha() and kind.title for kind in K)
    by_tables = {
        *BY_STATUS.values(),
        *BY_CODE.values(),
        *BY_ERRNO.values(),
        *BY_TYPE.values(),
        *(row[2] for row in BY_PHRASE),
    }
    by_classify = {K.DNS_TEMPORARY, K.DNS_PERMANENT, K.ANSWER_SIZE, K.DIVERGED, K.TRUNCATED}
    by_clocks = {K.FIRST_EVENT_TIMEOUT, K.FIRST_CONTENT_TIMEOUT, K.STALLED, K.TOTAL_TIMEOUT, K.CPU}
    by_runtime = {K.CANCELLED, K.DEADLINE, K.CRASH, K.TOOL_JSON, K.UNKNOWN_TOOL}
    assert by_tables | by_classify | by_clocks | by_runtime == set(K), "a kind that nothing gives"


@pytest.mark.row("G1", "L5")
def test_every_provider_has_its_portal_and_its_status_page():
    assert set(PLACES) == set(PROVIDERS)
    for name in PROVIDERS:
        assert PLACES[name].portal in advise(K.QUOTA, name).remedy
        assert PLACES[name].status in advise(K.OVERLOADED, name).remedy


@pytest.mark.row("G9")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"detail":"Not Found"}', "Not Found"),
        (b'{"error":{"message":"inside"},"message":"outside"}', "inside"),
        (b'{"message":"outside"}', "outside"),
        (b"upstream connect error", "upstream connect error"),
    ],
)
def test_the_message_comes_from_the_providers_body(body, message):
    assert classify(DIALECT.read_error(404, {}, body), Phase.CONNECTION).message == message


# -- the exception that people meet


@pytest.mark.row("G5", "D15", "L11")
def test_what_was_exhausted_is_told_in_order():
    with pytest.raises(RetryExhausted) as raised:
        outcome(BROKEN, LIMITED).unwrap()
    assert str(raised.value).splitlines() == [
        "[connection] Rate limited at anthropic:claude-one (slow down): anthropic asks for fewer requests",
        "attempts exhausted after 2 attempts: 1 on anthropic:claude-one (reset); 2 on anthropic:claude-one (rate_limit)",
        "Lower --concurrency, or raise the limit at https://console.anthropic.com",
        f"trace {TRACE}",
    ]
    assert raised.value.failure is LIMITED
    assert raised.value.elapsed == 14.0


@pytest.mark.row("D15", "G5", "L4")
def test_what_is_permanent_is_no_exhaustion_and_has_no_count_of_attempts():
    refused = attrs.evolve(LIMITED, kind=K.INVALID_KEY, status=401, tries=1, limit=1)
    with pytest.raises(StreamFailed) as raised:
        outcome(refused).unwrap()
    assert not isinstance(raised.value, RetryExhausted)
    assert "not retrying after 1 attempt:" in str(raised.value)
    assert "1/1" not in str(raised.value)


@pytest.mark.row("G5")
def test_what_lies_beneath_is_told_where_the_provider_said_nothing():
    told = str(StreamFailed(outcome(BROKEN))).splitlines()
    assert told[-2:] == ["Debug: ReadError from BrokenResourceError", f"trace {TRACE}"]
    assert "Debug" not in str(StreamFailed(outcome(LIMITED)))


@pytest.mark.row("F6", "G5")
def test_a_deadline_is_told_apart_from_an_interruption():
    late, left = (attrs.evolve(LIMITED, kind=kind, message="") for kind in (K.DEADLINE, K.CANCELLED))
    said = [str(StreamFailed(outcome(one, status=Status.INTERRUPTED))) for one in (late, left)]
    assert ["Operation timeout" in said[0], "Operation interrupted" in said[1]] == [True, True]
    assert not any("retrying" in text or "exhausted" in text for text in said)


@pytest.mark.row("E10")
def test_every_cause_of_the_ladder_is_listed():
    ended = outcome(BROKEN, LIMITED, attrs.evolve(LIMITED, kind=K.OVERLOADED))
    assert [failure.kind for failure in ended.causes] == [K.RESET, K.RATE_LIMIT, K.OVERLOADED]
    assert all(label in str(StreamFailed(ended)) for label in ("reset", "rate_limit", "overloaded"))


@pytest.mark.row("G4", "G6")
def test_the_exception_beneath_is_its_cause_and_is_left_behind_by_pickling():
    beneath = ConnectionResetError("by peer")
    with pytest.raises(StreamFailed) as raised:
        outcome(BROKEN, cause=beneath).unwrap()
    assert raised.value.__cause__ is beneath
    again = pickle.loads(pickle.dumps(raised.value))
    assert (type(again), again.outcome, again.outcome.cause) == (type(raised.value), raised.value.outcome, None)
    assert "by peer" not in repr(raised.value.outcome)


@pytest.mark.row("D15", "M11", "X15")
@pytest.mark.parametrize(
    ("kind", "exhausted"),
    [(K.RATE_LIMIT, True), (K.STALLED, True), (K.INVALID_KEY, False), (K.MEMORY, False), (K.POLICY, False)],
)
def test_only_a_transient_end_is_an_exhausted_one(kind, exhausted):
    assert outcome(attrs.evolve(LIMITED, kind=kind)).exhausted is exhausted
    assert not outcome(attrs.evolve(LIMITED, kind=kind, final=True)).exhausted
    assert not outcome(attrs.evolve(LIMITED, kind=kind), status=Status.INTERRUPTED).exhausted


# -- calls that cannot be run

TOOLS = (Tool("weather"), Tool("clock"))


@pytest.mark.row("A29", "F4")
def test_a_call_of_an_unknown_tool_is_answered_and_the_conversation_goes_on():
    call = ToolCall("c1", "wether", {"city": "Bern"})
    failure = check_call(call, TOOLS)
    assert (failure.kind, failure.message) == (
        K.UNKNOWN_TOOL,
        "there is no tool 'wether'; the tools are weather, clock",
    )
    assert check_call(ToolCall("c2", "clock", {}), TOOLS) is None
    assert check_call(call, ()).message.endswith("there are no tools")
    turns = (user("hello"), Message(Role.ASSISTANT, call), Message(Role.USER, failed_call(call, failure)))
    body = msgspec.json.decode(DIALECT.encode(Request(turns, tools=TOOLS), ROUTE))
    (result,) = body["messages"][-1]["content"]
    assert (result["type"], result["tool_use_id"], result["is_error"]) == ("tool_result", "c1", True)
    assert "there is no tool 'wether'; the tools are weather, clock" in str(result["content"])


@pytest.mark.row("A28")
def test_a_garbled_call_can_be_told_to_the_model():
    garbled = IncompleteCall("weather", "c1", '{"city": ')
    result = failed_call(garbled, Failure(K.TOOL_JSON, "the arguments are no JSON object"))
    assert (result.call_id, result.name, result.is_error) == ("c1", "weather", True)
    assert result.content == "Tool call garbled: the arguments are no JSON object"
