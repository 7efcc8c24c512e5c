"""OTP-grade supervision on trio: trees of children that are started in order, kept alive by rules, and stopped in order.

Everything public is named here; `supervisor.testing` and `supervisor.telemetry` are the other doors.
"""

import pkgutil

from supervisor.errors import (
    BadSpec,
    CalleeDied,
    ChildAlive,
    ChildDown,
    ChildExists,
    GaveUp,
    MailboxFull,
    NameTaken,
    NoMailbox,
    NotAChild,
    SelfAsk,
    StartFailed,
    SupervisorError,
    TooDeep,
    TooManyChildren,
    TreeStopped,
    UnknownChild,
    UnknownName,
    WouldDeadlock,
)
from supervisor.exits import CrashSummary, Down, Exit, ExitKind, Fault, Ignore, Leave, Past
from supervisor.lifecycle import (
    ChildEnded,
    ChildExited,
    ChildOverdue,
    ChildReady,
    ChildRestarting,
    ChildStarting,
    ChildStopping,
    MailboxOverflowed,
    Record,
    State,
    SupervisorEnded,
    SupervisorGaveUp,
    SupervisorStarted,
    SupervisorStopping,
    line,
)
from supervisor.policy.backoff import Backoff
from supervisor.policy.breaker import Breaker, Circuit, CircuitState
from supervisor.policy.budget import RetryBudget, Tokens
from supervisor.policy.response import HISTORY, Next, Retry, Rung, Rungs
from supervisor.runtime.actor import behave, watch
from supervisor.runtime.cleanup import cleanup
from supervisor.runtime.flags import Flags
from supervisor.runtime.incarnation import Incarnation, current_child, keep
from supervisor.runtime.mailbox import Call, Mailbox
from supervisor.runtime.ref import ChildRef
from supervisor.runtime.registry import Registry
from supervisor.runtime.snapshot import ChildStatus, Count, TreeSnapshot, top
from supervisor.runtime.subtree import subtree
from supervisor.runtime.tree import Supervisor, open_supervisor
from supervisor.spec import (
    Again,
    Answer,
    AutoShutdown,
    Bounds,
    Child,
    Escalate,
    Overflow,
    Respond,
    Restart,
    Stop,
    Strategy,
)

# Another distribution installs files under the same name: what it puts beside ours stays importable.
__path__ = pkgutil.extend_path(__path__, __name__)

__all__ = [
    "HISTORY",
    "Again",
    "Answer",
    "AutoShutdown",
    "Backoff",
    "BadSpec",
    "Bounds",
    "Breaker",
    "Call",
    "CalleeDied",
    "Child",
    "ChildAlive",
    "ChildDown",
    "ChildEnded",
    "ChildExists",
    "ChildExited",
    "ChildOverdue",
    "ChildReady",
    "ChildRef",
    "ChildRestarting",
    "ChildStarting",
    "ChildStatus",
    "ChildStopping",
    "Circuit",
    "CircuitState",
    "Count",
    "CrashSummary",
    "Down",
    "Escalate",
    "Exit",
    "ExitKind",
    "Fault",
    "Flags",
    "GaveUp",
    "Ignore",
    "Incarnation",
    "Leave",
    "Mailbox",
    "MailboxFull",
    "MailboxOverflowed",
    "NameTaken",
    "Next",
    "NoMailbox",
    "NotAChild",
    "Overflow",
    "Past",
    "Record",
    "Registry",
    "Respond",
    "Restart",
    "Retry",
    "RetryBudget",
    "Rung",
    "Rungs",
    "SelfAsk",
    "StartFailed",
    "State",
    "Stop",
    "Strategy",
    "Supervisor",
    "SupervisorEnded",
    "SupervisorError",
    "SupervisorGaveUp",
    "SupervisorStarted",
    "SupervisorStopping",
    "Tokens",
    "TooDeep",
    "TooManyChildren",
    "TreeSnapshot",
    "TreeStopped",
    "UnknownChild",
    "UnknownName",
    "WouldDeadlock",
    "behave",
    "cleanup",
    "current_child",
    "keep",
    "line",
    "open_supervisor",
    "subtree",
    "top",
    "watch",
]
