"""CONC: several fencers, one BMC. During an outage every survivor fences at once, and a broken loop calls every few seconds.

Asks with the same number in `together` run at the same time. Nobody can tell then who has sent a request, so what is counted is
counted for all of them together; whether a claim is true is judged at its own instant.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import ClosesSessions
from conformance.expectations.run_counts import AtMostCommandsInAll, AtMostEffective
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.held_until_claim import HeldUntilClaim
from conformance.givens.inject import Inject
from conformance.givens.log_in_rules import LogInRules
from conformance.scenario import AskStep, Scenario
from conformance.scenarios.words import completion, falls_after, refused_when_off
from conformance.vocabulary import Ask
from emulator import Armed, Rail, make_fault

LAST_ROUND = 5
MORE_THAN_FIRST_READS = 17
"""Two rounds of four fencers after the reads before their commands, and so few that none has to send a command again."""

FOUR_AT_ONCE = Scenario(
    id="CONC-001",
    tier=1,
    title="Four fencers switch the same host off at the same time",
    requirement=req.SHARED_TARGET,
    source="measured: every survivor of a partition fences at once",
    given=(host(ON), falls_after(MORE_THAN_FIRST_READS)),
    steps=(AskStep(Ask.OFF, (NeverClaims(), Claims(), AtMostEffective(4)), together=1),) * 4,
)

OFF_AND_ON = Scenario(
    id="CONC-002",
    tier=1,
    title="One fencer is asked for off and another one for on, of a host that is on and of one that is off",
    requirement=req.SAFE_CLAIM,
    source="two managers with one BMC; FenceAgentAPI 'off', 'on': verify",
    given=(
        host(ON, name="was-on"),
        HeldUntilClaim("was-on", Ask.ON),
        host(OFF, name="was-off"),
        HeldUntilClaim("was-off", Ask.OFF),
    ),
    steps=tuple(AskStep(ask, (NeverClaims(),), bmc, together=1) for bmc in ("was-on", "was-off") for ask in (Ask.OFF, Ask.ON)),
)

NARROW_BMC = Scenario(
    id="CONC-003",
    tier=1,
    title="Eight fencers at a BMC that serves one connection at a time and has four sessions",
    requirement=req.SHARED_TARGET,
    source="gofish#75, check_redfish#89, smart-proxy#895: session tables are small, and who leaves sessions fills them",
    given=(
        host(ON),
        LogInRules("four sessions may be open at once", slots=4),
        Inject("one connection is served at a time, others wait", Armed(fault=make_fault("wire.queue", at_once=1))),
        falls_after(3),
    ),
    steps=(AskStep(Ask.OFF, (NeverClaims(), ClosesSessions()), together=1),) * 8,
)

AGAIN_AND_AGAIN = Scenario(
    id="CONC-004",
    tier=0,
    title="A host that is off is fenced fifteen times, in five rounds of three",
    requirement=req.FEW_COMMANDS,
    source="apache/cloudstack#13376: 309 POSTs in 20 minutes to a host that was off",
    given=(
        host(OFF),
        refused_when_off(409, "Base.1.8.GeneralError", "Server is already powered OFF."),
        completion(0xD5, Rail.DOWN, must_fire=False),
    ),
    steps=tuple(
        AskStep(Ask.OFF, (Claims(), *([AtMostCommandsInAll(1)] if number == LAST_ROUND else [])), together=number)
        for number in range(1, LAST_ROUND + 1)
        for _ in range(3)
    ),
)
