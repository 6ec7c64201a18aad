"""IPMI: the same questions on the other wire. A completion code explains, it never proves."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.claims import NeverClaims
from conformance.givens.bmc import ON, host
from conformance.scenario import Scenario, off
from conformance.scenarios.words import completion, nothing_happens
from conformance.vocabulary import Protocol
from emulator import Rail

NOT_IN_STATE_WHILE_ON = Scenario(
    id="IPMI-002",
    tier=0,
    title="The host is on and Chassis Control answers 0xD5",
    requirement=req.CODES_ARE_NOT_STATE,
    source="IPMI 2.0 table 5-2: 0xD5 is any state that forbids the command (firmware update, POST)",
    protocol=Protocol.IPMI,
    given=(host(ON), completion(0xD5, Rail.UP, must_fire=True)),
    steps=off(NeverClaims()),
)

ACCEPTED_WITHOUT_EFFECT = Scenario(
    id="IPMI-003",
    tier=0,
    title="Chassis Control is accepted and nothing happens",
    requirement=req.SAFE_CLAIM,
    source="measured: ipmitool, ipmipower and external/ipmi claim on it",
    protocol=Protocol.IPMI,
    given=(host(ON), nothing_happens()),
    steps=off(NeverClaims()),
)
