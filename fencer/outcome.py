"""What a fence attempt ended in, and why it may be believed.

Rules
  1. Pure data. No transport, no clock, no other package of this project.
  2. `CONFIRMED` needs `Evidence`; a 2xx, a task, a completion code or a time-out is never evidence.
  3. A failure names one cause class, the server's own words, and what was last known of the power state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """FenceAgentAPI."""

    ON = "on"
    OFF = "off"
    REBOOT = "reboot"
    STATUS = "status"
    MONITOR = "monitor"
    LIST = "list"
    LIST_STATUS = "list-status"
    METADATA = "metadata"
    VALIDATE_ALL = "validate-all"
    DIAG = "diag"


class Power(StrEnum):
    """What one read says. Everything that is not exactly On or Off is UNKNOWN, and UNKNOWN is never evidence."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class PowerCommand(StrEnum):
    """What may be asked of a BMC, in Redfish's words (Resource.ResetType, DSP0268); other transports translate."""

    FORCE_OFF = "ForceOff"
    GRACEFUL_SHUTDOWN = "GracefulShutdown"
    PUSH_POWER_BUTTON = "PushPowerButton"
    ON = "On"
    FORCE_ON = "ForceOn"
    NMI = "Nmi"


class Cause(StrEnum):
    """Classes of failure; the suite and the HA manager use the same words (design: cause classes)."""

    ALREADY_IN_STATE = "already-in-state"
    AUTH = "auth"
    PRIVILEGE = "privilege"
    LOCKED = "locked"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    BUSY = "busy"
    UNSUPPORTED = "unsupported"
    NOT_FOUND = "not-found"
    PRECONDITION = "precondition"
    CONFLICT = "conflict-other"
    BAD_RESPONSE = "bad-response"
    TASK_FAILED = "task-failed"
    CONFIG = "config"


class FenceVerdict(StrEnum):
    CONFIRMED = "confirmed"  # the goal state holds, with evidence
    REFUTED = "refuted"  # the last reads say that it does not
    UNKNOWN = "unknown"  # nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One live read of a power state, never a cached one.

    `at` is in seconds on the caller's monotonic clock, at the moment the request *started*. `word` is what the BMC
    said, verbatim ("Off", "PoweringOff", None for null or missing). `path` says over what it came: "redfish" or "ipmi".
    """

    power: Power
    word: str | None
    at: float
    path: str
    source: str = ""  # the resource that was read: a URI, or "Get Chassis Status"
    chassis_word: str | None = None  # PowerState of a chassis linked from the system, where one was read
    identity: str | None = None  # UUID or serial number, where the transport can see it
    requests: int = 1  # how many requests it cost; the pace of polling follows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why a CONFIRMED may be believed."""

    readings: tuple[Reading, ...]
    chassis_check: str  # "ok", "not-linked", or "ignore" (asked for by the user, and recorded)
    # "already-off" (no power command was sent) | "powered-off" | "already-on" | "on" | "restarted" | "read"
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Whose fault it was, in words for 3 a.m."""

    cause: Cause
    text: str  # one sentence: which object, what was tried
    code: str | None = None  # "HTTP 409", "0xD5"
    message_id: str | None = None  # the BMC's own message id
    bmc_text: str | None = None  # the BMC's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one action ended."""

    verdict: FenceVerdict
    action: Action
    commands_sent: int = 0  # power commands that left this machine
    readings: tuple[Reading, ...] = ()
    evidence: Evidence | None = None
    failure: Failure | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.verdict is FenceVerdict.CONFIRMED and self.evidence is None:
            raise ValueError("confirmed without evidence")
        if self.verdict is not FenceVerdict.CONFIRMED and self.failure is None:
            raise ValueError("not confirmed, and no reason given")


def power_of(word: str | None, chassis_word: str | None = None) -> Power:
    """What a reading's words amount to. Off needs exactly "Off", and no chassis that was asked and contradicts."""
    if word == "On":
        return Power.ON
    return Power.OFF if word == "Off" and chassis_word in (None, "Off") else Power.UNKNOWN
