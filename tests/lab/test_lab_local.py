"""The lab's incidents with local processes as hosts: what `make lab-local` runs, and its two controls."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.incidents import play
from lab.local_incident import local_lab
from lab.settings import load_settings
from lab.verdict import Colour, Incident, IncidentFacts, IncidentVerdict, judge, timeline

# One after the other: four labs at once would measure the machine, not the manager.
pytestmark = pytest.mark.xdist_group("lab")


def played(incident: Incident, policy: str, directory: Path) -> tuple[IncidentFacts, IncidentVerdict]:
    with local_lab(load_settings(), policy, directory) as site:
        facts = play(incident, site, policy)
    verdict = judge(facts)
    print("\n".join([*timeline(facts), verdict.line(facts)]))
    return facts, verdict


@pytest.mark.parametrize("incident", list(Incident))
def test_the_reference_policy_moves_the_machines_and_splits_no_brain(incident: Incident, tmp_path: Path) -> None:
    facts, verdict = played(incident, "reference", tmp_path)
    assert verdict.colour is Colour.GREEN, verdict.reasons
    if incident is Incident.POWER_LOSS:
        assert facts.refused == 409
        assert list(facts.commands) == []


def test_control_cloudstacks_policy_never_declares_the_dead_host_down(tmp_path: Path) -> None:
    facts, verdict = played(Incident.POWER_LOSS, "cloudstack-4.22", tmp_path)
    assert verdict.colour is Colour.RED
    assert any("NOT DOWN" in reason for reason in verdict.reasons)
    assert {event.data["status"] for event in facts.commands} == {409}


def test_control_cloudstacks_policy_splits_the_brain_of_a_hung_host(tmp_path: Path) -> None:
    _, verdict = played(Incident.HUNG, "cloudstack-4.22", tmp_path)
    assert verdict.colour is Colour.RED
    assert any("SPLIT BRAIN" in reason for reason in verdict.reasons)
