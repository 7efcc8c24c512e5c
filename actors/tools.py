"""What the model is told where its call of a tool failed, so that the conversation goes on.

Pure.  The one rule: a call that cannot be run is answered, never dropped: providers refuse a conversation in which a call has no result.
"""

from collections.abc import Iterable

from actors.failure import Failure, FailureKind, Phase
from actors.messages import ToolCall, ToolResult
from actors.outcome import IncompleteCall
from actors.request import Tool


def check_call(call: ToolCall, tools: Iterable[Tool]) -> Failure | None:
    """The failure of a call of a tool that was not offered, with those that were; `None` where it was."""
    names = [tool.name for tool in tools]
    if call.name in names:
        return None
    offered = f"the tools are {', '.join(names)}" if names else "there are no tools"
    return Failure(FailureKind.UNKNOWN_TOOL, f"there is no tool {call.name!r}; {offered}", Phase.FINALISATION)


def failed_call(call: ToolCall | IncompleteCall, failure: Failure) -> ToolResult:
    """The result to send back for a call that failed, marked as an error."""
    return ToolResult(call.id, f"{failure.title}: {failure.message}", is_error=True, name=call.name)
