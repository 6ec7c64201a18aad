"""The ten states of a host under HA, and all legal transitions between them.

`StepBuilder.transition` uses the table; `fence-ha explain-transitions` and docs/ha.md show it.

Rules
  1. The table is the specification. A state changes only by a row of it.
  2. All 38 transitions of CloudStack are here, unchanged (HAConfig.java:97-143). `rule` marks a row that this project
     restricts, `origin` a row that it adds.
  3. Pure: no clock, no I/O, no policy.

Theory
  The names are CloudStack's, because operators know them. The table says *which* transitions are legal. The policy's rules,
  `machine` or `cloudstack`, decide *when* one is taken. A row with `when` has the same state and event as another row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class HAState(StrEnum):
    DISABLED = "Disabled"
    AVAILABLE = "Available"
    INELIGIBLE = "Ineligible"
    SUSPECT = "Suspect"
    DEGRADED = "Degraded"
    CHECKING = "Checking"
    RECOVERING = "Recovering"
    RECOVERED = "Recovered"
    FENCING = "Fencing"
    FENCED = "Fenced"


class HAEvent(StrEnum):
    """CloudStack's eighteen events, then the four of this project."""

    ELIGIBLE = "Eligible"
    INELIGIBLE = "Ineligible"
    DISABLED = "Disabled"
    ENABLED = "Enabled"
    HEALTH_CHECK_PASSED = "HealthCheckPassed"
    HEALTH_CHECK_FAILED = "HealthCheckFailed"
    PERFORM_ACTIVITY_CHECK = "PerformActivityCheck"
    TOO_FEW_SAMPLES = "TooFewActivityCheckSamples"
    PERIODIC_RECHECK = "PeriodicRecheckResourceActivity"
    ACTIVITY_FAILED = "ActivityCheckFailureOverThresholdRatio"
    ACTIVITY_SEEN = "ActivityCheckFailureUnderThresholdRatio"
    POWER_CYCLE = "PowerCycle"  # declared by CloudStack, used by no transition
    RECOVERED = "Recovered"
    RETRY_RECOVERY = "RetryRecovery"
    RECOVERY_WAIT_OVER = "RecoveryWaitPeriodTimeout"
    RECOVERY_EXHAUSTED = "RecoveryOperationThresholdExceeded"
    RETRY_FENCING = "RetryFencing"
    FENCED = "Fenced"
    FENCE_ATTEMPT_FAILED = "FenceAttemptFailed"
    FENCE_BLOCKED = "FenceBlocked"
    MANUAL_FENCE_CONFIRMED = "ManualFenceConfirmed"
    FENCE_ABORTED = "FenceAborted"


class HostStatus(StrEnum):
    """The status that the rest of a cloud sees (HAManagerImpl.java:320-333)."""

    UP = "Up"
    DOWN = "Down"
    DISCONNECTED = "Disconnected"


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal transition. `rule`: the restriction (R1..R4) of a CloudStack row; `when`: the condition for this target."""

    source: HAState
    event: HAEvent
    target: HAState
    origin: str = "cloudstack"
    rule: str = ""
    when: str = ""


S, E = HAState, HAEvent

TRANSITIONS: tuple[Transition, ...] = (
    Transition(S.DISABLED, E.ENABLED, S.AVAILABLE),
    Transition(S.AVAILABLE, E.INELIGIBLE, S.INELIGIBLE),
    Transition(S.AVAILABLE, E.DISABLED, S.DISABLED),
    Transition(S.AVAILABLE, E.HEALTH_CHECK_PASSED, S.AVAILABLE),
    Transition(S.AVAILABLE, E.HEALTH_CHECK_FAILED, S.SUSPECT),
    Transition(S.INELIGIBLE, E.ELIGIBLE, S.AVAILABLE),
    Transition(S.INELIGIBLE, E.INELIGIBLE, S.INELIGIBLE),
    Transition(S.INELIGIBLE, E.DISABLED, S.DISABLED),
    Transition(S.SUSPECT, E.INELIGIBLE, S.INELIGIBLE),
    Transition(S.SUSPECT, E.DISABLED, S.DISABLED),
    Transition(S.SUSPECT, E.HEALTH_CHECK_PASSED, S.AVAILABLE),
    Transition(S.SUSPECT, E.HEALTH_CHECK_FAILED, S.SUSPECT),
    Transition(S.SUSPECT, E.PERFORM_ACTIVITY_CHECK, S.CHECKING),
    Transition(S.CHECKING, E.INELIGIBLE, S.INELIGIBLE),
    Transition(S.CHECKING, E.DISABLED, S.DISABLED),
    Transition(S.CHECKING, E.TOO_FEW_SAMPLES, S.SUSPECT),
    Transition(S.CHECKING, E.ACTIVITY_FAILED, S.RECOVERING),
    Transition(S.CHECKING, E.ACTIVITY_SEEN, S.DEGRADED),
    Transition(S.DEGRADED, E.INELIGIBLE, S.INELIGIBLE),
    Transition(S.DEGRADED, E.DISABLED, S.DISABLED),
    Transition(S.DEGRADED, E.HEALTH_CHECK_PASSED, S.AVAILABLE),
    Transition(S.DEGRADED, E.HEALTH_CHECK_FAILED, S.DEGRADED),
    Transition(S.DEGRADED, E.PERIODIC_RECHECK, S.SUSPECT),
    Transition(S.RECOVERING, E.INELIGIBLE, S.INELIGIBLE),
    Transition(S.RECOVERING, E.DISABLED, S.DISABLED, rule="R2"),
    Transition(S.RECOVERING, E.RECOVERED, S.RECOVERED),
    Transition(S.RECOVERING, E.RETRY_RECOVERY, S.RECOVERING),
    Transition(S.RECOVERING, E.RECOVERY_EXHAUSTED, S.FENCING),
    Transition(S.RECOVERED, E.INELIGIBLE, S.INELIGIBLE),
    Transition(S.RECOVERED, E.DISABLED, S.DISABLED),
    Transition(S.RECOVERED, E.RECOVERY_WAIT_OVER, S.AVAILABLE, rule="R4"),
    Transition(S.FENCING, E.INELIGIBLE, S.INELIGIBLE, rule="R1"),
    Transition(S.FENCING, E.DISABLED, S.DISABLED, rule="R2"),
    Transition(S.FENCING, E.RETRY_FENCING, S.FENCING),
    Transition(S.FENCING, E.FENCED, S.FENCED, rule="R3"),
    Transition(S.FENCED, E.DISABLED, S.DISABLED),
    Transition(S.FENCED, E.HEALTH_CHECK_PASSED, S.INELIGIBLE),
    Transition(S.FENCED, E.HEALTH_CHECK_FAILED, S.FENCED),
    # Transitions that this project adds.
    Transition(S.RECOVERED, E.HEALTH_CHECK_FAILED, S.RECOVERED, "+1", when="within the wait"),
    Transition(S.RECOVERED, E.HEALTH_CHECK_FAILED, S.SUSPECT, "+1", when="after the wait"),
    Transition(S.CHECKING, E.HEALTH_CHECK_FAILED, S.CHECKING, "+2"),
    Transition(S.CHECKING, E.HEALTH_CHECK_PASSED, S.AVAILABLE, "+3"),
    Transition(S.RECOVERING, E.HEALTH_CHECK_PASSED, S.AVAILABLE, "+4", when="no reset was sent"),
    Transition(S.RECOVERING, E.HEALTH_CHECK_PASSED, S.RECOVERED, "+4", when="a reset was sent"),
    Transition(S.FENCING, E.FENCE_ATTEMPT_FAILED, S.FENCING, "+5"),
    Transition(S.FENCING, E.FENCE_BLOCKED, S.FENCING, "+6"),
    Transition(S.FENCING, E.MANUAL_FENCE_CONFIRMED, S.FENCED, "+7"),
    Transition(S.FENCING, E.FENCE_ABORTED, S.SUSPECT, "+8"),
    Transition(S.FENCED, E.INELIGIBLE, S.FENCED, "+9"),
)

RULES: Mapping[str, str] = {
    "R1": "kept until the fence ends: an ineligible host must not lose a fence in flight",
    "R2": "cancels the fence id; no later result of it may commit",
    "R3": "only inside the commit of a confirmed Off (or another proof)",
    "R4": "only if the last health check passed; else Suspect (+1), and the recovery counter is kept",
    "+1": "a reset that does not help ends in Suspect, so the recovery loop is bounded",
    "+2": "a failed health check during an activity check is no news",
    "+3": "the host answers again",
    "+4": "the host came back",
    "+5": "a failed attempt is visible",
    "+6": "too many failed attempts are visible; reading goes on",
    "+7": "an operator takes responsibility for this fence id",
    "+8": "healthy again before any power command of this fence id was sent; or an operator has cancelled it",
    "+9": "silent: a fenced host is ineligible anyway",
}

STRICT_NAMES: Mapping[HAEvent, HAEvent] = {
    E.FENCE_ATTEMPT_FAILED: E.RETRY_FENCING,
    E.FENCE_BLOCKED: E.RETRY_FENCING,
    E.MANUAL_FENCE_CONFIRMED: E.FENCED,
    E.FENCE_ABORTED: E.DISABLED,
}
"""CloudStack's names for the four events of this project, for consumers that know no others (`strict_event_names`)."""

INITIAL: Mapping[HAEvent, HAState] = {E.DISABLED: S.DISABLED, E.ENABLED: S.AVAILABLE, E.INELIGIBLE: S.INELIGIBLE}

_STATUS: Mapping[HAState, HostStatus] = {
    S.FENCED: HostStatus.DOWN,
    S.DEGRADED: HostStatus.DISCONNECTED,
    S.RECOVERING: HostStatus.DISCONNECTED,
    S.FENCING: HostStatus.DISCONNECTED,
}

_ROWS: Mapping[tuple[HAState, HAEvent], tuple[Transition, ...]] = {
    key: tuple(row for row in TRANSITIONS if (row.source, row.event) == key)
    for key in dict.fromkeys((row.source, row.event) for row in TRANSITIONS)
}


class IllegalTransition(Exception):
    """The table has no such row: a bug of the rules. No host and no operator can cause it."""

    def __init__(self, source: HAState, event: HAEvent, target: HAState | None) -> None:
        self.source, self.event, self.target = source, event, target
        super().__init__(f"no transition from {source} on {event}" + (f" to {target}" if target else ""))


def target(source: HAState, event: HAEvent, to: HAState | None = None) -> HAState:
    """Returns the state to which `event` leads from `source`. `to` selects one of two rows.

    Raises IllegalTransition if there is no such row, or more than one.
    """
    rows = [row for row in _ROWS.get((source, event), ()) if to is None or row.target is to]
    if len(rows) != 1:
        raise IllegalTransition(source, event, to)
    return rows[0].target


def host_status(state: HAState) -> HostStatus:
    return _STATUS.get(state, HostStatus.UP)
