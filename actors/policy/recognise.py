"""What a text that somebody copied is: an exception, a traceback, the body of an answer, a status line, a word of a provider.

Pure, and only a reader: what is read becomes the very exception that the runtime would have met, and `classify` judges it.  The one rule:
a number is a status only where nothing but a status can stand (at the beginning, named as one), so `cost 0.0429` and `req_503abc` are none.
"""

import ast
import builtins
import errno
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, cast

from msgspec import DecodeError, json

from actors.failure import Failure, FailureKind, Phase
from actors.policy.classify import classify
from actors.policy.meanings import BY_CODE, BY_PHRASE, BY_TYPE
from actors.policy.retold import retold
from actors.source import RefusedError

LONGEST = 64 * 1024
"""Characters that are read."""

_BASES = {
    "TimeoutException": "ReadTimeout WriteTimeout PoolTimeout",
    "NetworkError": "ReadError WriteError CloseError",
    "OSError": "gaierror herror",
    "MalformedError": "JSONDecodeError",
}
"""Exceptions of clients by the base that says what they are."""
BASE_OF = {name: base for base, names in _BASES.items() for name in names.split()}

_RAISED = re.compile(
    r"^[\s|+-]*(?P<name>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Timeout|Cancelled|Interrupt|Refused|Redirects|Slow)|"
    r"(?:\w+\.)*(?:gaierror|herror|Cancelled|InvalidURL|UnsupportedProtocol|TooManyRedirects|KeyboardInterrupt))"
    r"(?:\((?P<repr>.*)\)|:\s?(?P<said>.*))?$"
)
"""A line as a traceback or a log ends in: a class with its modules, and what it said."""

_NUMBERED = re.compile(r"\[(?:Errno|WinError) (-?\d+)\]\s*(.*)", re.DOTALL)
_WORDS = "|".join(sorted({re.escape(status.phrase) for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST}))
_CODE = r"(?-i:[A-Z]+(?:_[A-Z]+)+)\b"
_STATUS = re.compile(
    r"^[\s\"'(\[{|>]*(?:(?:the provider answered with )?"
    r"(?:http(?:/[\d.]+)?\s*[:= ]|(?:http (?:status|error)|(?:http )?(?:status|error)[ _]code)\s*[:= ]|status\s*[:=])\s*(?P<named>[45]\d\d)\b(?!\.\d)"
    rf"|(?:status|error)\s*[:= ]\s*(?P<claimed>[45]\d\d)(?=\.?$|\s*[^\w\s.]|\.?\s+(?:{_WORDS}|{_CODE}|from\b|\w+=))"
    rf"|(?:(?:client|server) error '?)?(?P<phrased>[45]\d\d) (?:{_WORDS}|{_CODE})"
    r"|(?P<bare>[45]\d\d)[\s\"')\]}.,:;!|]*$)",
    re.IGNORECASE,
)
"""A status that is called one (an error with a number may be a count: more has to follow), that stands before its own words, or alone."""

_SYSTEM = {
    "connection refused": errno.ECONNREFUSED,
    "connection reset by peer": errno.ECONNRESET,
    "broken pipe": errno.EPIPE,
    "connection timed out": errno.ETIMEDOUT,
    "network is unreachable": errno.ENETUNREACH,
    "no route to host": errno.EHOSTUNREACH,
    "too many open files": errno.EMFILE,
    "cannot allocate memory": errno.ENOMEM,
}
_LOOKUP = {
    "temporary failure in name resolution": -3,
    "name or service not known": -2,
    "nodename nor servname provided": -2,
    "no address associated with hostname": -5,
}


_STATUS_OF_CLIENT = {
    "BadRequestError": 400,
    "AuthenticationError": 401,
    "PaymentRequiredError": 402,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "RequestTimeoutError": 408,
    "ConflictError": 409,
    "ContentTooLargeError": 413,
    "RequestTooLargeError": 413,
    "UnprocessableEntityError": 422,
    "RateLimitError": 429,
    "InternalServerError": 500,
    "ServiceUnavailableError": 503,
    "GatewayTimeoutError": 504,
    "DeadlineExceededError": 504,
    "OverloadedError": 529,
}
"""The exceptions by which the clients of Anthropic and OpenAI tell a status."""


def recognise(text: str, provider: str = "", phase: Phase = Phase.CONNECTION) -> Failure | None:
    """The failure a text tells of; `None` where it tells of none that is known."""
    text = text[:LONGEST].strip()
    told = retold(text)
    if told is not None:
        return told
    error = exception_of(text)
    if error is None:
        return None
    # Python's own exceptions are bugs; of a class that is not known here nothing is known, least of all whose fault it is.
    stray = FailureKind.CRASH if type(error).__module__ == "builtins" else FailureKind.UNKNOWN
    return classify(error, phase, provider) or Failure(stray, str(error) or type(error).__name__, phase, provider)


def answered(
    status: int, body: str, headers: Mapping[str, str], provider: str = "", phase: Phase = Phase.CONNECTION
) -> Failure:
    """The failure that an HTTP answer stands for, whoever gave it; raises `ValueError` for a status that tells of none."""
    if not 300 <= status < 600:
        raise ValueError(f"status {status} is no refusal; give one from 300 to 599")
    read = _body(body[:LONGEST])
    said = None if read is None else _refused(read, status)
    told = said or RefusedError(body.strip() or f"status {status}", status=status)
    lowered = {name.lower(): value for name, value in headers.items()}
    refused = RefusedError(told.message, status=status, kind=told.kind, code=told.code, headers=lowered)
    failure = classify(refused, phase, provider)
    assert failure is not None
    return failure


def exception_of(text: str) -> BaseException | None:
    """The exception that a text tells of, as the runtime would have met it; `None` where it tells of none."""
    raised = [found for found in map(_RAISED.match, text.splitlines()) if found is not None]
    if raised:
        return _chain(raised, text)
    return _of_words(text)


def _chain(raised: Iterable["re.Match[str]"], text: str) -> BaseException:
    """The exceptions of a traceback, each the cause of the next; what was told outermost comes back."""
    direct = "The above exception was the direct cause" in text
    error: BaseException | None = None
    for found in raised:
        name = found["name"].rpartition(".")[2]
        said = found["said"] if found["repr"] is None else _first_argument(found["repr"])
        outer = _of_words(said or "", only_status=True) if name not in BY_TYPE else None
        outer = outer or _of_client(found["name"], said or "") or _exception(name, said or "")
        if direct and error is not None and not isinstance(error, RefusedError):
            outer.__cause__ = error
        error = outer
    assert error is not None
    return error


def _of_client(name: str, said: str) -> BaseException | None:
    """What an official client calls the status of an answer, where it does not tell the status itself."""
    module, _, name = name.rpartition(".")
    status = _STATUS_OF_CLIENT.get(name, 0) if module.partition(".")[0] in {"", "anthropic", "openai"} else 0
    return RefusedError(said or name, status=status) if status else None


def _first_argument(told: str) -> str:
    try:
        given = ast.literal_eval(f"({told},)")
    except (ValueError, SyntaxError):
        return told
    numbered = len(given) > 1 and isinstance(given[0], int)
    return f"[Errno {given[0]}] {given[1]}" if numbered else str(given[0]) if given else ""


def _exception(name: str, said: str) -> BaseException:
    """An exception of this name, as `classify` sees it: by its class, its bases and its number."""
    known = getattr(builtins, name, None)
    base = known if isinstance(known, type) and issubclass(known, BaseException) else None
    numbered = _NUMBERED.match(said)
    if base is None:
        inner = BASE_OF.get(name, "")
        base = OSError if inner == "OSError" or numbered else type(inner, (Exception,), {}) if inner else Exception
        base = type(name, (base,), {})
    if issubclass(base, OSError):
        number = int(numbered[1]) if numbered else None
        return base(number, numbered[2]) if numbered and number is not None else base(said)
    if issubclass(base, (UnicodeError, BaseExceptionGroup)):
        return Exception(said)
    return base(said)


def _of_words(text: str, *, only_status: bool = False) -> BaseException | None:
    """What a text without the name of an exception says; with `only_status` a status or a body must be there."""
    body = _body(text)
    found = _STATUS.match(text)
    status = 0 if found is None else int(next(filter(None, found.groups())))
    if body is not None:
        return _refused(body, status)
    if status:
        return RefusedError(text, status=status)
    if only_status:
        return None
    return _by_beginning(text)


def _by_beginning(text: str) -> BaseException | None:
    lowered = text.lower()
    if text in BY_CODE:
        return RefusedError(text, status=0, code=text)
    number = _number(_SYSTEM, lowered) or getattr(errno, text, None) if text.isupper() else _number(_SYSTEM, lowered)
    if number:
        return OSError(number, text)
    lookup = _number(_LOOKUP, lowered)
    if lookup:
        return type("gaierror", (OSError,), {})(lookup, text)
    when = next((when for when, begins, _ in BY_PHRASE if begins.match(lowered)), None)
    return None if when is None else RefusedError(text, status=_STATUS_OF[when])


_STATUS_OF = {
    FailureKind.INVALID_REQUEST: 400,
    FailureKind.INVALID_KEY: 401,
    FailureKind.PERMISSION: 403,
    FailureKind.MODEL_UNAVAILABLE: 404,
    FailureKind.RATE_LIMIT: 429,
    FailureKind.SERVER: 500,
}
"""The status under which a message is met that only its beginning explains."""


def _number(table: dict[str, int], lowered: str) -> int | None:
    return next((number for words, number in table.items() if lowered.startswith(words)), None)


def _body(text: str) -> dict[str, Any] | None:
    """The JSON object (or what Python printed of one) that a text is, or ends with after its status."""
    start = text.find("{")
    if start < 0:
        return None
    for read in (json.decode, ast.literal_eval):
        try:
            body: Any = read(text[start:].strip())
        except (DecodeError, UnicodeError, ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(body, dict):
            return cast("dict[str, Any]", body)
    return None


def _refused(body: dict[str, Any], status: int) -> RefusedError | None:
    told: Any = body.get("error", body)
    if isinstance(told, str):
        told = {"message": told}
    if not isinstance(told, dict):
        return None
    fields = cast("dict[str, Any]", told)
    words = [fields[name] for name in ("code", "status", "type") if isinstance(fields.get(name), str)]
    if "error" not in body:  # an answer that is none of an error has a status and a type too
        words = [word for word in words if word in BY_CODE]
    code = fields.get("code")
    status = status or (code if isinstance(code, int) and 400 <= code < 600 else 0)
    message = str(fields.get("message") or "")
    if not words and not status and not message:
        return None
    first, second, *_ = (*words, "", "")
    return RefusedError(message or f"status {status}", status=status, code=first, kind=second)
