"""Every recorded answer of generateContent, Gemini API and Vertex, against a naive reader that shares no code with the product."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st
from wire_corpus import ABSENT, SEEDS, Table, body, records, slices
from wire_fold import drive, ending, fold

from actors.messages import Foreign, Image
from actors.wire.gemini import DIALECT

pytestmark = ABSENT

APIS = {"streamGenerateContent", "streamGenerateContent(vertex)"}
STREAMS = {
    "read": 88,
    "failed as recorded (truncated)": 4,  # the golden files that have no finish reason
    "failed as recorded (refused 499 CANCELLED)": 1,
}
REPLIES = {
    "finished by STOP": 242,
    "finished by SAFETY": 3,
    "finished by MAX_TOKENS": 2,
    "finished by OTHER": 1,
    "finished by ": 2,  # a blocked prompt, with a message and no reason
}
ERRORS = {
    "refused": 54,
    "refused, and when to ask again": 15,
    "refused, a body with a comma too many": 1,
}
NUMBERS = {1: "STOP"}


def flat(value, path=""):
    """An object as its values by their places, as streamed arguments name them."""
    if isinstance(value, dict):
        return {place: one for name in value for place, one in flat(value[name], f"{path}.{name}".lstrip(".")).items()}
    if isinstance(value, list):
        return {place: one for at, inner in enumerate(value) for place, one in flat(inner, f"{path}[{at}]").items()}
    return {path: value}


class Naive:
    """What an answer says, read the plain way."""

    def __init__(self):
        self.text, self.thinking, self.calls, self.seals, self.rest = "", "", [], [], []
        self.usage, self.reason, self.error = {}, None, None

    def response(self, response):
        if "error" in response:
            self.error = response["error"]
        for candidate in response.get("candidates", []):
            for part in candidate.get("content", {}).get("parts", []):
                self.part(part)
            reason = candidate.get("finishReason")
            self.reason = NUMBERS.get(reason, reason) or self.reason
        feedback = response.get("promptFeedback", {})
        if feedback.get("blockReason") or feedback.get("blockReasonMessage"):
            self.reason = feedback.get("blockReason", "")
        self.usage = response.get("usageMetadata", self.usage)

    def part(self, part):
        self.seals += (
            [part["thoughtSignature"]]
            if "thoughtSignature" in part and ("text" in part or "functionCall" in part)
            else []
        )
        if "text" in part:
            self.thinking += part["text"] if part.get("thought") else ""
            self.text += "" if part.get("thought") else part["text"]
        elif "functionCall" in part:
            self.call(part["functionCall"])
        else:
            self.rest.append(part)

    def call(self, call):
        if "name" in call:
            self.calls.append((call["name"], flat(call.get("args", {}))))
        for partial in call.get("partialArgs", []):
            name = partial["jsonPath"].removeprefix("$.")
            value = next(partial[key] for key in partial if key.endswith("Value"))
            before = self.calls[-1][1].get(name)
            self.calls[-1][1][name] = before + value if isinstance(before, str) else value

    @property
    def ending(self):
        return "refused" if self.error else "finished" if self.reason is not None else "truncated"


def naive_stream(text):
    naive = Naive()
    text = text.replace("\r\n", "\n")
    if text.startswith("["):
        for response in json.loads(text):
            naive.response(response)
        return naive
    for event in text.split("\n\n"):
        if event.startswith("data:"):
            for line in event.rstrip("\n").split("\n"):
                naive.response(json.loads(line.removeprefix("data:")))
        elif event.startswith("{"):
            naive.response(json.loads(event))
    return naive


def compare(naive, told):
    assert told.text == naive.text
    assert told.thinking == naive.thinking
    assert [(name, flat(json.loads(given))) for name, _, given in told.asked] == naive.calls
    assert len({call_id for _, call_id, _ in told.asked}) == len(naive.calls)
    assert [seal for _, seal in sorted(told.signatures.items())] == naive.seals
    assert [part for _, part in sorted(told.parts.items())] == [foreign(part) for part in naive.rest]
    if told.finish:
        assert told.finish.spelling == naive.reason
        assert told.finish.releases == (naive.reason == "STOP")
        thought = naive.usage.get("thoughtsTokenCount", 0)
        if told.usage:
            assert told.usage.output_tokens == naive.usage.get("candidatesTokenCount", 0) + thought
            assert told.usage.cache_read_tokens == naive.usage.get("cachedContentTokenCount", 0)


def foreign(part):
    inline = part.get("inlineData", {})
    if inline.get("mimeType", "").startswith("image/") and "thoughtSignature" not in part:
        return Image(inline["mimeType"], base64.b64decode(inline["data"]))
    return Foreign("gemini", next(name for name in part if not name.startswith("thought")), part)


def check_stream(record, seed):
    text = body(record)
    naive, octets = naive_stream(text), text.encode()
    whole, sliced = DIALECT.reader(), DIALECT.reader()
    deltas = drive(whole, [octets])
    compare(naive, fold(deltas))
    assert drive(sliced, slices(octets, seed)) == deltas
    assert ending(whole) == ending(sliced)
    assert ending(whole).split(" ", 1)[0] == naive.ending
    return "read" if naive.ending == "finished" else f"failed as recorded ({ending(whole)})"


@SEEDS
@given(seed=st.integers(0, 2**32))
def test_recorded_streams_say_what_a_naive_reader_finds_in_any_slicing(seed):
    found = records("gemini", "stream", APIS)
    table = Table(found)
    for record in found:
        table.enter(record, check_stream(record, seed))
    assert table.rows == STREAMS


def test_recorded_replies_in_one_piece_say_what_a_naive_reader_finds():
    found = records("gemini", "buffered")
    table = Table(found)
    for record in found:
        naive = Naive()
        naive.response(json.loads(body(record)))
        compare(naive, fold(DIALECT.read_reply(body(record).encode())))
        table.enter(record, f"finished by {naive.reason}")
    assert table.rows == REPLIES


def test_recorded_errors_say_their_status_code_and_wait():
    found = records("gemini", "error")
    table = Table(found)
    for record in found:
        refused = DIALECT.read_error(record["status"], {}, body(record).encode())
        try:
            told = json.loads(body(record))
        except ValueError:
            assert refused.message.startswith("[")
            table.enter(record, "refused, a body with a comma too many")
            continue
        error = told["error"]
        details = error.get("details", [])
        assert (refused.status, refused.kind, refused.message) == (record["status"], error["status"], error["message"])
        waits = [detail["retryDelay"] for detail in details if detail["@type"].endswith("RetryInfo")]
        assert refused.retry_after == (float(waits[0][:-1]) if waits else None)
        reasons = [detail["reason"] for detail in details if detail["@type"].endswith("ErrorInfo")]
        assert not reasons or refused.code == reasons[0]
        table.enter(record, "refused, and when to ask again" if waits else "refused")
    assert table.rows == ERRORS
