"""AGENT: Pacemaker, oVirt, medik8s and Proxmox rely on the exit codes of a fence agent literally."""

from __future__ import annotations

from conformance import requirement as req
from conformance.scenario import ON, AskStep, Claims, Scenario, answers, host
from conformance.scenarios.words import falls_after
from conformance.vocabulary import Ask, Claim

EXITS = Scenario(
    id="AGENT-003",
    tier=0,
    title="A day in the life of an agent: monitor, status, off, on, reboot",
    requirement=req.TRUE_STATUS,
    source="FenceAgentAPI: exit 0 done or on, 2 off (status), 1 everything else",
    adapters=frozenset({"fence-agent"}),
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

SCENARIOS = (EXITS,)
