"""ID: fencing the wrong host is worse than not fencing; claiming for the wrong host is silent split brain. Which system is meant,
and how it is found; `identity_reads` has what a read of it answers."""

from __future__ import annotations

from typing import Final

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, Refuses, answers
from conformance.givens.address_as import AddressAs, OverIpv6
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.no_selector import NoSelector
from conformance.givens.other_system import OtherSystem, OtherSystemTrouble
from conformance.givens.wrong_target import OtherIpmiTarget, UnknownSystem
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import falls_after, members
from conformance.vocabulary import Ask, Cause, Claim, Level, Protocol

SEVERAL_SYSTEMS: Final = "bmclib#400; ansible/ansible#47108; sapcc/redfish-exporter#6"

SELECTED = Scenario(
    id="ID-001",
    tier=0,
    title="Two systems behind one BMC, the target is selected, the other is off",
    requirement=req.EXACT_TARGET,
    source=SEVERAL_SYSTEMS,
    protocol=Protocol.REDFISH,
    given=(host(ON, OFF), falls_after(3)),
    steps=off(Claims()),
)

AMBIGUOUS = Scenario(
    id="ID-002",
    tier=0,
    title="Two systems behind one BMC and none is selected",
    requirement=req.EXACT_TARGET,
    source=SEVERAL_SYSTEMS,
    protocol=Protocol.REDFISH,
    given=(host(ON, OFF), NoSelector(), falls_after(3)),
    steps=off(Refuses(), names_cause(Cause.CONFIG)),
)

ORDER_CHANGES = Scenario(
    id="ID-003",
    tier=1,
    title="The order of the systems changes between two reads of the collection",
    requirement=req.EXACT_TARGET,
    source=f"{SEVERAL_SYSTEMS}; DSP0266 7.9: a collection has no order",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, OFF),
        members("from its second read on, the collection lists its members the other way round", "reversed", skip=1),
        falls_after(3),
    ),
    steps=off(NeverClaims(), Claims()),
)

UNKNOWN_SYSTEM = Scenario(
    id="ID-004",
    tier=0,
    title="The selected system does not exist",
    requirement=req.EXACT_TARGET,
    source="measured: fence_redfish; DSP0266 ResourceMissingAtURI",
    protocol=Protocol.REDFISH,
    given=(host(ON), UnknownSystem(), falls_after(3)),
    steps=off(Refuses(), names_cause(Cause.NOT_FOUND)),
)

NO_MEMBERS = Scenario(
    id="ID-006",
    tier=1,
    title="The collection of systems is empty, or its members are an object",
    requirement=req.EXACT_TARGET,
    source="python-redfish-library#112; measured: fence_redfish prints a traceback",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="empty"),
        members("the collection is empty", "empty", bmc="empty"),
        falls_after(3, "empty"),
        host(ON, name="object"),
        members("Members is an object, not a list", "object", bmc="object"),
        falls_after(3, "object"),
        NoSelector(),
    ),
    steps=(
        AskStep(Ask.OFF, (Refuses(), names_cause(Cause.NOT_FOUND, Cause.CONFIG)), "empty"),
        AskStep(Ask.OFF, (Refuses(), names_cause(Cause.NOT_FOUND, Cause.CONFIG, Cause.BAD_RESPONSE)), "object"),
    ),
)

SECOND_PAGE = Scenario(
    id="ID-007",
    tier=2,
    title="The system is on the second page of the collection",
    requirement=req.DOES_IT,
    source="python-redfish-library#112, Redfish-Mockup-Server#43; DSP0266 7.9.2 Members@odata.nextLink",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        members("the first page of the collection is empty and links to the second", "paged", first=0),
        NoSelector(),
        falls_after(3),
    ),
    steps=off(NeverClaims(), Claims(Level.SHOULD), names_cause(Cause.NOT_FOUND, Cause.CONFIG)),
)

OTHER_UNAVAILABLE = Scenario(
    id="ID-011",
    tier=1,
    title="The host is off, and another system of its BMC answers 503",
    requirement=req.STATE_NOT_TRANSITION,
    source="infra-controller#5418: the secondary system of a DGX H100 while its host is off",
    protocol=Protocol.REDFISH,
    given=(host(OFF, ON), OtherSystem(OtherSystemTrouble.UNAVAILABLE, needed=False)),
    steps=off(Claims()),
)

ADDRESSES = Scenario(
    id="ID-012",
    tier=2,
    title="The address of the BMC is a host name, an IPv6 address, or host and port in one",
    requirement=req.DOES_IT,
    source="Redfishtool#72: an IPv6 address without brackets; RFC 3986 3.2.2",
    protocol=Protocol.REDFISH,
    given=(host(ON, name="ipv4"), host(ON, name="ipv6"), OverIpv6("ipv6")),
    steps=(
        AskStep(Ask.STATUS, (answers(Claim.ON),), "ipv4", told=(AddressAs("name"),)),
        AskStep(Ask.STATUS, (answers(Claim.ON),), "ipv6"),
        AskStep(Ask.STATUS, (answers(Claim.ON),), "ipv4", told=(AddressAs("host-port"),), needs=frozenset({"host-port"})),
    ),
)

MORE_THAN_SHOWN = Scenario(
    id="ID-015",
    tier=0,
    title="The collection counts two systems and shows one that can be used, and none is selected",
    requirement=req.EXACT_TARGET,
    source=f"{SEVERAL_SYSTEMS}; DSP0266 7.9 Members@odata.count",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, OFF, name="short"),
        members("the collection counts two members and lists one", "short", bmc="short"),
        falls_after(3, "short"),
        host(ON, OFF, name="blank"),
        members("the second member of the collection has no URI", "blank", bmc="blank"),
        falls_after(3, "blank"),
        NoSelector(),
    ),
    steps=(AskStep(Ask.OFF, (Refuses(),), "short"), AskStep(Ask.OFF, (Refuses(),), "blank")),
)

BRIDGED = Scenario(
    id="ID-018",
    tier=0,
    title="A parameter names a controller behind the BMC: it is reached, or refused, and never ignored",
    requirement=req.EXACT_TARGET,
    source="fence_ipmilan target, ipmitool -t; IPMI 2.0 6.13 bridging",
    protocol=Protocol.IPMI,
    given=(host(ON), OtherIpmiTarget(), falls_after(3)),
    steps=off(Refuses()),
)

SECOND_MEMBER = Scenario(
    id="ID-019",
    tier=0,
    title="Two systems behind one BMC, the target is the second in the collection, the first is off",
    requirement=req.EXACT_TARGET,
    source=SEVERAL_SYSTEMS,
    protocol=Protocol.REDFISH,
    given=(host(ON, OFF), members("the collection lists the target last", "reversed"), falls_after(3)),
    steps=off(NeverClaims(), Claims()),
)
