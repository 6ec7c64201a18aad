"""PDU: the fencer is told the outlets of the host at a PDU. The truth is that of the host behind the cords.

A host with two power supplies has two cords and runs on with one. Only off is asked for: an outlet that is on does not show that
the host is.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.expectations.requests import AtMostCommands, ReadsBeforeClaim
from conformance.givens.bmc import OFF, ON, BmcGiven, host
from conformance.givens.circumstance import Circumstance
from conformance.givens.fed_by import PDU, FedBy
from conformance.givens.given import Given
from conformance.givens.inject import Inject
from conformance.scenario import AskStep, Scenario, off
from conformance.vocabulary import Ask, Cause, Claim, Protocol
from emulator import Armed, Fault, Intent, When, make_fault

NEEDS = frozenset({"pdu"})
CORDS = ("A1", "B1")
NEIGHBOUR: tuple[Given, ...] = (host(ON, name="neighbour"), FedBy(("A2", "B2"), "neighbour"))
"""Another host on the same PDU, which must stay as it is (G6)."""
AGENTS = "FenceAgentAPI 'plug'; fence_apc(8): several plugs of one host"


def two_cords(
    target: BmcGiven | None = None, *off_at_first: str, told: tuple[str, ...] = (), listens: bool = True
) -> tuple[Given, ...]:
    return (target or host(ON), FedBy(CORDS, off=off_at_first, told=told, listens=listens), *NEIGHBOUR)


def commands_at(outlet: str) -> When:
    return When(intent=Intent.POWER_COMMAND, path=f"*/Outlets/{outlet}/*")


def at_second(words: str, fault: Fault, *, count: int | None = None, must_fire: bool = True) -> Inject:
    """What happens to a command for the second outlet."""
    return Inject(words, Armed(fault=fault, when=commands_at("B1"), count=count, must_fire=must_fire), PDU)


BOTH_OFF = Scenario(
    id="PDU-001",
    tier=1,
    title="A host with two cords; another host hangs on the same PDU",
    requirement=req.ALL_OUTLETS,
    source=AGENTS,
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=two_cords(),
    steps=off(Claims(), ReadsBeforeClaim(), AtMostCommands(4)),
)

ONE_STAYS_ON = Scenario(
    id="PDU-002",
    tier=1,
    title="One of two outlets accepts every command and stays on",
    requirement=req.ALL_OUTLETS,
    source=f"{AGENTS}; a relay that sticks",
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=(*two_cords(), at_second("outlet B1 accepts every command and stays on", make_fault("power.ignore"))),
    steps=off(NeverClaims()),
)

ONE_IS_OFF = Scenario(
    id="PDU-003",
    tier=1,
    title="One of two outlets is off already, and the host runs on the other cord",
    requirement=req.ALL_OUTLETS,
    source=AGENTS,
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=two_cords(None, "A1"),
    steps=(
        AskStep(Ask.STATUS, (answers(Claim.ON, Claim.FAILED),), optional=True),
        AskStep(Ask.OFF, (Claims(), ReadsBeforeClaim())),
    ),
)

OFF_ALREADY = Scenario(
    id="PDU-004",
    tier=1,
    title="Both outlets are off already",
    requirement=req.STATE_NOT_TRANSITION,
    source=f"{AGENTS}; apache/cloudstack#13376",
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=two_cords(host(OFF), *CORDS),
    steps=(
        AskStep(Ask.STATUS, (answers(Claim.OFF),), optional=True),
        AskStep(Ask.OFF, (Claims(), ReadsBeforeClaim(), AtMostCommands(2))),
    ),
)

BUSY_ONCE = Scenario(
    id="PDU-005",
    tier=1,
    title="The command for one of two outlets is answered with 503 once",
    requirement=req.TRANSIENT,
    source="DSP0266 7.11: 503 and Retry-After",
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=(
        *two_cords(),
        at_second(
            "the first command for outlet B1 is answered with HTTP 503, Retry-After 1",
            make_fault("redfish.reply", status=503, headers={"Retry-After": "1"}),
            count=1,
        ),
    ),
    steps=off(Claims(), ReadsBeforeClaim()),
)

NO_STATE = Scenario(
    id="PDU-006",
    tier=1,
    title="One of two outlets says null for its power, and stays on",
    requirement=req.ONLY_OFF_IS_OFF,
    source="DSP0268 Outlet.PowerState: null where the state is not known",
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=(
        *two_cords(),
        at_second("outlet B1 accepts every command and stays on", make_fault("power.ignore"), must_fire=False),
        Circumstance(
            "outlet B1 says null for its power",
            Armed(
                fault=make_fault("redfish.property", what="null"),
                when=When(intent=Intent.POWER_READ, path="*/Outlets/B1"),
            ),
            PDU,
        ),
    ),
    steps=off(NeverClaims()),
)

NO_SUCH_OUTLET = Scenario(
    id="PDU-007",
    tier=1,
    title="The PDU has only one of the two outlets that the fencer is told",
    requirement=req.EXACT_TARGET,
    source=AGENTS,
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=two_cords(told=("A1", "Z9")),
    steps=off(NeverClaims(), AtMostCommands(0), names_cause(Cause.CONFIG, Cause.NOT_FOUND)),
)

SILENT = Scenario(
    id="PDU-008",
    tier=1,
    title="The PDU does not answer",
    requirement=req.UNREACHABLE_IS_NOT_OFF,
    source="FenceAgentAPI: unreachable is exit 1",
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=two_cords(listens=False),
    steps=off(NeverClaims(), names_cause(Cause.UNREACHABLE, Cause.TIMEOUT)),
)

LATE = Scenario(
    id="PDU-009",
    tier=1,
    title="One of two outlets goes off late",
    requirement=req.SAFE_CLAIM,
    source="DSP0268 Outlet.PowerOffDelaySeconds",
    protocol=Protocol.REDFISH,
    needs=NEEDS,
    given=(
        *two_cords(),
        at_second(
            "outlet B1 goes off only when its power has been read three times",
            make_fault("power.gate", gate=3),
            must_fire=False,
        ),
    ),
    steps=off(Claims(), ReadsBeforeClaim()),
)
