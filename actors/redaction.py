"""What others said, made fit to be shown: short, on one line, without secrets.

Pure.  The one rule: a provider's words are hostile until they went through here; they may echo a key (P13), move a terminal's cursor or
have no end (P14).  What looks like a credential is blotted out whosever it is, for nobody here knows all of them.
"""

import re

BLOT = "***"

_REACH = 2048
"""Characters looked at: more than is ever shown, so a secret that begins in what is shown is met whole, or cut and met all the same."""

_CREDENTIAL = re.compile(
    r"""
      \b(?:sk|pk|rk|xai|gsk|hf|pplx|r8)[-_][\w-]{8,}     # keys by prefix: Anthropic, OpenAI and the like
    | sk-(?=[\w-]*\d)[\w-]{16,}                         # also where something is glued to their front
    | AIza[\w-]{10,}                                    # Google's API keys
    | ya29\.[\w.-]{8,}                                  # and its access tokens
    | A(?:KIA|SIA)[A-Z0-9]{12,}                         # AWS access keys
    | eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?                 # JSON web tokens
    | (?<=://)[^\s/@:]+:[^\s/@]+(?=@)                   # user and password in an address
    | (?i: (?<=bearer\ ) ) [\w.~+/=-]{8,}               # whatever a header carries
    | (?i: (?<=basic\ ) ) [A-Za-z0-9+/]{12,}={0,2}
    | (?i: (?<=[?&]key=) | (?<=api[-_]key=) | (?<=token=) ) [^\s&"']{4,}
    """,
    re.VERBOSE,
)

_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
"""What moves a cursor, ends a line or turns the direction of writing; and blanks, for one is as good as many."""


def shown(text: str, limit: int) -> str:
    """The text as it may be shown, at most `limit` bytes of UTF-8."""
    plain = _CREDENTIAL.sub(BLOT, _CONTROLS.sub(" ", text[:_REACH]).strip())
    octets = plain.encode("utf-8", "replace")
    if len(octets) <= limit:
        return octets.decode()
    return octets[: limit - len("…".encode())].decode("utf-8", "ignore") + "…"
