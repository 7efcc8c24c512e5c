"""What deltas add up to, and how a reader is driven: plain code for tests, on purpose not the product's fold."""

from actors.deltas import (
    CitationDelta,
    Finished,
    PartEnded,
    ResponseStarted,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageDelta,
)
from actors.messages import Thinking, ToolCall
from actors.source import MalformedError, RefusedError, TruncatedError


def plain(signature):
    """A seal without its owner."""
    return signature.partition(":")[2]


class Told:
    """Everything the deltas say, in plain lists and strings."""

    def __init__(self):
        self.id = self.model = None
        self.texts, self.thoughts, self.signatures, self.citations, self.arguments = {}, {}, {}, {}, {}
        self.calls, self.parts, self.closed = {}, {}, []
        self.usage = None
        self.finish = None

    @property
    def text(self):
        return "".join(self.texts[index] for index in sorted(self.texts))

    @property
    def thinking(self):
        return "".join(self.thoughts[index] for index in sorted(self.thoughts))

    @property
    def asked(self):
        """Calls as (name, id, arguments as text), in order."""
        return [(*self.calls[index], self.arguments.get(index, "")) for index in sorted(self.calls)]


def fold(deltas):  # noqa: C901 -- one case a kind of delta
    told = Told()
    for delta in deltas:
        match delta:
            case ResponseStarted(id, model):
                assert told.id is None, "an answer starts once"
                told.id, told.model = id, model
            case TextDelta(text, index):
                _grow(told, told.texts, index, text)
            case ThinkingDelta(text, index):
                _grow(told, told.thoughts, index, text)
            case SignatureDelta(signature, index):
                _grow(told, told.signatures, index, plain(signature))
            case CitationDelta(citation, index):
                told.citations.setdefault(index, []).append(citation)
            case ToolCallStarted(name, id, index):
                assert index not in told.calls, "a call starts once"
                told.calls[index] = (name, id)
            case ToolCallDelta(fragment, index):
                assert index in told.calls, "arguments come after the start of their call"
                _grow(told, told.arguments, index, fragment)
            case PartEnded(index, part):
                assert index not in told.closed, "a part ends once"
                told.closed.append(index)
                if part is not None:
                    told.parts[index] = part
            case UsageDelta(usage):
                told.usage = usage
            case Finished(finish):
                assert told.finish is None, "an answer finishes once"
                told.finish = finish
    return told


def _grow(told, into, index, text):
    assert index not in told.closed, "nothing is added to a part that ended"
    into[index] = into.get(index, "") + text


def drive(reader, pieces):
    """The deltas of an answer in these pieces; then `reader.finished` and `reader.fault` say how it ended."""
    deltas = []
    for piece in pieces:
        deltas += reader.feed(piece)
        if reader.fault or reader.finished:
            return deltas
    deltas += reader.close()
    return deltas


def ending(reader):
    """How a reader ended, as a word."""
    fault = reader.fault
    assert (fault is None) == reader.finished, "an answer is finished or at fault, never both or neither"
    return "finished" if fault is None else fault_word(fault)


def fault_word(fault):
    match fault:
        case RefusedError():
            return f"refused {fault.status} {fault.kind or fault.code}".strip()
        case MalformedError():
            return "malformed"
        case TruncatedError():
            return "truncated"
    raise AssertionError(fault)


def hosted(told):
    """Calls the provider ran itself."""
    return [part for _, part in sorted(told.parts.items()) if isinstance(part, ToolCall) and part.hosted]


def redacted(told):
    return [part.text for _, part in sorted(told.parts.items()) if isinstance(part, Thinking) and part.redacted]
