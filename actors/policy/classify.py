"""What an exception means: facts in, a failure out, or `None` for what is no weather but a bug.

What the stream itself is told goes first: who left has no failure.  Then, from the innermost cause outwards: our own wire errors, the system's
error number, the type by name (so no client need be imported), the status a client's exception tells of, the provider's own words.  Text
decides last, and only by how a message begins, in lower case.  Never called on the success path (P16).
"""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from actors.failure import Failure, FailureKind, Phase
from actors.messages import Json
from actors.policy.causes import causes, is_group, named
from actors.policy.meanings import (
    BUGS,
    BY_CODE,
    BY_ERRNO,
    BY_PHRASE,
    BY_STATUS,
    BY_TYPE,
    CUT_ANSWER,
    HOPELESS,
    NO_ANSWER,
    NO_THREAD,
    SPENT_FOR_LONG,
    TEMPORARY_LOOKUP,
    VAGUE,
)
from actors.policy.waits import wait
from actors.source import DivergedError, EncodingError, OversizeError, RefusedError, TruncatedError, WireError

K = FailureKind

_REFUSALS = frozenset({"APIError", "HTTPStatusError"})
"""The exceptions by which the official clients, and httpx, tell of a refusal."""

_WORDS = ("error_code", "code", "type", "status")
"""Where those exceptions keep the provider's own words, the most exact first; Google's `code` is the status, a number."""


def classify(
    error: BaseException,
    phase: Phase,
    provider: str = "",
    model: str = "",
    *,
    left: FailureKind | None = None,
    wall: float | None = None,
) -> Failure | None:
    """The failure an exception stands for; `None` means a bug, to be raised on.

    `left` says why the stream was left where it was (`CANCELLED`, `DEADLINE`): then no weather counts.  `wall` is the time in seconds since
    1970, for servers that ask to wait until a date and do not say what time it is.
    """
    meaning = _meaning(error, phase)
    if meaning is None:
        return None
    if left is not None:
        return Failure(left, "", phase, provider, model)
    kind, told = meaning
    said = str(told) or str(error) or type(told).__name__
    if not isinstance(told, RefusedError):
        return Failure(kind, said, phase, provider, model, cause=named(error))
    limited = kind in {K.RATE_LIMIT, K.OVERLOADED}
    return Failure(
        kind,
        said,
        phase,
        provider,
        model,
        status=told.status or None,
        code=told.code or told.kind,
        retry_after=told.retry_after or wait(told.headers, wall, limited=limited),
        request_id=told.headers.get("request-id", "") or told.headers.get("x-request-id", ""),
        next_key=told.next_key,
        final=told.headers.get("x-should-retry") == "false" or bool(limited and HOPELESS.match(said.lower())),
    )


def _meaning(error: BaseException, phase: Phase) -> tuple[FailureKind, BaseException] | None:
    """What it is, and which exception of the chain says so."""
    found: tuple[FailureKind, BaseException] | None = None
    for cause in causes(error):
        if is_group(cause):
            meaning = _of_group(cause.exceptions, phase)
        else:
            told = refusal(cause) or cause
            kind = _kind(told, phase)
            meaning = None if kind is None else (kind, told)
        # The innermost cause is the most exact, but for a time limit: only who set it knows for what.
        if found is None or (meaning and found[0] is K.TIMEOUT and meaning[0] is K.CONNECT_TIMEOUT):
            found = meaning
    return found


def _of_group(errors: Sequence[BaseException], phase: Phase) -> tuple[FailureKind, BaseException] | None:
    """What several errors at once stand for: a bug among them is never hidden, a provider's word goes before the network's.

    What was cancelled because of the others says nothing beside them.
    """
    meanings = [_meaning(error, phase) for error in errors]
    known = [meaning for meaning in meanings if meaning is not None]
    if len(known) < len(meanings):
        return None
    real = [meaning for meaning in known if meaning[0] is not K.CANCELLED] or known
    spoken = [meaning for meaning in real if isinstance(meaning[1], WireError)]
    return next(iter(spoken or real))


_OURS: tuple[tuple[type[Exception], FailureKind], ...] = (
    (TruncatedError, K.TRUNCATED),
    (EncodingError, K.INVALID_REQUEST),
    (DivergedError, K.DIVERGED),
    (OversizeError, K.ANSWER_SIZE),
    (WireError, K.MALFORMED),
    (MemoryError, K.MEMORY),
)


def _kind(error: BaseException, phase: Phase) -> FailureKind | None:
    if isinstance(error, RefusedError):
        return _refused(error)
    ours = (kind for cls, kind in _OURS if isinstance(error, cls))
    return next(ours, None) or _by_type(error, phase)


def _refused(error: RefusedError) -> FailureKind:
    said = [BY_CODE[word] for word in (*error.code.split(","), error.kind) if word in BY_CODE]
    exact = next((kind for kind in said if kind not in VAGUE), None)
    status = int(error.code) if error.status < 400 and error.code.isdecimal() else error.status
    ours = K.INVALID_REQUEST if 400 <= status < 500 else K.SERVER
    kind = exact or BY_STATUS.get(status) or next(iter(said), ours)
    if kind is K.RATE_LIMIT and SPENT_FOR_LONG.search(error.code):
        return K.QUOTA
    message = error.message.lower()
    return next((then for when, begins, then in BY_PHRASE if kind is when and begins.match(message)), kind)


def _by_type(error: BaseException, phase: Phase) -> FailureKind | None:
    names = [cls.__name__ for cls in type(error).__mro__]
    number = error.errno if isinstance(error, OSError) else None
    if names[0] == "RuntimeError" and str(error) == NO_THREAD:
        return K.CPU
    if "gaierror" in names:
        return K.DNS_TEMPORARY if number in TEMPORARY_LOOKUP else K.DNS_PERMANENT
    if number in BY_ERRNO:
        return BY_ERRNO[number]
    name = next((name for name in names if name in BY_TYPE or name in BUGS), "")
    if name == "RemoteProtocolError":
        return _protocol(str(error).lower(), phase)
    if name == "SSLError" and phase is not Phase.CONNECTION:
        return K.RESET
    return BY_TYPE.get(name)


def _protocol(said: str, phase: Phase) -> FailureKind:
    """A peer that closed is not one that speaks something else."""
    if phase is not Phase.CONNECTION:
        return K.TRUNCATED
    if said.startswith(NO_ANSWER):
        return K.RESET
    return K.TRUNCATED if said.startswith(CUT_ANSWER) else K.PROTOCOL


def refusal(error: BaseException) -> RefusedError | None:
    """The refusal that an exception of a provider's own client tells of, so that any client can be a route."""
    names = (cls.__name__ for cls in type(error).__mro__)
    if next((name for name in names if name in _REFUSALS or name in BY_TYPE), "") not in _REFUSALS:
        return None
    response, body = _field(error, "response"), _field(error, "body")
    fields: Json = body if _is_object(body) else {}
    code, kind, *_ = (*_words(*(_field(error, name) for name in _WORDS)), "", "")
    given: Mapping[str, str] = getattr(response, "headers", None) or {}
    headers = {name.lower(): value for name, value in given.items()}
    status = _status(error) or _status(response)
    # Never the text of the exception itself: httpx puts the whole address into it, and an address may hold a key (P13).
    said = _words(_field(error, "api_message"), fields.get("message"), _field(error, "message"))
    return RefusedError(
        next(iter(said), f"the provider answered with status {status}"),
        status=status,
        kind=kind,
        code=code,
        headers=headers,
    )


def _field(told: object, name: str) -> object:
    return getattr(told, name, None)


def _is_object(body: object) -> TypeGuard[Json]:
    return isinstance(body, dict)


def _words(*told: object) -> list[str]:
    return [word for word in told if word and isinstance(word, str)]


def _status(told: object) -> int:
    numbers = (_field(told, "status_code"), _field(told, "code"))
    return next((number for number in numbers if isinstance(number, int)), 0)
