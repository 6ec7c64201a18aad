"""TRUTH: a 2xx is the BMC's intention; only a later read of the state is evidence."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import Forces
from conformance.givens.bmc import HUNG, ON, host
from conformance.scenario import Scenario, off
from conformance.scenarios.words import falls_after, nothing_happens
from conformance.vocabulary import Cause, Level

ACCEPTED_WITHOUT_EFFECT = Scenario(
    id="TRUTH-001",
    tier=0,
    title="The BMC accepts the command and nothing happens",
    requirement=req.SAFE_CLAIM,
    source="infra-controller#595; FenceAgentAPI 'off': verify",
    given=(host(ON), nothing_happens()),
    steps=off(NeverClaims(), names_cause(Cause.TIMEOUT)),
)

HUNG_OS = Scenario(
    id="TRUTH-006",
    tier=0,
    title="The operating system hangs: a graceful shutdown is accepted and never happens, ForceOff works",
    requirement=req.FORCE_WHEN_HUNG,
    source="ironcore-dev/metal-operator#129; apache/cloudstack OFF sends GracefulShutdown",
    given=(host(HUNG), falls_after(3)),
    steps=off(NeverClaims(), Claims(Level.SHOULD), Forces()),
)
