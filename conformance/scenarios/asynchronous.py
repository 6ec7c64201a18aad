"""ASYNC: accepted now, done later. The claim must follow the transition, and a fencer that gave up can be called again."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import SaysInText, names_cause
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import AtMostCommands, ReadsBeforeClaim
from conformance.givens.bmc import ON, host
from conformance.happenings import HostFalls
from conformance.scenario import AskStep, Scenario, off, off_each
from conformance.scenarios.words import EVERY_POWER_COMMAND, RESETS, falls_after, meets
from conformance.vocabulary import Ask, Cause, Level, Protocol

LONGER_THAN_ANY_LIMIT_S = 600.0

TASK_COMPLETES = Scenario(
    id="ASYNC-001",
    tier=0,
    title="The reset is accepted as a task, which completes before the host goes off",
    requirement=req.SAFE_CLAIM,
    source="Redfishtool#55, ODIM#1231 (HPE); DSP0266 14.7: a task tells of the operation, not of the host",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets("every reset is answered with 202 and a task that completes", "redfish.task", RESETS, end="Completed", after_s=0.2),
        falls_after(3),
    ),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim()),
)

TASK_FAILS = Scenario(
    id="ASYNC-002",
    tier=0,
    title="The reset is accepted as a task, which ends as Exception; the host stays on",
    requirement=req.SAFE_CLAIM,
    source="measured: rf_power_reset says 'Task is Done!' and exits 0",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets(
            "every reset is answered with 202 and a task that fails; nothing is executed",
            "redfish.task", RESETS, end="Exception", after_s=0.2, executed=False,
        ),
    ),
    steps=off(NeverClaims(), names_cause(Cause.TASK_FAILED, level=Level.SHOULD)),
)  # fmt: skip

TASK_TELLS_NOTHING = Scenario(
    id="ASYNC-003",
    tier=1,
    title="The reset is accepted as a task that never ends, whose monitor is 404, or that has no Location; the host goes off",
    requirement=req.STATE_NOT_TRANSITION,
    source="Redfishtool#55; DSP0266 14.7",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="never-ends"),
        meets("never-ends: the task of every reset runs on for ever", "redfish.task", RESETS, bmc="never-ends", end="never"),
        falls_after(3, "never-ends"),
        host(ON, name="monitor-404"),
        meets("monitor-404: Location names what does not exist", "redfish.task", RESETS, bmc="monitor-404", monitor="404"),
        falls_after(3, "monitor-404"),
        host(ON, name="no-location"),
        meets("no-location: 202 comes without Location and body", "redfish.task", RESETS, bmc="no-location", monitor="none"),
        falls_after(3, "no-location"),
    ),
    steps=off_each(("never-ends", "monitor-404", "no-location"), NeverClaims(), Claims(), ReadsBeforeClaim()),
)

LATE = Scenario(
    id="ASYNC-004",
    tier=0,
    title="The host goes off long after the command was accepted",
    requirement=req.SAFE_CLAIM,
    source="powerman#67, #73: 46 to 70 s on real hardware; FenceAgentAPI 'off': verify",
    given=(host(ON), falls_after(15)),
    steps=off(NeverClaims(), Claims(), ReadsBeforeClaim()),
)

TOO_LATE = Scenario(
    id="ASYNC-005",
    tier=1,
    title="The host goes off only when the fencer's own limit has passed",
    requirement=req.SAFE_CLAIM,
    source="powerman#154 (Cray EX): off takes longer than the default limit",
    given=(
        host(ON),
        meets(
            f"what an accepted command does begins after {LONGER_THAN_ANY_LIMIT_S:g} s",
            "power.late", EVERY_POWER_COMMAND, seconds=LONGER_THAN_ANY_LIMIT_S,
        ),
    ),
    steps=off(
        NeverClaims(), names_cause(Cause.TIMEOUT), SaysInText(r"\d(\.\d+)? ?s(ec|\b)", "the limit in seconds", Level.SHOULD)
    ),
)  # fmt: skip

CALLED_AGAIN = Scenario(
    id="ASYNC-006",
    tier=0,
    title="Off comes too late for the first call; the second call finds the host off",
    requirement=req.STATE_NOT_TRANSITION,
    source="apache/cloudstack#13376: the second call sends the reset again and takes 409 for a failure",
    given=(
        host(ON),
        meets(
            f"what an accepted command does begins after {LONGER_THAN_ANY_LIMIT_S:g} s",
            "power.late", EVERY_POWER_COMMAND, seconds=LONGER_THAN_ANY_LIMIT_S,
        ),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.TIMEOUT))),
        AskStep(Ask.OFF, (Claims(), ReadsBeforeClaim(), AtMostCommands(1)), before=HostFalls()),
    ),
)  # fmt: skip
