"""The effects that a step returns, as data.

Rules
  1. `Store.save` writes `Durable` effects in the same transaction as the record.
  2. `Manager` performs `Outward` effects after that transaction, and only if it succeeded.
  3. Pure data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fencer.ha.record import BmcRequest

Detail = str | int | float | bool | None | list[str]


class AlertName(StrEnum):
    HEALTH_LOST = "HEALTH_LOST"
    FENCE_ORDERED = "FENCE_ORDERED"
    FENCE_STARTED = "FENCE_STARTED"
    FENCE_ATTEMPT_FAILED = "FENCE_ATTEMPT_FAILED"
    FENCE_HELD = "FENCE_HELD"
    FENCE_LEVEL_FAILED = "FENCE_LEVEL_FAILED"
    FENCE_BLOCKED = "FENCE_BLOCKED"
    FENCED = "FENCED"
    FENCE_ABORTED = "FENCE_ABORTED"
    RECOVERY_TRIED = "RECOVERY_TRIED"
    RECOVERY_FAILED = "RECOVERY_FAILED"
    RECOVERY_DONE = "RECOVERY_DONE"
    FENCING_UNAVAILABLE = "FENCING_UNAVAILABLE"
    FENCING_AVAILABLE = "FENCING_AVAILABLE"
    SAME_MACHINE = "SAME_MACHINE"
    OFF_BUT_ACTIVE = "OFF_BUT_ACTIVE"
    ON_AGAIN = "ON_AGAIN"
    HOST_BACK = "HOST_BACK"
    NEVER_HEALTHY = "NEVER_HEALTHY"
    LIMITS_OVERRIDDEN = "LIMITS_OVERRIDDEN"
    IDENTITY_PINNED = "IDENTITY_PINNED"
    STORE_LOST = "STORE_LOST"
    STORE_BACK = "STORE_BACK"
    VM_RESTART_DONE = "VM_RESTART_DONE"
    VM_RESTART_FAILED = "VM_RESTART_FAILED"
    VM_MISSING = "VM_MISSING"
    VM_GIVEN_UP = "VM_GIVEN_UP"
    VM_SEEN_ELSEWHERE = "VM_SEEN_ELSEWHERE"
    VM_STOP_FAILED = "VM_STOP_FAILED"
    VM_UNWATCHED = "VM_UNWATCHED"
    HA_FENCE_PERFORMED = "HA_FENCE_PERFORMED"  # CloudStack's text, sent after every attempt (FenceTask.java:54)
    HA_RECOVERY_PERFORMED = "HA_RECOVERY_PERFORMED"  # (RecoveryTask.java:56)


class LineKind(StrEnum):
    """The `kind` of a line of the event stream. These values do not change."""

    STATE = "state"
    ALERT = "alert"
    VM = "vm"
    POWER_COMMAND = "power-command"
    POWER_READ = "power-read"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """One line of the timeline: state change, alert, VM, power command or power read. Durable; printed afterwards."""

    kind: LineKind
    detail: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The host is proved off: the store removes its VMs from it and adds a pending ledger row for each.

    Durable, in the same transaction as the state Fenced.
    """

    fence_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAnswer:
    """The answer to an operator's request. Durable."""

    request: int
    ok: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBmc:
    """Send one request to devices of the host. Outward; the record already has it as `inflight`."""

    request: BmcRequest
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckActivity:
    """Run the activity probes of the host. Outward."""

    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReleasedVms:
    """A fenced host answers again: stop the VMs of that fence that are now assigned to other hosts. Outward."""

    fence_id: str


Durable = TimelineLine | Release | OperatorAnswer
Outward = CallBmc | CheckActivity | StopReleasedVms
HaEffect = Durable | Outward
