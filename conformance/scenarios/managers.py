"""HA: managers. They decide that a host is down, and start its workloads elsewhere on their own word.

A manager is asked to watch a cluster; when it has taken up all hosts, one of them fails. Its claim is what it calls that host.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, Refuses, answers
from conformance.expectations.expectation import Expectation
from conformance.expectations.managers import (
    CutsNobody,
    OneCopy,
    RestartsWorkloads,
    SaysThatItIsOn,
    SaysWhoConfirmed,
    StartsNothing,
    StaysOff,
    TrueAlerts,
)
from conformance.expectations.requests import ReadsBeforeClaim
from conformance.givens.circumstance import Circumstance
from conformance.givens.cluster import Cluster, ComesOnAgain, Confirmed, Fails, FirstTargetRefuses, Returns, SameBmc
from conformance.givens.given import TARGET, Given
from conformance.scenario import AskStep, Scenario
from conformance.scenarios.words import EVERY_VIEW, falls_after, no_effect, refused_when_off, refused_when_on, says
from conformance.vocabulary import Ask, Cause, Claim

OFF_ALREADY = refused_when_off(409, "Base.1.8.ResourceInUse", "the host is already powered off")
DIES = (Cluster(), OFF_ALREADY, Fails("cut"))
"""The host loses its power, and its BMC refuses every reset because of that."""
PROVES_AND_RESTARTS: tuple[Expectation, ...] = (Claims(), ReadsBeforeClaim(), OneCopy(), RestartsWorkloads())
CLAIMS_NOTHING: tuple[Expectation, ...] = (NeverClaims(), answers(Claim.FAILED), OneCopy(), StartsNothing())
SIX = (TARGET, "second", "third", "fourth", "fifth", "sixth")


def watch(*expect: Expectation, sigterm_after: int | None = None, told: tuple[Given, ...] = ()) -> AskStep:
    return AskStep(Ask.WATCH, expect, sigterm_after=sigterm_after, told=told)


ALREADY_OFF = Scenario(
    id="HA-001",
    tier=0,
    title="The host is off, its BMC answers 409 to every reset",
    requirement=req.STATE_NOT_TRANSITION,
    source="apache/cloudstack#13376",
    given=DIES,
    steps=(watch(*PROVES_AND_RESTARTS, StaysOff()),),
)

NO_EFFECT = Scenario(
    id="HA-002",
    tier=0,
    title="The BMC accepts every reset, and the host runs on",
    requirement=req.SAFE_CLAIM,
    source="metal3-io/baremetal-operator#290; apache/cloudstack: KVMHAProvider takes any 2xx for a fence",
    given=(Cluster(), no_effect(), Fails("silent")),
    steps=(watch(*CLAIMS_NOTHING),),
)

UNKNOWN_POWER = Scenario(
    id="HA-003",
    tier=0,
    title="The host is silent, and its BMC does not say whether it has power",
    requirement=req.ONLY_OFF_IS_OFF,
    source="DSP0268 PowerState may be null",
    given=(Cluster(), Circumstance.of(says(None, *EVERY_VIEW)), no_effect(), Fails("silent")),
    steps=(watch(*CLAIMS_NOTHING),),
)

FAILS_FIRST = Scenario(
    id="HA-004",
    tier=1,
    title="The BMC refuses the first reset; alerts say so",
    requirement=req.TRUE_ALERTS,
    source="apache/cloudstack#13376: 309 alerts said that a fence was performed",
    given=(
        Cluster(),
        refused_when_on(500, "Base.1.8.InternalError", "an internal error", count=1),
        Fails("silent"),
    ),
    steps=(watch(*PROVES_AND_RESTARTS, TrueAlerts()),),
)

BMC_LOST_TOO = Scenario(
    id="HA-005",
    tier=0,
    title="The input power is lost with the host: the BMC is silent, until an operator confirms by hand",
    requirement=req.UNREACHABLE_IS_NOT_OFF,
    source="apache/cloudstack#13589, #7543; ClusterLabs/pacemaker#665",
    given=(Cluster(), Fails("mains")),
    steps=(
        watch(*CLAIMS_NOTHING, ReadsBeforeClaim(), names_cause(Cause.UNREACHABLE, Cause.TIMEOUT)),
        watch(Claims(), OneCopy(), RestartsWorkloads(), SaysWhoConfirmed(), told=(Confirmed(),)),
    ),
)

STOPPED_IN_THE_MIDDLE = Scenario(
    id="HA-006",
    tier=1,
    title="The host is reached again in the middle of a fence, and the manager is stopped and started again",
    requirement=req.ONE_COPY,
    source="apache/cloudstack#12922; its counters and fences are in memory",
    given=(Cluster(), falls_after(4), Fails("silent"), Returns()),
    steps=(watch(OneCopy(), StartsNothing(), sigterm_after=1), watch(*PROVES_AND_RESTARTS)),
)

STORM = Scenario(
    id="HA-007",
    tier=0,
    title="Four of six hosts are not reached any more, and all of them run",
    requirement=req.NOT_BLIND,
    source="a switch that fails; oVirt: skip fencing if too many hosts lost contact",
    given=(Cluster(SIX), Fails("silent", SIX[:4])),
    steps=(watch(*CLAIMS_NOTHING, CutsNobody()),),
)

ONE_BMC_FOR_TWO = Scenario(
    id="HA-008",
    tier=0,
    title="The configuration names one BMC for two hosts, and one of them falls silent",
    requirement=req.EXACT_TARGET,
    source="a copied block in a configuration: the fence of one host cuts the other",
    given=(Cluster(), SameBmc("second"), Fails("silent", ("second",))),
    steps=(AskStep(Ask.WATCH, (Refuses(), OneCopy(), StartsNothing()), "second"),),
)

FIRST_TARGET_REFUSES = Scenario(
    id="HA-009",
    tier=0,
    title="The first host that is asked to start a workload refuses",
    requirement=req.RESTARTS,
    source="apache/cloudstack#12922, #11627",
    given=(*DIES, FirstTargetRefuses()),
    steps=(watch(*PROVES_AND_RESTARTS),),
)

COMES_ON_AGAIN = Scenario(
    id="HA-010",
    tier=0,
    title="Somebody switches a host on again that was called down",
    requirement=req.ONE_COPY,
    source="apache/cloudstack#2890; design of oVirt: a host that returns is not fenced again",
    given=(*DIES, ComesOnAgain()),
    steps=(watch(*PROVES_AND_RESTARTS, CutsNobody(after_claim=True), SaysThatItIsOn()),),
)
