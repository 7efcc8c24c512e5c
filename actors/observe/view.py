"""The live picture of a run: a board in, lines of text out, never more than the terminal holds.

Pure: size and time are arguments.  Of many streams it shows the most interesting: who waits for a retry, who was moved to another rung,
who needed most attempts, who runs longest; the others are a number.
"""

import heapq
from collections import Counter

from rich.cells import set_cell_size
from rich.console import Group
from rich.text import Text

from actors.observe.board import Board, State, Track, Turn
from actors.observe.figures import clean, count, counted, seconds
from actors.observe.report import Step
from actors.outcome import Status

_STYLES = {
    State.ASKING: "dim",
    State.THINKING: "magenta",
    State.WRITING: "green",
    State.CALLING: "cyan",
    State.WAITING: "yellow",
}

_FIXED = 2
"""Lines that stand around those of the streams: the root of the tree, the number of those not shown."""

_WIDE, _MIDDLE = 92, 64
"""Columns from which on a row has every figure, and from which on it has tokens."""


def render(board: Board, width: int, height: int, now: float) -> Group:
    """The picture for a terminal of this size; one line less than its height, so that it never scrolls."""
    room = max(height - 1, 3)
    head = _head(board, width, now)
    rest = max(0, room - len(head) - _FIXED)
    told = min(len(board.turns), rest // 4, 5)
    rows = rest - told
    lines = [*head, *_tree(board, width, rows, now), *_turns(board, told)]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Group(*lines[:room])


def _head(board: Board, width: int, now: float) -> list[Text]:
    elapsed = seconds(now - board.started)
    title = Text.assemble((set_cell_size(clean(board.title), max(0, width - len(elapsed))), "bold"), (elapsed, "dim"))
    return [title, _bar(board, width), _sums(board, now), *_breakers(board)]


def _bar(board: Board, width: int) -> Text:
    statuses = board.tally.statuses
    ended = statuses.total()
    line = Text(no_wrap=True)
    if board.expected:
        cells = max(8, min(40, width // 3))
        full = min(cells, ended * cells // board.expected)
        line.append("━" * full, "green").append("━" * (cells - full), "bright_black")
        line.append(f"  {count(ended)} of {count(board.expected)}")
    else:
        line.append(f"{count(ended)} ended")
    line.append(f"   {count(statuses[Status.COMPLETED])} completed", "green")
    for status, style in ((Status.FAILED, "red"), (Status.INTERRUPTED, "yellow")):
        if statuses[status]:
            line.append(f"  {count(statuses[status])} {status.value}", style)
    return line


def _sums(board: Board, now: float) -> Text:
    tokens, elapsed = board.tokens, max(now - board.started, 0.001)
    steps = board.steps
    parts = (
        f"retries {count(steps[Step.RETRY])}",
        f"switches {count(steps[Step.SWITCH])}",
        f"degrades {count(steps[Step.DEGRADE])}",
        f"{count(tokens)} tokens",
        f"{count(tokens / elapsed)} tokens/s",
    )
    return Text(" · ".join(parts), "dim", no_wrap=True)


def _breakers(board: Board) -> list[Text]:
    avoided = ", ".join(map(clean, board.avoided))
    return [Text(f"circuit open: {avoided}", "red", no_wrap=True)] if avoided else []


def _tree(board: Board, width: int, rows: int, now: float) -> list[Text]:
    states = Counter(track.state for track in board.live)
    begun = board.live or board.tally.statuses
    root = Text(f"streams  {f'{count(len(board.live))} live' if begun else 'getting ready'}", "bold", no_wrap=True)
    for state in State:
        if states[state]:
            root.append(f"  {count(states[state])} {state.value}", f"not bold {_STYLES[state]}")
    shown = heapq.nsmallest(rows, board.live, key=_interest)
    hidden = len(board.live) - len(shown)
    lines = [root]
    for position, track in enumerate(shown):
        last = position == len(shown) - 1 and not hidden
        lines.append(_row(track, "└─ " if last else "├─ ", width, now))
    if hidden and rows:
        lines.append(Text(f"└─ and {count(hidden)} more", "dim", no_wrap=True))
    return lines


def _interest(track: Track) -> tuple[bool, bool, int, float, str]:
    return track.state is not State.WAITING, not track.moved, -track.attempt, track.started, track.name


def _row(track: Track, guide: str, width: int, now: float) -> Text:
    state = _doing(track, now)
    figures = _figures(track, width, now)
    route = max(10, width - 3 - 13 - 15 - 11 - sum(len(figure) for figure in figures))
    line = Text(no_wrap=True)
    line.append(guide, "dim").append(set_cell_size(clean(track.name), 12) + " ")
    line.append(set_cell_size(state, 15), _STYLES[track.state])
    line.append(set_cell_size(f"attempt {track.attempt}" if track.attempt > 1 else "", 11), "yellow")
    line.append(set_cell_size(_where(track), route), "dim" if track.state is State.ASKING else "")
    return line.append("".join(figures))


def _doing(track: Track, now: float) -> str:
    if track.state is State.WAITING:
        return f"retry in {max(0.0, track.until - now):.1f} s"
    whole = track.state is State.ASKING and track.route is not None and not track.route.streams
    return "in one piece" if whole else track.state.value


def _where(track: Track) -> str:
    if track.state is State.WAITING or track.route is None:
        return f" {track.trouble}"
    return clean(f" {track.route.provider}:{track.route.model}")


def _figures(track: Track, width: int, now: float) -> list[str]:
    if width < _MIDDLE:
        return []
    tokens = "" if track.first_content is None else f"{count(track.tokens)} tok"
    if width < _WIDE:
        return [tokens.rjust(10)]
    rate = track.rate(now)
    speed = "" if rate is None else f"{count(rate)}/s"
    first = "" if track.first_content is None else f"first {seconds(track.first_content - track.started)}"
    return [tokens.rjust(10), speed.rjust(8), first.rjust(14)]


def _turns(board: Board, told: int) -> list[Text]:
    latest = list(board.turns)[len(board.turns) - told :]
    return [turn_line(turn, board.started) for turn in latest]


def turn_line(turn: Turn, started: float) -> Text:
    """A turn as one line: when, who, what."""
    return Text(f"{seconds(turn.at - started):>8}  {clean(turn.name)}  {clean(turn.told)}", "dim", no_wrap=True)


def progress_line(board: Board, now: float) -> str:
    """Where the run stands, in one line for a log."""
    statuses, steps = board.tally.statuses, board.steps
    of = f" of {count(board.expected)}" if board.expected else ""
    parts = [f"{count(statuses.total())}{of} ended", f"{count(len(board.live))} live"]
    parts += [f"{count(statuses[status])} {status.value}" for status in _UNWELCOME if statuses[status]]
    parts += [counted(steps[step], step.value) for step in Step if steps[step]]
    return f"{seconds(now - board.started):>8}  {', '.join(parts)}, {count(board.tokens)} tokens"


_UNWELCOME = (Status.FAILED, Status.INTERRUPTED)
