"""Reports and outcomes on paper: values in, text out, for people.

Every failure a person sees has a title, what happened, what was tried, what to do and a trace id (P14).
"""

from msgspec import json
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from actors.messages import Json
from actors.observe.figures import clean, count, counted, seconds
from actors.observe.report import Latency, Report, Step, Trouble
from actors.outcome import Outcome, Status

_STYLES = {Status.COMPLETED: "green", Status.INTERRUPTED: "yellow", Status.FAILED: "red"}


def report_text(report: Report, unasked: int = 0) -> Group:
    """The closing report; `unasked` prompts were read but never sent."""
    lines = [Text(f"{counted(report.streams, 'stream')} in {seconds(report.seconds)}", "bold"), _statuses(report)]
    if unasked:
        lines.append(Text(f"{counted(unasked, 'prompt')} not asked any more"))
    lines.append(Text(_attempts(report)))
    lines += [_breaker(report, route) for route in sorted(report.held | report.passed)]
    lines.append(Text(_tokens(report)))
    times = [Text(), _latencies(report)] if report.total.p50 is not None else []
    troubles = [Text(), Text("What went wrong most", "bold"), *map(_trouble, report.worst)] if report.worst else []
    return Group(*lines, *times, *troubles)


def _statuses(report: Report) -> Text:
    line = Text()
    for status in Status:
        number = report.statuses[status]
        line.append(f"{count(number)} {status.value}", _STYLES[status] if number else "dim").append("   ")
    line.rstrip()
    return line


def _attempts(report: Report) -> str:
    retries, switches, degrades = (counted(report.steps[step], step.value) for step in Step)
    return f"{counted(report.attempts, 'attempt')}: {retries}, {switches} of route, {degrades} to buffered"


def _breaker(report: Report, route: str) -> Text:
    told = f"circuit of {clean(route)} opened: {counted(report.held[route], 'attempt')} held back"
    return Text(f"{told}, {counted(report.passed[route], 'stream')} moved on", "yellow")


def _tokens(report: Report) -> str:
    usage = report.usage
    cached = f", {count(usage.cache_read_tokens)} from cache" if usage.cache_read_tokens else ""
    about = "about " if usage.estimated else ""
    return f"{about}{count(usage.input_tokens)} tokens in{cached}, {count(usage.output_tokens)} out, {count(report.tokens_a_second)} a second"


def _latencies(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for name in ("p50", "p90", "p99"):
        table.add_column(name, justify="right")
    table.add_row("first content", *_figures(report.first_content))
    table.add_row("whole answer", *_figures(report.total))
    return table


def _figures(latency: Latency) -> list[str]:
    return [seconds(figure) for figure in (latency.p50, latency.p90, latency.p99)]


def _trouble(trouble: Trouble) -> Group:
    advice, latest = trouble.advice, trouble.latest
    where = f" at {clean(latest.provider)}" if latest.provider else ""
    ended = f", ended {counted(trouble.streams, 'stream')}" if trouble.streams else ""
    title = Text.assemble("  ", (latest.title + where, "yellow"), f"  {counted(trouble.attempts, 'attempt')}{ended}")
    said = f": {clean(latest.message)}" if trouble.streams and latest.message else ""
    told = Text(f"{advice.happened}{said}. {advice.remedy}.", "dim")
    return Group(title, Padding(told, (0, 0, 0, 4), expand=False))


def outcome_text(name: str, outcome: Outcome) -> Group:
    """An outcome for a person: the answer, or what there is of it and why there is no more."""
    head = Text.assemble((clean(name), "bold"), "  ", (outcome.status.value, _STYLES[outcome.status]))
    lines = [head]
    if text := clean(outcome.text, keep="\n\t"):
        lines.append(Text(text))
    lines += [Text(f"calls {clean(call.name)}({clean(_json(call.arguments))})", "cyan") for call in outcome.tool_calls]
    lines += [
        Text(f"cut off while calling {clean(call.name)}: {clean(call.fragment)}", "yellow")
        for call in outcome.incomplete_calls
    ]
    return Group(*lines, *_why(outcome))


def _json(arguments: Json) -> str:
    return json.encode(arguments).decode()


def _why(outcome: Outcome) -> list[Text]:
    """Phase and title, what happened and what was tried, what to do, and where to read on."""
    failure = outcome.failure
    if failure is None:
        return []
    left = outcome.status is Status.INTERRUPTED
    said = f": {clean(failure.message)}" if failure.message else ""
    tried = "" if left else f", after {counted(len(outcome.attempts), 'attempt')}"
    return [
        Text(f"{failure.title}, {failure.phase.value}{said}", "yellow" if left else "red"),
        Text(f"{failure.advice.happened}{tried}. {failure.resolution}."),
        Text(f"trace {outcome.trace_id}", "dim"),
    ]
