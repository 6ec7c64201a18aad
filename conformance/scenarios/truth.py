"""TRUTH: a 2xx is the BMC's intention; only a later read of the state is evidence, and one read can be stale, cached or a glitch.

What no fencer can see through is for information only. Chassis as witnesses are in `truth_witnesses`.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import NeverSays, names_cause
from conformance.expectations.claims import BringsBack, Claims, NeverClaims
from conformance.expectations.expectation import Expectation
from conformance.expectations.requests import AtMostCommands, ConfirmsOff, Forces, ReadsBeforeClaim
from conformance.givens.bmc import HUNG, OFF, ON, host
from conformance.givens.circumstance import Circumstance
from conformance.givens.inject import Inject
from conformance.scenario import AskStep, Scenario, off, off_each
from conformance.scenarios.words import (
    EVERY_VIEW,
    SYSTEMS,
    all_at,
    answered,
    at,
    falls_after,
    falls_over_ipmi,
    meets,
    no_effect,
    nothing_happens,
    once_read,
    power_commands,
    says,
)
from conformance.vocabulary import Ask, Cause, Level, Protocol
from emulator import Armed, Caching, Intent, Rail, ResetType, When, make_fault
from profiles.model import View

NOT_CONFIGURED = r"(?i)not configured"
SUCCESS = r"(?i)\bsuccess: |\bsuccessfully\b|\bfencing (was )?(performed|succeeded)\b"
LEADS_ON = (
    ResetType.ON, ResetType.FORCE_ON, ResetType.POWER_CYCLE, ResetType.FULL_POWER_CYCLE, ResetType.FORCE_RESTART,
    ResetType.GRACEFUL_RESTART,
)  # fmt: skip

ACCEPTED_WITHOUT_EFFECT = Scenario(
    id="TRUTH-001",
    tier=0,
    title="The BMC accepts the command and nothing happens",
    requirement=req.SAFE_CLAIM,
    source="infra-controller#595; FenceAgentAPI 'off': verify",
    given=(host(ON), nothing_happens()),
    steps=off(NeverClaims(), names_cause(Cause.TIMEOUT)),
)

ONE_FALSE_OFF = Scenario(
    id="TRUTH-002",
    tier=1,
    title="The first read says Off although the host is on, all others say On",
    requirement=req.SAFE_CLAIM,
    source="measured: fence_redfish, sushy and redfish_command take the first Off and send nothing",
    given=(host(ON), says("Off", *EVERY_VIEW, count=1), falls_after(3)),
    steps=off(NeverClaims(), ConfirmsOff()),
)

GLITCH = Scenario(
    id="TRUTH-003",
    tier=1,
    title="After the command the BMC says Off for three reads, and then On: the host was on all the time",
    requirement=req.SAFE_CLAIM,
    source="measured: no fencer reads Off more than twice",
    given=(
        host(ON),
        Inject(
            "every power command is accepted and has no effect; every view says Off until it was read 3 times, then On",
            Armed(fault=make_fault("power.glitch", gate=3)),
        ),
    ),
    steps=off(NeverClaims(unless_confirmed=True), ConfirmsOff()),
)

LIES_FOR_EVER = Scenario(
    id="TRUTH-004",
    tier=2,
    title="The BMC says Off for ever although the host is on: in all its views, or over Redfish and not over IPMI",
    requirement=req.SAFE_CLAIM,
    source="measured: nobody can see through one channel; for information",
    given=(
        host(ON, name="one-channel"),
        host(ON, name="two-channels"),
        at("one-channel", says("Off", *EVERY_VIEW)),
        at("two-channels", says("Off", View.SYSTEM, View.CHASSIS)),
    ),
    protocol=Protocol.REDFISH,
    steps=(
        AskStep(Ask.OFF, (NeverClaims(),), "one-channel"),
        AskStep(Ask.OFF, (NeverClaims(),), "two-channels"),
    ),
)

STALE_ON = Scenario(
    id="TRUTH-005",
    tier=0,
    title="The host is off and the BMC goes on saying On",
    requirement=req.STATE_NOT_TRANSITION,
    source="measured: a cache of ten seconds is common",
    given=(host(OFF), says("On", *EVERY_VIEW, count=12, until=5.0)),
    steps=off(Claims(), ReadsBeforeClaim(), AtMostCommands(3)),
)

HUNG_OS = Scenario(
    id="TRUTH-006",
    tier=0,
    title="The operating system hangs: a graceful shutdown is accepted and never happens, ForceOff works",
    requirement=req.FORCE_WHEN_HUNG,
    source="ironcore-dev/metal-operator#129; apache/cloudstack OFF sends GracefulShutdown",
    given=(host(HUNG), falls_after(3)),
    steps=off(NeverClaims(), Claims(), Forces()),
)

FORCE_OFF_ONLY_ASKS = Scenario(
    id="TRUTH-007",
    tier=1,
    title="ForceOff only presses the button, and the operating system hangs",
    requirement=req.SAFE_CLAIM,
    source="Red Hat solution 5414; cluster-glue external/ipmi: off may be an ACPI shutdown",
    given=(
        host(HUNG),
        Inject(
            "every command that should cut the power only asks the operating system", Armed(fault=make_fault("power.as-button"))
        ),
    ),
    steps=off(NeverClaims(), names_cause(Cause.TIMEOUT)),
)

COMES_BACK = Scenario(
    id="TRUTH-009",
    tier=0,
    title="The host comes back on as soon as Off has been read once",
    requirement=req.SAFE_CLAIM,
    source="openbmc/openbmc#2454, #3031, #2186: power policy, BMC reboot",
    given=(
        host(ON),
        falls_after(2),
        once_read(Rail.DOWN, "it gets its power back", "host.power-restored"),
    ),
    steps=off(NeverClaims(), ConfirmsOff()),
)

CACHED = Scenario(
    id="TRUTH-010",
    tier=1,
    title="A host that was off comes on, and the old state is served: as 304, or out of a cache",
    requirement=req.SAFE_CLAIM,
    source="RFC 9110 13.1.2, RFC 9111 5.2.1.4; ironcore-dev/metal-operator#667: stale ETags",
    protocol=Protocol.REDFISH,
    given=(
        host(OFF, name="unchanging-tag"),
        at("unchanging-tag", once_read(Rail.DOWN, "it gets power", "host.power-restored")),
        at("unchanging-tag", no_effect()),
        Circumstance(
            "a conditional GET (If-None-Match) is answered as if the host still were off",
            Armed(fault=make_fault("report.says", word="Off", views=EVERY_VIEW), when=When(caching=Caching.CONDITIONAL)),
            "unchanging-tag",
        ),
        host(OFF, name="cache"),
        at("cache", once_read(Rail.DOWN, "it gets power", "host.power-restored")),
        at("cache", falls_after(3)),
        Circumstance(
            "a GET without Cache-Control: no-cache is answered as if the host still were off",
            Armed(fault=make_fault("report.says", word="Off", views=EVERY_VIEW), when=When(caching=Caching.PLAIN)),
            "cache",
        ),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(),), "unchanging-tag"),
        AskStep(Ask.OFF, (NeverClaims(Level.SHOULD),), "cache"),
    ),
)


def _honest(*causes: Cause) -> tuple[Expectation, ...]:
    return NeverClaims(), names_cause(*causes), NeverSays(NOT_CONFIGURED), NeverSays(SUCCESS)


WORDS = Scenario(
    id="TRUTH-011",
    tier=0,
    title="What a fencer says when it fails: unreachable, refused, forbidden, gone, unreadable",
    requirement=req.TRUE_CAUSE,
    source="apache/cloudstack#13376: 'OOBM service is not configured or enabled' for a 409",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="unreachable", listens=False),
        host(ON, name="refused"),
        at("refused", answered("every request is answered with 401", When(), status=401)),
        host(ON, name="forbidden"),
        at(
            "forbidden",
            answered(
                "every reset is answered with 403",
                power_commands(Protocol.REDFISH),
                status=403,
                message_id="Base.1.8.InsufficientPrivilege",
            ),
        ),
        host(ON, name="gone"),
        at(
            "gone",
            answered(
                "a read of the System is answered with 404",
                When(method="GET", path=SYSTEMS),
                status=404,
                message_id="Base.1.8.ResourceMissingAtURI",
            ),
        ),
        host(ON, name="unreadable"),
        at(
            "unreadable",
            Inject("every GET brings a page of HTML", Armed(fault=make_fault("redfish.body"), when=When(method="GET"))),
        ),
        *falls_over_ipmi("unreachable", "refused", "forbidden", "gone", "unreadable"),
    ),
    steps=(
        AskStep(Ask.OFF, _honest(Cause.UNREACHABLE), "unreachable"),
        AskStep(Ask.OFF, _honest(Cause.AUTH), "refused"),
        AskStep(Ask.OFF, _honest(Cause.PRIVILEGE), "forbidden"),
        AskStep(Ask.OFF, _honest(Cause.NOT_FOUND), "gone"),
        AskStep(Ask.OFF, _honest(Cause.BAD_RESPONSE), "unreadable"),
    ),
)

EARLY_WORD = Scenario(
    id="TRUTH-015",
    tier=2,
    title="All views say Off eight seconds before the rail falls",
    requirement=req.SAFE_CLAIM,
    source="openbmc-x86 says Off up to 15 s early in one view; for information: who waits longer holds",
    given=(
        host(ON),
        Inject(
            "every view says Off as soon as a power command is accepted, and the host falls 8 s later",
            Armed(fault=make_fault("power.early-word", seconds=8.0)),
        ),
    ),
    steps=off(NeverClaims()),
)

ON_IS_SWALLOWED = Scenario(
    id="TRUTH-016",
    tier=1,
    title="A reboot: after the host is off, the first On is accepted and nothing happens",
    requirement=req.TRUE_ON,
    source="NVIDIA/infra-controller#595 (Lenovo: On after ForceOff); FenceAgentAPI 'reboot': the off part decides",
    given=(
        host(ON),
        falls_after(3),
        Inject(
            "the first command that would switch the host on is accepted and swallowed",
            Armed(fault=make_fault("power.swallow-on"), when=When(reset=LEADS_ON), count=1),
        ),
    ),
    steps=(AskStep(Ask.REBOOT, (Claims(), BringsBack())),),
)

BMC_RESTARTS = Scenario(
    id="TRUTH-017",
    tier=1,
    title="Off has been read once, then the BMC restarts and its restore policy switches the host on",
    requirement=req.SAFE_CLAIM,
    source="openbmc/openbmc#2454, #2186; FenceAgentAPI 'off': verify",
    given=(
        host(ON),
        falls_after(2),
        once_read(Rail.DOWN, "the BMC restarts, and the host gets its power back", "bmc.restart", outage_s=4.0, power_on=True),
    ),
    steps=off(NeverClaims(), ConfirmsOff()),
)

ON_SAYS_STARTING = Scenario(
    id="TRUTH-018",
    tier=1,
    title="A host that is off is to be on: the System says PoweringOn from its second read on, and nothing happens",
    requirement=req.TRUE_ON,
    source="NVIDIA/infra-controller#595; powerman#154: PoweringOn goes back to Off; DSP0268 PowerState",
    protocol=Protocol.REDFISH,
    given=(
        host(OFF),
        no_effect(),
        Inject(
            "from its second read on the System says PoweringOn, whatever is true",
            Armed(fault=make_fault("report.says", word="PoweringOn"), when=When(skip=1)),
        ),
    ),
    steps=(AskStep(Ask.ON, (NeverClaims(),)),),
)


def off_now_and_then(bmc: str, *says_else: Inject) -> tuple[Inject, ...]:
    """Every third read of the System says Off, whatever is true, and its Chassis never objects. The host stays on."""
    return (
        *all_at(bmc, *says_else),
        meets(
            "every third read of the System says Off, whatever is true",
            "report.says",
            When(method="GET", intent=Intent.POWER_READ, path=SYSTEMS, every=3),
            bmc=bmc,
            word="Off",
            views=(View.SYSTEM,),
        ),
        Circumstance.of(at(bmc, says("Off", View.CHASSIS))),
        at(bmc, no_effect()),
    )


OFF_NOW_AND_THEN = Scenario(
    id="TRUTH-020",
    tier=1,
    title="Every third read says Off although the host is on; those between say On, or PoweringOff",
    requirement=req.SAFE_CLAIM,
    source="planted in the reference fencer: an Off that is counted although another word came after it",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="on-between"),
        *off_now_and_then("on-between"),
        host(ON, name="word-between"),
        *off_now_and_then("word-between", says("PoweringOff")),
    ),
    steps=off_each(("on-between", "word-between"), NeverClaims()),
)
