"""Recording and replaying as they are typed; what they do is imported when they are called."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from actors.cli.options import Logging, Showing


def replay(
    file: Annotated[Path, Parameter(name="FILE", help="A recording, made with run --record.")],
    *,
    list_: Annotated[
        bool,
        Parameter(name="--list", help="List what it holds, and ask nothing.", negative=(), show_default=False),
    ] = False,
    showing: Showing = Showing(),  # noqa: B008 -- a frozen value
    logging: Logging = Logging(),  # noqa: B008 -- a frozen value
) -> int:
    """Ask again what a recording holds, without network and without keys, and write the outcomes as `run` does.

    Each stream is answered from its own attempts; silence that was waited for is over at once. The exit status is that of `run`, and 1 where
    something is left that was not asked for again.
    """
    from actors.cli.replaying import ask_again, list_takes  # noqa: PLC0415 -- help is quick without it

    return list_takes(file, in_json=showing.json) if list_ else ask_again(file, showing, logging)


def add_to(app: App) -> None:
    """Add the command."""
    app.command(replay)
