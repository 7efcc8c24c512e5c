"""What a person may say on the command line, in groups that several commands share.

Each field is an option; its help is what the person reads.  Whether values make sense together is checked where they are used.
"""

from pathlib import Path
from typing import Annotated, TypeAlias

import attrs
from cyclopts import Parameter

from actors.cli.lines import Form
from actors.ladder import Seam
from actors.variables import MOST_ATTEMPTS


def positive(_: object, number: int | None) -> None:
    """Refuse what is below 1, in the words of a person."""
    if number is not None and number < 1:
        raise ValueError("give a number from 1")


def _few(_: object, number: int | None) -> None:
    if number is not None and not 1 <= number <= MOST_ATTEMPTS:
        raise ValueError(f"give a number from 1 to {MOST_ATTEMPTS}")


VARIABLE = "TRIO_SUPERVISOR_ATTEMPTS"
"""What says how many attempts a route has where the command line does not."""

Concurrency: TypeAlias = Annotated[
    int, Parameter(name=["--concurrency", "-c"], help="Streams at the same time.", validator=positive)
]


@Parameter(name="*")
@attrs.frozen
class Reading:
    """Where prompts are read from."""

    from_: Annotated[
        Path | None,
        Parameter(
            name=["--from", "-f"], help="File of prompts: one a line, or JSON lines with `prompt` or `messages`."
        ),
    ] = None
    stdin: Annotated[
        bool,
        Parameter(name=["--stdin", "-"], help="Read prompts from standard input.", negative=(), show_default=False),
    ] = False
    form: Annotated[
        Form | None, Parameter(name="--format", help="How prompts are written, where the file's name does not tell.")
    ] = None


@Parameter(name="*")
@attrs.frozen
class Asking:
    """How each prompt is asked."""

    route: Annotated[
        list[str],
        Parameter(
            name=["--route", "-r"],
            help="provider:model to ask, or a model's name; repeat it for where to go when that fails.",
            negative=(),
            show_default=False,
        ),
    ] = attrs.field(factory=list[str])
    system: Annotated[str, Parameter(name=["--system", "-s"], help="System prompt.", show_default=False)] = ""
    max_tokens: Annotated[int | None, Parameter(help="Longest answer, in tokens.", validator=positive)] = None
    tools: Annotated[
        Path | None,
        Parameter(
            name=["--tools", "-t"],
            help="File with a JSON list of tools the model may call; calls are told in the outcome and never run.",
        ),
    ] = None
    seam: Annotated[
        Seam,
        Parameter(
            help="When an answer breaks off: begin it again (resume and continue do so too: no route offers them yet), or stop with what there is."
        ),
    ] = Seam.RESTART
    attempts: Annotated[
        int | None,
        Parameter(
            help=f"Attempts on each route before the next one is tried. [default: {VARIABLE} or 5]", validator=_few
        ),
    ] = None
    concurrency: Concurrency = 20
    record: Annotated[
        Path | None,
        Parameter(help="File that every attempt is added to: its request and its answer, without keys.", negative=()),
    ] = None
    replay: Annotated[
        Path | None,
        Parameter(help="Recording that answers instead of the providers: no network and no key.", negative=()),
    ] = None


@Parameter(name="*")
@attrs.frozen
class Showing:
    """What becomes of the outcomes and what is shown meanwhile."""

    out: Annotated[
        Path | None,
        Parameter(
            name=["--out", "-o"], help="New file for the outcomes, a JSON line each, instead of standard output."
        ),
    ] = None
    json: Annotated[
        bool,
        Parameter(
            name="--json",
            help="For programs: the closing report as JSON, and nothing shown meanwhile.",
            negative=(),
            show_default=False,
        ),
    ] = False
    plain: Annotated[
        bool, Parameter(help="No live tree and no colours, also on a terminal.", negative=(), show_default=False)
    ] = False
    debug: Annotated[
        bool, Parameter(help="Show the traceback when something breaks.", negative=(), show_default=False)
    ] = False


@Parameter(name="*")
@attrs.frozen
class Logging:
    """How much is logged of what happens to the streams, and where to."""

    level: Annotated[
        str,
        Parameter(name="--log-level", help="debug, info, warning or error; else LOG_LEVEL.", show_default=False),
    ] = ""
    json: Annotated[
        bool,
        Parameter(name="--log-json", help="Log lines as JSON, for programs.", negative=(), show_default=False),
    ] = False
    file: Annotated[
        Path | None,
        Parameter(name="--log-file", help="File that log lines are added to, instead of standard error."),
    ] = None


@Parameter(name="*")
@attrs.frozen
class Failing:
    """Which one failure a demonstration shows."""

    failure: Annotated[
        str,
        Parameter(
            help="One failure instead, from the first attempt to the outcome: rate_limit, say.", show_default=False
        ),
    ] = ""
    lasting: Annotated[bool, Parameter(help="With --failure: it does not pass.", negative=(), show_default=False)] = (
        False
    )
    listed: Annotated[
        bool, Parameter(name="--list", help="List the failures that can be shown.", negative=(), show_default=False)
    ] = False
