"""Which requests count as refused log-ins, so that a run of the fencer never locks an account."""

from __future__ import annotations

import time

import pytest

from fencer.outcome import Cause, Failure
from fencer.transport.base import CallFailed
from fencer.transport.refused_logins import ACCEPTED_FOR_S, RefusedLogins

REFUSAL = Failure(cause=Cause.AUTH, text="GET /redfish/v1/Systems/1 was answered with HTTP 401", code="HTTP 401")


def lost(cause: Cause = Cause.TIMEOUT, *, sent: bool = True) -> CallFailed:
    return CallFailed(Failure(cause=cause, text="no complete answer within 2.0 s"), sent=sent)


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.UNREACHABLE])
def test_refused_credentials_that_are_sent_again_without_an_answer_count_as_refused(cause: Cause) -> None:
    logins = RefusedLogins()
    assert not logins.add(REFUSAL).final
    counted = logins.unanswered(lost(cause))
    assert counted.final
    assert counted.failure.cause is Cause.AUTH
    assert counted.failure.text.startswith(f"{REFUSAL.text}; sent again, ")
    assert counted.failure.code == "HTTP 401"
    with pytest.raises(CallFailed) as told:
        logins.wait(time.monotonic() + 60)
    assert told.value.final


def test_a_request_that_is_lost_is_no_refusal_where_nothing_was_refused_or_the_credentials_were_accepted_since() -> None:
    logins, failed = RefusedLogins(), lost()
    assert logins.unanswered(failed) is failed
    logins.add(REFUSAL)
    logins.accepted()
    assert logins.unanswered(failed) is failed
    assert logins.count == 1


def test_a_request_that_is_lost_is_no_refusal_where_the_last_answer_was_another_one() -> None:
    logins, failed = RefusedLogins(), lost()
    logins.add(REFUSAL)
    logins.answered()
    assert logins.unanswered(failed) is failed
    assert logins.add(REFUSAL).final, "refusals before and after count together"


def test_one_refusal_of_credentials_that_were_accepted_just_before_makes_no_refusal_of_a_lost_answer() -> None:
    logins, failed = RefusedLogins(), lost(Cause.UNREACHABLE)
    logins.accepted()
    assert not logins.add(REFUSAL).final
    assert logins.unanswered(failed) is failed
    assert logins.accepted_at is not None
    logins.accepted_at -= ACCEPTED_FOR_S
    assert logins.unanswered(failed).final


@pytest.mark.parametrize(
    "failed", [lost(Cause.UNREACHABLE, sent=False), lost(sent=False), lost(Cause.TLS), lost(Cause.BAD_RESPONSE)]
)
def test_what_did_not_reach_the_bmc_or_was_answered_is_no_refusal(failed: CallFailed) -> None:
    logins = RefusedLogins()
    logins.add(REFUSAL)
    assert logins.unanswered(failed) is failed
    assert logins.count == 1
