"""What Claude Code inherits of our environment: what it needs to run, to find its account and to reach the model, and nothing else.

The one rule: what is not named here stays with us, so that no key of another provider reaches a program that may run tools.  Who wants to
give it more says so in `extras`.
"""

from collections.abc import Mapping

_NAMES = frozenset(
    "PATH HOME USER LOGNAME SHELL TERM LANG LANGUAGE TZ TMPDIR TMP TEMP"
    " HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS"
    " API_TIMEOUT_MS MAX_THINKING_TOKENS DISABLE_PROMPT_CACHING"
    " SYSTEMROOT COMSPEC PATHEXT USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES".split()
)
"""By their whole name, in whatever case: where things are, the person's language, the way into the network."""

_BEGINNINGS = ("LC_", "XDG_", "ANTHROPIC_", "CLAUDE_")
"""By how they begin: locale, folders of the person, the program's own."""

_CLOUDS: Mapping[str, tuple[str, ...]] = {
    "CLAUDE_CODE_USE_BEDROCK": ("AWS_",),
    "CLAUDE_CODE_USE_VERTEX": ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_", "GCLOUD_", "CLOUD_ML_", "VERTEX_"),
    "CLAUDE_CODE_USE_FOUNDRY": ("AZURE_",),
}
"""The switches by which the program asks a cloud, and how the variables begin that it logs in there with."""

_ITS_OWN = frozenset({"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_CHILD_SESSION"})
"""What the program sets for the programs it starts, and refuses or obeys where it finds it; ours is a run of its own."""

_OFF = frozenset({"", "0", "false", "no", "off"})


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of this environment that the program is given."""
    clouds = (names for switch, names in _CLOUDS.items() if environment.get(switch, "").strip().lower() not in _OFF)
    beginnings = (*_BEGINNINGS, *(name for names in clouds for name in names))
    return {
        name: value
        for name, value in environment.items()
        if (name.upper() in _NAMES or name.startswith(beginnings)) and name not in _ITS_OWN
    }
