"""A recording as a provider: no network, no key, and the answers as they were, decoded anew.

Each request gets the next answer that was recorded for the very same request, so streams that run at once may come in any order. The one
rule: what was not recorded has no answer; a request that departs from the recording fails with the place where it does.
"""

from collections import Counter, deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import NoReturn, Protocol, runtime_checkable

import msgspec

from actors.errors import SettingError
from actors.policy.divergence import first_difference, likeness
from actors.providers.pieces import RecordedDeltas, run_again
from actors.request import Request
from actors.route import Route
from actors.source import DivergedError, Provider, Source
from actors.wire.claude_code import NAME as PROGRAM
from actors.wire.claude_code import arguments, environment
from actors.wire.dialect import Dialect
from actors.wire.recording import BadLine, Carrier, Line, key_for, read

DIALECTS: Mapping[str, str] = {
    "anthropic": "actors.wire.anthropic",
    "openai": "actors.wire.openai_responses",
    "openai-chat": "actors.wire.openai_chat",
    "google": "actors.wire.gemini",
    "azure": "actors.wire.openai_responses",
    "azure-chat": "actors.wire.openai_chat",
    "vertex": "actors.wire.gemini",
    "anthropic-vertex": "actors.providers.anthropic_vertex",
    "bedrock": "actors.providers.bedrock",
    PROGRAM: "actors.wire.claude_code",
}
"""Every provider whose bytes are recorded, and where the dialect is that they are in: a cloud's own is beside its client."""

_NAME_CLIP = 40
"""Characters shown of a file's name; a failure keeps 256 bytes of what is said."""


def from_recording(path: str | Path, secrets: Sequence[str] = ()) -> "ReplayProvider":
    """A provider out of a recording, to be named as it was recorded: `open_streams(providers={"openai": ...})`.

    `secrets` are keys that were kept out of it. Raises `SettingError` where the file is no recording.
    """
    return ReplayProvider(Path(path).name, read_recording(path), secrets)


def read_recording(path: str | Path) -> tuple[Line, ...]:
    """The attempts in a file; raises `SettingError` where it is no recording."""
    try:
        return read(Path(path).read_bytes())
    except OSError as error:
        raise SettingError(f"cannot replay {path}: {error.strerror}; {_HOW}") from error
    except BadLine as error:
        raise SettingError(f"cannot replay {path}: {error}; {_HOW}") from error


_HOW = "make a recording with open_streams(record=...), or with run --record FILE"


@runtime_checkable
class Replay(Provider, Protocol):
    """A provider out of a recording; `recorded` are the names of those that it answers for."""

    recorded: AbstractSet[str]

    def admit(self, route: Route) -> Route:
        """The route of a client of somebody's own as it was asked."""
        ...


class ReplayProvider:
    """Answers every request as it was answered when it was recorded, failures included.

    Answers come as fast as they are read. One that was given up, for its silence or by the caller, keeps its times and then says no
    more, so that the same clock ends it.
    """

    def __init__(self, name: str, lines: Sequence[Line], secrets: Sequence[str] = (), *, encodes: bool = True) -> None:
        self._name = name if len(name) <= _NAME_CLIP else "…" + name[1 - _NAME_CLIP :]
        self._secrets = secrets
        self._encodes = encodes  # a request that was made of a line has no bytes of its images
        self.recorded: AbstractSet[str] = frozenset(line.provider for line in lines)
        self._streamed = frozenset(line.provider for line in lines if line.route.streams)
        self._left: dict[bytes, deque[tuple[int, Line]]] = {}
        for place, line in sorted(enumerate(lines, 1), key=lambda one: one[1].number):
            self._left.setdefault(line.key, deque()).append((place, line))
        self._played = Counter[bytes]()

    @property
    def left(self) -> int:
        """How many recorded attempts were not asked for yet."""
        return sum(map(len, self._left.values()))

    def admit(self, route: Route) -> Route:
        """The route of a client of somebody's own as it was asked: what was only ever one call has a buffered route."""
        return route if route.provider in self._streamed else route.buffered

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """The recorded answer to this request.

        Raises `DivergedError` where there is none, `EncodingError` as the provider would, and whatever ended the recorded attempt.
        """
        if self._encodes and route.provider in DIALECTS:
            _encode(request, route)
        async with _played(self._next(request, route), route) as source:
            yield source

    def _next(self, request: Request, route: Route) -> Line:
        key = key_for(request, route, self._secrets)
        waiting = self._left.get(key)
        if not waiting:
            self._diverged(key)
        self._played[key] += 1
        return waiting.popleft()[1]

    def _diverged(self, key: bytes) -> NoReturn:
        """Say where the request departs from the recorded one that is nearest, of those nobody asked for yet."""
        if times := self._played[key]:
            often = "once" if times == 1 else f"{times} times"
            raise DivergedError(
                f"{self._name} has this request {often}, and it was asked once more; ask as often as recorded, or record anew"
            )
        asked = _fields(key)
        left = [(place, line) for waiting in self._left.values() for place, line in waiting]
        if not left:
            raise DivergedError(f"{self._name} was played to its end, and this request is not in it; record it anew")
        place, line = max(left, key=lambda one: (likeness(asked, _fields(one[1].key)), -one[1].number))
        difference = first_difference(asked, _fields(line.key))
        raise DivergedError(
            f"{self._name} line {place} has another request (ask as recorded, or record anew): {difference}"
        )


def _encode(request: Request, route: Route) -> None:
    """Raise `EncodingError` where the provider would."""
    _dialect(route.provider).encode(request, route)
    if route.provider == PROGRAM:
        arguments(request, route)
        environment(request)


def _dialect(provider: str) -> Dialect:
    return import_module(DIALECTS[provider]).DIALECT


def _played(line: Line, route: Route) -> AbstractAsyncContextManager[Source]:
    match line.carrier:
        case Carrier.DELTAS:
            return nullcontext(RecordedDeltas(line))
        case Carrier.PROGRAM:
            return run_again(line)
        case Carrier.HTTP:
            from actors.providers.playing import played  # noqa: PLC0415 -- whoever replays nothing waits for no HTTP client

            return played(line, _dialect(line.provider), route)


def _fields(key: bytes) -> dict[str, object]:
    provider, model, mode, request = msgspec.json.decode(key, type=tuple[str, str, str, dict[str, object]])
    return {"provider": provider, "model": model, "mode": mode, **request}
