"""A prompt of the input as a job: a request, the name its outcome will carry and the routes it may take.

Pure.  A line says what it wants; what it does not say, the command line does.  Whatever cannot be asked is refused here, in one sentence
that names file and line.
"""

from collections.abc import Iterator
from typing import Any, Literal

import attrs
from msgspec import DecodeError, Struct, ValidationError, json, structs

from actors.cli.lines import Form, Line, Splitter
from actors.cli.tools import read_tools
from actors.config import Settings
from actors.errors import SettingError
from actors.messages import Message, Role
from actors.preferred import NO_ROUTE
from actors.request import Limits, Request, Tool
from actors.route import Route


@attrs.frozen
class Job:
    """What one stream is to do; `name` identifies its outcome."""

    name: str
    request: Request
    routes: tuple[Route, ...]


@attrs.frozen
class Wishes:
    """What the command line says for every prompt whose line does not say otherwise."""

    settings: Settings
    routes: tuple[Route, ...] = ()
    system: str = ""
    max_tokens: int | None = None
    tools: tuple[Tool, ...] = ()
    offline: bool = False

    def admit(self, route: Route) -> Route:
        """The route as the settings allow it; a replay needs no credentials."""
        return self.settings.in_mode(self.settings.resolve(route)) if self.offline else self.settings.admit(route)


class _Block(Struct, forbid_unknown_fields=True):
    text: str
    type: Literal["text"] = "text"


class _Turn(Struct, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[_Block]

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(block.text for block in self.content)


class _Record(Struct, forbid_unknown_fields=True):
    """The fields of a JSON line, each checked by its type."""

    prompt: str = ""
    messages: list[_Turn] = []
    id: str | int | None = None
    system: str | None = None
    max_tokens: int | None = None
    thinking_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] = []
    tools: list[Any] | None = None
    schema: dict[str, Any] | None = None
    extras: dict[str, dict[str, Any]] = {}
    route: str = ""
    routes: list[str] = []

    def __post_init__(self) -> None:
        asked = [turn for turn in self.messages if turn.role != "system"]
        if bool(self.prompt.strip()) == bool(asked):
            raise ValueError("say either `prompt` or `messages`, and not empty")
        if self.route and self.routes:
            raise ValueError("say either `route` or `routes`")


FIELDS = tuple(field.name for field in structs.fields(_Record))
"""What a JSON line may say."""

_DECODER = json.Decoder(_Record)


def admit(routes: list[str], wishes: Wishes) -> tuple[Route, ...]:
    """The routes as the settings allow them, or those of the wishes; raises `ValueError` with the sentence to show."""
    return tuple(wishes.admit(Route.parse(route)) for route in routes) or wishes.routes


def job_of_prompt(prompt: str, name: str, wishes: Wishes) -> Job:
    """A job out of a plain prompt."""
    limits = Limits(max_tokens=wishes.max_tokens)
    request = Request(prompt, system=wishes.system, tools=wishes.tools, limits=limits)
    return Job(name, request, wishes.routes)


def job_of_line(line: Line, form: Form, wishes: Wishes) -> Job:
    """A job out of a line of input; its name is its `id` or its line's number; raises `SettingError`."""
    if form is Form.TEXT:
        return _routed(job_of_prompt(line.text, str(line.number), wishes), line.place)
    try:
        record = _DECODER.decode(line.text)
        name = str(line.number if record.id is None else record.id)
        job = Job(name, _request(record, wishes), admit(record.routes or [record.route] * bool(record.route), wishes))
    except (DecodeError, ValueError) as error:
        raise SettingError(f"{line.place}: {_sentence(error)}") from None
    return _routed(job, line.place)


class JobReader:
    """Reads the bytes of one source as jobs; without a form the first line tells: what begins with `{` is JSON lines."""

    def __init__(self, source: str, form: Form | None, wishes: Wishes) -> None:
        self._splitter = Splitter(source)
        self._form = form
        self._wishes = wishes
        self.count = 0

    def feed(self, chunk: bytes) -> Iterator[Job]:
        """The jobs that this chunk completes, one at a time; raises `SettingError` at the line that is none."""
        return map(self._job, self._splitter.feed(chunk))

    def close(self) -> Iterator[Job]:
        """The job of the last line, where the source does not end with a line's end."""
        return map(self._job, self._splitter.close())

    def _job(self, line: Line) -> Job:
        if self._form is None:
            self._form = Form.JSON_LINES if line.text.startswith("{") else Form.TEXT
        self.count += 1
        return job_of_line(line, self._form, self._wishes)


def _routed(job: Job, place: str) -> Job:
    if not job.routes:
        raise SettingError(f"{place} has {NO_ROUTE}")
    return job


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        known = f"; known are {', '.join(FIELDS)}" if "unknown field" in str(error) else ""
        return f"{str(error)[0].lower()}{str(error)[1:]}{known}"
    return f"this is no JSON object ({error})" if isinstance(error, DecodeError) else str(error)


def _request(record: _Record, wishes: Wishes) -> Request:
    turns = [Message(Role(turn.role), turn.text) for turn in record.messages if turn.role != "system"]
    said = [turn.text for turn in record.messages if turn.role == "system"]
    system = wishes.system if record.system is None else record.system
    return Request(
        turns or record.prompt,
        system="\n\n".join([system, *said] if system else said),
        tools=wishes.tools if record.tools is None else read_tools(record.tools),
        limits=Limits(
            max_tokens=wishes.max_tokens if record.max_tokens is None else record.max_tokens,
            thinking_tokens=record.thinking_tokens,
            temperature=record.temperature,
            top_p=record.top_p,
            stop=record.stop,
        ),
        schema=record.schema,
        extras=record.extras,
    )
