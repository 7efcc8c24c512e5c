"""Where answers come from: generated, scripted or recorded.

An answer depends on the visit alone, never on a clock or on dice, so every run gives the same text and a client can
check what it assembled against `expected_text(prompt)`.
"""

from collections.abc import Sequence
from hashlib import shake_128
from typing import Protocol

from attrs import evolve, frozen

from actors.chaos.answers import Answer, Finish, Text, Turn, Visit, pieces
from actors.chaos.recordings import Recording, Slicing


class Source(Protocol):
    """Where answers come from."""

    def answer(self, visit: Visit) -> Answer | Recording:
        """What the provider says to this visit when nothing goes wrong."""
        ...


WORDS: tuple[str, ...] = (
    *("the", "of", "and", "a", "to", "in", "is", "it", "that", "for", "on", "light", "air", "sky", "blue", "red"),
    *("wave", "short", "long", "small", "because", "scatter", "more", "than", "when", "sun", "low", "path", "we"),
    *("see", "colour", "why", "morning", "evening", "each", "way", "eye", "thin", "thick", "water", "ice", "snow"),
    *("cloud", "rain", "wind", "warm", "cold", "über", "déjà", "naïve", "señor", "水", "空", "море", "☀️", "🌊", "—"),
    *("“so”", "12", "3.14", "a/b", "{x}", "[y]", "\\n", "line\nend", '"q"', "it's", "&", "<b>", "\ttab", "\u2028"),
)
"""Sixty-odd tokens, some beyond ASCII and some that need escaping, so that careless decoders show."""


def expected_text(prompt: str, *, seed: int = 0, tokens: int = 32) -> str:
    """The text that `Generated(seed, tokens)` gives to a prompt: `tokens` words, one delta each on the wire."""
    digest = shake_128(f"{seed}\x1e{prompt}".encode()).digest(tokens)
    return " ".join(WORDS[byte % len(WORDS)] for byte in digest)


@frozen
class Generated:
    """Deterministic text made from the prompt and a seed, `tokens` words long.

    A conversation that ends with the beginning of that text, spoken by the assistant (a prefill), or with that and a user
    turn that holds the word "continue", gets the rest of it, so that a joined answer equals `text(prompt)`.
    """

    seed: int = 0
    tokens: int = 32

    def text(self, prompt: str) -> str:
        """What a prompt is answered with."""
        return expected_text(prompt, seed=self.seed, tokens=self.tokens)

    def answer(self, visit: Visit) -> Answer:
        """The text, or the rest of it, within the client's limit of tokens."""
        words = pieces(self._continued(visit.ask.turns) or self.text(visit.ask.prompt))
        most = visit.ask.max_tokens or len(words)
        return Answer((Text("".join(words[:most])),), Finish.LENGTH if most < len(words) else Finish.END)

    def _continued(self, turns: Sequence[Turn]) -> str:
        asked = len(turns) > 1 and "continue" in turns[-1].text.lower()
        spoken = len(turns) - (2 if asked and turns[-1].role == "user" else 1)
        if spoken < 1 or turns[spoken].role != "assistant":
            return ""
        begun, whole = turns[spoken].text, self.text(turns[spoken - 1].text)
        return whole[len(begun) :] if begun and whole.startswith(begun) else ""


class Scripted:
    """The given answers in the order of the requests; the last one stays. A plain text is an answer of that text."""

    def __init__(self, *answers: Answer | Recording | str) -> None:
        if not answers:
            raise ValueError("Scripted() needs at least one answer to give")
        self._answers = tuple(Answer((Text(answer),)) if isinstance(answer, str) else answer for answer in answers)

    def answer(self, visit: Visit) -> Answer | Recording:
        """The answer whose turn it is."""
        return self._answers[min(visit.number, len(self._answers)) - 1]


@frozen
class ByPrompt:
    """Answers chosen by the prompt's words, whatever the order of arrival; `otherwise` answers all other prompts."""

    answers: dict[str, Answer | Recording]
    otherwise: Source = Generated()

    def answer(self, visit: Visit) -> Answer | Recording:
        """The answer to this prompt."""
        return self.answers.get(visit.ask.prompt) or self.otherwise.answer(visit)


class Recorded:
    """Recordings in the order of the requests, from the first again after the last.

    `slicing`, where given, replaces the way each of them is cut into writes.
    """

    def __init__(self, recordings: Sequence[Recording], slicing: Slicing | None = None) -> None:
        if not recordings:
            raise ValueError("Recorded() needs at least one recording to play")
        sliced = recordings if slicing is None else [evolve(one, slicing=slicing) for one in recordings]
        self._recordings = tuple(sliced)

    def answer(self, visit: Visit) -> Recording:
        """The recording whose turn it is."""
        return self._recordings[(visit.number - 1) % len(self._recordings)]
