"""ID: what a read of the selected system answers, and how its Reset action is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, Refuses
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.circumstance import Circumstance
from conformance.givens.has_uuid import HasUuid
from conformance.givens.inject import Inject
from conformance.givens.no_identity import NoIdentity
from conformance.givens.other_system import OtherSystem, OtherSystemTrouble
from conformance.givens.reset_types import ResetTypes
from conformance.givens.wrong_target import STRANGER, OtherIdentity
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import SYSTEMS, falls_after, no_effect, nothing_happens, says
from conformance.vocabulary import Ask, Cause, Level, Protocol
from emulator import Armed, Rail, When, make_fault
from profiles.model import View

SYSTEM_READS: Final = "/redfish/v1/Systems*"
READS_AFTER_THE_FIRST: Final = When(method="GET", path=SYSTEMS, skip=1)
NO_UUID: Final = "00000000-0000-0000-0000-000000000000"
FORMS: Final = {
    "slash": "with a slash at its end",
    "absolute": "as an absolute URI",
    "moved": "at another path, and answers 404 at the usual one",
}
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
    given=(host(OFF), ResetTypes("PushPowerButton is the only ResetType: it toggles the power", button_only=True)),
    steps=off(Claims()),
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
