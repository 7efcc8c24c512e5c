"""The name `supervisor` is also supervisord's: say so in one sentence, not in a strange ImportError three modules deep."""

from types import ModuleType

import supervisor


def check(found: ModuleType) -> None:
    """Raises `ImportError` where the package found as `supervisor` is not ours."""
    if not hasattr(found, "open_supervisor"):
        where = getattr(found, "__file__", None) or next(iter(found.__path__), "an unknown place")
        message = (
            f"the package 'supervisor' at {where} belongs to another project (supervisord installs the same name): uninstall it"
            " and install trio-supervisor again, or keep the two in environments of their own"
        )
        raise ImportError(message, name="supervisor")


check(supervisor)
