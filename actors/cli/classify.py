"""`classify`: what is this error?  From a status and a body, from the text of an exception, or from a log line."""

import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from msgspec import json

from actors.cli.configuration import here
from actors.cli.screen import paper, put
from actors.errors import SettingError
from actors.failure import Failure, Phase
from actors.observe.diagnosis import Diagnosis, diagnosis_record, diagnosis_text
from actors.observe.entries import Entry, entry_of
from actors.policy.classify import classify
from actors.policy.prospects import USUAL
from actors.policy.recognise import answered, recognise
from actors.source import WireError
from supervisor import Retry

if TYPE_CHECKING:
    from actors.wire.dialect import Dialect

_WIRE: Mapping[str, str] = {
    "anthropic": "anthropic",
    "openai": "openai_responses",
    "openai-chat": "openai_chat",
    "google": "gemini",
    "claude-code": "claude_code",
    "azure": "openai_responses",
    "azure-chat": "openai_chat",
    "vertex": "gemini",
    "anthropic-vertex": "anthropic",
    "bedrock": "anthropic",
}
"""Which wire format reads the errors of each provider."""

MOST = 1 << 20
"""Bytes read from a file or a pipe."""

_NAME = re.compile(r"(?:[^\s{}<>\"]*/[^\s{}<>\"]*|[\w-]+\.(?:json|txt|log|html|body))")
"""What is meant as the name of a file, whether or not there is one: no body of an answer reads so."""

UNKNOWN = """This tells of no failure that is known here. Give one of these:
  the status the provider answered with:  trio-supervisor classify --provider anthropic --status 429 --body answer.json
  the last line of a traceback, or all:   trio-supervisor classify "ConnectionResetError: [Errno 104] Connection reset by peer"
  a line of the log:                      grep TRACE-ID logs/* | trio-supervisor classify"""


@attrs.frozen
class Question:
    """What is known of an error."""

    words: tuple[str, ...]
    provider: str
    status: int | None
    body: str | None
    headers: tuple[str, ...]
    phase: Phase


def explain(question: Question, *, in_json: bool) -> int:
    """Print what the error is; gives the exit status, 1 where nobody knows."""
    failure = _failure(question)
    if failure is None:
        print(json.encode({"known": False, "give": UNKNOWN.splitlines()}).decode() if in_json else UNKNOWN)
        return 1
    diagnosis = Diagnosis.of(failure, _retry())
    if in_json:
        print(json.encode(diagnosis_record(diagnosis)).decode())
    else:
        put(paper(sys.stdout, plain=False), diagnosis_text(diagnosis))
    return 0


def _retry() -> Retry:
    """The retries that are configured here; a setting that cannot be read is no reason not to explain an error."""
    try:
        return here().retry
    except SettingError:
        return USUAL


def _failure(question: Question) -> Failure | None:
    if question.provider and question.provider not in _WIRE:
        raise SettingError(f"--provider: there is no provider {question.provider!r}; known are {', '.join(_WIRE)}")
    if question.status is not None:
        return _of_answer(question, question.status)
    text = " ".join(question.words) or (_read(question.body) if question.body else "") or _piped()
    if not text.strip():
        raise SettingError(
            "nothing to classify: give --status, the text of an error, a log line, or pipe one of them in"
        )
    entry = _last(text)
    if entry is not None and entry.kind is not None:
        return _of_entry(entry)
    return recognise(text, question.provider, question.phase)


def _of_answer(question: Question, status: int) -> Failure:
    body = "" if question.body is None else _read(question.body)
    headers = _headers(question.headers)
    try:
        if not question.provider:
            return answered(status, body, headers, phase=question.phase)
        dialect: Dialect = import_module(f"actors.wire.{_WIRE[question.provider]}").DIALECT
        lowered = {name.lower(): value for name, value in headers.items()}
        error: Exception = dialect.read_error(status, lowered, body.encode())
        return classify(error, question.phase, question.provider) or answered(status, body, headers, question.provider)
    except ValueError as error:
        raise SettingError(f"--status: {error}") from None
    except WireError as error:
        raise SettingError(f"--body cannot be read: {error}") from None


def _headers(told: Sequence[str]) -> dict[str, str]:
    pairs = [header.partition(":") for header in told]
    for name, colon, _ in pairs:
        if not colon:
            raise SettingError(f"--header {name!r} must be NAME: VALUE, for example 'retry-after: 7'")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _read(body: str) -> str:
    """What was given: `-` is standard input, the name of a file its content, anything else the text itself."""
    if body == "-":
        return _piped()
    try:
        if len(body) < 4096 and Path(body).is_file():
            with Path(body).open("rb") as file:
                return file.read(MOST).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        if not isinstance(error, PermissionError):
            return body
        raise SettingError(f"--body: cannot read {body}: permission denied") from None
    if _NAME.fullmatch(body):
        raise SettingError(f"--body: there is no file {body}; give one, - for standard input, or the text itself")
    return body


def _piped() -> str:
    """What is piped in; a terminal is never waited for."""
    return "" if sys.stdin.isatty() else sys.stdin.buffer.read(MOST).decode("utf-8", "replace")


def _last(text: str) -> Entry | None:
    """The last of several log lines that tells of a failure."""
    entries = (entry_of(line) for line in reversed(text.splitlines()))
    return next((entry for entry in entries if entry is not None and entry.kind is not None), None)


def _of_entry(entry: Entry) -> Failure:
    assert entry.kind is not None
    status, phases = entry.number("status"), {phase.value: phase for phase in Phase}
    return Failure(
        entry.kind,
        entry.text("message"),
        phases.get(entry.text("phase"), Phase.CONNECTION),
        entry.text("provider"),
        entry.text("model"),
        status=None if status is None else int(status),
        code=entry.text("code"),
        retry_after=entry.number("retry_after"),
        request_id=entry.text("request_id"),
    )
