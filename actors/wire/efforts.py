"""How hard OpenAI's models think, for both of OpenAI's formats.

The one rule: a budget in tokens becomes the nearest word, because words are all that these models take; a model that is known not to think
is asked for none, and one whose name is not known is asked.
"""

from actors.features import thoughtless
from actors.source import EncodingError

_REASONING = ("o1", "o3", "o4", "gpt-5")
_EFFORTS = ((2048, "low"), (8192, "medium"))
"""The effort for a budget of up to so many tokens, `high` beyond: the proportions of gateways that translate budgets."""


def thinks(model: str) -> bool:
    """Whether this is known for one of OpenAI's reasoning models."""
    return model.startswith(_REASONING) and not thoughtless(model)


def effort(thinking_tokens: int | None, model: str) -> str | None:
    """The reasoning effort nearest to a budget, if there is one; raises `EncodingError` where the model is known not to think."""
    if thinking_tokens is None:
        return None
    if thoughtless(model):
        raise EncodingError(f"{model} does not think; leave limits.thinking_tokens out or take a model that does")
    return next((name for most, name in _EFFORTS if thinking_tokens <= most), "high")
