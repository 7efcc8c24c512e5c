"""Several keys for one provider: which one the next attempt takes.

Pure: the clock is an argument.  Keys take turns, so each carries an even share.  One that was rate limited rests for as long as the provider
asked; one that was refused is set aside for good, or until an attempt under way with it is answered after all.  The one rule: there is
always a key to take: where none is fresh, the one that soonest will be, and where all were refused, the one refused longest ago.
"""

import attrs

from actors.failure import FailureKind

K = FailureKind

REFUSED = frozenset({K.INVALID_KEY, K.EXPIRED_KEY, K.MISSING_KEY, K.PERMISSION, K.QUOTA})
"""What is the matter with a key, and not with the provider: another key may do."""

RENEWABLE = frozenset({K.INVALID_KEY, K.EXPIRED_KEY, K.MISSING_KEY})
"""What a new key cures."""

REST_SECONDS = 5.0
"""How long a key rests that was rate limited, where the provider did not say."""


@attrs.frozen
class Hung:
    """A key on the ring: the turn at which it was taken last, until when it rests, and since when it is set aside (seconds)."""

    turn: int = 0
    rests_until: float = 0.0
    refused_at: float | None = None

    def fresh(self, now: float) -> bool:
        """Whether nothing speaks against it."""
        return self.refused_at is None and self.rests_until <= now


def _preference(hung: Hung, now: float) -> tuple[int, float, int]:
    if hung.refused_at is not None:
        return 2, hung.refused_at, hung.turn
    return (0, 0.0, hung.turn) if hung.fresh(now) else (1, hung.rests_until, hung.turn)


@attrs.frozen
class Keyring:
    """The keys of a provider by their place, from 0; at least one."""

    keys: tuple[Hung, ...]
    turns: int = 0

    @classmethod
    def of(cls, number: int) -> "Keyring":
        """A ring of so many fresh keys."""
        return cls((Hung(),) * number)

    def take(self, now: float) -> tuple[int, "Keyring"]:
        """The key for the next attempt, and the ring after."""
        place = min(range(len(self.keys)), key=lambda at: _preference(self.keys[at], now))
        turn = self.turns + 1
        ring = self._with(place, attrs.evolve(self.keys[place], turn=turn))
        return place, attrs.evolve(ring, turns=turn)

    def accepted(self, place: int) -> "Keyring":
        """The ring after a key was answered with anything but a word about itself."""
        return self if self.keys[place].refused_at is None else self.renewed(place)

    def rested(self, place: int, until: float) -> "Keyring":
        """The ring after a key was rate limited until then."""
        hung = self.keys[place]
        return self._with(place, attrs.evolve(hung, rests_until=max(hung.rests_until, until)))

    def refused(self, place: int, now: float) -> "Keyring":
        """The ring after a key was refused."""
        return self._with(place, attrs.evolve(self.keys[place], refused_at=now))

    def renewed(self, place: int) -> "Keyring":
        """The ring after a new key took this place, or an old one was found to be good."""
        return self._with(place, Hung(self.keys[place].turn))

    def another(self, place: int, now: float) -> bool:
        """Whether a key besides this one is fresh."""
        return any(hung.fresh(now) for at, hung in enumerate(self.keys) if at != place)

    def soonest(self, now: float) -> float:
        """Seconds until some key is fresh; 0 where one is, or where none will be."""
        rests = [hung.rests_until for hung in self.keys if hung.refused_at is None]
        return max(0.0, min(rests, default=now) - now)

    def _with(self, place: int, hung: Hung) -> "Keyring":
        return attrs.evolve(self, keys=(*self.keys[:place], hung, *self.keys[place + 1 :]))
