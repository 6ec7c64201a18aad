"""IPMI: the same questions on the other wire. A completion code explains, it never proves.

What comes of the network and of the session is in `ipmi_session`.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import AtMostCommands, Forces, ReadsBeforeClaim
from conformance.givens.bmc import HUNG, OFF, ON, host
from conformance.givens.circumstance import Circumstance
from conformance.givens.inject import Inject
from conformance.scenario import AskStep, Scenario, off, off_each
from conformance.scenarios.words import all_at, busy_once, completion, falls_after, nothing_happens, power_commands
from conformance.vocabulary import Ask, Cause, Level, Protocol
from emulator import Armed, Intent, Rail, RequestCame, ResetType, When, make_fault
from profiles.model import View

STATUS_READS = When(protocol=Protocol.IPMI, intent=Intent.POWER_READ)
BUSY = 0xC0

ALREADY_OFF = Scenario(
    id="IPMI-001",
    tier=0,
    title="The host is already off and Chassis Control answers 0xD5, 0xCC or 0x00",
    requirement=req.STATE_NOT_TRANSITION,
    source="bmclib#382, #417, #223; eks-anywhere#3568: 0xD5 on Dell, success on HPE and Supermicro",
    protocol=Protocol.IPMI,
    given=(
        host(OFF, name="not-in-state"),
        *all_at("not-in-state", completion(0xD5, Rail.DOWN, must_fire=False)),
        host(OFF, name="invalid-field"),
        *all_at("invalid-field", completion(0xCC, Rail.DOWN, must_fire=False)),
        host(OFF, name="accepted"),
        *all_at("accepted", completion(0x00, Rail.DOWN, must_fire=False)),
    ),
    steps=tuple(
        AskStep(Ask.OFF, (Claims(), ReadsBeforeClaim(), AtMostCommands(1)), bmc, together=1)
        for bmc in ("not-in-state", "invalid-field", "accepted")
    ),
)

NOT_IN_STATE_WHILE_ON = Scenario(
    id="IPMI-002",
    tier=0,
    title="The host is on and Chassis Control answers 0xD5",
    requirement=req.CODES_ARE_NOT_STATE,
    source="IPMI 2.0 table 5-2: 0xD5 is any state that forbids the command (firmware update, POST)",
    protocol=Protocol.IPMI,
    given=(host(ON), completion(0xD5, Rail.UP, must_fire=True)),
    steps=off(NeverClaims()),
)

ACCEPTED_WITHOUT_EFFECT = Scenario(
    id="IPMI-003",
    tier=0,
    title="Chassis Control is accepted and nothing happens",
    requirement=req.SAFE_CLAIM,
    source="measured: ipmitool, ipmipower and external/ipmi claim on it",
    protocol=Protocol.IPMI,
    given=(host(ON), nothing_happens()),
    steps=off(NeverClaims()),
)

LATE = Scenario(
    id="IPMI-004",
    tier=0,
    title="The host goes off long after Chassis Control was accepted",
    requirement=req.SAFE_CLAIM,
    source="measured: ipmitool claims at once; FenceAgentAPI 'off': verify",
    protocol=Protocol.IPMI,
    given=(host(ON), falls_after(10)),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim()),
)

BUSY_ONCE = Scenario(
    id="IPMI-005",
    tier=1,
    title="The BMC is busy once (0xC0)",
    requirement=req.CODES_ARE_NOT_STATE,
    source="IPMI 2.0 table 5-2, 0xC0: node busy; a later try may succeed",
    protocol=Protocol.IPMI,
    given=(host(ON), busy_once(), falls_after(3)),
    steps=off(NeverClaims(), Claims(Level.SHOULD), AtMostCommands(3)),
)

BUSY_ALWAYS = Scenario(
    id="IPMI-006",
    tier=1,
    title="The BMC is busy for ever (0xC0): for commands, or for reads of the power state",
    requirement=req.TRUE_CAUSE,
    source="measured: ipmitool and fence_ipmilan on 0xC0",
    protocol=Protocol.IPMI,
    given=(
        host(ON, name="busy-commands"),
        *all_at("busy-commands", completion(BUSY, Rail.UP, must_fire=True)),
        host(ON, name="busy-reads"),
        Inject(
            "every read of the power state completes with 0xC0 (node busy)",
            Armed(fault=make_fault("ipmi.completion", code=BUSY), when=STATUS_READS),
            "busy-reads",
        ),
        *all_at("busy-reads", falls_after(3)),
    ),
    steps=tuple(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BUSY)), bmc, together=1) for bmc in ("busy-commands", "busy-reads")
    ),
)

NO_PRIVILEGE = Scenario(
    id="IPMI-007",
    tier=0,
    title="The account may read and not command (0xD4)",
    requirement=req.TRUE_CAUSE,
    source="IPMI 2.0 table 5-2, 0xD4; measured: it is reported as a failure without a reason",
    protocol=Protocol.IPMI,
    given=(host(ON), completion(0xD4, Rail.UP, must_fire=True)),
    steps=off(NeverClaims(), names_cause(Cause.PRIVILEGE), AtMostCommands(3)),
)

REBOOT_OF_A_HOST_THAT_IS_OFF = Scenario(
    id="IPMI-012",
    tier=0,
    title="A reboot of a host that is off: power cycle and reset answer 0xD5",
    requirement=req.STATE_NOT_TRANSITION,
    source="fence-agents#596; bmclib#382; IPMI 2.0 28.3: power cycle of a host that is off may be refused",
    protocol=Protocol.IPMI,
    given=(
        host(OFF),
        Circumstance(
            "power cycle and reset of a host that is off complete with 0xD5",
            Armed(
                fault=make_fault("ipmi.completion", code=0xD5),
                when=power_commands(Protocol.IPMI, Rail.DOWN, ResetType.POWER_CYCLE, ResetType.FORCE_RESTART),
                must_fire=False,
            ),
        ),
    ),
    steps=(AskStep(Ask.REBOOT, (Claims(), names_cause(Cause.CONFLICT, Cause.ALREADY_IN_STATE))),),
)

CYCLE_WITHOUT_EFFECT = Scenario(
    id="IPMI-013",
    tier=0,
    title="A reboot is accepted and nothing happens",
    requirement=req.TRUE_ON,
    source="measured: ipmitool and fence_ipmilan with method=cycle claim on it",
    protocol=Protocol.IPMI,
    given=(host(ON), nothing_happens()),
    steps=(AskStep(Ask.REBOOT, (NeverClaims(),)),),
)

TWO_CHANNELS = Scenario(
    id="IPMI-014",
    tier=1,
    title="Redfish says Off and IPMI says On, which is true",
    requirement=req.SAFE_CLAIM,
    source="two channels of one BMC have caches of their own; the rail is one",
    needs=frozenset({"dual"}),
    given=(
        host(ON),
        Inject(
            "System and Chassis say Off, whatever is true; IPMI says the truth",
            Armed(fault=make_fault("report.says", word="Off", views=("system", "chassis"))),
        ),
        falls_after(6),
    ),
    steps=off(NeverClaims()),
)

SILENT_AFTER_THE_COMMAND = Scenario(
    id="IPMI-015",
    tier=0,
    title="Chassis Control is accepted and nothing happens, and no read of the power state is answered from then on",
    requirement=req.UNREACHABLE_IS_NOT_OFF,
    source="FenceAgentAPI: unreachable is exit 1; apache/cloudstack#13589: a BMC that is silent after the command",
    protocol=Protocol.IPMI,
    given=(
        host(ON),
        nothing_happens(),
        Inject(
            "once it has had a power command no read of the power state is answered",
            Armed(fault=make_fault("ipmi.silence"), when=STATUS_READS, after=RequestCame(Intent.POWER_COMMAND), must_fire=False),
        ),
    ),
    steps=off(NeverClaims(), names_cause(Cause.UNREACHABLE, Cause.TIMEOUT)),
)

HUNG_OS = Scenario(
    id="IPMI-016",
    tier=0,
    title="The operating system hangs: a soft shutdown is accepted and never happens, power down works",
    requirement=req.FORCE_WHEN_HUNG,
    source="Red Hat solution 5414; IPMI 2.0 28.3: 'initiate a soft-shutdown' asks the operating system",
    protocol=Protocol.IPMI,
    given=(host(HUNG), falls_after(3)),
    steps=off(NeverClaims(), Claims(), Forces()),
)

ON_WITHOUT_EFFECT = Scenario(
    id="IPMI-017",
    tier=1,
    title="A host that is off is to be on: Chassis Control is accepted and nothing happens",
    requirement=req.TRUE_ON,
    source="FenceAgentAPI 'on': verify; NVIDIA/infra-controller#595",
    protocol=Protocol.IPMI,
    given=(host(OFF), nothing_happens()),
    steps=(AskStep(Ask.ON, (NeverClaims(),)),),
)


def says_off_once(bmc: str, nth: int) -> Inject:
    """One read of the power state, the `nth`, says off whatever is true."""
    return Inject(
        f"read {nth} of its power state says off, whatever is true, and no other",
        Armed(fault=make_fault("report.says", word="Off", views=(View.IPMI,)), when=When(skip=nth - 1), count=1),
        bmc,
    )


LATER_FALSE_OFF = Scenario(
    id="IPMI-018",
    tier=1,
    title="The second read says off although the host is on, or the third one; those before and after it say on",
    requirement=req.SAFE_CLAIM,
    source="found by fence-conformance hunt in a fencer that reads twice and takes the last word",
    protocol=Protocol.IPMI,
    given=(
        host(ON, name="second"),
        says_off_once("second", 2),
        *all_at("second", falls_after(3)),
        host(ON, name="third"),
        says_off_once("third", 3),
        *all_at("third", falls_after(3)),
    ),
    steps=off_each(("second", "third"), NeverClaims(), Claims()),
)

OFF_JUST_BEFORE = Scenario(
    id="IPMI-019",
    tier=1,
    title="The BMC says off as soon as it has accepted Chassis Control; the rail falls 0.9 s later",
    requirement=req.SAFE_CLAIM,
    source="found by fence-conformance hunt in a fencer that reads off twice within half a second",
    protocol=Protocol.IPMI,
    given=(
        host(ON),
        Inject(
            "every power command is accepted, the BMC says off at once, and everything happens 0.9 s later",
            Armed(fault=make_fault("power.early-word", seconds=0.9)),
        ),
    ),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim()),
)
