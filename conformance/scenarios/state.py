"""STATE: fencing asks for a state, not for a transition.

The host that needs fencing is often already off, and vendors say so with 204, 400, 409 or 0xD5. The same codes mean unrelated
trouble on a running host, so each "already off" has a twin with the host on.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import NeverSays, names_cause
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.expectations.requests import AtMostCommands, ReadsBeforeClaim
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.inject import Inject
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import completion, falls_after, nothing_happens, refused_when_off, refused_when_on
from conformance.vocabulary import Ask, Cause, Claim, Protocol
from emulator import Armed, Rail, ResetType, make_fault

ALREADY_OFF = "Server is already powered OFF."
NOT_CONFIGURED = r"(?i)not configured"

SEED_FORCE_OFF = Scenario(
    id="STATE-001",
    tier=0,
    title="The host is already off and ForceOff answers 409",
    requirement=req.STATE_NOT_TRANSITION,
    source="apache/cloudstack#13376; infra-operator#434 (iDRAC9)",
    protocol=Protocol.REDFISH,
    given=(host(OFF), refused_when_off(409, "Base.1.8.GeneralError", ALREADY_OFF, ResetType.FORCE_OFF)),
    steps=off(Claims(), ReadsBeforeClaim(), AtMostCommands(1), NeverSays(NOT_CONFIGURED)),
)

SEED_GRACEFUL = Scenario(
    id="STATE-002",
    tier=0,
    title="The host is already off and every way down answers 409",
    requirement=req.STATE_NOT_TRANSITION,
    source="apache/cloudstack#13376",
    protocol=Protocol.REDFISH,
    given=(
        host(OFF),
        refused_when_off(409, "Base.1.8.GeneralError", ALREADY_OFF, ResetType.GRACEFUL_SHUTDOWN, ResetType.FORCE_OFF),
    ),
    steps=off(Claims(), ReadsBeforeClaim(), NeverSays(NOT_CONFIGURED)),
)

SEED_IPMI = Scenario(
    id="STATE-003",
    tier=0,
    title="The host is already off and Chassis Control answers 0xD5",
    requirement=req.STATE_NOT_TRANSITION,
    source="apache/cloudstack#13376; bmclib#382, fence-agents#596",
    protocol=Protocol.IPMI,
    given=(host(OFF), completion(0xD5, Rail.DOWN, must_fire=False)),
    steps=off(Claims(), ReadsBeforeClaim()),
)

POWER_IS_OFF_400 = Scenario(
    id="STATE-004",
    tier=0,
    title="The host is already off and a reset answers 400 'Power is off'",
    requirement=req.STATE_NOT_TRANSITION,
    source="goldyfruit/ansible-ilo#1; apache/cloudstack#12921 (iLO)",
    protocol=Protocol.REDFISH,
    given=(host(OFF), refused_when_off(400, "iLO.2.14.InvalidOperationForSystemState", "Power is off.")),
    steps=off(Claims(), ReadsBeforeClaim()),
)

CONFLICT_WHILE_ON = Scenario(
    id="STATE-007",
    tier=0,
    title="The host is on and a reset answers 409 for another reason",
    requirement=req.CODES_ARE_NOT_STATE,
    source="sample-web-ui#2367; ironcore-dev/metal-operator#997",
    protocol=Protocol.REDFISH,
    given=(host(ON), refused_when_on(409, "Base.1.8.ResourceInUse", "A KVM session is active; power control is locked.")),
    steps=off(NeverClaims(), names_cause(Cause.CONFLICT, Cause.BUSY)),
)

POWERING_OFF = Scenario(
    id="STATE-009",
    tier=0,
    title="The BMC says PoweringOff for ever and the host stays on",
    requirement=req.ONLY_OFF_IS_OFF,
    source="metal3-io/baremetal-operator#290; DSP0268 PowerState",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        Inject("the System says PoweringOff, whatever is true", Armed(fault=make_fault("report.says", word="PoweringOff"))),
        Inject("every power command is accepted and has no effect", Armed(fault=nothing_happens().armed.fault, must_fire=False)),
    ),
    steps=off(NeverClaims(), names_cause(Cause.TIMEOUT)),
)

PLAIN = Scenario(
    id="STATE-016",
    tier=0,
    title="A running host, a healthy BMC",
    requirement=req.SAFE_CLAIM,
    source="FenceAgentAPI 'off': verify",
    given=(host(ON), falls_after(3)),
    steps=off(Claims(), ReadsBeforeClaim(), AtMostCommands(3)),
)

QUESTIONS = Scenario(
    id="STATE-019",
    tier=0,
    title="status and monitor of a host that is off, one that is on, and one that cannot be reached",
    requirement=req.TRUE_STATUS,
    source="FenceAgentAPI 'status': 0 on, 2 off, 1 unknown",
    given=(host(OFF, name="off"), host(ON, name="on"), host(ON, name="unreachable", listens=False)),
    steps=(
        AskStep(Ask.STATUS, (answers(Claim.OFF),), "off"),
        AskStep(Ask.STATUS, (answers(Claim.ON),), "on"),
        AskStep(Ask.STATUS, (answers(Claim.FAILED), names_cause(Cause.UNREACHABLE)), "unreachable"),
        AskStep(Ask.MONITOR, (answers(Claim.OK),), "off", optional=True),
        AskStep(Ask.MONITOR, (answers(Claim.OK),), "on", optional=True),
        AskStep(Ask.MONITOR, (answers(Claim.FAILED), names_cause(Cause.UNREACHABLE)), "unreachable", optional=True),
    ),
)
