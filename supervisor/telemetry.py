"""A hook that counts what happens in a tree, for OpenTelemetry.

`open_supervisor(hook=Telemetry())` counts with the meter of the program; without an SDK installed that costs next to nothing. Labels name the
supervisor and never a child, so that a pool of a hundred thousand children is one time series.
"""

from opentelemetry import metrics

from supervisor.lifecycle import (
    ChildExited,
    ChildOverdue,
    ChildRestarting,
    ChildStarting,
    Record,
    SupervisorGaveUp,
)

__all__ = ["Telemetry"]


class Telemetry:
    """Instruments, each with the label `supervisor.path`; times are in seconds.

    `supervisor.child.starts`, `supervisor.child.exits` (label `exit.kind`), `supervisor.child.restarts`, `supervisor.child.alive`,
    `supervisor.child.uptime`, `supervisor.child.overdue`, `supervisor.gave_up`.
    """

    def __init__(self, meter: metrics.Meter | None = None) -> None:
        meter = meter or metrics.get_meter("supervisor")
        self._starts = meter.create_counter("supervisor.child.starts", "{start}", "Incarnations begun")
        self._exits = meter.create_counter("supervisor.child.exits", "{exit}", "Incarnations ended")
        self._restarts = meter.create_counter("supervisor.child.restarts", "{restart}", "Returns decided on")
        self._alive = meter.create_up_down_counter("supervisor.child.alive", "{child}", "Incarnations alive")
        self._uptime = meter.create_histogram("supervisor.child.uptime", "s", "Life of an incarnation")
        self._overdue = meter.create_counter(
            "supervisor.child.overdue", "{report}", "Reports of children past their grace"
        )
        self._gave_up = meter.create_counter("supervisor.gave_up", "{supervisor}", "Supervisors that gave up")

    def __call__(self, record: Record) -> None:
        """Count one record."""
        above = {"supervisor.path": "/".join(record.path[:-1])}
        match record:
            case ChildStarting():
                self._starts.add(1, above)
                self._alive.add(1, above)
            case ChildExited(exit=end, uptime=uptime):
                self._exits.add(1, above | {"exit.kind": end.kind.value})
                self._alive.add(-1, above)
                self._uptime.record(uptime, above)
            case ChildRestarting():
                self._restarts.add(1, above)
            case ChildOverdue():
                self._overdue.add(1, above)
            case SupervisorGaveUp():
                self._gave_up.add(1, {"supervisor.path": "/".join(record.path)})
            case _:
                pass
