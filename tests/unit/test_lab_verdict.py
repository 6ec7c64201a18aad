"""The lab's verdict: each condition alone can make it red, and a premise that did not hold makes it void."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.core.journal import EventKind
from lab.oracle import DiskWrite
from lab.site import BmcJournalEvent, ManagerLine
from lab.verdict import Colour, Incident, IncidentFacts, judge, timeline

BLOW = 100.0
VM = "db1"


def writes(host: str, token: str, *times: float) -> list[DiskWrite]:
    return [DiskWrite(VM, host, token, n, t) for n, t in enumerate(times, 1)]


def command(t: float, reset: str, status: int) -> BmcJournalEvent:
    return BmcJournalEvent(t, EventKind.COMMAND, {"reset": reset, "status": status})


def rail(t: float, word: str) -> BmcJournalEvent:
    return BmcJournalEvent(t, EventKind.RAIL, {"rail": word, "was": "went-down"})


def down(t: float) -> ManagerLine:
    line = {"kind": "state", "from": "Fencing", "to": "Fenced", "event": "Fenced", "status": "Down"}
    return ManagerLine(t, "node1", line)


POWER_LOSS = IncidentFacts(
    incident=Incident.POWER_LOSS,
    policy="reference",
    node="node1",
    machines=(VM,),
    began=BLOW,
    bmc_events=[command(100.0, "ForceOff", 204), rail(100.3, "down"), command(100.4, "ForceOff", 409)],
    manager_lines=[down(102.5)],
    writes={VM: writes("node1", "a", 99.0, 100.2) + writes("node2", "b", 102.6, 103.0)},
    own_commands=2,
    refused=409,
)
HUNG = IncidentFacts(
    incident=Incident.HUNG,
    policy="reference",
    node="node1",
    machines=(VM,),
    began=BLOW,
    bmc_events=[command(104.0, "ForceOff", 204), rail(104.5, "down"), command(107.0, "On", 204)],
    manager_lines=[down(106.0)],
    writes={VM: writes("node1", "a", 99.0, 101.0, 104.4) + writes("node2", "b", 106.1, 109.0)},
    back=107.0,
)


@pytest.mark.parametrize("facts", [POWER_LOSS, HUNG], ids=["409", "hung"])
def test_an_incident_that_went_well_is_green(facts: IncidentFacts) -> None:
    verdict = judge(facts)
    assert verdict.colour is Colour.GREEN, verdict.reasons
    assert "zero split brain" in verdict.line(facts)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(POWER_LOSS, manager_lines=[]), "NOT DOWN"),
        (replace(POWER_LOSS, writes={VM: writes("node1", "a", 99.0, 100.2)}), "runs nowhere else"),
        (replace(POWER_LOSS, writes={VM: writes("node1", "a", 99.0) + writes("node2", "b", 110.1)}), "only 10.1 s after"),
        (replace(POWER_LOSS, writes={VM: writes("node1", "a", 99.0) + writes("node2", "b", 100.2)}), "before node1 was off"),
        (
            replace(POWER_LOSS, bmc_events=[*POWER_LOSS.bmc_events, command(102.0, "ForceOff", 409)]),
            "1 power commands went to a host that was off",
        ),
        (
            replace(
                POWER_LOSS, writes={VM: writes("node1", "a", 99.0) + writes("node2", "b", 102.6) + writes("node1", "a", 102.7)}
            ),
            "SPLIT BRAIN: db1 was written by node1 1 times after node2 had begun",
        ),
        (replace(HUNG, bmc_events=[rail(104.5, "down")]), "no ForceOff of node1 was accepted"),
        (replace(HUNG, bmc_events=[command(104.0, "GracefulShutdown", 204)]), "no ForceOff of node1 was accepted"),
        (replace(HUNG, bmc_events=[command(104.0, "ForceOff", 409), rail(104.5, "down")]), "no ForceOff of node1 was accepted"),
        (replace(HUNG, back=None), "was not started again"),
        (replace(HUNG, back_machines=(VM,)), "runs db1 after it was started again"),
        (
            replace(HUNG, writes={VM: HUNG.writes[VM] + writes("node1", "c", 109.5)}),  # type: ignore[operator]
            "written by node1 again after it was started again",
        ),
    ],
)
def test_one_broken_condition_is_enough_for_red_and_is_named(facts: IncidentFacts, reason: str) -> None:
    verdict = judge(facts)
    assert verdict.colour is Colour.RED
    assert reason in verdict.line(facts)


@pytest.mark.parametrize(
    "facts",
    [
        replace(POWER_LOSS, bmc_events=[]),
        replace(POWER_LOSS, machines=()),
        replace(HUNG, writes={VM: writes("node1", "a", 99.0) + writes("node2", "b", 106.1)}),
    ],
    ids=["never off", "nothing ran there", "the hung host wrote nothing"],
)
def test_an_incident_whose_premise_did_not_hold_is_neither_green_nor_red(facts: IncidentFacts) -> None:
    assert judge(facts).colour is Colour.VOID


def test_the_timeline_counts_from_the_blow_and_folds_what_repeats() -> None:
    refusals = [command(105.0 + n, "GracefulShutdown", 409) for n in range(9)]
    rows = timeline(replace(POWER_LOSS, bmc_events=[*POWER_LOSS.bmc_events, *refusals], manager_lines=[]))
    assert any(row.startswith("   +0.000 s  incident  node1 is switched off hard") for row in rows)
    folded = [row for row in rows if "GracefulShutdown" in row]
    assert len(folded) == 2
    assert folded[1].endswith("(and 7 times more)")
