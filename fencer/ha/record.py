"""What is known about one host: the durable record, and nothing that decides beside it.

Rules
  1. Pure data, frozen. A manager that dies loses nothing that decides: the next one reads this.
  2. Times are seconds of the store's clock, which all managers of one store share.
  3. `command_sent` and `inflight` are written *before* the request leaves: an intent counts as sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fencer.ha.states import HAState
from fencer.outcome import Cause


class FencePhase(StrEnum):
    STATUS_FIRST = "StatusFirst"
    POWER_OFF = "PowerOff"
    CONFIRM = "Confirm"
    BACK_OFF = "BackOff"
    BLOCKED = "Blocked"


class RequestKind(StrEnum):
    """What a request to a BMC asks for."""

    READ = "read"
    OFF = "off"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcRequest:
    """A BMC request that has been decided. `id` is unique per host; an answer to any other id is late and means nothing."""

    id: str
    ask: RequestKind
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OffRead:
    """One live read that said exactly Off."""

    at: float
    request: str
    word: str
    path: str
    source: str = ""
    chassis: str | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OffRun:
    """Consecutive Off reads of one epoch with nothing else between."""

    first: OffRead
    last: OffRead
    count: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    cause: Cause
    text: str
    at: float
    code: str | None = None
    message_id: str | None = None
    bmc_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """An operator's word that the host is off, for one fence id. Waits for one live read, which may refute it."""

    request: int
    who: str
    why: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """One obligation: from the decision to fence until it is proved, aborted or cancelled."""

    id: str
    started_at: float
    phase: FencePhase = FencePhase.STATUS_FIRST
    command_sent: bool = False
    attempts: int = 0
    next_attempt_at: float = 0.0
    confirm_until: float | None = None
    not_off_at: float | None = None  # start of the last read that allows a command
    refusal: LastError | None = None  # what the BMC said to the command that is being confirmed
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How often an alert was wanted since it was last told."""

    key: str
    last: float
    held_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    host: str
    state: HAState
    version: int = 0
    owner: str | None = None
    epoch: int = 0
    lease_until: float = 0.0
    identity: str | None = None  # what every read must show, if it shows anything
    chassis_check: bool = True
    eligible: bool = True
    since: float = 0.0  # when the state was entered
    healthy: bool | None = None
    streak: int = 0  # consecutive passed health checks, counted up to the policy's need
    suspect_since: float | None = None
    returned_at: float | None = None
    samples: tuple[bool, ...] = ()  # True: activity was seen
    next_activity_at: float = 0.0
    recovery_count: int = 0
    reset_sent: bool = False
    boot_until: float | None = None
    inflight: BmcRequest | None = None
    requests: int = 0
    next_read_at: float = 0.0
    off_run: OffRun | None = None
    last_read: str = ""  # what the last read said, so that only news is told
    fence: Fence | None = None
    fences: int = 0
    released: str | None = None  # the fence id whose VMs may be started elsewhere
    last_error: LastError | None = None
    alerts: tuple[Sent, ...] = ()
