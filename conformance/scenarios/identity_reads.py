"""ID: what a read of the selected system answers, and how its Reset action is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, Refuses
from conformance.expectations.run_counts import AtMostEffective
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.circumstance import Circumstance
from conformance.givens.has_uuid import HasUuid
from conformance.givens.inject import Inject
from conformance.givens.no_identity import NoIdentity
from conformance.givens.other_system import OtherSystem, OtherSystemTrouble
from conformance.givens.reset_types import ResetTypes
from conformance.givens.wrong_target import STRANGER, OtherIdentity
from conformance.scenario import AskStep, Scenario, off, off_each
from conformance.scenarios.words import (
    EVERY_VIEW,
    RESETS,
    SYSTEMS,
    falls_after,
    no_effect,
    nothing_happens,
    refused_when_on,
    says,
)
from conformance.vocabulary import Ask, Cause, Level, Protocol
from emulator import Armed, Intent, Rail, RequestCame, ResetType, When, make_fault
from profiles.model import View

SYSTEM_READS: Final = "/redfish/v1/Systems*"
READS_AFTER_THE_FIRST: Final = When(method="GET", path=SYSTEMS, skip=1)
NO_UUID: Final = "00000000-0000-0000-0000-000000000000"
FORMS: Final = {
    "slash": "with a slash at its end",
    "absolute": "as an absolute URI",
    "moved": "at another path, and answers 404 at the usual one",
}
ONLY_BUTTON: Final = ResetTypes("PushPowerButton is the only ResetType: it toggles the power", button_only=True)
WRONG_MACHINE: Final = (Cause.CONFIG, Cause.NOT_FOUND, Cause.BAD_RESPONSE, Cause.CONFLICT)
"""What a fencer may call an answer that is about another machine."""


def told_uuid(words: str, what: str, when: When, bmc: str, value: str = "", count: int | None = None) -> Inject:
    fault = make_fault("redfish.property", property="UUID", what=what, value=value)
    return Inject(words, Armed(fault=fault, when=when, count=count), bmc)


OTHER_MACHINE = Scenario(
    id="ID-005",
    tier=1,
    title="The machine at the URI has another UUID than the fencer is told",
    requirement=req.EXACT_TARGET,
    source="openshift-docs#117587: the fence secret still names the replaced node's system",
    protocol=Protocol.REDFISH,
    needs=frozenset({"identity"}),
    given=(host(ON), OtherIdentity(), falls_after(3)),
    steps=off(Refuses(Level.SHOULD), names_cause(*WRONG_MACHINE)),
)

ACTION_ELSEWHERE = Scenario(
    id="ID-008",
    tier=1,
    title="The Reset action is advertised with a trailing slash, as an absolute URI, or at another path",
    requirement=req.DOES_IT,
    source="DSP0266 7.11: the target of an action is what the resource says",
    protocol=Protocol.REDFISH,
    given=(
        *(host(ON, name=form) for form in FORMS),
        *(
            Inject(
                f"{form}: the Reset action is advertised {words}",
                Armed(fault=make_fault("redfish.action-target", form=form), when=When(path=SYSTEM_READS)),
                form,
            )
            for form, words in FORMS.items()
        ),
        *(falls_after(3, form) for form in FORMS),
    ),
    steps=tuple(AskStep(Ask.OFF, (Claims(),), form) for form in FORMS),
)

RESET_TYPES = Scenario(
    id="ID-009",
    tier=1,
    title="ForceOff is missing; ResetTypes are listed in ActionInfo only; or nowhere",
    requirement=req.FORCE_WHEN_HUNG,
    source="sonic-mgmt#27237; metal-operator#129; ibm-openbmc/bmcweb#157; DSP0266 7.11 ActionInfo",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="no-force-off"),
        ResetTypes("no-force-off: the BMC has no ForceOff", without=frozenset({"ForceOff"}), bmc="no-force-off"),
        Circumstance.of(falls_after(3, "no-force-off")),
        host(ON, name="action-info"),
        ResetTypes("action-info: the ResetTypes are listed in ActionInfo only", listed="action_info", bmc="action-info"),
        falls_after(3, "action-info"),
        host(ON, name="unlisted"),
        ResetTypes("unlisted: the ResetTypes are listed nowhere", listed="none", bmc="unlisted"),
        falls_after(3, "unlisted"),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.UNSUPPORTED)), "no-force-off"),
        AskStep(Ask.OFF, (Claims(),), "action-info"),
        AskStep(Ask.OFF, (Claims(),), "unlisted"),
    ),
)

BUTTON_ONLY = Scenario(
    id="ID-010",
    tier=0,
    title="The host is off, and the BMC has nothing but a power button",
    requirement=req.ONLY_POWER,
    source="metal-operator#129; sonic-mgmt#27237: a toggle would switch the host on",
    protocol=Protocol.REDFISH,
    given=(host(OFF), ONLY_BUTTON),
    steps=off(Claims()),
)

BUTTON_AND_UNKNOWN = Scenario(
    id="ID-023",
    tier=1,
    title="The BMC has nothing but a power button; the host is off, and the first four reads say null for its power",
    requirement=req.ONLY_POWER,
    source="planted in the reference fencer: a push that does not wait for On; metal-operator#129: a toggle switches the host on",
    protocol=Protocol.REDFISH,
    given=(host(OFF), ONLY_BUTTON, says(None, count=4)),
    steps=off(NeverClaims()),
)

BUTTON_ONCE = Scenario(
    id="ID-024",
    tier=1,
    title="A host that is on and has nothing but a power button: the answer to the push is lost, and On said ten times",
    requirement=req.ONLY_POWER,
    source="planted in the reference fencer: a second push; metal-operator#129: a toggle switches the host on again",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        ONLY_BUTTON,
        Circumstance(
            "the connection drops after the first push, which was executed",
            Armed(fault=make_fault("wire.reset", executed=True), when=RESETS, count=1),
        ),
        Circumstance.of(falls_after(2)),
        Circumstance(
            "after the first push every view says On ten times, whatever is true",
            Armed(
                fault=make_fault("report.says", word="On", views=EVERY_VIEW), after=RequestCame(Intent.POWER_COMMAND), count=10
            ),
        ),
    ),
    steps=off(NeverClaims(), AtMostEffective(1)),
)

ON_BY_BUTTON = Scenario(
    id="ID-025",
    tier=1,
    title="A host that is off is to be on, and the BMC has nothing but a power button",
    requirement=req.DOES_IT,
    source="planted in the reference fencer: commands that are not listed; metal-operator#129: BMCs with a button alone",
    protocol=Protocol.REDFISH,
    given=(host(OFF), ONLY_BUTTON),
    steps=(AskStep(Ask.ON, (NeverClaims(), Claims(Level.SHOULD))),),
)

OTHER_BODY = Scenario(
    id="ID-013",
    tier=0,
    title="Reads of the target are answered with the body of another system, which is off",
    requirement=req.EXACT_TARGET,
    source="DSP0266 7.4: @odata.id is the identity of a resource",
    protocol=Protocol.REDFISH,
    given=(host(ON, OFF), OtherSystem(OtherSystemTrouble.BODY), NoIdentity(), falls_after(3)),
    steps=off(NeverClaims()),
)

OTHER_SYSTEM = Scenario(
    id="ID-014",
    tier=0,
    title="Reads of the target are redirected to another system of the BMC, which is off",
    requirement=req.EXACT_TARGET,
    source="RFC 9110 15.4; check_redfish#187: redirects are common, and lead elsewhere",
    protocol=Protocol.REDFISH,
    given=(host(ON, OFF), OtherSystem(OtherSystemTrouble.REDIRECT), NoIdentity(), falls_after(3)),
    steps=off(NeverClaims()),
)

UUID_CHANGES = Scenario(
    id="ID-016",
    tier=0,
    title="From the second read on, another machine answers: it has another UUID and is off",
    requirement=req.EXACT_TARGET,
    source="openshift-docs#117587; an address that is given to another BMC while a fence runs",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        HasUuid(),
        NoIdentity(),
        told_uuid(
            "from the second read of the System on, it shows another UUID",
            "value",
            When(method="GET", path="/redfish/v1/Systems/*", skip=1),
            "target",
            STRANGER,
        ),
        Inject(
            "from then on System and Chassis say Off",
            Armed(
                fault=make_fault("report.says", word="Off", views=("system", "chassis")),
                when=When(method="GET", skip=1),
                must_fire=False,
            ),
        ),
        Inject("every power command is accepted and has no effect", Armed(fault=nothing_happens().armed.fault, must_fire=False)),
    ),
    steps=off(NeverClaims(), names_cause(*WRONG_MACHINE)),
)

UUID_SPELLED = Scenario(
    id="ID-017",
    tier=1,
    title="The UUID is in upper case, or all zeros while the host is off",
    requirement=req.DOES_IT,
    source="DSP0268 UUID; RFC 9562 4: compared without case; seen on hosts without standby power",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="upper"),
        HasUuid("upper"),
        told_uuid("upper: the UUID is in upper case", "upper", When(path=SYSTEM_READS), "upper"),
        falls_after(3, "upper"),
        host(ON, name="zeros"),
        HasUuid("zeros"),
        told_uuid(
            "zeros: the UUID is zeros while the host is off", "value", When(path=SYSTEM_READS, rail=Rail.DOWN), "zeros", NO_UUID
        ),
        falls_after(3, "zeros"),
    ),
    steps=(AskStep(Ask.OFF, (Claims(),), "upper"), AskStep(Ask.OFF, (Claims(),), "zeros")),
)

UUID_FADES = Scenario(
    id="ID-020",
    tier=1,
    title="The second read shows no UUID; from the third on another machine answers: it has another UUID and is off",
    requirement=req.EXACT_TARGET,
    source="planted in the reference fencer: an identity that one read without a UUID makes it forget",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        HasUuid(),
        NoIdentity(),
        told_uuid("the second read of the System shows no UUID", "missing", READS_AFTER_THE_FIRST, "target", count=1),
        told_uuid("from the third on it shows another UUID", "value", replace(READS_AFTER_THE_FIRST, skip=2), "target", STRANGER),
        Inject(
            "from the second read on the System says Off",
            Armed(fault=make_fault("report.says", word="Off"), when=READS_AFTER_THE_FIRST),
        ),
        Circumstance.of(says("Off", View.CHASSIS)),
        no_effect(),
    ),
    steps=off(NeverClaims(), names_cause(*WRONG_MACHINE)),
)

SIBLINGS_ACTION = Scenario(
    id="ID-021",
    tier=1,
    title="Two systems that are on: the Reset action in the target's System is that of the system beside it",
    requirement=req.EXACT_TARGET,
    source="planted in the reference fencer: a reset that is sent wherever the action leads; DSP0266 7.11",
    protocol=Protocol.REDFISH,
    given=(host(ON, ON), OtherSystem(OtherSystemTrouble.ACTION)),
    steps=off(NeverClaims(), names_cause(*WRONG_MACHINE)),
)

OTHER_BODY_BETWEEN = Scenario(
    id="ID-022",
    tier=1,
    title="The System says Off although the host is on, and every second read brings the body of another system, which is off",
    requirement=req.EXACT_TARGET,
    source="planted in the reference fencer: two words of Off are a proof, whatever was answered between them; DSP0266 7.4",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, OFF),
        OtherSystem(OtherSystemTrouble.BETWEEN),
        NoIdentity(),
        says("Off"),
        Circumstance.of(says("Off", View.CHASSIS)),
        no_effect(),
    ),
    steps=off(NeverClaims()),
)

UUID_NEVER_SHOWN = Scenario(
    id="ID-026",
    tier=1,
    title="The fencer is told the UUID of the machine, which is on, or off, and the System never shows one",
    requirement=req.EXACT_TARGET,
    source="planted in the reference fencer: a command to a machine whose identity it was to look for and has not seen",
    protocol=Protocol.REDFISH,
    needs=frozenset({"identity"}),
    given=(
        *(
            given
            for bmc, power in (("on", ON), ("off", OFF))
            for given in (
                host(power, name=bmc),
                HasUuid(bmc),
                told_uuid(f"{bmc}: the System shows no UUID", "missing", When(method="GET", path=SYSTEM_READS), bmc),
            )
        ),
        Circumstance.of(falls_after(3, "on")),
    ),
    steps=off_each(("on", "off"), Refuses(Level.SHOULD), names_cause(*WRONG_MACHINE, Cause.UNSUPPORTED)),
)

FORCE_OFF_UNKNOWN = Scenario(
    id="ID-027",
    tier=1,
    title="ForceOff is listed and refused with 400 as a ResetType that is not known; a graceful shutdown works",
    requirement=req.DOES_IT,
    source="planted in the reference fencer: no other way is tried; sonic-mgmt#27237",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        refused_when_on(
            400, "Base.1.8.ActionParameterNotSupported", "ForceOff is not supported", ResetType.FORCE_OFF, must_fire=False
        ),
        Circumstance.of(falls_after(3)),
    ),
    steps=off(NeverClaims(), Claims(Level.SHOULD), names_cause(Cause.UNSUPPORTED, Cause.CONFLICT, level=Level.SHOULD)),
)
