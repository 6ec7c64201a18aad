from __future__ import annotations

from pathlib import Path

import pytest

from fencer.ha.diagram import mermaid
from fencer.ha.effects import AlertName, LineKind
from fencer.ha.states import (
    INITIAL,
    RULES,
    STRICT_NAMES,
    TRANSITIONS,
    HAEvent,
    HAState,
    HostStatus,
    IllegalTransition,
    host_status,
    target,
)

CLOUDSTACK = """
Disabled: Enabled->Available
Available: Ineligible->Ineligible; Disabled->Disabled; HealthCheckPassed->Available; HealthCheckFailed->Suspect
Ineligible: Eligible->Available; Ineligible->Ineligible; Disabled->Disabled
Suspect: Ineligible->Ineligible; Disabled->Disabled; HealthCheckPassed->Available; HealthCheckFailed->Suspect; PerformActivityCheck->Checking
Checking: Ineligible->Ineligible; Disabled->Disabled; TooFewActivityCheckSamples->Suspect; ActivityCheckFailureOverThresholdRatio->Recovering; ActivityCheckFailureUnderThresholdRatio->Degraded
Degraded: Ineligible->Ineligible; Disabled->Disabled; HealthCheckPassed->Available; HealthCheckFailed->Degraded; PeriodicRecheckResourceActivity->Suspect
Recovering: Ineligible->Ineligible; Disabled->Disabled; Recovered->Recovered; RetryRecovery->Recovering; RecoveryOperationThresholdExceeded->Fencing
Recovered: Ineligible->Ineligible; Disabled->Disabled; RecoveryWaitPeriodTimeout->Available
Fencing: Ineligible->Ineligible; Disabled->Disabled; RetryFencing->Fencing; Fenced->Fenced
Fenced: Disabled->Disabled; HealthCheckPassed->Ineligible; HealthCheckFailed->Fenced
"""  # noqa: E501 - the table as CloudStack's compiled class prints it

OURS = {
    ("Recovered", "HealthCheckFailed", "Recovered", "+1"),
    ("Recovered", "HealthCheckFailed", "Suspect", "+1"),
    ("Checking", "HealthCheckFailed", "Checking", "+2"),
    ("Checking", "HealthCheckPassed", "Available", "+3"),
    ("Recovering", "HealthCheckPassed", "Available", "+4"),
    ("Recovering", "HealthCheckPassed", "Recovered", "+4"),
    ("Fencing", "FenceAttemptFailed", "Fencing", "+5"),
    ("Fencing", "FenceBlocked", "Fencing", "+6"),
    ("Fencing", "ManualFenceConfirmed", "Fenced", "+7"),
    ("Fencing", "FenceAborted", "Suspect", "+8"),
    ("Fenced", "Ineligible", "Fenced", "+9"),
}


def theirs() -> set[tuple[str, str, str]]:
    rows = set()
    for line in CLOUDSTACK.strip().splitlines():
        source, steps = line.split(": ", 1)
        rows |= {(source, *step.strip().split("->")) for step in steps.split(";")}  # type: ignore[misc]
    return rows


def test_cloudstacks_38_transitions_are_all_there_and_unchanged() -> None:
    rows = [(row.source, row.event, row.target) for row in TRANSITIONS if row.origin == "cloudstack"]
    assert len(rows) == 38
    assert set(rows) == theirs()


def test_additions_are_the_eleven_rows_of_our_nine_rules() -> None:
    assert {(r.source, r.event, r.target, r.origin) for r in TRANSITIONS if r.origin != "cloudstack"} == OURS


def test_restrictions_narrow_rows_of_cloudstack_and_all_say_why() -> None:
    narrowed = {row.rule: (row.source, row.event) for row in TRANSITIONS if row.rule}
    assert set(narrowed) == {"R1", "R2", "R3", "R4"}
    assert all(row.origin == "cloudstack" for row in TRANSITIONS if row.rule)
    assert set(RULES) == set(narrowed) | {row.origin for row in TRANSITIONS} - {"cloudstack"}


def test_there_are_ten_states_and_eighteen_events_of_cloudstack_and_four_of_ours() -> None:
    assert len(HAState) == 10
    assert len(HAEvent) == 22
    assert set(STRICT_NAMES) == set(list(HAEvent)[18:])
    assert set(STRICT_NAMES.values()) <= set(list(HAEvent)[:18])
    assert set(INITIAL.values()) == {HAState.DISABLED, HAState.AVAILABLE, HAState.INELIGIBLE}


def test_two_rows_of_one_event_need_a_target() -> None:
    assert target(HAState.RECOVERING, HAEvent.HEALTH_CHECK_PASSED, HAState.AVAILABLE) is HAState.AVAILABLE
    with pytest.raises(IllegalTransition, match="no transition from Recovering on HealthCheckPassed"):
        target(HAState.RECOVERING, HAEvent.HEALTH_CHECK_PASSED)


def test_a_step_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(IllegalTransition, match="from Available on Fenced to Fenced"):
        target(HAState.AVAILABLE, HAEvent.FENCED, HAState.FENCED)


def test_power_cycle_is_declared_and_never_used() -> None:
    assert not [row for row in TRANSITIONS if row.event is HAEvent.POWER_CYCLE]


def test_a_host_is_down_in_fenced_and_in_no_other_state() -> None:
    assert [state for state in HAState if host_status(state) is HostStatus.DOWN] == [HAState.FENCED]
    disconnected = {state for state in HAState if host_status(state) is HostStatus.DISCONNECTED}
    assert disconnected == {HAState.DEGRADED, HAState.RECOVERING, HAState.FENCING}


def test_the_diagram_in_the_documentation_is_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "ha.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{mermaid()}\n```" in text, "run python -m fencer.ha.diagram and put the result in docs/ha.md"
    for name in (*AlertName, *LineKind):
        assert f"`{name}`" in text, f"{name} is not documented"
