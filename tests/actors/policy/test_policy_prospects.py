"""What lies ahead of a stream whose failure does not pass: played through with the judgement itself."""

import pytest

from actors.failure import Failure, FailureKind
from actors.kinds import Disposition
from actors.policy.prospects import prospects, reason

K = FailureKind


@pytest.mark.row("B9")
@pytest.mark.parametrize(
    ("kind", "waits", "buffered", "elsewhere"),
    [
        (K.RATE_LIMIT, (1, 2, 4, 8), True, True),
        (K.RESET, (1, 2), True, True),
        (K.INVALID_KEY, (), False, True),
        (K.MEMORY, (), True, False),
        (K.POLICY, (), False, False),
        (K.CANCELLED, (), False, False),
    ],
)
def test_waits_and_ways_out_are_those_of_the_ladder(kind, waits, buffered, elsewhere):
    ahead = prospects(Failure(kind))
    assert (ahead.waits, ahead.buffered, ahead.elsewhere) == (waits, buffered, elsewhere)
    assert ahead.attempts == len(waits) + 1
    assert ahead.seconds == sum(waits)


def test_a_wait_that_the_provider_asks_for_is_obeyed_where_it_fits():
    assert prospects(Failure(K.RATE_LIMIT, retry_after=7)).waits == (7, 7, 7, 8)
    assert not prospects(Failure(K.RATE_LIMIT, retry_after=700)).retried


def test_a_silent_route_is_asked_again_only_where_there_is_no_other():
    ahead = prospects(Failure(K.STALLED))
    assert ahead.retried
    assert ahead.first_elsewhere


@pytest.mark.parametrize("kind", K)
def test_every_kind_has_prospects_and_a_reason(kind):
    ahead = prospects(Failure(kind))
    assert ahead.seconds <= 120
    assert reason(Failure(kind))
    assert not (kind.disposition in {Disposition.STOP, Disposition.LEAVE} and (ahead.retried or ahead.elsewhere))
