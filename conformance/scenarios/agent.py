"""AGENT: Pacemaker, oVirt, medik8s and Proxmox rely on the input and the exit codes of a fence agent literally.

The API is FenceAgentAPI of ClusterLabs.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.agent_input import AgentInput
from conformance.expectations.agent import DescribesItself, ExitsWith, NoTraffic, Warns
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.inject import Inject
from conformance.givens.password_is import PasswordIs
from conformance.givens.untold import ADDRESS, PASSWORD, Untold
from conformance.scenario import AskStep, Scenario
from conformance.scenarios.words import all_at, falls_after, nothing_happens
from conformance.vocabulary import Ask, Cause, Claim, Convention
from emulator import Armed, Rail, When, make_fault

TRUE_ON = (answers(Claim.ON),)
REFUSED = (answers(Claim.FAILED), ExitsWith(1), NoTraffic(), names_cause(Cause.CONFIG))

METADATA = Scenario(
    id="AGENT-001",
    tier=1,
    title="The agent describes itself",
    requirement=req.AGENT_METADATA,
    source="FenceAgentAPI, metadata; the grammar of fence-agents",
    convention=Convention.FENCE_AGENT_API,
    given=(host(ON),),
    steps=(AskStep(Ask.METADATA, (answers(Claim.OK), DescribesItself(), NoTraffic())),),
)

INPUT = Scenario(
    id="AGENT-002",
    tier=1,
    title="Standard input with comments, blank lines, unknown names, an action given twice, and = in a value",
    requirement=req.AGENT_INPUT,
    source="FenceAgentAPI, input: lines with # and unknown names are ignored, the last value counts, a value ends with its line",
    convention=Convention.FENCE_AGENT_API,
    given=(
        host(ON, name="comments"),
        host(ON, name="blank-lines"),
        host(ON, name="unknown-names"),
        host(ON, name="given-twice"),
        host(ON, name="equals-sign"),
        PasswordIs("a=b=", 12, "equals-sign"),
    ),
    steps=(
        AskStep(Ask.STATUS, TRUE_ON, "comments", input=AgentInput(before=("# status",), after=("#action=off",)), together=1),
        AskStep(Ask.STATUS, TRUE_ON, "blank-lines", input=AgentInput(before=("",), after=("", "   ")), together=1),
        AskStep(
            Ask.STATUS,
            TRUE_ON,
            "unknown-names",
            input=AgentInput(before=("no_such_name=1",), after=("nodename=node1",)),
            together=1,
        ),
        AskStep(Ask.STATUS, TRUE_ON, "given-twice", input=AgentInput(before=("action=off",)), together=1),
        AskStep(Ask.STATUS, TRUE_ON, "equals-sign", together=1),
    ),
)

EXITS = Scenario(
    id="AGENT-003",
    tier=0,
    title="A day in the life of an agent: monitor, status, off, on, reboot",
    requirement=req.TRUE_STATUS,
    source="FenceAgentAPI: exit 0 done or on, 2 off (status), 1 everything else",
    convention=Convention.FENCE_AGENT_API,
    given=(host(ON), falls_after(3)),
    steps=(
        AskStep(Ask.MONITOR, (answers(Claim.OK),)),
        AskStep(Ask.STATUS, (answers(Claim.ON),)),
        AskStep(Ask.OFF, (Claims(),)),
        AskStep(Ask.STATUS, (answers(Claim.OFF),)),
        AskStep(Ask.ON, (Claims(),)),
        AskStep(Ask.STATUS, (answers(Claim.ON),)),
        AskStep(Ask.REBOOT, (Claims(),)),
    ),
)

BAD_INPUT = Scenario(
    id="AGENT-004",
    tier=1,
    title="An unknown action, no address, no password",
    requirement=req.AGENT_ERRORS,
    source="FenceAgentAPI: 1 for every error; 2 would say that the host is off",
    convention=Convention.FENCE_AGENT_API,
    given=(host(ON),),
    steps=(
        AskStep(Ask.STATUS, REFUSED, input=AgentInput(action="explode")),
        AskStep(Ask.STATUS, REFUSED, told=(Untold("address", ADDRESS),)),
        AskStep(Ask.STATUS, REFUSED, told=(Untold("password", PASSWORD),)),
        AskStep(Ask.OFF, REFUSED, told=(Untold("password", PASSWORD),)),
    ),
)

READ_ONLY = Scenario(
    id="AGENT-005",
    tier=1,
    title="monitor, validate-all, list and list-status change nothing",
    requirement=req.ONLY_POWER,
    source="FenceAgentAPI 'monitor', 'list'; Pacemaker runs them all the time",
    convention=Convention.FENCE_AGENT_API,
    given=(host(ON),),
    steps=(
        AskStep(Ask.MONITOR, (answers(Claim.OK),)),
        AskStep(Ask.VALIDATE_ALL, (answers(Claim.OK),), optional=True),
        AskStep(Ask.LIST, (answers(Claim.OK),), optional=True),
        AskStep(Ask.LIST_STATUS, (answers(Claim.OK),), optional=True),
    ),
)

HALF_A_REBOOT = Scenario(
    id="AGENT-006",
    tier=0,
    title="A reboot whose on part fails, and one whose off part fails",
    requirement=req.AGENT_REBOOT,
    source="FenceAgentAPI 'reboot': 0 if the off part succeeded, 1 if not",
    convention=Convention.FENCE_AGENT_API,
    given=(
        host(ON, name="stays-off"),
        *all_at("stays-off", falls_after(2)),
        Inject(
            "every power command to a host that is off is accepted and has no effect",
            Armed(fault=make_fault("power.ignore"), when=When(rail=Rail.DOWN)),
            "stays-off",
        ),
        host(ON, name="stays-on"),
        *all_at("stays-on", nothing_happens()),
    ),
    steps=(
        AskStep(Ask.REBOOT, (Claims(), ExitsWith(0), Warns()), "stays-off", together=1),
        AskStep(Ask.REBOOT, (NeverClaims(), ExitsWith(1), names_cause(Cause.TIMEOUT)), "stays-on", together=1),
    ),
)

COMMAND_LINE = Scenario(
    id="AGENT-007",
    tier=1,
    title="The same parameters as options of the command line and as lines on standard input",
    requirement=req.AGENT_INPUT,
    source="FenceAgentAPI: there should be a command line mode, too; medik8s starts agents so",
    convention=Convention.FENCE_AGENT_API,
    needs=frozenset({"cli"}),
    given=(
        host(ON, name="options"),
        *all_at("options", falls_after(3)),
        host(ON, name="standard-input"),
        *all_at("standard-input", falls_after(3)),
    ),
    steps=(
        AskStep(Ask.STATUS, TRUE_ON, "options", input=AgentInput(as_options=True)),
        AskStep(Ask.OFF, (Claims(), ExitsWith(0)), "options", input=AgentInput(as_options=True), together=1),
        AskStep(Ask.OFF, (Claims(), ExitsWith(0)), "standard-input", together=1),
        AskStep(Ask.STATUS, (answers(Claim.OFF), ExitsWith(2)), "options", input=AgentInput(as_options=True)),
    ),
)

MONITOR_OF_A_HOST_THAT_IS_OFF = Scenario(
    id="AGENT-008",
    tier=0,
    title="monitor of a host that is off",
    requirement=req.MONITOR_IS_NO_STATUS,
    source="FenceAgentAPI 'monitor': 0 if the device works; measured: Pacemaker 2.1.5 stops a device whose monitor exits 2",
    convention=Convention.FENCE_AGENT_API,
    given=(host(OFF),),
    steps=(AskStep(Ask.MONITOR, (answers(Claim.OK),)),),
)

PASSWORDS = Scenario(
    id="AGENT-009",
    tier=1,
    title="Passwords of one letter, with =, quotes, blanks, and letters outside of ASCII",
    requirement=req.EVERY_PASSWORD,
    source="cloudpods#16615, python-hpilo#51, systemscope#5; RFC 7617 2.1; UTF-8 over RAKP",
    given=(
        host(ON, name="one-letter"),
        PasswordIs("e", 1, "one-letter"),
        host(ON, name="equals-signs"),
        PasswordIs("=a==b=", 14, "equals-signs"),
        host(ON, name="quotes"),
        PasswordIs('it\'s"so"$x`y', 16, "quotes"),
        host(ON, name="blanks"),
        PasswordIs("two  words # ", 16, "blanks"),
        host(ON, name="not-ascii"),
        PasswordIs("Pässwörd-ß", 16, "not-ascii"),
        host(ON, name="unreachable", listens=False),
        PasswordIs("e", 1, "unreachable"),
    ),
    steps=(
        *(
            AskStep(Ask.STATUS, TRUE_ON, bmc, together=1)
            for bmc in ("one-letter", "equals-signs", "quotes", "blanks", "not-ascii")
        ),
        AskStep(Ask.STATUS, (answers(Claim.FAILED), names_cause(Cause.UNREACHABLE)), "unreachable", together=1),
    ),
)
