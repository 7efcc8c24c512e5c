"""Language-model streams as supervised actors.

Ground: values (messages, requests, deltas, outcomes).  First floor: `policy` and `wire`, pure.  Second floor: `runtime`, the trio
tasks.  Roof: `providers`, `observe`, `chaos`.  Attic: `cli`.  Everything public is named here and in `actors.chaos`.
"""

import actors.clash  # noqa: F401  # pyright: ignore[reportUnusedImport] -- first of all: tells a foreign supervisor apart
from actors.config import Expiring, Settings
from actors.deltas import (
    AttemptAbandoned,
    AttemptStarted,
    CitationDelta,
    Delta,
    Finish,
    Finished,
    FinishReason,
    PartEnded,
    Progress,
    Reach,
    ResponseStarted,
    Restarted,
    SignatureDelta,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallReady,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from actors.errors import ActorsError, RecordingStopped, SettingError, StreamClosed
from actors.failure import Category, Disposition, Failure, FailureKind, NextKey, Phase
from actors.ladder import Buffered, Ladder, Seam, Switch
from actors.messages import (
    Foreign,
    Image,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    assistant,
    user,
)
from actors.outcome import Attempt, IncompleteCall, Outcome, RetryExhausted, Status, StreamFailed
from actors.providers.foreign import from_call, from_deltas
from actors.providers.replay import from_recording
from actors.request import Limits, Request, Tool, ToolChoice
from actors.route import Clocks, Mode, Route
from actors.runtime.stream import Stream
from actors.runtime.streams import Streams
from actors.source import (
    EncodingError,
    MalformedError,
    Provider,
    RefusedError,
    Source,
    TruncatedError,
    WireError,
)
from actors.streams import open_streams, serve_streams
from actors.tools import check_call, failed_call
from supervisor import Backoff, Retry

__all__ = [
    "ActorsError",
    "Attempt",
    "AttemptAbandoned",
    "AttemptStarted",
    "Backoff",
    "Buffered",
    "Category",
    "CitationDelta",
    "Clocks",
    "Delta",
    "Disposition",
    "EncodingError",
    "Expiring",
    "Failure",
    "FailureKind",
    "Finish",
    "FinishReason",
    "Finished",
    "Foreign",
    "Image",
    "IncompleteCall",
    "Ladder",
    "Limits",
    "MalformedError",
    "Message",
    "Mode",
    "NextKey",
    "Outcome",
    "Part",
    "PartEnded",
    "Phase",
    "Progress",
    "Provider",
    "Reach",
    "RecordingStopped",
    "RefusedError",
    "Request",
    "ResponseStarted",
    "Restarted",
    "Retry",
    "RetryExhausted",
    "Role",
    "Route",
    "Seam",
    "SettingError",
    "Settings",
    "SignatureDelta",
    "Source",
    "Status",
    "Stream",
    "StreamClosed",
    "StreamEvent",
    "StreamFailed",
    "Streams",
    "Switch",
    "Text",
    "TextDelta",
    "Thinking",
    "ThinkingDelta",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallReady",
    "ToolCallStarted",
    "ToolChoice",
    "ToolResult",
    "TruncatedError",
    "Usage",
    "UsageDelta",
    "WireError",
    "assistant",
    "check_call",
    "failed_call",
    "from_call",
    "from_deltas",
    "from_recording",
    "open_streams",
    "serve_streams",
    "user",
]
