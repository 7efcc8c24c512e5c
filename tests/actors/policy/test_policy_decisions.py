"""What is done about every kind of failure, by phase and by provider; the table is what the judgement does."""

import attrs
import pytest

from actors.deltas import PartEnded, Progress, Reach, Restarted
from actors.failure import SILENT, Disposition, Failure, FailureKind, Phase
from actors.ladder import Buffered, Ladder, Seam, Switch
from actors.messages import Foreign, Text, ToolCall
from actors.policy.assemble import Assembly
from actors.policy.brakes import Brakes
from actors.policy.decisions import BY_PROVIDER, CAPS, CURED_IN_ONE_PIECE, HARMLESS_TOOLS, Action, acts, decide, usual
from actors.policy.directive import Broken, Conditions, Leg, Onward, Try, direct
from actors.policy.ration import Ration, ration
from actors.route import Route
from actors.runtime.shared import Shared
from supervisor import Backoff, Retry

K, P = FailureKind, Phase
A, B = Route.parse("anthropic:a"), Route.parse("mine:b")
FULL = Ladder(A, Retry(5), Switch(B), Buffered())
EVEN = 0.5


def after(*failures, ladder=FULL, progress=None, seam=Seam.RESTART):
    tries = [
        Try(Leg(A, -1 if at == 0 else 0), 10.0, Broken(f, progress or Progress())) for at, f in enumerate(failures)
    ]
    return direct(ladder, seam, tries, Conditions(), 10.0, EVEN)


def where(onward):
    """The first rung that answered, in the words of the table."""
    match onward:
        case None:
            return {Action.STOP, Action.LEAVE}
        case Onward(Leg(route)) if route == A:
            return {Action.AGAIN}
        case Onward(Leg(route)) if route == A.buffered:
            return {Action.IN_ONE_PIECE}
    return {Action.ELSEWHERE, Action.ELSEWHERE_OR_AGAIN}


@pytest.mark.row("A2", "D9", "B2")
@pytest.mark.parametrize("phase", P, ids=lambda phase: phase.name.lower())
@pytest.mark.parametrize("kind", K, ids=lambda kind: kind.label)
def test_the_judgement_does_what_the_table_says(kind, phase):
    failure = Failure(kind, phase=phase, provider="anthropic")
    assert decide(failure).action in where(after(failure))


@pytest.mark.row("A2")
@pytest.mark.parametrize("kind", K, ids=lambda kind: kind.label)
def test_the_disposition_of_a_kind_fits_its_action(kind):
    action = usual(kind, P.STREAMING).action
    fits = {
        Disposition.RETRY: {Action.AGAIN},
        Disposition.ELSEWHERE: {Action.ELSEWHERE_OR_AGAIN if kind in SILENT else Action.ELSEWHERE},
        Disposition.DEGRADE: {Action.IN_ONE_PIECE},
        Disposition.STOP: {Action.STOP},
        Disposition.LEAVE: {Action.LEAVE},
    }
    assert action in fits[kind.disposition]
    assert kind.transient == usual(kind, P.STREAMING).repeats


PHASES = [
    # phase, kind, what comes first: connecting
    (P.CONNECTION, K.DNS_PERMANENT, Action.ELSEWHERE),
    (P.CONNECTION, K.TLS, Action.ELSEWHERE),
    (P.CONNECTION, K.INVALID_KEY, Action.ELSEWHERE),
    (P.CONNECTION, K.CONNECT_TIMEOUT, Action.AGAIN),
    (P.CONNECTION, K.REFUSED, Action.AGAIN),
    # nothing understood yet
    (P.CONNECTION, K.PROTOCOL, Action.ELSEWHERE),
    (P.FIRST_EVENT, K.PROTOCOL, Action.ELSEWHERE),
    (P.FIRST_EVENT, K.TIMEOUT, Action.AGAIN),
    (P.FIRST_EVENT, K.RESET, Action.AGAIN),
    # streaming
    (P.STREAMING, K.MALFORMED, Action.AGAIN),
    (P.STREAMING, K.RESET, Action.AGAIN),
    (P.STREAMING, K.TRUNCATED, Action.AGAIN),
    (P.STREAMING, K.MEMORY, Action.IN_ONE_PIECE),
    # at its end
    (P.FINALISATION, K.TRUNCATED, Action.AGAIN),
    (P.FINALISATION, K.TOOL_JSON, Action.STOP),
]


@pytest.mark.row("B2", "B3", "B4", "B5", "B7")
@pytest.mark.parametrize(("phase", "kind", "action"), PHASES)
def test_a_phase_has_its_rules(phase, kind, action):
    assert decide(Failure(kind, phase=phase)).action is action


@pytest.mark.row("B4")
def test_garbage_before_anything_was_understood_is_asked_for_once_more_only():
    early, late = (Failure(K.MALFORMED, phase=phase) for phase in (P.FIRST_EVENT, P.STREAMING))
    assert (decide(early).most, decide(late).most) == (2, 3)
    assert after(early, early) == Onward(Leg(B, 1), 0.0)
    assert after(late, late).leg.route == A


def test_what_a_provider_says_is_final_is_not_repeated_there():
    failure = Failure(K.SERVER, phase=P.CONNECTION, final=True)
    assert failure.disposition is Disposition.ELSEWHERE
    assert not failure.transient
    assert after(failure) == Onward(Leg(B, 1), 0.0)
    assert after(failure, ladder=Ladder(A, Retry(5))) is None
    refused = Failure(K.INVALID_REQUEST, final=True)
    assert after(refused) is None


@pytest.mark.row("A21")
@pytest.mark.parametrize("initial", [1.0, 3.0])
def test_a_busy_machine_is_given_twice_the_usual_time(initial):
    ladder = Ladder(A, Retry(5, Backoff(initial=initial, jitter=0)))
    busy, usual_ = Failure(K.CPU), Failure(K.OVERLOADED)
    assert after(busy, ladder=ladder).after == 2 * after(usual_, ladder=ladder).after == 2 * initial
    tries = [Try(Leg(A), 10.0, Broken(busy))]
    assert direct(ladder, Seam.RESTART, tries, Conditions(busy=5.0), 10.0, EVEN).after == 5 * initial
    assert Shared(Brakes(busy=5.0)).conditions(0.0).busy == 5.0


@pytest.mark.row("D10")
@pytest.mark.parametrize(("place", "decision"), BY_PROVIDER.items(), ids=str)
def test_a_provider_that_differs_has_a_row_of_its_own(place, decision):
    provider, kind = place
    for phase in P:
        assert decide(Failure(kind, phase=phase, provider=provider)) == decision
    assert decision != usual(kind, P.STREAMING, "somebody")


@pytest.mark.row("D10")
def test_every_route_may_have_a_retry_policy_of_its_own():
    ladder = Ladder(A, Retry(2, Backoff(initial=3)), Switch(B), Retry(4, Backoff(initial=7)))
    assert after(Failure(K.SERVER), ladder=ladder) == Onward(Leg(A, 0), 3.0)
    assert after(Failure(K.SERVER), Failure(K.SERVER), ladder=ladder) == Onward(Leg(B, 1), 0.0)
    tries = [Try(Leg(B, 1), 10.0, Broken(Failure(K.SERVER)))]
    assert direct(ladder, Seam.RESTART, tries, Conditions(), 10.0, EVEN) == Onward(Leg(B, 2), 7.0)


@pytest.mark.row("D6")
def test_caps_are_those_of_the_ledger_and_the_rest_has_five():
    assert {kind.label: cap for kind, cap in CAPS.items()} == {
        "connect_timeout": 3,
        "timeout": 3,
        "reset": 3,
        "refused": 3,
        "dns_temporary": 3,
        "truncated": 3,
        "malformed": 3,
        "files": 2,
    }
    assert Retry().limit == 5


# -- in one piece


@pytest.mark.promise("P11")
@pytest.mark.parametrize(
    "kind", [K.TRUNCATED, K.MALFORMED, K.MEMORY, K.STALLED, K.FIRST_EVENT_TIMEOUT, K.SERVER, K.FILES]
)
def test_a_spent_budget_allows_one_piece_only_as_a_cure_for_streaming(kind):
    tries = [Try(Leg(A), 10.0, Broken(Failure(kind, phase=P.STREAMING)))]
    onward = direct(Ladder(A, Buffered()), Seam.RESTART, tries, Conditions(tokens={"anthropic": 0.0}), 10.0, EVEN)
    assert onward == (Onward(Leg(A.buffered, 0), 0.0) if kind in CURED_IN_ONE_PIECE else None)


@pytest.mark.parametrize(("kind", "after"), [(K.STALLED, 0.0), (K.SERVER, 1.0), (K.FILES, 1.0), (K.CPU, 2.0)])
def test_one_piece_is_asked_for_at_once_only_where_that_helps(kind, after):
    tries = [Try(Leg(A), 10.0, Broken(Failure(kind, phase=P.STREAMING)))]
    assert direct(Ladder(A, Buffered()), Seam.RESTART, tries, Conditions(), 10.0, EVEN) == Onward(
        Leg(A.buffered, 0), after
    )


# -- tools that ran

RAN = [
    (ToolCall("c", "Bash", {"command": "rm x"}, hosted=True), True),
    (ToolCall("c", "a_tool_nobody_knows", {}, hosted=True), True),
    (ToolCall("c", "book_a_flight", {}), False),
    (Foreign("openai", "mcp_call", {}), True),
    (Foreign("openai", "web_search_call", {}), False),
    (Text("Bash"), False),
    *((ToolCall("c", name, {}, hosted=True), False) for name in sorted(HARMLESS_TOOLS)),
]


@pytest.mark.row("D17")
@pytest.mark.parametrize(("part", "acted"), RAN, ids=lambda value: str(value)[:40])
def test_a_tool_that_was_run_elsewhere_and_may_change_something_is_noticed(part, acted):
    assembly = Assembly()
    assembly.add(PartEnded(0, part))
    assert acts(part) is assembly.progress.acted is acted
    assembly.add(Restarted(0))
    assert assembly.progress.acted is acted, "what was done stays done, though its words are discarded"


@pytest.mark.row("D17")
@pytest.mark.parametrize("kind", K, ids=lambda kind: kind.label)
def test_after_a_tool_that_acts_nothing_is_sent_again(kind):
    acted = Progress(Reach.TOOL_CALL, 1, acted=True)
    failure = Failure(kind, phase=P.STREAMING)
    assert after(failure, progress=acted) is None
    assert after(attrs.evolve(failure, phase=P.CONNECTION), progress=acted) is None
    assert ration(FULL, Seam.RESTART, [Try(Leg(A), 1.0, Broken(failure, acted))]) == Ration(1, 1)
