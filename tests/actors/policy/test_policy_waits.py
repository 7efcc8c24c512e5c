"""How long a provider asks to wait, in every form that providers write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.failure import FailureKind, Phase
from actors.policy.classify import classify
from actors.policy.waits import wait
from actors.source import RefusedError

THEN = "Wed, 21 Oct 2026 07:28:00 GMT"
DATE = {"date": THEN}
WALL = 1792567680.0
"""The moment of THEN in seconds since 1970."""

FORMS = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": " 1.5 "}, 1.5),
    ({"retry-after": "0"}, 0.0),
    ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
    ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
    ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
    ({**DATE, "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
    ({**DATE, "retry-after": "Wed, 21 Oct 2026 07:27:30 GMT"}, 0.0),
    ({**DATE, "retry-after": "Wednesday, 21-Oct-26 07:28:09 GMT"}, 9.0),
    ({**DATE, "retry-after": "2026-10-21T07:29:00Z"}, 60.0),
    ({"retry-after": "2m3s"}, 123.0),
    ({"retry-after": THEN}, None),
    ({"retry-after": "soon"}, None),
    ({"retry-after": ""}, None),
    ({"retry-after": "-1"}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": "inf"}, None),
    ({}, None),
]

LIMITS = [
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "300ms"}, 0.3),
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "2m59.56s"}, 179.56),
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h2m3s"}, 3723.0),
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "60"}, 60.0),
    ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}, None),
    ({**DATE, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1792567700000"}, 20.0),
    ({**DATE, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1792567690"}, 10.0),
    (
        {
            **DATE,
            "anthropic-ratelimit-input-tokens-remaining": "0",
            "anthropic-ratelimit-input-tokens-reset": "2026-10-21T07:29:12Z",
            "anthropic-ratelimit-requests-remaining": "12",
            "anthropic-ratelimit-requests-reset": "2026-10-21T09:00:00Z",
        },
        72.0,
    ),
    (
        {
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "1s",
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "4s",
        },
        4.0,
    ),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "some time"}, None),
    ({"x-ratelimit-remaining-requests": "0"}, None),
]


@pytest.mark.row("C17")
@pytest.mark.parametrize(("headers", "seconds"), [*FORMS, *LIMITS])
def test_a_wait_is_read_in_every_form(headers, seconds):
    assert wait(headers, limited=True) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(("headers", "_"), LIMITS)
def test_limits_are_looked_at_only_where_one_was_reached(headers, _):
    assert wait(headers) is None


def test_a_date_is_read_against_the_servers_clock_and_else_against_ours():
    later = "Wed, 21 Oct 2026 07:28:30 GMT"
    assert wait({"retry-after": later}, WALL) == 30.0
    assert wait({**DATE, "retry-after": later}, WALL + 1000) == 30.0
    assert wait({"retry-after": later}) is None


@pytest.mark.row("C17")
def test_the_wait_reaches_the_failure_and_the_providers_own_detail_goes_first():
    def failure(headers, retry_after=None):
        error = RefusedError("slow", status=429, headers=headers, retry_after=retry_after)
        return classify(error, Phase.CONNECTION, wall=WALL)

    assert failure({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}).retry_after == 30.0
    assert failure({"retry-after": "9"}, retry_after=17.0).retry_after == 17.0
    assert failure({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "3s"}).retry_after == 3.0
    assert failure({}).retry_after is None


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_spent_limit_beside_another_failure_is_no_wait(status):
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "3s"}
    assert classify(RefusedError("no", status=status, headers=headers), Phase.CONNECTION).retry_after is None


NAMES = st.sampled_from(["retry-after", "retry-after-ms", "date", "x-ratelimit-remaining", "x-ratelimit-reset"])


@given(st.dictionaries(NAMES, st.text(max_size=40)), st.booleans())
def test_whatever_stands_there_it_is_a_wait_or_none(headers, limited):
    seconds = wait(headers, WALL, limited=limited)
    assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.row("D15")
@pytest.mark.parametrize(("said", "again"), [("true", True), ("false", False), ("", True)])
def test_the_veto_of_a_provider_holds(said, again):
    error = RefusedError("Internal server error", status=500, kind="api_error", headers={"x-should-retry": said})
    failure = classify(error, Phase.CONNECTION)
    assert (failure.kind, failure.transient) == (FailureKind.SERVER, again)
