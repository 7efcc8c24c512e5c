"""What all streams of a service share: each route's circuit and each provider's retry budget.

Written where an attempt starts, ends or is repeated; read as a snapshot, `Conditions`, by the judgement that follows a fault.
"""

from collections import Counter
from enum import Enum

import trio

from actors.failure import CIRCUIT_OPEN, Failure, FailureKind
from actors.policy.brakes import Brakes, answered, sick
from actors.policy.directive import Conditions
from actors.route import Route
from supervisor import Circuit, CircuitState, Tokens

PROBE_SECONDS = 1.0
"""How soon to ask again for a circuit whose probes are all under way."""


class Pass(Enum):
    """How an attempt was let through: as any other, or to probe a route whose circuit is half open."""

    FREE = "free"
    PROBE = "probe"


class Shared:
    """Circuits by route, for a model can be down alone; retry budgets by provider."""

    def __init__(self, brakes: Brakes) -> None:
        self._brakes = brakes
        self._circuits: dict[str, Circuit] = {}
        self._tokens: dict[str, Tokens] = {}
        self._in_flight: Counter[str] = Counter()

    def now(self) -> Conditions:
        """A snapshot of this moment."""
        return self.conditions(trio.current_time())

    def conditions(self, now: float) -> Conditions:
        """A snapshot for the judgement, as of `now` in seconds."""
        paused = {name: self._open_until(circuit, now) for name, circuit in self._circuits.items()}
        return Conditions(
            {name: until for name, until in paused.items() if until > now},
            {provider: tokens.amount for provider, tokens in self._tokens.items()},
        )

    def admit(self, route: Route, now: float) -> Pass | Failure:
        """Let an attempt through to its route, or say why not; one that is let through owes a `verdict`."""
        passed = self._passed(route, now)
        if passed is not None:
            self._in_flight.update((route.name, route.provider))
            self._deposit(route.provider, now)
            return passed
        wait = self._open_until(self._circuits[route.name], now) - now
        message = f"failed too often to be asked again before {wait:.1f} s are over"
        return Failure(
            FailureKind.UNAVAILABLE,
            message,
            provider=route.provider,
            model=route.model,
            code=CIRCUIT_OPEN,
            retry_after=wait,
        )

    def _passed(self, route: Route, now: float) -> Pass | None:
        breaker, circuit = self._brakes.breaker, self._circuits.get(route.name)
        if breaker is None or circuit is None:
            return Pass.FREE
        admitted, self._circuits[route.name] = breaker.admit(circuit, now)
        if not admitted:
            return None
        return Pass.PROBE if circuit.state(now) is CircuitState.HALF_OPEN else Pass.FREE

    def verdict(self, route: Route, passed: Pass, failure: Failure | None, now: float) -> None:
        """An attempt that was let through ended: complete, with a failure, or left by its stream (`LEAVE` kinds)."""
        breaker = self._brakes.breaker_of(self._in_flight[route.name])
        self._in_flight.subtract((route.name, route.provider))
        if breaker is None:
            return
        circuit = self._circuits.get(route.name)
        if failure is not None and sick(failure.kind, failure.phase):
            self._circuits[route.name] = breaker.failed(circuit or Circuit(), now)
        elif circuit is not None and (failure is None or answered(failure)):
            self._circuits[route.name] = breaker.succeeded(circuit, now)
        elif circuit is not None and passed is Pass.PROBE:
            # Only a probe gives a probe's place back: who was let through before the circuit opened took none.
            self._circuits[route.name] = breaker.released(circuit, now)

    def repeated(self, provider: str, now: float) -> None:
        """The judgement sent a stream to its provider once more."""
        budget = self._brakes.budget_of(self._in_flight[provider])
        if budget is not None and provider in self._tokens:
            _, self._tokens[provider] = budget.withdraw(self._tokens[provider], now)

    def _deposit(self, provider: str, now: float) -> None:
        usual, budget = self._brakes.budget, self._brakes.budget_of(self._in_flight[provider])
        if usual is not None and budget is not None:
            self._tokens[provider] = budget.deposit(self._tokens.get(provider) or usual.full(now), now)

    def _open_until(self, circuit: Circuit, now: float) -> float:
        match circuit.state(now):
            case CircuitState.CLOSED:
                return now
            case CircuitState.OPEN:
                return circuit.open_until or now
            case CircuitState.HALF_OPEN:
                probes = self._brakes.breaker.probes if self._brakes.breaker else 1
                return now + PROBE_SECONDS if circuit.probing >= probes else now
