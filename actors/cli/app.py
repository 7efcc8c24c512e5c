"""The command line: words in, an exit status out.

What a person did wrong is told in one sentence, without a traceback.  Status 0: all completed; 1: some did not; 10 to 17: all that failed
did so for a reason of one category; 2: used wrongly; 70: a bug of ours; 128 and the signal's number: interrupted (130 for Ctrl-C).  What a
command needs is imported when it is called, so that help is quick.
"""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter, UnknownOptionError

from actors.cli import operating, recordings
from actors.cli.options import Asking, Concurrency, Failing, Logging, Reading, Showing, positive
from actors.errors import SettingError

BUG = 70
"""The exit status for a bug of ours (EX_SOFTWARE of sysexits.h)."""


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 -- nothing else asks for it

    return version("trio-supervisor")


app = App(
    name="trio-supervisor",
    help="Ask language models many things at once, each as a supervised stream that is retried, moved to another route or fetched in one piece"
    " when it fails.",
    version=_version,
    help_format="plaintext",  # as it stands: drawing markdown would cost a third of the time that help takes
    suppress_keyboard_interrupt=False,
    help_epilogue="Keys and addresses are read from the environment: `trio-supervisor config` lists them.",
)


@app.command
def run(
    *prompts: Annotated[str, Parameter(help="What to ask.")],
    reading: Reading = Reading(),  # noqa: B008 -- a frozen value
    asking: Asking = Asking(),  # noqa: B008 -- a frozen value
    showing: Showing = Showing(),  # noqa: B008 -- a frozen value
    logging: Logging = Logging(),  # noqa: B008 -- a frozen value
) -> int:
    """Ask prompts and write one outcome each: as text on a terminal, as a JSON line elsewhere.

    Prompts are the words given here, those of a file (--from), or standard input where it is piped.
    The report at the end goes to standard error, or to standard output when the outcomes go to a file.
    """
    from actors.cli.commands import ask  # noqa: PLC0415 -- help is quick without it

    return ask(prompts, reading, asking, showing, logging)


@app.command
def demo(  # noqa: PLR0913 -- what is shown, and to whom
    *,
    prompts: Annotated[int, Parameter(help="How many prompts.", validator=positive)] = 200,
    seed: Annotated[int, Parameter(help="The same seed, the same weather.")] = 8,
    faults: Annotated[
        str,
        Parameter(
            help="What goes wrong instead: shares of all requests and outages, such as `cut=0.1 status529=0.05 down:anthropic=50..150`.",
            show_default=False,
        ),
    ] = "",
    concurrency: Concurrency = 60,
    failing: Failing = Failing(),  # noqa: B008 -- a frozen value
    showing: Showing = Showing(),  # noqa: B008 -- a frozen value
    logging: Logging = Logging(),  # noqa: B008 -- a frozen value
) -> int:
    """Watch many streams survive a bad day: a run against built-in providers that fail on purpose; no key is needed.

    It ends with the report of a run, held against what the providers themselves saw.  With --failure one stream meets one failure.
    """
    if failing.listed or failing.failure:
        from actors.cli.failing import list_failures, show_failure  # noqa: PLC0415 -- help is quick without it

        return list_failures(in_json=showing.json) if failing.listed else show_failure(failing, showing, logging)
    from actors.cli.commands import show  # noqa: PLC0415 -- the same
    from actors.cli.demo import Demo  # noqa: PLC0415 -- the same

    return show(Demo(prompts, seed, faults, concurrency), showing, logging)


@app.command
def config(
    *,
    json: Annotated[bool, Parameter(help="For programs: one JSON object.", negative=(), show_default=False)] = False,
) -> int:
    """Show every setting and where it came from, who is asked when no route is given, and what each provider lacks.

    Settings are environment variables, and lines of a file .env in the working directory where the environment leaves something open.
    Keys are not shown. Nothing is sent.
    """
    from actors.cli.configuration import show_config  # noqa: PLC0415 -- help is quick without it

    return show_config(in_json=json)


operating.add_to(app)
recordings.add_to(app)


def main(words: Sequence[str] | None = None) -> int:
    """Carry out a command line (`sys.argv` where none is given) and give the exit status."""
    words = sys.argv[1:] if words is None else words
    _open_closed_streams()
    try:
        status: int | None = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _write_to_nobody()
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 -- the last line before a person
        return _complain(error, debug="--debug" in words)
    return status or 0


def _open_closed_streams() -> None:
    """Give a stream that the caller closed (`2>&-`) somewhere to go, before a socket takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 -- as long as the process


def _complain(error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    cause = _innermost(error)
    if isinstance(cause, CycloptsError | SettingError):
        told, status = f"{cause}{_HINTS.get(type(cause), '')}", 2
    elif isinstance(cause, OSError) and cause.errno in _FULL:
        _write_to_nobody()
        told, status = f"this cannot be written: {(cause.strerror or '').lower()}", 1
    else:
        hint = "" if debug else " (--debug shows where)"
        told, status = f"this is a bug, please report it: {type(cause).__name__}: {cause}{hint}", BUG
    print(f"trio-supervisor: {' '.join(told.split())}", file=sys.stderr)
    return status


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""There is no room where standard output goes."""


def _write_to_nobody() -> None:
    """Let what is still buffered go nowhere, so that the end of the program does not try to write it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


_HINTS: dict[type[BaseException], str] = {UnknownOptionError: " A prompt that begins with - goes after --."}


def _innermost(error: BaseException) -> BaseException:
    """What a nursery wrapped, where it is one thing."""
    inside: Sequence[BaseException] = getattr(error, "exceptions", ())
    return _innermost(inside[0]) if len(inside) == 1 else error
