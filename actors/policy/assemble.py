"""The fold of deltas into an answer.

One assembly belongs to one attempt: a new attempt starts an empty one, so nothing is in the answer twice (P6).  A tool call leaves it only
when its part closed, its JSON parsed strictly and the finish reason releases it (P8); everything else stays readable as a partial (P9).
A delta that contradicts the ones before it is `MalformedError`: what it would overwrite is never lost silently.
"""

from io import StringIO

import msgspec

from actors.deltas import (
    CitationDelta,
    Delta,
    Finish,
    Finished,
    PartEnded,
    Progress,
    Reach,
    ResponseStarted,
    Restarted,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallReady,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from actors.messages import Json, Part, Text, Thinking, ToolCall
from actors.outcome import IncompleteCall
from actors.policy.decisions import acts
from actors.source import MalformedError

_BLANK = " \t\r\n"
"""What JSON calls white space."""


class _Open:
    """A part that may still grow."""

    __slots__ = ("citations", "id", "name", "reach", "signature", "written")

    def __init__(self, reach: Reach, name: str = "", call_id: str = "") -> None:
        self.reach = reach
        self.name = name
        self.id = call_id
        # One growing buffer: a string object a delta would cost more memory than its text, joining them now and then more time.
        self.written = StringIO()
        self.signature = ""
        self.citations: tuple[Json, ...] = ()

    @property
    def text(self) -> str:
        return self.written.getvalue()

    def part(self) -> Part | None:
        """The part so far; `None` where it is a call or nothing arrived."""
        text = self.text
        if self.reach is Reach.TOOL_CALL or not (text or self.signature or self.citations):
            return None
        return Thinking(text, self.signature) if self.reach is Reach.THINKING else Text(text, self.citations)


def parse_arguments(fragment: str) -> Json | None:
    """A call's arguments, strictly: a JSON object, or nothing at all, which means `{}`; `None` for anything else."""
    if not fragment.strip(_BLANK):
        return {}
    try:
        return msgspec.json.decode(fragment, type=dict[str, object])
    except (ValueError, RecursionError):
        return None


class Assembly:
    """What one attempt has delivered so far."""

    __slots__ = (
        "_acted",
        "_closed",
        "_cut",
        "_events",
        "_open",
        "_reach",
        "characters",
        "finish",
        "model",
        "response_id",
        "usage",
    )

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}
        self._closed: dict[int, Part] = {}
        self._cut: dict[int, _Open] = {}
        self._events = 0
        self._acted = False
        self.characters = 0
        self._reach = Reach.NOTHING
        self.usage = Usage()
        self.finish: Finish | None = None
        self.model = ""
        self.response_id = ""

    def add(self, delta: Delta) -> bool:  # noqa: C901 -- one case a kind of delta, the hottest first
        """Take one delta in; says whether it was content (progress, for the clocks).  Raises `MalformedError`."""
        content = False
        match delta:
            case TextDelta(text, index):
                content = self._grow(index, Reach.TEXT, text)
            case ThinkingDelta(text, index):
                content = self._grow(index, Reach.THINKING, text)
            case ToolCallDelta(fragment, index):
                content = self._argue(index, fragment)
            case ToolCallStarted(name, call_id, index):
                self._begin(index, _Open(Reach.TOOL_CALL, name, call_id))
                content = self._count(Reach.TOOL_CALL)
            case PartEnded(index, part):
                content = self._close(index, part)
            case SignatureDelta(signature, index):
                opened = self._open.get(index) or self._begin(index, _Open(Reach.THINKING))
                opened.signature += signature
                content = self._count(opened.reach)
            case CitationDelta(citation, index):
                opened = self._open.get(index) or self._begin(index, _Open(Reach.TEXT))
                opened.citations = (*opened.citations, citation)
                content = self._count(opened.reach)
            case UsageDelta(usage):
                self.usage = usage
            case Restarted(index=index):
                self._discard(index)
            case ResponseStarted(response_id, model):
                self.response_id, self.model = response_id, model
            case Finished(finish):
                self.finish = finish
        return content

    def _begin(self, index: int, opened: _Open) -> _Open:
        if index in self._open:
            message = f"part {index} begins while it is open"
            raise MalformedError(message)
        self._check_not_closed(index)
        self._open[index] = opened
        return opened

    def _check_not_closed(self, index: int) -> None:
        if index in self._closed or index in self._cut:
            message = f"part {index} goes on after its end"
            raise MalformedError(message)

    def _grow(self, index: int, reach: Reach, text: str) -> bool:
        if not text:
            return False
        part = self._open.get(index)
        if part is None:
            part = self._begin(index, _Open(reach))
        elif part.reach is not reach:
            message = (
                f"part {index} is {part.reach.name} and cannot take {reach.name}: give each part an index of its own"
            )
            raise MalformedError(message)
        part.written.write(text)
        return self._count(reach, len(text))

    def _count(self, reach: Reach, characters: int = 0) -> bool:
        self._events += 1
        self.characters += characters
        if reach is not self._reach:
            self._reach = max(self._reach, reach, key=_value)
        return True

    def _argue(self, index: int, fragment: str) -> bool:
        if index not in self._open:
            message = f"arguments for part {index}, which is no open tool call"
            raise MalformedError(message)
        return self._grow(index, Reach.TOOL_CALL, fragment)

    def _close(self, index: int, part: Part | None) -> bool:
        self._check_not_closed(index)
        opened = self._open.pop(index, None)
        if part is not None:
            self._closed[index] = part
            self._acted |= acts(part)
            self._reach = max(self._reach, _reach_of(part), key=_value)
            return opened is None and self._count(_reach_of(part), _characters(part))
        if opened is not None and opened.reach is Reach.TOOL_CALL:
            self._close_call(index, opened)
        elif opened is not None and (made := opened.part()) is not None:
            self._closed[index] = made
        return False

    def _close_call(self, index: int, opened: _Open) -> None:
        arguments = parse_arguments(opened.text)
        if arguments is None:
            self._cut[index] = opened
        else:
            self._closed[index] = ToolCall(opened.id, opened.name, arguments, opened.signature)

    def _discard(self, index: int) -> None:
        """Forget the parts from `index` on; what is left is counted anew, but for events, which have left no trace in it."""
        for parts in (self._open, self._closed, self._cut):
            for gone in [at for at in parts if at >= index]:
                del parts[gone]
        left = [*self._open.values(), *self._cut.values()]
        reaches = [*(part.reach for part in left), *map(_reach_of, self._closed.values())]
        self._reach = max(reaches, key=_value, default=Reach.NOTHING)
        self.characters = sum(len(part.text) for part in left) + sum(map(_characters, self._closed.values()))
        self._events = self._events if reaches else 0

    @property
    def progress(self) -> Progress:
        """How far the content got, for the ladder and the seam."""
        open_ = [opened.reach for opened in self._open.values()] or [Reach.NOTHING]
        # Parts may be open side by side: a call among them forbids to go on, else the one begun last says where the model was.
        inside = Reach.TOOL_CALL if Reach.TOOL_CALL in open_ else open_[-1]
        return Progress(self._reach, self._events, self.characters, inside, self._acted)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Closed parts and the text or thinking of open ones, in the order of the answer; calls only when released."""
        found = dict(self._closed)
        for index, opened in self._open.items():
            if (part := opened.part()) is not None:
                found[index] = part
        return tuple(part for _, part in sorted(found.items(), key=_by_index) if self._may_show(part))

    def _may_show(self, part: Part) -> bool:
        return not isinstance(part, ToolCall) or part.hosted or self._releases

    @property
    def _releases(self) -> bool:
        return self.finish is not None and self.finish.releases

    @property
    def ready(self) -> tuple[ToolCallReady, ...]:
        """The tool calls that may be run, in the order of the answer."""
        if not self._releases:
            return ()
        calls = sorted(self._closed.items(), key=_by_index)
        return tuple(
            ToolCallReady(part, index) for index, part in calls if isinstance(part, ToolCall) and not part.hosted
        )

    @property
    def garbled(self) -> tuple[IncompleteCall, ...]:
        """The calls whose part closed over JSON that does not parse."""
        return tuple(IncompleteCall(cut.name, cut.id, cut.text) for _, cut in sorted(self._cut.items(), key=_by_index))

    @property
    def incomplete(self) -> tuple[IncompleteCall, ...]:
        """Every call that must not be run: cut off, garbled, or not released by the finish reason."""
        found = {index: IncompleteCall(cut.name, cut.id, cut.text) for index, cut in self._cut.items()}
        for index, opened in self._open.items():
            if opened.reach is Reach.TOOL_CALL:
                found[index] = IncompleteCall(opened.name, opened.id, opened.text)
        for index, part in self._closed.items():
            if isinstance(part, ToolCall) and not self._may_show(part):
                found[index] = IncompleteCall(part.name, part.id, _spelled(part.arguments))
        return tuple(call for _, call in sorted(found.items(), key=_by_index))


def _reach_of(part: Part) -> Reach:
    if isinstance(part, ToolCall):
        return Reach.TOOL_CALL
    return Reach.THINKING if isinstance(part, Thinking) else Reach.TEXT


def _characters(part: Part) -> int:
    return len(part.text) if isinstance(part, Text | Thinking) else 0


def _value(reach: Reach) -> int:
    return reach.value


def _spelled(arguments: Json) -> str:
    try:
        return msgspec.json.encode(arguments).decode()
    except (TypeError, ValueError, RecursionError):  # a client that is not ours closed the part over what is no JSON
        return repr(arguments)


def _by_index(item: tuple[int, object]) -> int:
    return item[0]
