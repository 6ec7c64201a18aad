"""What a step wants done, as data.

Rules
  1. `Durable` effects are written in the transaction that writes the record, or not at all.
  2. `Outward` effects are performed after that transaction, and only if it won.
  3. Pure data. Whoever performs them lives in `manager` and `store`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fencer.ha.record import BmcRequest

Detail = str | int | float | bool | None | list[str]


class AlertName(StrEnum):
    HEALTH_LOST = "HEALTH_LOST"
    FENCE_STARTED = "FENCE_STARTED"
    FENCE_ATTEMPT_FAILED = "FENCE_ATTEMPT_FAILED"
    FENCE_HELD = "FENCE_HELD"
    FENCE_BLOCKED = "FENCE_BLOCKED"
    FENCED = "FENCED"
    FENCE_ABORTED = "FENCE_ABORTED"
    RECOVERY_TRIED = "RECOVERY_TRIED"
    RECOVERY_FAILED = "RECOVERY_FAILED"
    RECOVERY_DONE = "RECOVERY_DONE"
    VM_RESTART_DONE = "VM_RESTART_DONE"
    VM_RESTART_FAILED = "VM_RESTART_FAILED"
    HA_FENCE_PERFORMED = "HA_FENCE_PERFORMED"  # CloudStack's text, sent after every attempt (FenceTask.java:54)
    HA_RECOVERY_PERFORMED = "HA_RECOVERY_PERFORMED"  # (RecoveryTask.java:56)


class LineKind(StrEnum):
    """The stable `kind` of a line of the event stream."""

    STATE = "state"
    ALERT = "alert"
    VM = "vm"
    POWER_COMMAND = "power-command"
    POWER_READ = "power-read"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """A line of the timeline: state change, alert, VM, power command or power read. Durable, then printed."""

    kind: LineKind
    detail: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The host is proved off: its VMs leave it, and a ledger row for each is pending. Durable, with the state Fenced."""

    fence_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAnswer:
    """The answer to an operator's request. Durable."""

    request: int
    ok: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBmc:
    """Send one request to the host's BMC. Outward; the intent is already in the record."""

    request: BmcRequest
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckActivity:
    """Is anything of this host still writing? Outward."""

    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStrangers:
    """A fenced host answers again: stop every VM on it that now lives elsewhere. Outward."""

    fence_id: str


Durable = TimelineLine | Release | OperatorAnswer
Outward = CallBmc | CheckActivity | StopStrangers
HaEffect = Durable | Outward
