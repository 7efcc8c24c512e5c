"""What all streams of a service share: each route's circuit, each provider's retry budget, and memory.

Written where an attempt starts, ends or is repeated; read as a snapshot, `Conditions`, by the judgement that follows a fault.
"""

import math
from collections import Counter
from enum import Enum
from typing import Self

import trio

from actors.failure import CIRCUIT_OPEN, Failure, FailureKind
from actors.policy.brakes import Brakes, Memory, answered, sick
from actors.policy.directive import Conditions
from actors.route import Route
from actors.source import OversizeError
from supervisor import Circuit, CircuitState, Tokens

PROBE_SECONDS = 1.0
"""How soon to ask again for a circuit whose probes are all under way."""


class Pass(Enum):
    """How an attempt was let through: as any other, or to probe a route whose circuit is half open."""

    FREE = "free"
    PROBE = "probe"


class Purse:
    """What one attempt holds of the memory that all of them share, in bytes of what the model said; used in `with`."""

    __slots__ = ("_held", "_most", "_shared", "_streams", "_together")

    def __init__(self, shared: "Shared", memory: Memory, *, streams: bool) -> None:
        most = memory.stream if streams else memory.answer
        self._most = math.inf if most is None else most
        self._together = math.inf if memory.together is None or not streams else memory.together
        self._shared, self._streams, self._held = shared, streams, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shared.held -= self._held

    def hold(self, total: int) -> None:
        """The attempt holds so much now; raises `MemoryError`, or `OversizeError` for an answer in one piece, where that is too much."""
        if total == self._held:
            return
        self._shared.held += total - self._held
        self._held = total
        if total > self._most:
            message = f"the answer holds {total} bytes, and {self._most:g} are the most that it may"
            raise MemoryError(message) if self._streams else OversizeError(message)
        if self._shared.held > self._together:
            message = f"all answers together hold {self._shared.held} bytes, and {self._together:g} are the most that they may"
            raise MemoryError(message)


class Shared:
    """Circuits by route, for a model can be down alone; retry budgets by provider; what the answers under way hold, in bytes."""

    def __init__(self, brakes: Brakes) -> None:
        self._brakes = brakes
        self.held = 0
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
            self._brakes.busy,
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

    def purse(self, *, streams: bool) -> "Purse":
        """What one attempt holds."""
        return Purse(self, self._brakes.memory, streams=streams)

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
