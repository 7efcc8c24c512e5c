"""What others said, made fit to be shown: short, on one line, without secrets.

Pure.  The one rule: a provider's words are hostile until they went through here; they may echo a key (P13), move a terminal's cursor or
have no end (P14).  What looks like a credential is blotted out whosever it is, for nobody here knows all of them.

A sentence for people may lose a harmless word too many; a recording may not, for what was said is read from it again.  So `scrubbed`
asks for more before it takes something for a credential.
"""

import re
from collections.abc import Iterable

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

SECRET_BYTES = 8
"""The shortest key that is a secret; a server of one's own is given any word, which then may stand in any sentence."""

_KEPT_OUT: tuple[tuple[bytes, "re.Pattern[bytes]"], ...] = tuple(
    (marks, re.compile(pattern, re.VERBOSE))
    for marks, pattern in (
        (
            b"sk- sk_ pk- pk_ rk- rk_ xai- xai_ gsk_ hf_ pplx- r8_",
            # Not inside a word; an escaped line break before it is none.
            rb"(?:(?<![\w-])|(?<=\\[nrt])) (?:sk|pk|rk|xai|gsk|hf|pplx|r8)[-_] (?=[\w-]*\d) [\w-]{16,}",
        ),
        (b"aiza", rb"AIza[\w-]{30,}"),
        (b"ya29.", rb"ya29\.[\w.-]{16,}"),
        (b"akia asia", rb"A(?:KIA|SIA)[A-Z0-9]{16}\b"),
        (b"eyj", rb"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"),  # a web token: header and claims are objects
        (b"@", rb"""(?<=://)[^\s/@:"\\]+:[^\s/@"\\]+(?=@)"""),
        (b"bearer basic", rb"(?i:(?<=bearer\ )|(?<=basic\ )) (?=[\w.~+/-]*\d) [\w.~+/-]{12,}={0,2}"),
        (
            b"signature= sig= credential= policy= key= token= key-pair-id=",
            rb"""(?i:(?:[?&;]|\\u0026)(?:
                x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|signature|sig|policy
                |key-pair-id|(?:access[-_]?)?token|(?:api[-_]?)?key)=) [^\s&"'\\<>)\]]{6,}""",
        ),
    )
)
"""What can only be a credential, each with what it cannot be without in lower case: most texts have nothing of that and are kept unread."""


def scrubbed(octets: bytes, secrets: Iterable[str] = ()) -> bytes:
    """Bytes that are kept (a recording), without the `secrets` that are known and without what can only be a credential.

    An address keeps the name of what signed it.  `secrets` shorter than 8 bytes are words, not secrets.
    """
    for secret in secrets:
        if len(secret) >= SECRET_BYTES:
            octets = octets.replace(secret.encode(), _BLOT)
    lowered = octets.lower()
    for marks, pattern in _KEPT_OUT:
        if any(mark in lowered for mark in marks.split()):
            octets = pattern.sub(_blotted, octets)
    return octets


_BLOT = BLOT.encode()


def _blotted(found: "re.Match[bytes]") -> bytes:
    name, sign, _ = found[0].partition(b"=")
    return name + sign + _BLOT if sign and name[:1] in b"?&;\\" else _BLOT


def disclosed(octets: bytes, secrets: Iterable[str], limit: int) -> str:
    """A whole body as text for who debugs it, at most `limit` bytes of UTF-8: nothing of it is left unread for secrets, its lines stay."""
    known = scrubbed(octets, secrets).decode("utf-8", "replace")
    return _clipped(_CREDENTIAL.sub(BLOT, known), limit)


def shown(text: str, limit: int) -> str:
    """The text as it may be shown, at most `limit` bytes of UTF-8."""
    return _clipped(_CREDENTIAL.sub(BLOT, _CONTROLS.sub(" ", text[:_REACH]).strip()), limit)


def _clipped(plain: str, limit: int) -> str:
    octets = plain.encode("utf-8", "replace")
    if len(octets) <= limit:
        return octets.decode()
    return octets[: limit - len("…".encode())].decode("utf-8", "ignore") + "…"
