"""ASYNC: accepted now, done later. The claim must follow the transition."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import ReadsBeforeClaim
from conformance.givens.bmc import ON, host
from conformance.scenario import Scenario, off
from conformance.scenarios.words import falls_after

LATE = Scenario(
    id="ASYNC-004",
    tier=0,
    title="The host goes off long after the command was accepted",
    requirement=req.SAFE_CLAIM,
    source="powerman#67, #73: 46 to 70 s on real hardware; FenceAgentAPI 'off': verify",
    given=(host(ON), falls_after(15)),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim()),
)
