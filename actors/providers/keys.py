"""The keys of one provider, as its attempts take them: which one, a client made with it, and what its answer says of it.

The official client authenticates, so there is one for each key.  A key that was refused is renewed, where somebody can, by the next attempt
that takes it: all that wait for a new key at one moment share one call.  The one rule (P5): a request is sent once; what a refused key means
for the stream is told in the error, and the judgement sends it on.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import attrs
import trio

from actors.config import PROVIDERS, Endpoint, Expiring, Refresh, Secret
from actors.errors import SettingError
from actors.failure import Disposition, FailureKind, NextKey, Phase
from actors.policy.classify import classify
from actors.policy.keyring import REFUSED, RENEWABLE, REST_SECONDS, Keyring
from actors.redaction import shown
from actors.source import RefusedError
from actors.variables import read_key

C = TypeVar("C")
T = TypeVar("T")

EARLY_SECONDS = 30.0
"""How long before its end a key is renewed, so that none ends on its way."""

TOLD_BYTES = 160
"""What is kept of what a refresher says; the name of the key has to fit behind it."""


@attrs.define(eq=False)
class _Slot(Generic[C]):
    """One place on the ring: the client made with its key, until when that is good, whether it was ever accepted."""

    key: Secret
    client: C | None = None
    good_until: float = float("inf")
    stale: bool = False
    proven: bool = True


@attrs.define(eq=False)
class _Flight:
    """One call for a new key, and everybody who waits for it."""

    landed: trio.Event = attrs.field(factory=trio.Event)
    failure: RefusedError | None = None


class Keys(Generic[C]):
    """Clients by key: `make` gives the official client for the text of one, which is empty for a server that wants none."""

    def __init__(self, endpoint: Endpoint, make: Callable[[str], C]) -> None:
        self._provider = endpoint.provider
        self._refresh = endpoint.refresh
        self._tell = endpoint.tell
        self._make = make
        missing = not endpoint.keys and self._refresh is not None
        self._slots = [_Slot[C](key, stale=missing) for key in endpoint.keys or (Secret(""),)]
        self._ring = Keyring.of(len(self._slots))
        self._flights: dict[int, _Flight] = {}
        if not missing:
            self._client(self._slots[0])  # what is wrong with it shows, and takes its time, before any clock runs

    async def ask(self, ask: Callable[[C], Awaitable[T]]) -> T:
        """Send one request, with a key whose turn it is; raises what `ask` raises, a refusal with what it means for the key.

        Raises `RefusedError` where no new key is to be had.
        """
        place, self._ring = self._ring.take(trio.current_time())
        slot = self._slots[place]
        while self._refresh is not None and self._over(slot):
            await self._renew(place, self._refresh)
            slot = self._slots[place]
        try:
            answer = await ask(self._client(slot))
        except RefusedError as error:
            self._judge(place, slot, error)
            raise
        self._accept(place, slot)
        return answer

    def _client(self, slot: "_Slot[C]") -> C:
        if slot.client is None:
            slot.client = self._make(slot.key.reveal())
        return slot.client

    def _over(self, slot: "_Slot[C]") -> bool:
        return slot.stale or slot.good_until - EARLY_SECONDS <= trio.current_time()

    # -- what an answer says of its key

    def _accept(self, place: int, slot: "_Slot[C]") -> None:
        slot.proven = True
        if slot is self._slots[place]:
            slot.stale = False
            self._ring = self._ring.accepted(place)

    def _judge(self, place: int, slot: "_Slot[C]", error: RefusedError) -> None:
        now, failure = trio.current_time(), classify(error, Phase.CONNECTION)
        kind = FailureKind.UNKNOWN if failure is None else failure.kind
        if kind is FailureKind.RATE_LIMIT:
            self._rest(place, error, now)
        elif kind in REFUSED:
            error.next_key = self._set_aside(place, slot, kind, now)
        if len(self._slots) > 1 and (kind in REFUSED or kind is FailureKind.RATE_LIMIT):
            error.message = f"{shown(error.message, TOLD_BYTES)} (key {place + 1} of {len(self._slots)})"
            error.args = (error.message,)

    def _rest(self, place: int, error: RefusedError, now: float) -> None:
        self._ring = self._ring.rested(place, now + (REST_SECONDS if error.retry_after is None else error.retry_after))
        if self._ring.another(place, now):
            error.next_key = NextKey.ANOTHER
        elif len(self._slots) > 1 and error.retry_after is not None:
            error.retry_after = min(error.retry_after, self._ring.soonest(now))

    def _set_aside(self, place: int, slot: "_Slot[C]", kind: FailureKind, now: float) -> NextKey:
        if slot is not self._slots[place]:
            return NextKey.RENEWED  # while this one was under way another attempt had it renewed
        slot.stale = self._refresh is not None and kind in RENEWABLE
        hopeful = slot.stale and slot.proven  # when its turn comes again it is renewed
        if not hopeful:
            self._ring = self._ring.refused(place, now)
        if self._ring.another(place, now):
            return NextKey.ANOTHER
        # A new key that was never good is no reason for yet another one, until the next stream asks.
        return NextKey.RENEWED if hopeful else NextKey.NONE

    # -- new keys

    async def _renew(self, place: int, refresh: Refresh) -> None:
        """Have one new key made for this place, together with whoever else waits for it; raises `RefusedError` where that fails."""
        flight = self._flights.get(place)
        if flight is not None:
            await flight.landed.wait()
            if flight.failure is not None:
                raise _again(flight.failure)
            return
        flight = self._flights[place] = _Flight()
        try:
            self._slots[place] = self._replaced(await refresh())
            self._ring = self._ring.renewed(place)
        except Exception as error:
            flight.failure = self._failed(error)
            raise flight.failure from error
        finally:
            # Cancelled with its stream, the call is made again by whoever waited and now finds the key as it was.
            del self._flights[place]
            flight.landed.set()

    def _replaced(self, given: str | Expiring) -> "_Slot[C]":
        expiring = given if isinstance(given, Expiring) else Expiring(given)
        if not isinstance(expiring.key, str) or not expiring.key.strip():  # pyright: ignore[reportUnnecessaryIsInstance] -- a caller's
            raise SettingError(f"the refresher of {self._provider} gave no text; give a key")
        slot = _Slot[C](
            read_key(f"what the refresher of {self._provider} gave", expiring.key),
            good_until=trio.current_time() + expiring.seconds,
            proven=False,
        )
        if self._tell is not None:
            self._tell(slot.key.reveal())
        self._client(slot)
        return slot

    def _failed(self, error: Exception) -> RefusedError:
        """A refusal; that of a place which cannot be reached, or is ill, is a service that is not there."""
        told = error.message if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}"
        failure = classify(error, Phase.CONNECTION)
        passing = failure is not None and failure.disposition is Disposition.RETRY
        said = f"no new key for {self._provider} was to be had: {shown(told, TOLD_BYTES)}"
        return RefusedError(said, status=503 if passing else 401, kind="no_new_key")


def require_key(endpoint: Endpoint, whom: str) -> None:
    """Raises `SettingError` where there is no key and nobody to give one."""
    if not endpoint.keys and endpoint.refresh is None:
        name = PROVIDERS[endpoint.provider].key
        raise SettingError(f"{name} is not set, and {whom} answers nobody without a key: export it")


def _again(failure: RefusedError) -> RefusedError:
    """The same failure for another attempt: an exception that is raised twice would gather the frames of both."""
    return RefusedError(failure.message, status=failure.status, kind=failure.kind)
