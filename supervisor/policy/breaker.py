"""A circuit breaker as values: what is shared by all who call one dependency.

Closed lets everyone pass and counts failures; open lets nobody pass until `rest` is over; half-open lets `probes` pass, and the first verdict
decides. A rule holds no state: each call takes a circuit and gives the next one.
"""

from enum import Enum

import attrs

from supervisor.errors import BadSpec
from supervisor.spec import is_seconds


class CircuitState(Enum):
    """What a circuit does with the next caller."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@attrs.frozen
class Circuit:
    """The state of one dependency: recent failures while closed, the end of the rest while open, and probes under way."""

    failures: tuple[float, ...] = ()
    open_until: float | None = None
    probing: int = 0

    def state(self, now: float) -> CircuitState:
        """Closed, open or half-open at `now`."""
        if self.open_until is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now < self.open_until else CircuitState.HALF_OPEN


CLOSED = Circuit()
"""A circuit that has seen no failure."""


@attrs.frozen(kw_only=True)
class Breaker:
    """The rule: `failures` within `within` seconds open the circuit for `rest` seconds; then `probes` may try at a time."""

    failures: int = 5
    within: float = 30.0
    rest: float = 15.0
    probes: int = 1

    def __attrs_post_init__(self) -> None:
        for field, least in (("failures", 1), ("probes", 1)):
            count = getattr(self, field)
            if not isinstance(count, int) or count < least:
                raise BadSpec("Breaker", field, count, f"give a whole number from {least}")
        for field in ("within", "rest"):
            seconds = getattr(self, field)
            if not is_seconds(seconds) or seconds <= 0:
                raise BadSpec("Breaker", field, seconds, "give seconds above 0")

    def admit(self, circuit: Circuit, now: float) -> tuple[bool, Circuit]:
        """Whether a caller may pass at `now`; one that passes owes a verdict: `succeeded`, `failed` or `released`."""
        match circuit.state(now):
            case CircuitState.CLOSED:
                return True, circuit
            case CircuitState.OPEN:
                return False, circuit
            case CircuitState.HALF_OPEN if circuit.probing < self.probes:
                return True, attrs.evolve(circuit, probing=circuit.probing + 1)
            case _:
                return False, circuit

    def succeeded(self, circuit: Circuit, now: float) -> Circuit:
        """A caller that had passed was served. Latecomers from before the circuit opened do not close it."""
        return circuit if circuit.state(now) is CircuitState.OPEN else CLOSED

    def failed(self, circuit: Circuit, now: float) -> Circuit:
        """A caller that had passed met a failure of the dependency."""
        match circuit.state(now):
            case CircuitState.OPEN:
                return circuit
            case CircuitState.HALF_OPEN:
                return Circuit(open_until=now + self.rest)
            case CircuitState.CLOSED:
                recent = (*(at for at in circuit.failures if at >= now - self.within), now)
                return Circuit(open_until=now + self.rest) if len(recent) >= self.failures else Circuit(recent)

    def released(self, circuit: Circuit, now: float) -> Circuit:
        """A caller that had passed ended without a verdict: cancelled, or failed for a reason of its own."""
        if circuit.state(now) is not CircuitState.HALF_OPEN:
            return circuit
        return attrs.evolve(circuit, probing=max(0, circuit.probing - 1))
