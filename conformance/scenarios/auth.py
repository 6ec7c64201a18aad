"""AUTH: the most common configuration fault, and the one that is reported worst."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import NeverClaims
from conformance.expectations.requests import AtMostAuthFailures
from conformance.givens.bmc import ON, host
from conformance.givens.wrong_password import WrongPassword
from conformance.scenario import Scenario, off
from conformance.vocabulary import Cause

WRONG_PASSWORD = Scenario(
    id="AUTH-001",
    tier=0,
    title="The password is wrong",
    requirement=req.FEW_LOGINS,
    source="Redfish-Protocol-Validator#12; ibm-openbmc/openbmc#90 (lockout)",
    given=(host(ON), WrongPassword()),
    steps=off(NeverClaims(), names_cause(Cause.AUTH), AtMostAuthFailures(2)),
)
