"""FAULT-003, 017 to 023, 026 to 028: trouble that passes. The BMC starts, restarts, or has one bad moment; then all is well."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import AtMostAuthFailures, AtMostCommands, ReadsBeforeClaim
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.inject import Inject
from conformance.givens.no_selector import NoSelector
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import (
    EVERY_POWER_COMMAND,
    EVERY_REQUEST,
    POWER_READS,
    RESETS,
    answers_instead,
    falls_after,
    meets,
)
from conformance.vocabulary import Ask, Cause, Level, Protocol
from emulator import Armed, Intent, RequestCame, When, make_fault

UNAVAILABLE = "Base.1.8.ServiceTemporarilyUnavailable"
SYSTEMS = "/redfish/v1/Systems"


def in_the_end(*causes: Cause) -> tuple[AskStep, ...]:
    """Off is in reach; a fencer that gives up names the cause."""
    return off(NeverClaims(), Claims(Level.SHOULD), ReadsBeforeClaim(), names_cause(*causes, level=Level.SHOULD))


BOOTING = Scenario(
    id="FAULT-003",
    tier=1,
    title="The BMC is booting: its first four answers are 503",
    requirement=req.TRANSIENT,
    source="ironcore-dev/metal-operator#170; measured: of seven fencers one gets through",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead(
            "the first four requests are answered with 503 and Retry-After: 1",
            503, EVERY_REQUEST, count=4, message_id=UNAVAILABLE, headers={"Retry-After": "1"},
        ),
        falls_after(3),
    ),
    steps=in_the_end(Cause.BUSY),
)  # fmt: skip

BMC_RESTARTS = Scenario(
    id="FAULT-017",
    tier=1,
    title="The BMC restarts when it has executed the reset, and is gone for the next four requests",
    requirement=req.LOST_ANSWER,
    source="ibm-openbmc: a BMC that resets itself",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets("the first reset is executed, and the connection breaks", "wire.reset", RESETS, count=1, executed=True),
        Inject(
            "the connection breaks at the next four requests",
            Armed(
                fault=make_fault("wire.reset", executed=False),
                when=EVERY_REQUEST,
                after=RequestCame(Intent.POWER_COMMAND),
                count=4,
                must_fire=False,
            ),
        ),
        falls_after(3),
    ),
    steps=(*in_the_end(Cause.UNREACHABLE, Cause.TIMEOUT),),
)

TLS_EOF = Scenario(
    id="FAULT-018",
    tier=1,
    title="The first TLS handshake ends in an end of file",
    requirement=req.TRANSIENT,
    source="real use, 2026-11: one handshake that ended early ended the fence",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets("the first connection is closed instead of a TLS handshake", "tls.eof", When(), count=1),
        falls_after(3),
    ),
    steps=in_the_end(Cause.TLS, Cause.UNREACHABLE),
)

ONE_401 = Scenario(
    id="FAULT-019",
    tier=1,
    title="One read of the power state is answered with 401, although the credentials are right",
    requirement=req.TRANSIENT,
    source="real use, 2026-11: one 401 between answers that were in order",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead(
            "the first read of the power state is answered with 401",
            401, POWER_READS, count=1, message_id="Base.1.8.NoValidSession",
            headers={"WWW-Authenticate": 'Basic realm="RedfishService"'},
        ),
        falls_after(3),
    ),
    steps=off(
        NeverClaims(),
        Claims(Level.SHOULD),
        ReadsBeforeClaim(),
        AtMostAuthFailures(2),
        names_cause(Cause.AUTH, level=Level.SHOULD),
    ),
)  # fmt: skip

ONE_404 = Scenario(
    id="FAULT-020",
    tier=1,
    title="One read of the power state is answered with 404",
    requirement=req.TRANSIENT,
    source="real use, 2026-11: the System was missing for one read",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead(
            "the first read of the power state is answered with 404",
            404, POWER_READS, count=1, message_id="Base.1.8.ResourceMissingAtURI",
        ),
        falls_after(3),
    ),
    steps=in_the_end(Cause.NOT_FOUND),
)  # fmt: skip

ONE_503_ON_GET = Scenario(
    id="FAULT-021",
    tier=1,
    title="One read of the power state is answered with 503",
    requirement=req.TRANSIENT,
    source="ironcore-dev/metal-operator#170 (iDRAC9 SYS518)",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead(
            "the first read of the power state is answered with 503", 503, POWER_READS, count=1, message_id=UNAVAILABLE
        ),
        falls_after(3),
    ),
    steps=in_the_end(Cause.BUSY),
)

ONE_503_ON_POST = Scenario(
    id="FAULT-022",
    tier=1,
    title="One reset is answered with 503, without Retry-After",
    requirement=req.TRANSIENT,
    source="ironcore-dev/metal-operator#170; measured: fence_redfish never sends again",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead("the first reset is answered with 503", 503, RESETS, count=1, message_id=UNAVAILABLE),
        falls_after(3),
    ),
    steps=(*in_the_end(Cause.BUSY),),
)

NO_SYSTEMS_ONCE = Scenario(
    id="FAULT-023",
    tier=1,
    title="The list of systems is empty once; no system is selected, and there is one",
    requirement=req.TRANSIENT,
    source="real use, 2026-11: an empty list for one read",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        NoSelector(),
        Inject(
            "the first read of the collection of systems has no members",
            Armed(
                fault=make_fault(
                    "redfish.reply",
                    status=200,
                    body={
                        "@odata.id": SYSTEMS,
                        "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
                        "Name": "Computer System Collection",
                        "Members@odata.count": 0,
                        "Members": (),
                    },
                ),
                when=When(method="GET", path=SYSTEMS),
                count=1,
                must_fire=False,
            ),
        ),
        falls_after(3),
    ),
    steps=off(
        NeverClaims(), Claims(Level.SHOULD), AtMostCommands(3), names_cause(Cause.NOT_FOUND, Cause.CONFIG, level=Level.SHOULD)
    ),
)

ONE_404_ON_POST = Scenario(
    id="FAULT-026",
    tier=1,
    title="The first reset is answered with 404, the next one is executed",
    requirement=req.TRANSIENT,
    source="found by fence-conformance hunt in a fencer that gives up after one refusal",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead("the first reset is answered with 404", 404, RESETS, count=1, message_id="Base.1.8.ResourceMissingAtURI"),
        falls_after(3),
    ),
    steps=in_the_end(Cause.NOT_FOUND),
)

FORGOTTEN_ONCE = Scenario(
    id="FAULT-027",
    tier=1,
    title="The first power command is accepted and forgotten, the next one is executed: off, and on",
    requirement=req.TRANSIENT,
    source="NVIDIA/infra-controller#595; found by fence-conformance hunt in a fencer that sends an accepted command once",
    given=(
        host(ON, name="off"),
        meets("the first power command is accepted and forgotten", "power.ignore", EVERY_POWER_COMMAND, bmc="off", count=1),
        falls_after(3, "off"),
        host(OFF, name="on"),
        meets("the first power command is accepted and forgotten", "power.ignore", EVERY_POWER_COMMAND, bmc="on", count=1),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), Claims(Level.SHOULD), ReadsBeforeClaim()), "off"),
        AskStep(Ask.ON, (NeverClaims(), Claims(Level.SHOULD)), "on"),
    ),
)

BUSY_OFTEN = Scenario(
    id="FAULT-028",
    tier=1,
    title="The first three resets are answered with 503 and Retry-After: 1, the next one is executed",
    requirement=req.TRANSIENT,
    source="ironcore-dev/metal-operator#170; found by fence-conformance hunt in a fencer that counts answers of a busy BMC",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead(
            "the first three resets are answered with 503 and Retry-After: 1",
            503, RESETS, count=3, message_id=UNAVAILABLE, headers={"Retry-After": "1"},
        ),
        falls_after(3),
    ),
    steps=in_the_end(Cause.BUSY),
)  # fmt: skip
