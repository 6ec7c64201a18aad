"""STATE: fencing asks for a state, not for a transition.

The host that needs fencing is often already off, and vendors say so with 204, 400, 409 or 0xD5. The same codes mean unrelated
trouble on a running host, so each "already off" has a twin with the host on.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import NeverSays, names_cause
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.expectations.requests import AtMostCommands, Forces, ReadsBeforeClaim
from conformance.givens.bmc import HUNG, OFF, ON, host
from conformance.givens.inject import Inject
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import (
    at,
    completion,
    empty_when_off,
    falls_after,
    no_effect,
    nothing_happens,
    once_read,
    power_commands,
    refused_when_off,
    refused_when_on,
    says,
)
from conformance.vocabulary import Ask, Cause, Claim, Level, Protocol
from emulator import Armed, Rail, RailIs, ResetType, make_fault
from profiles.model import View

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

EMPTY_ERROR = Scenario(
    id="STATE-005",
    tier=1,
    title="The host is already off and a reset answers 500 or 409 without a body",
    requirement=req.STATE_NOT_TRANSITION,
    source="measured: three of seven fencers fail on it",
    protocol=Protocol.REDFISH,
    given=(
        host(OFF, name="error-500"),
        host(OFF, name="error-409"),
        at("error-500", empty_when_off(500)),
        at("error-409", empty_when_off(409)),
    ),
    steps=(
        AskStep(Ask.OFF, (Claims(Level.SHOULD), ReadsBeforeClaim()), "error-500"),
        AskStep(Ask.OFF, (Claims(Level.SHOULD), ReadsBeforeClaim()), "error-409"),
    ),
)

ACCEPTED_WHEN_OFF = Scenario(
    id="STATE-006",
    tier=1,
    title="The host is already off and a reset is accepted with 204",
    requirement=req.STATE_NOT_TRANSITION,
    source="bmclib#382, #417, #223: HPE and Supermicro answer with success",
    protocol=Protocol.REDFISH,
    given=(
        host(OFF),
        Inject(
            "every reset of a host that is off is accepted with HTTP 204 and does nothing",
            Armed(
                fault=make_fault("redfish.reply", status=204),
                when=power_commands(Protocol.REDFISH, Rail.DOWN),
                must_fire=False,
            ),
        ),
    ),
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

NOT_READY = Scenario(
    id="STATE-008",
    tier=0,
    title="The host is on and the first two resets answer 400 'not ready'",
    requirement=req.CODES_ARE_NOT_STATE,
    source="quadsproject/badfish#129 (SWC0700)",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        refused_when_on(
            400, "IDRAC.2.1.SWC0700", "iDRAC is not ready. The configuration values cannot be accessed. Please retry.", count=2
        ),
        falls_after(3),
    ),
    steps=off(NeverClaims(), Claims(Level.SHOULD), ReadsBeforeClaim()),
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

PASSES_THROUGH_POWERING_OFF = Scenario(
    id="STATE-010",
    tier=0,
    title="The BMC says PoweringOff until the host is off",
    requirement=req.ONLY_OFF_IS_OFF,
    source="chaos/powerman#67, #154; DSP0268 PowerState",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        Inject(
            "after an accepted power command System and Chassis say PoweringOff, until the power has been read 5 times",
            Armed(fault=make_fault("power.passing", word="PoweringOff", gate=5)),
        ),
    ),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim()),
)

HANGS_GOING_DOWN = Scenario(
    id="STATE-022",
    tier=1,
    title="The operating system hangs while it goes down: the System says PoweringOff until somebody cuts the power",
    requirement=req.FORCE_WHEN_HUNG,
    source="DSP0268 PowerState; ironcore-dev/metal-operator#129: a graceful shutdown that never ends",
    protocol=Protocol.REDFISH,
    given=(host(HUNG), says("PoweringOff", until=RailIs(Rail.DOWN)), falls_after(3)),
    steps=off(NeverClaims(), Claims(), Forces(), ReadsBeforeClaim()),
)

UNKNOWN_WHILE_ON = Scenario(
    id="STATE-011",
    tier=0,
    title="The host is on and its PowerState is null, or missing",
    requirement=req.ONLY_OFF_IS_OFF,
    source="ironcore-dev/metal-operator#594, #601",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="null"),
        host(ON, name="missing"),
        at("null", says(None)),
        at("null", no_effect()),
        at("missing", says("absent")),
        at("missing", no_effect()),
    ),
    steps=tuple(
        AskStep(
            Ask.OFF,
            (
                NeverClaims(),
                names_cause(Cause.BAD_RESPONSE, Cause.TIMEOUT),
                names_cause(Cause.BAD_RESPONSE, level=Level.SHOULD),
                NeverSays(NOT_CONFIGURED),
            ),
            bmc,
        )
        for bmc in ("null", "missing")
    ),
)

UNKNOWN_WHILE_OFF = Scenario(
    id="STATE-012",
    tier=1,
    title="The host is off, its PowerState is null, and a reset answers 409 'already powered off'",
    requirement=req.TRUE_CAUSE,
    source="ironcore-dev/metal-operator#594; a fencer may take the message for evidence, or say that the state is unknown",
    protocol=Protocol.REDFISH,
    given=(host(OFF), says(None), refused_when_off(409, "Base.1.8.GeneralError", ALREADY_OFF)),
    steps=off(
        NeverClaims(),
        names_cause(Cause.BAD_RESPONSE, Cause.CONFLICT, Cause.ALREADY_IN_STATE, Cause.TIMEOUT),
        names_cause(Cause.BAD_RESPONSE, level=Level.SHOULD),
        NeverSays(NOT_CONFIGURED),
    ),
)

OTHER_WORDS = Scenario(
    id="STATE-013",
    tier=1,
    title="The state is a word that DSP0268 does not have, or Off in another spelling",
    requirement=req.ONLY_OFF_IS_OFF,
    source="ironcore-dev/metal-operator#594; measured: 'off' in small letters is On, Off or an error, as it comes",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="sleep"),
        host(ON, name="paused"),
        host(OFF, name="small-letters"),
        host(OFF, name="blanks"),
        at("sleep", says("Sleep")),
        at("sleep", no_effect()),
        at("paused", says("Paused")),
        at("small-letters", says("off", View.SYSTEM, View.CHASSIS)),
        at("blanks", says(" Off ", View.SYSTEM, View.CHASSIS)),
    ),
    steps=(
        AskStep(Ask.STATUS, (answers(Claim.ON, Claim.FAILED),), "sleep"),
        AskStep(Ask.OFF, (NeverClaims(),), "sleep"),
        AskStep(Ask.STATUS, (answers(Claim.ON, Claim.FAILED),), "paused"),
        AskStep(Ask.STATUS, (answers(Claim.OFF, Claim.FAILED),), "small-letters"),
        AskStep(Ask.STATUS, (answers(Claim.OFF, Claim.FAILED),), "blanks"),
    ),
)

ALREADY_ON = Scenario(
    id="STATE-014",
    tier=1,
    title="The host is already on and On answers 409",
    requirement=req.STATE_NOT_TRANSITION,
    source="dellemc-openmanage-ansible-modules#132, cybozu-go/neco#1520 (PSU501)",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        refused_when_on(
            409, "IDRAC.2.1.PSU501", "Server is already powered ON.", ResetType.ON, ResetType.FORCE_ON, must_fire=False
        ),
    ),
    steps=(AskStep(Ask.ON, (Claims(),)),),
)

BOOTING = Scenario(
    id="STATE-015",
    tier=0,
    title="The host is booting: the BMC says PoweringOn, and no operating system listens yet",
    requirement=req.SAFE_CLAIM,
    source="apache/cloudstack#13376: so the incident ended",
    protocol=Protocol.REDFISH,
    given=(host(HUNG), says("PoweringOn", until=RailIs(Rail.DOWN)), falls_after(3)),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim()),
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

GOES_OFF_MEANWHILE = Scenario(
    id="STATE-017",
    tier=1,
    title="The host goes off between the first read and the reset, which then answers 409",
    requirement=req.STATE_NOT_TRANSITION,
    source="apache/cloudstack#13376",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        once_read(Rail.UP, "it loses its power", "host.power-lost"),
        refused_when_off(409, "Base.1.8.GeneralError", ALREADY_OFF),
    ),
    steps=off(Claims(), ReadsBeforeClaim()),
)

COMES_BACK_UNSEEN = Scenario(
    id="STATE-018",
    tier=1,
    title="The host goes off, and somebody switches it on again before anybody has read Off",
    requirement=req.SAFE_CLAIM,
    source="openbmc/openbmc#2454, #3031: power policy",
    given=(
        host(ON),
        Inject(
            "when the power has been read 3 times after the first accepted power command, the host goes off and on in one moment",
            Armed(fault=make_fault("power.bounce", seconds=0.0, gate=3), count=1),
        ),
    ),
    steps=off(NeverClaims()),
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

TWICE = Scenario(
    id="STATE-020",
    tier=1,
    title="A running host is switched off twice in a row",
    requirement=req.STATE_NOT_TRANSITION,
    source="FenceAgentAPI 'off' asks for a state; apache/cloudstack#13376 repeats it for 20 minutes",
    given=(host(ON), falls_after(3)),
    steps=(
        AskStep(Ask.OFF, (Claims(), ReadsBeforeClaim())),
        AskStep(Ask.OFF, (Claims(), ReadsBeforeClaim(), AtMostCommands(0))),
    ),
)

GOES_OFF_UNHINDERED = Scenario(
    id="STATE-021",
    tier=1,
    title="The host goes off between the first read and the reset, and the BMC does what is asked",
    requirement=req.ONLY_POWER,
    source="DSP0268 PushPowerButton: of a host that is off it switches the power on; bmclib#382: success where it is off already",
    protocol=Protocol.REDFISH,
    given=(host(ON), once_read(Rail.UP, "it loses its power", "host.power-lost")),
    steps=off(NeverClaims(), Claims(Level.SHOULD)),
)
