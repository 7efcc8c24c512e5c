"""Who can be asked, and the variables that each lives on: one line a provider.

Inert values.  What a provider needs beyond a key is named here, so that what is missing can be told before anything opens.
"""

from collections.abc import Mapping

import attrs


def _nothing() -> Mapping[str, tuple[str, ...]]:
    return {}


@attrs.frozen
class Account:
    """The variables a provider lives on.

    `keyless` providers need no key, or bring their own way to log in; `keyless_elsewhere` ones need none at an address of one's own.
    `or_key`: the variable of another kind of key, where `key` is not set.  `options`: what else it is told, each by the first of these
    variables that is set; `needs`: those of its options (or `base_url`) that it cannot do without.  `model` is asked when no route is given;
    `usual` where that is not set either.  `buffers`: OPENAI_DISABLE_STREAMING is meant for it.
    """

    key: str = ""
    base_url: str = ""
    model: str = ""
    keyless: bool = False
    keyless_elsewhere: bool = False
    or_key: str = ""
    options: Mapping[str, tuple[str, ...]] = attrs.field(factory=_nothing)
    needs: tuple[str, ...] = ()
    usual: str = ""
    buffers: bool = False


_OPENAI = {"organization": ("OPENAI_ORG_ID",), "project": ("OPENAI_PROJECT_ID",)}
_AZURE = {"api_version": ("OPENAI_API_VERSION",)}
_GOOGLE = {
    "project": ("GOOGLE_CLOUD_PROJECT",),
    "location": ("GOOGLE_CLOUD_LOCATION",),
    "credentials": ("GOOGLE_APPLICATION_CREDENTIALS",),
}
_AWS = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "profile": ("AWS_PROFILE",),
    "access_key": ("AWS_ACCESS_KEY_ID",),
    "secret_key": ("AWS_SECRET_ACCESS_KEY",),
    "session_token": ("AWS_SESSION_TOKEN",),
}

_OF_AZURE = Account(
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_ENDPOINT",
    or_key="AZURE_OPENAI_AD_TOKEN",
    options=_AZURE,
    needs=("base_url",),
    buffers=True,
)

PROVIDERS: Mapping[str, Account] = {
    "anthropic": Account("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", usual="claude-sonnet-5-5"),
    "openai": Account(
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_MODEL",
        keyless_elsewhere=True,
        options=_OPENAI,
        usual="gpt-5.5",
        buffers=True,
    ),
    "openai-chat": Account(
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        keyless_elsewhere=True,
        options=_OPENAI,
        usual="llama3.2",
        buffers=True,
    ),
    "google": Account("GEMINI_API_KEY", "GEMINI_BASE_URL", "GEMINI_MODEL", usual="gemini-2.5-flash"),
    "claude-code": Account(model="CLAUDE_CODE_MODEL", keyless=True, usual="sonnet"),
    "azure": _OF_AZURE,
    "azure-chat": _OF_AZURE,
    "vertex": Account(
        "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_VERTEX_BASE_URL", keyless=True, options=_GOOGLE, needs=("project",)
    ),
    "anthropic-vertex": Account(
        "GOOGLE_OAUTH_ACCESS_TOKEN",
        "ANTHROPIC_VERTEX_BASE_URL",
        keyless=True,
        options={
            **_GOOGLE,
            "project": ("ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"),
            "location": ("CLOUD_ML_REGION", "GOOGLE_CLOUD_LOCATION"),
        },
        needs=("project",),
    ),
    "bedrock": Account(
        "AWS_BEARER_TOKEN_BEDROCK", "ANTHROPIC_BEDROCK_BASE_URL", keyless=True, options=_AWS, needs=("region",)
    ),
}
"""The providers that routes may name."""
