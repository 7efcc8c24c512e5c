"""The operator's commands as they are typed; what they do is imported when they are called."""

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import App, Parameter

from actors.kinds import Phase

Json: TypeAlias = Annotated[bool, Parameter(name="--json", help="For programs.", negative=(), show_default=False)]


def classify(
    *text: Annotated[str, Parameter(help="An exception, a traceback, a log line or the body of an answer.")],
    provider: Annotated[str, Parameter(name=["--provider", "-p"], help="Who answered.", show_default=False)] = "",
    status: Annotated[int | None, Parameter(help="The HTTP status of the answer.")] = None,
    body: Annotated[
        str | None,
        Parameter(
            help="The body of the answer: a file, - for standard input, or the text itself.", allow_leading_hyphen=True
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        Parameter(name=["--header", "-H"], help="A header of the answer, NAME: VALUE; may be repeated.", negative=()),
    ] = None,
    phase: Annotated[Phase, Parameter(help="How far the attempt was.")] = Phase.CONNECTION,
    json: Json = False,
) -> int:
    """Say what an error is, what becomes of it, and what to do.

    Reads standard input where nothing else is given.  The exit status is 1 where the error is not known.
    """
    from actors.cli.classify import Question, explain  # noqa: PLC0415 -- help is quick without it

    return explain(Question(text, provider, status, body, tuple(header or ()), phase), in_json=json)


def trace(
    trace_id: Annotated[str, Parameter(name="ID", help="A trace id, or its first digits where no other begins so.")],
    *,
    log: Annotated[
        list[Path] | None,
        Parameter(name=["--log", "-l"], help="Log file to look in; may be repeated. Else standard input.", negative=()),
    ] = None,
    json: Json = False,
) -> int:
    """Print all that a log has of one stream, in the order of time, without secrets.

    With --json in five parts: classification, telemetry, lifecycle, resources, configuration.  The exit status is 1 where the log has nothing.
    """
    from actors.cli.tracing import show_trace  # noqa: PLC0415 -- the same

    return show_trace(trace_id, tuple(log or ()), in_json=json)


def triage(
    *logs: Annotated[Path, Parameter(name="LOG", help="Log files; else standard input.")],
    json: Json = False,
) -> int:
    """Say what a log asks a person to do now: what is permanent, what used its attempts up, what was survived."""
    from actors.cli.triage import show_triage  # noqa: PLC0415 -- the same

    return show_triage(logs, in_json=json)


def metrics(
    file: Annotated[
        Path | None,
        Parameter(
            name="FILE", help="A run's report (run --json), its outcomes (run --out) or a log; else standard input."
        ),
    ] = None,
    *,
    json: Json = False,
) -> int:
    """Print the figures of a run with what they mean."""
    from actors.cli.metering import show_metrics  # noqa: PLC0415 -- the same

    return show_metrics(file, in_json=json)


def doctor(
    *,
    provider: Annotated[
        list[str] | None,
        Parameter(name=["--provider", "-p"], help="Look at this one only; may be repeated.", negative=()),
    ] = None,
    offline: Annotated[bool, Parameter(help="Send no request.", negative=(), show_default=False)] = False,
    models: Annotated[bool, Parameter(help="List all models.", negative=(), show_default=False)] = False,
    json: Json = False,
) -> int:
    """Check settings, credentials, models and this machine: one cheap authenticated request for each provider that has a key.

    The exit status is 1 where something is wrong.
    """
    from actors.cli.doctor import examine  # noqa: PLC0415 -- the same

    return examine(tuple(provider or ()), offline=offline, all_models=models, in_json=json)


def add_to(app: App) -> None:
    """Make them commands of the program."""
    for command in (classify, doctor, trace, triage, metrics):
        app.command(command)
