"""Which cause the fencer reads out of a refused log-in."""

from __future__ import annotations

import pytest

from fencer.outcome import Cause
from fencer.redact import Redactor
from fencer.transport.redfish_errors import http_failure

EITHER = "Authorization failed because the user name or password is incorrect, or your account is locked."


@pytest.mark.parametrize(
    ("status", "message_id", "text", "expected"),
    [
        (401, "iBMC.1.0.AuthorizationFailed", EITHER, Cause.AUTH),
        (401, "iBMC.1.0.AuthorizationFailed", "The account is locked.", Cause.LOCKED),
        (403, "Acme.1.0.AccountLocked", "no", Cause.LOCKED),
        (401, "Base.1.0.NoValidSession", "There is no valid session established with the implementation.", Cause.AUTH),
    ],
)
def test_a_text_for_both_does_not_say_that_the_account_is_locked(
    status: int, message_id: str, text: str, expected: Cause
) -> None:
    body = {"error": {"@Message.ExtendedInfo": [{"MessageId": message_id, "Message": text}]}}
    assert http_failure("GET /", status, body, Redactor(()), command=False).cause is expected
