"""PROFILE: nothing is injected. The vendor's own answers are the test; scenarios that inject an answer come beside these."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.claims import BringsBack, Claims, NeverClaims
from conformance.expectations.requests import AtMostCommands, Forces, ReadsBeforeClaim
from conformance.givens.bmc import HUNG, OFF, ON, host
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import falls_after
from conformance.vocabulary import Ask, Protocol

SOURCE = "the power table of the profile"

ALREADY_OFF = Scenario(
    id="PROFILE-001",
    tier=0,
    title="The host is already off, and the BMC answers as this vendor's does",
    requirement=req.STATE_NOT_TRANSITION,
    source=f"{SOURCE}; apache/cloudstack#13376",
    protocol=Protocol.REDFISH,
    given=(host(OFF),),
    steps=off(Claims(), ReadsBeforeClaim(), AtMostCommands(1)),
)

RUNNING = Scenario(
    id="PROFILE-002",
    tier=0,
    title="The host runs, and the BMC answers as this vendor's does",
    requirement=req.SAFE_CLAIM,
    source=f"{SOURCE}; FenceAgentAPI 'off': verify",
    protocol=Protocol.REDFISH,
    given=(host(ON), falls_after(3)),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim(), AtMostCommands(3)),
)

HUNG_OS = Scenario(
    id="PROFILE-003",
    tier=0,
    title="The operating system hangs, and the BMC answers as this vendor's does",
    requirement=req.FORCE_WHEN_HUNG,
    source=f"{SOURCE}; ironcore-dev/metal-operator#129",
    protocol=Protocol.REDFISH,
    given=(host(HUNG), falls_after(3)),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim(), Forces()),
)

ALREADY_OFF_IPMI = Scenario(
    id="PROFILE-004",
    tier=0,
    title="The host is already off, and Chassis Control completes as this vendor's does",
    requirement=req.STATE_NOT_TRANSITION,
    source="the IPMI chassis table of the profile; bmclib#382",
    protocol=Protocol.IPMI,
    given=(host(OFF),),
    steps=off(Claims(), ReadsBeforeClaim(), AtMostCommands(1)),
)

ALREADY_ON = Scenario(
    id="PROFILE-005",
    tier=0,
    title="The host is already on, is to be on, and the BMC answers as this vendor's does",
    requirement=req.STATE_NOT_TRANSITION,
    source=f"{SOURCE}; dellemc-openmanage-ansible-modules#132",
    protocol=Protocol.REDFISH,
    given=(host(ON),),
    steps=(AskStep(Ask.ON, (Claims(), AtMostCommands(1))),),
)

REBOOT = Scenario(
    id="PROFILE-006",
    tier=0,
    title="The host is rebooted, and the BMC answers as this vendor's does",
    requirement=req.TRUE_ON,
    source=f"{SOURCE}; FenceAgentAPI 'reboot'",
    protocol=Protocol.REDFISH,
    given=(host(ON), falls_after(3)),
    steps=(AskStep(Ask.REBOOT, (Claims(), BringsBack())),),
)
