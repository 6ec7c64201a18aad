"""AGENT: Pacemaker, oVirt, medik8s and Proxmox rely on the exit codes of a fence agent literally."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.claims import Claims, answers
from conformance.givens.bmc import ON, host
from conformance.scenario import AskStep, Scenario
from conformance.scenarios.words import falls_after
from conformance.vocabulary import Ask, Claim, Convention

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
