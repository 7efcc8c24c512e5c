"""Where an attempt runs: a provider, a model, streaming or buffered, and the clocks it is held to."""

from enum import Enum

import attrs


class Mode(Enum):
    """How the answer comes: as it is made, or in one piece."""

    STREAMING = "streaming"
    BUFFERED = "buffered"


def _positive(_: object, field: "attrs.Attribute[float | None]", value: float | None) -> None:
    if value is not None and not value > 0:
        msg = f"the {field.name} clock must be more than 0 seconds, not {value}; None switches it off"
        raise ValueError(msg)


@attrs.frozen
class Clocks:
    """How long an attempt may be silent, in seconds; `None` switches a clock off.

    `connect`: until the connection stands.  `first_event`: until the provider says anything.  `first_content`: until the first
    thinking, text or tool call.  `gap`: between two pieces of content; pings prove life, not progress.  `buffered`: for an answer in one
    piece, which says nothing before it is whole.  `total`: for any attempt.
    """

    connect: float | None = attrs.field(default=10.0, validator=_positive)
    first_event: float | None = attrs.field(default=20.0, validator=_positive)
    first_content: float | None = attrs.field(default=60.0, validator=_positive)
    gap: float | None = attrs.field(default=60.0, validator=_positive)
    buffered: float | None = attrs.field(default=600.0, validator=_positive)
    total: float | None = attrs.field(default=None, validator=_positive)


@attrs.frozen
class Route:
    """A provider's name, a model's name and the mode; `clocks` of `None` are the table's for that model.

    An empty provider is one that the settings tell by the model's name.
    """

    provider: str
    model: str
    mode: Mode = Mode.STREAMING
    clocks: Clocks | None = None

    @classmethod
    def parse(cls, text: "str | Route") -> "Route":
        """A route out of `provider:model`, or out of a name alone, which the settings give a provider when it is asked.

        Whether what stands before a colon is a provider is told then, too.  Raises `ValueError` with the sentence to show.
        """
        if isinstance(text, Route):
            return text
        name = text.strip()
        provider, colon, model = name.partition(":")
        if not name or (colon and not (provider and model)):
            msg = f"route {text!r} must be provider:model or a model's name, for example anthropic:claude-sonnet-5-5"
            raise ValueError(msg)
        return cls(provider, model) if colon else cls("", name)

    @property
    def buffered(self) -> "Route":
        """The same route in one piece."""
        return attrs.evolve(self, mode=Mode.BUFFERED)

    @property
    def streams(self) -> bool:
        """Whether the answer comes as it is made."""
        return self.mode is Mode.STREAMING

    @property
    def name(self) -> str:
        """`provider:model`, whatever the mode; the model alone while no provider is known."""
        return f"{self.provider}:{self.model}" if self.provider else self.model

    def __str__(self) -> str:
        return self.name + ("" if self.streams else " (buffered)")
