"""TRUTH, continued: the chassis that a System links to are witnesses. Whoever believes Off must not be contradicted by them.

A witness that has spoken before and then says nothing is no consent.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.chassis_tells_power import ChassisTellsPower
from conformance.givens.circumstance import Circumstance
from conformance.givens.other_system import OtherSystem, OtherSystemTrouble
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import CHASSIS, SYSTEMS, at, falls_after, members, no_effect, says, witness
from conformance.vocabulary import Ask, Claim, Level, Protocol
from emulator import Armed, Intent, When, make_fault
from profiles.model import View

SOURCE = "openbmc/bmcweb#12; openbmc-x86: the System says Off 4 to 15 s before the rail falls"


def both_chassis_say(words: str, word: str, *, skip: int) -> Circumstance:
    """What two reads of a chassis bring, whatever is true: one of each, if a fencer asks both each time."""
    when = When(intent=Intent.POWER_READ, path=CHASSIS, skip=skip)
    return Circumstance(words, Armed(fault=make_fault("report.says", word=word, views=(View.CHASSIS,)), when=when, count=2))


VIEWS_DISAGREE = Scenario(
    id="TRUTH-008",
    tier=1,
    title="System and Chassis disagree, and the Manager says On for itself",
    requirement=req.SAFE_CLAIM,
    source="openbmc/bmcweb#12, openbmc/openbmc#1933, xcat2/xcat-core#3422",
    protocol=Protocol.REDFISH,
    given=(
        ChassisTellsPower(),
        host(OFF, name="manager-on"),
        host(ON, name="chassis-off"),
        at("chassis-off", says("Off", View.CHASSIS)),
        at("chassis-off", falls_after(3)),
        host(ON, name="system-off"),
        at("system-off", says("Off", View.SYSTEM)),
        at("system-off", no_effect()),
    ),
    steps=(
        AskStep(Ask.STATUS, (answers(Claim.OFF),), "manager-on"),
        AskStep(Ask.OFF, (Claims(),), "manager-on"),
        AskStep(Ask.STATUS, (answers(Claim.ON, Claim.FAILED),), "chassis-off"),
        AskStep(Ask.OFF, (NeverClaims(),), "chassis-off"),
        AskStep(Ask.STATUS, (answers(Claim.ON, Claim.FAILED),), "system-off"),
        AskStep(Ask.OFF, (NeverClaims(),), "system-off"),
    ),
)

WITNESS_GONE = Scenario(
    id="TRUTH-012",
    tier=0,
    title="The System says Off; the Chassis said On once, and is 404 from then on",
    requirement=req.SAFE_CLAIM,
    source=SOURCE,
    protocol=Protocol.REDFISH,
    given=(
        ChassisTellsPower(),
        host(ON),
        says("Off", View.SYSTEM),
        no_effect(),
        witness("after its first read the Chassis is answered with 404", "redfish.reply", status=404),
    ),
    steps=off(NeverClaims()),
)

WITNESS_SILENT = Scenario(
    id="TRUTH-013",
    tier=0,
    title="The System says Off; the Chassis said On once, and then is {} or has no PowerState",
    requirement=req.SAFE_CLAIM,
    source=SOURCE,
    protocol=Protocol.REDFISH,
    given=(
        ChassisTellsPower(),
        host(ON, name="empty-object"),
        at("empty-object", says("Off", View.SYSTEM)),
        at("empty-object", no_effect()),
        at("empty-object", witness("after its first read the Chassis is {}", "redfish.reply", raw=b"{}")),
        host(ON, name="no-state"),
        at("no-state", says("Off", View.SYSTEM)),
        at("no-state", no_effect()),
        at("no-state", witness("after its first read the Chassis has no PowerState", "redfish.property", what="missing")),
    ),
    steps=(AskStep(Ask.OFF, (NeverClaims(),), "empty-object"), AskStep(Ask.OFF, (NeverClaims(),), "no-state")),
)

WITNESS_NULL = Scenario(
    id="TRUTH-014",
    tier=0,
    title="The System says Off; the Chassis said On once, and then says null, or the System no longer links to it",
    requirement=req.SAFE_CLAIM,
    source=SOURCE,
    protocol=Protocol.REDFISH,
    given=(
        ChassisTellsPower(),
        host(ON, name="null"),
        at("null", says("Off", View.SYSTEM)),
        at("null", no_effect()),
        at("null", witness("after its first read the Chassis says null for its power", "redfish.property", what="null")),
        host(ON, name="no-link"),
        at("no-link", says("Off", View.SYSTEM)),
        at("no-link", no_effect()),
        at(
            "no-link",
            # a fencer that reads the Chassis on its own may never meet it
            Circumstance(
                "after two reads the System has no link to its Chassis",
                Armed(
                    fault=make_fault("redfish.property", property="Links/Chassis"),
                    when=When(intent=Intent.POWER_READ, path=SYSTEMS, skip=2),
                ),
            ),
        ),
    ),
    steps=(AskStep(Ask.OFF, (NeverClaims(),), "null"), AskStep(Ask.OFF, (NeverClaims(),), "no-link")),
)

OTHER_HOSTS_CHASSIS = Scenario(
    id="TRUTH-019",
    tier=1,
    title="Two systems, each with a chassis: the target's System says Off and its Chassis On; all is off of the other one",
    requirement=req.SAFE_CLAIM,
    source=f"{SOURCE}; DSP0268 ComputerSystem Links.Chassis: the chassis of the system, not the first of the BMC",
    protocol=Protocol.REDFISH,
    given=(
        ChassisTellsPower(),
        host(ON, OFF),
        says("Off", View.SYSTEM),
        members("the collection of chassis lists that of the target last", "reversed", path="/redfish/v1/Chassis"),
        no_effect(),
    ),
    steps=off(NeverClaims()),
)

TWO_CHASSIS = Scenario(
    id="TRUTH-021",
    tier=1,
    title="The System links to two chassis: it says Off, the first says Off, the second On; or all say Off, which is true",
    requirement=req.SAFE_CLAIM,
    source=f"{SOURCE}; DSP0268 ComputerSystem Links.Chassis is a list: a blade is in a slot and in an enclosure",
    protocol=Protocol.REDFISH,
    given=(
        ChassisTellsPower(),
        host(ON, OFF, name="second-on"),
        OtherSystem(OtherSystemTrouble.CHASSIS, bmc="second-on"),
        at("second-on", says("Off", View.SYSTEM)),
        at("second-on", no_effect()),
        host(ON, OFF, name="both-off"),
        OtherSystem(OtherSystemTrouble.CHASSIS, bmc="both-off"),
        falls_after(3, "both-off"),
    ),
    steps=(AskStep(Ask.OFF, (NeverClaims(),), "second-on"), AskStep(Ask.OFF, (NeverClaims(), Claims()), "both-off")),
)

CHASSIS_SPEAK_LATE = Scenario(
    id="TRUTH-022",
    tier=1,
    title="The System says Off; its two chassis have no PowerState at first, say Off once, and then one says On, which is true",
    requirement=req.SAFE_CLAIM,
    source=f"{SOURCE}; planted in the reference fencer: a proof in whose first read a chassis was not heard",
    protocol=Protocol.REDFISH,
    given=(
        ChassisTellsPower(),
        host(ON, OFF),
        OtherSystem(OtherSystemTrouble.CHASSIS),
        says("Off", View.SYSTEM),
        both_chassis_say("at its first read each Chassis has no PowerState", "absent", skip=0),
        both_chassis_say("at its second read each Chassis says Off", "Off", skip=2),
        no_effect(),
    ),
    steps=off(NeverClaims(Level.SHOULD)),
)
