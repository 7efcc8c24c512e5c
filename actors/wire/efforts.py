"""How hard OpenAI's models think, for both of OpenAI's formats.

The one rule: a budget in tokens becomes the nearest word, because words are all that these models take.
"""

_REASONING = ("o1", "o3", "o4", "gpt-5")
_NOT_REASONING = ("gpt-5-chat", "gpt-5.1-chat", "gpt-5.2-chat")
_EFFORTS = ((2048, "low"), (8192, "medium"))
"""The effort for a budget of up to so many tokens, `high` beyond: the proportions of gateways that translate budgets."""


def thinks(model: str) -> bool:
    """Whether this is one of OpenAI's reasoning models, which alone take an effort."""
    return model.startswith(_REASONING) and not model.startswith(_NOT_REASONING)


def effort(thinking_tokens: int) -> str:
    """The reasoning effort nearest to a budget."""
    return next((name for most, name in _EFFORTS if thinking_tokens <= most), "high")
