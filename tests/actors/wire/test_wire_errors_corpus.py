"""Every recorded answer of status 400 or more, and where each kind of record is read."""

import json
from collections import Counter

import pytest
from wire_corpus import ABSENT, Table, body, everything, records

from actors.wire.openai_chat import DIALECT as CHAT

pytestmark = ABSENT

READ_BY = {
    ("anthropic", "stream", "messages"): "test_wire_anthropic_corpus",
    ("anthropic", "buffered", "messages"): "test_wire_anthropic_corpus",
    ("openai", "stream", "chat.completions"): "test_wire_openai_chat_corpus",
    ("openai", "buffered", "chat.completions"): "test_wire_openai_chat_corpus",
    ("openai", "stream", "responses"): "test_wire_openai_responses_corpus",
    ("compat", "stream", "chat.completions"): "test_wire_openai_chat_corpus",
    ("compat", "stream", "responses"): "test_wire_openai_responses_corpus",
    ("gemini", "stream", "streamGenerateContent"): "test_wire_gemini_corpus",
    ("gemini", "stream", "streamGenerateContent(vertex)"): "test_wire_gemini_corpus",
    ("gemini", "buffered", "generateContent"): "test_wire_gemini_corpus",
}
NOT_SPOKEN = {
    ("openai", "stream", "completions"): "completions without chat are a format of their own, which no route speaks",
    ("compat", "stream", "completions"): "completions without chat are a format of their own, which no route speaks",
    ("gemini", "stream", "interactions"): "Interactions are a format of their own, which no route speaks",
}


@pytest.mark.parametrize("name", ["anthropic", "openai", "gemini", "compat"])
def test_every_record_is_read_somewhere_or_left_out_for_a_reason(name):
    kinds = Counter((name, record["kind"], record["api"]) for record in everything(name) if record["kind"] != "error")
    assert kinds.keys() == {key for key in {**READ_BY, **NOT_SPOKEN} if key[0] == name}


def naive_fields(text):
    """The error as an object, where the body has one."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    told = told[0] if isinstance(told, list) else told
    error = told.get("error")
    return error if isinstance(error, dict) else {"message": error} if isinstance(error, str) else told


@pytest.mark.parametrize(("name", "total"), [("openai", 127), ("compat", 151)])
def test_recorded_errors_say_what_the_body_says(name, total):
    found = records(name, "error")
    table = Table(found)
    for record in found:
        headers = {key.lower(): value for key, value in record["response_headers"].items()}
        refused = CHAT.read_error(record["status"], headers, body(record).encode())
        fields = naive_fields(body(record))
        assert (refused.status, refused.in_stream) == (record["status"], False)
        assert refused.message
        if isinstance(fields.get("message"), str) and fields["message"].strip():
            assert refused.message.startswith(fields["message"][:2000])
        if isinstance(fields.get("type"), str):
            assert refused.kind == fields["type"]
        if fields.get("code"):
            assert refused.code == (
                "" if fields["code"] in {record["status"], str(record["status"])} else str(fields["code"])
            )
        if headers.get("retry-after", "").isdecimal() and "retry-after-ms" not in headers:
            assert refused.retry_after == int(headers["retry-after"])
        table.enter(record, "refused")
    assert table.rows == {"refused": total}
