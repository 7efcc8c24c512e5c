"""What people see while streams run: a live tree on a terminal, plain lines everywhere else.

Drawn by one task that reads the board now and then; the streams know nothing of it.  It goes to standard error, so that outcomes can be
piped from standard output.
"""

import os
import sys
from typing import IO

import trio
from rich.console import Console, RenderableType
from rich.live import Live

from actors.observe.board import Board
from actors.observe.view import progress_line, render, turn_line
from supervisor import ChildExited, Record

FRAME = 0.125
"""Seconds between two pictures."""

AT_ONCE = 20
"""Turns told between two progress lines; the others are a number."""


class Paper(Console):
    """A console that goes on quietly when nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Write to nowhere from here on, also what is still buffered."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


def paper(file: IO[str], *, plain: bool) -> Paper:
    """Something to print on: with colours on a terminal, without anything elsewhere or where `plain` is wished."""
    return Paper(file=file, force_terminal=False if plain else None, width=100 if plain or not file.isatty() else None)


def put(console: Console, shown: RenderableType) -> None:
    """Print a page; where it is no terminal without the blanks that would fill its lines."""
    if console.is_terminal:
        console.print(shown, highlight=False)
        return
    with console.capture() as captured:
        console.print(shown, highlight=False)
    for line in captured.get().splitlines():
        _print(console, line.rstrip())


async def show_live(board: Board, console: Console) -> None:
    """Draw the tree until cancelled; nothing of it stays on the terminal."""
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(render(board, console.width, console.height, trio.current_time()), refresh=True)
            await trio.sleep(FRAME)


def tell_crash(record: Record) -> None:
    """Tell where a bug struck, for who wants to report it; everything else that happens in the tree is passed over."""
    if not isinstance(record, ChildExited) or record.exit.error is None:
        return
    print(
        f"crash of {'/'.join(record.path)}: {record.exit.error}", *record.exit.error.frames, sep="\n  ", file=sys.stderr
    )


async def show_nothing(board: Board) -> None:  # noqa: ARG001 -- the shape of a show
    """Show nothing, for programs."""
    await trio.lowlevel.checkpoint()


async def show_plain(board: Board, console: Console, every: float, *, turns: bool = True) -> None:
    """Tell every so many seconds where the run stands, and with `turns` what has happened since, until cancelled."""
    seen = 0
    try:
        while True:
            await trio.sleep(every)
            seen = _tell(board, console, seen) if turns else seen
            _print(console, progress_line(board, trio.current_time()))
    finally:
        if turns:
            _tell(board, console, seen)


def _tell(board: Board, console: Console, seen: int) -> int:
    turns = board.since(seen)
    for turn in turns[:AT_ONCE]:
        _print(console, turn_line(turn, board.started).plain)
    untold = board.turned - seen - len(turns[:AT_ONCE])
    if untold:
        _print(console, f"          and {untold:,} more like these")
    return board.turned


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
