"""Several observers behind one hook; one that raises keeps nothing from the others."""

from collections.abc import Callable

from supervisor import Record


def together(*hooks: Callable[[Record], object]) -> Callable[[Record], None]:
    """One hook that tells all of these, in order; raises an `ExceptionGroup` of what they raised, for the tree to count."""

    def tell(record: Record) -> None:
        errors: list[Exception] = []
        for hook in hooks:
            try:
                hook(record)
            except Exception as error:  # noqa: BLE001 -- raised below, when the others have been told
                errors.append(error)
        if errors:
            message = "hooks raised"
            raise ExceptionGroup(message, errors)

    return tell
