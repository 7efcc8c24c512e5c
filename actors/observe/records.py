"""Outcomes and reports as plain records for programs: the fields of the JSON that leaves the house.

Enums are written by their word, times in seconds; a failure carries its advice, so that a reader needs no table.  Names in here are a
promise to programs: add, never rename.
"""

import math
from typing import TypeAlias

from msgspec import to_builtins

from actors.deltas import Usage
from actors.failure import Failure
from actors.observe.report import Latency, Report, Step
from actors.outcome import Attempt, Outcome, Status

Record: TypeAlias = dict[str, object]


def outcome_record(name: str, outcome: Outcome) -> Record:
    """The line a stream leaves behind; `started` of its attempts counts from the first one."""
    begun = outcome.attempts[0].started if outcome.attempts else 0.0
    finish = outcome.finish
    return {
        "id": name,
        "status": outcome.status.value,
        "text": outcome.text,
        "thinking": outcome.thinking,
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments, "hosted": call.hosted}
            for call in outcome.tool_calls
        ],
        "incomplete_calls": [
            {"id": call.id, "name": call.name, "fragment": call.fragment} for call in outcome.incomplete_calls
        ],
        "finish": finish and {"reason": finish.reason.value, "spelling": finish.spelling, "detail": finish.detail},
        "model": outcome.model,
        "usage": usage_record(outcome.usage),
        "attempts": [attempt_record(attempt, begun) for attempt in outcome.attempts],
        "failure": outcome.failure and failure_record(outcome.failure),
        "trace_id": outcome.trace_id,
    }


def usage_record(usage: Usage) -> Record:
    """The tokens."""
    return to_builtins(usage)


def attempt_record(attempt: Attempt, begun: float) -> Record:
    """One attempt of the timeline."""
    first = attempt.first_content
    return {
        "number": attempt.number,
        "route": f"{attempt.route.provider}:{attempt.route.model}",
        "mode": attempt.route.mode.value,
        "started": round(attempt.started - begun, 6),
        "first_content": None if first is None else round(first - attempt.started, 6),
        "seconds": round(attempt.seconds, 6),
        "reach": attempt.delivered.reach.name.lower(),
        "characters": attempt.delivered.characters,
        "usage": usage_record(attempt.usage),
        "failure": attempt.failure and failure_record(attempt.failure),
        "request_id": attempt.request_id,
    }


def failure_record(failure: Failure) -> Record:
    """A failure, with what happened and what to do."""
    advice = failure.advice
    return {
        "kind": failure.kind.label,
        "title": failure.title,
        "category": failure.category.value,
        "happened": advice.happened,
        "remedy": advice.remedy,
        "message": failure.message,
        "phase": failure.phase.value,
        "provider": failure.provider,
        "model": failure.model,
        "status": failure.status,
        "code": failure.code,
        "retry_after": failure.retry_after,
        "request_id": failure.request_id,
        "cause": failure.cause,
        "tries": failure.tries,
        "limit": failure.limit if math.isfinite(failure.limit) else None,
    }


def report_record(report: Report) -> Record:
    """The closing report."""
    return {
        "seconds": round(report.seconds, 3),
        "streams": report.streams,
        **{status.value: report.statuses[status] for status in Status},
        "attempts": report.attempts,
        "asked": dict(report.asked),
        "held_back": dict(report.held),
        "passed_over": dict(report.passed),
        "retries": report.steps[Step.RETRY],
        "switches": report.steps[Step.SWITCH],
        "degrades": report.steps[Step.DEGRADE],
        "usage": usage_record(report.usage),
        "tokens_a_second": round(report.tokens_a_second, 1),
        "first_content_seconds": _latency(report.first_content),
        "total_seconds": _latency(report.total),
        "failures": [
            {"attempts": trouble.attempts, "streams": trouble.streams, "latest": failure_record(trouble.latest)}
            for trouble in report.troubles
        ],
    }


def _latency(latency: Latency) -> dict[str, float | None]:
    figures = {"p50": latency.p50, "p90": latency.p90, "p99": latency.p99}
    return {name: None if figure is None else round(figure, 4) for name, figure in figures.items()}
