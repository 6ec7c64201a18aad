"""The record of one host: everything that the HA rules know about it.

The rules return a changed copy; the store writes it. If a manager ends, the next one continues from the record.

Rules
  1. Pure data, frozen. Field names are part of the state file's format.
  2. Times are seconds of the store's clock, which all managers of one store share.
  3. `command_sent` and `inflight` are written *before* the request is sent, so a request that may have been sent is known.
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
    """The kinds of request to a BMC."""

    READ = "read"
    OFF = "off"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcRequest:
    """A BMC request. `id` is unique per host; an answer with another id than `inflight` has is late and is ignored."""

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
    """A run of Off reads of one epoch, with no other result between them."""

    first: OffRead
    last: OffRead
    count: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """The last failure of a read or a command, with the BMC's own message."""

    cause: Cause
    text: str
    at: float
    code: str | None = None
    message_id: str | None = None
    bmc_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """An operator's confirmation that the host is off, for one fence id. A later live read of On refutes it."""

    request: int
    who: str
    why: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """One fence, from the decision until Off is proved, or until it is aborted or cancelled."""

    id: str
    started_at: float
    phase: FencePhase = FencePhase.STATUS_FIRST
    command_sent: bool = False
    attempts: int = 0
    next_attempt_at: float = 0.0
    confirm_until: float | None = None
    not_off_at: float | None = None  # start time of the last read that allows a power-off
    refusal: LastError | None = None  # how the BMC refused the power-off that is being confirmed
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAlert:
    """When an alert was last sent, and how many repetitions were held back since then."""

    key: str
    last: float
    held_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """Everything that is stored about one host. `version`, `owner`, `epoch` and `lease_until` belong to the store."""

    host: str
    state: HAState
    version: int = 0
    owner: str | None = None
    epoch: int = 0
    lease_until: float = 0.0
    identity: str | None = None  # the UUID or serial number that a read must show, if it shows one
    chassis_check: bool = True
    eligible: bool = True
    since: float = 0.0  # when the state was entered
    healthy: bool | None = None
    streak: int = 0  # consecutive passed health checks, counted up to `healthy_checks`
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
    last_read: str = ""  # the result of the last read, so that only changes get a timeline line
    fence: Fence | None = None
    fences: int = 0
    released: str | None = None  # the fence id whose VMs may be started elsewhere
    last_error: LastError | None = None
    alerts: tuple[SentAlert, ...] = ()
