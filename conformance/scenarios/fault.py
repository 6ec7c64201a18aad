"""FAULT: BMCs are small, reboot, and sit behind odd web servers. All trouble leads back to one question: what is the state?"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import AtMostCommands, ReadsBeforeClaim
from conformance.givens.bmc import ON, host
from conformance.givens.inject import Inject
from conformance.scenario import Scenario, off
from conformance.scenarios.words import falls_after, power_commands
from conformance.vocabulary import Cause, Protocol
from emulator import Armed, make_fault

LOST_ANSWER = Scenario(
    id="FAULT-008",
    tier=0,
    title="The connection drops after the reset, which was executed",
    requirement=req.LOST_ANSWER,
    source="measured: four of seven fencers fail on it; RFC 9110 9.2.2",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        Inject(
            "the connection is reset instead of the first answer to a reset, which is executed",
            Armed(
                fault=make_fault("wire.reset", executed=True),
                when=power_commands(Protocol.REDFISH),
                count=1,
            ),
        ),
        falls_after(3),
    ),
    steps=off(Claims(), ReadsBeforeClaim(), AtMostCommands(3)),
)

REFUSED = Scenario(
    id="FAULT-010",
    tier=0,
    title="Nothing listens at the BMC's address",
    requirement=req.UNREACHABLE_IS_NOT_OFF,
    source="FenceAgentAPI: unreachable is exit 1; apache/cloudstack#13589",
    given=(host(ON, listens=False),),
    steps=off(NeverClaims(), names_cause(Cause.UNREACHABLE)),
)
