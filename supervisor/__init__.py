"""OTP-grade supervision on trio: trees of children that are started in order, kept alive by rules, and stopped in order.

Everything public is named here; `supervisor.testing` and `supervisor.telemetry` are the other doors.
"""

import pkgutil

from supervisor.errors import (
    BadSpec,
    ChildAlive,
    ChildExists,
    GaveUp,
    NotAChild,
    StartFailed,
    SupervisorError,
    TooDeep,
    TreeStopped,
    UnknownChild,
)
from supervisor.exits import CrashSummary, Exit, ExitKind, Fault, Past
from supervisor.lifecycle import (
    ChildEnded,
    ChildExited,
    ChildOverdue,
    ChildReady,
    ChildRestarting,
    ChildStarting,
    ChildStopping,
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
from supervisor.runtime.flags import Flags
from supervisor.runtime.incarnation import Incarnation, cleanup, current_child, keep
from supervisor.runtime.slot import ChildRef
from supervisor.runtime.snapshot import ChildStatus, Count, TreeSnapshot
from supervisor.runtime.tree import Supervisor, open_supervisor, subtree
from supervisor.spec import Again, Answer, AutoShutdown, Child, Escalate, Respond, Restart, Stop, Strategy

# Another distribution installs files under the same name: what it puts beside ours stays importable.
__path__ = pkgutil.extend_path(__path__, __name__)

__all__ = [
    "HISTORY",
    "Again",
    "Answer",
    "AutoShutdown",
    "Backoff",
    "BadSpec",
    "Breaker",
    "Child",
    "ChildAlive",
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
    "Escalate",
    "Exit",
    "ExitKind",
    "Fault",
    "Flags",
    "GaveUp",
    "Incarnation",
    "Next",
    "NotAChild",
    "Past",
    "Record",
    "Respond",
    "Restart",
    "Retry",
    "RetryBudget",
    "Rung",
    "Rungs",
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
    "TreeSnapshot",
    "TreeStopped",
    "UnknownChild",
    "cleanup",
    "current_child",
    "keep",
    "line",
    "open_supervisor",
    "subtree",
]
