"""MAINS: the input power goes with the host. A dark BMC proves nothing, and power that returns undoes what was proved."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.expectations.requests import AtMostCommands, ReadsBeforeClaim
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.mains import MainsBack, MainsLost
from conformance.scenario import AskStep, Scenario, off
from conformance.vocabulary import Ask, Cause, Claim, Level
from emulator import RestorePolicy

COMES_ON = (NeverClaims(), Claims(Level.SHOULD), ReadsBeforeClaim())
"""It reads Off once, and On from then on."""
STAYS_OFF = (Claims(), ReadsBeforeClaim(), AtMostCommands(1))

DARK = Scenario(
    id="MAINS-001",
    tier=1,
    title="The input power is lost with the host: the BMC is silent",
    requirement=req.UNREACHABLE_IS_NOT_OFF,
    source="apache/cloudstack#13589, #7543; ClusterLabs/pacemaker#665; FenceAgentAPI: unreachable is exit 1",
    given=(host(ON), MainsLost()),
    steps=(
        AskStep(Ask.OFF, (ReadsBeforeClaim(), names_cause(Cause.UNREACHABLE, Cause.TIMEOUT)), together=1),
        AskStep(Ask.STATUS, (answers(Claim.FAILED), names_cause(Cause.UNREACHABLE, Cause.TIMEOUT)), together=1, optional=True),
    ),
)

ALWAYS_ON = Scenario(
    id="MAINS-002",
    tier=1,
    title="The input power is back and the host comes on by itself (AlwaysOn)",
    requirement=req.SAFE_CLAIM,
    source="openbmc#2454, #3031; DSP0268 PowerRestorePolicy",
    given=(host(ON), MainsBack(RestorePolicy.ALWAYS_ON)),
    steps=off(*COMES_ON),
)

ALWAYS_OFF = Scenario(
    id="MAINS-003",
    tier=1,
    title="The input power is back and the host stays off (AlwaysOff)",
    requirement=req.STATE_NOT_TRANSITION,
    source="DSP0268 PowerRestorePolicy; apache/cloudstack#13376",
    given=(host(ON), MainsBack(RestorePolicy.ALWAYS_OFF)),
    steps=(AskStep(Ask.STATUS, (answers(Claim.OFF),), optional=True), *off(*STAYS_OFF)),
)

LAST_STATE = Scenario(
    id="MAINS-004",
    tier=1,
    title="The input power is back and the host is as it was before (LastState)",
    requirement=req.SAFE_CLAIM,
    source="openbmc#2186; DSP0268 PowerRestorePolicy: the default of most servers",
    given=(
        host(ON, name="was-on"),
        MainsBack(RestorePolicy.PREVIOUS, "was-on"),
        host(OFF, name="was-off"),
        MainsBack(RestorePolicy.PREVIOUS, "was-off"),
    ),
    steps=(AskStep(Ask.OFF, COMES_ON, "was-on", together=1), AskStep(Ask.OFF, STAYS_OFF, "was-off", together=1)),
)
