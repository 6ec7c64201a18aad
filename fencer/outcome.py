"""The result of a fence action: verdict, readings, evidence or failure.

Every function of `fencer` returns these types, and `fencer.ha` stores them. They are frozen and may pass between threads.

Rules
  1. Pure data. No transport, no clock, no other package of this project.
  2. `CONFIRMED` needs `Evidence`. A 2xx, a task, an IPMI completion code or a time-out is never evidence.
  3. A failure names one cause class, the BMC's own message, and the last known power state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """The actions of FenceAgentAPI."""

    ON = "on"
    OFF = "off"
    REBOOT = "reboot"
    STATUS = "status"
    MONITOR = "monitor"
    LIST = "list"
    LIST_STATUS = "list-status"
    METADATA = "metadata"
    MANPAGE = "manpage"
    VALIDATE_ALL = "validate-all"
    DIAG = "diag"


class Power(StrEnum):
    """The power state in one read. Any word other than exactly On or Off is UNKNOWN, and UNKNOWN is never evidence.

    MIXED: of several outlets of a PDU some say On and others do not. The host has power, so it is not off, and not all that was
    asked for is on.
    """

    ON = "on"
    OFF = "off"
    MIXED = "mixed"
    UNKNOWN = "unknown"


MIXED_WORD = "some On"
"""`Reading.word` of a PDU some of whose outlets say On. No PowerState of Redfish has a blank in it."""


class PowerCommand(StrEnum):
    """The power commands, named as Redfish's ResetType (DSP0268). The IPMI transport translates them."""

    FORCE_OFF = "ForceOff"
    GRACEFUL_SHUTDOWN = "GracefulShutdown"
    PUSH_POWER_BUTTON = "PushPowerButton"
    ON = "On"
    FORCE_ON = "ForceOn"
    FORCE_RESTART = "ForceRestart"
    POWER_CYCLE = "PowerCycle"
    NMI = "Nmi"


class Cause(StrEnum):
    """Classes of failure. The conformance suite and the HA manager use the same words."""

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
    REFUTED = "refuted"  # the last read shows the opposite state
    UNKNOWN = "unknown"  # no usable reading at the end


class WitnessState(StrEnum):
    """What one chassis says in one read (DSP0268, Chassis.PowerState is optional)."""

    SAYS = "says"  # it has a PowerState
    SILENT = "silent"  # it could be read and has no PowerState
    SHARED = "shared"  # it holds several Systems, and the user left such chassis out (chassis_check=own)
    UNKNOWN = "unknown"  # it could not be read, or its PowerState is null or no text


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One chassis that was asked in one read. `why` says why it is unknown; `kind` is its ChassisType (DSP0268)."""

    uri: str
    state: WitnessState
    word: str | None = None
    why: str = ""
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One live read of a power state, never a cached one.

    `at` is the time at which the request *started*, in seconds on the caller's monotonic clock. `word` is the BMC's power
    word, verbatim ("Off", "PoweringOff", None for null or missing). `path` is the protocol: "redfish", "ipmi" or "pdu". Of a PDU
    `word` is that of all its outlets together (MIXED_WORD if only some say On), and each outlet is a witness.
    """

    power: Power
    word: str | None
    at: float
    path: str
    source: str = ""  # the resource that was read: a URI, or "Get Chassis Status"
    # "Off" if the chassis that were asked say so, None if none has a word, else the word that contradicts ("unknown": no word)
    chassis_word: str | None = None
    identity: str | None = None  # UUID or serial number, if the BMC shows one
    requests: int = 1  # number of HTTP or IPMI requests; polling slows down if it is more than one
    witnesses: tuple[Witness, ...] = ()  # the chassis that were asked
    shown: tuple[tuple[str, str], ...] = ()  # every identity that the BMC shows: ("UUID", "4c4c..."), ("SerialNumber", ...)
    identity_missing: bool = False  # an identity is required, and this read does not show it
    repeated: int = 0  # requests of this read that were lost and sent again


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One host behind a BMC, for `list` and `list-status`.

    `plug` selects it (Redfish: the last part of the System's URI). `host_name` is what its operating system told the BMC;
    `word` is the power word, verbatim.
    """

    plug: str
    host_name: str | None = None
    word: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The readings that prove the power state of a CONFIRMED outcome."""

    readings: tuple[Reading, ...]
    # "ok" (a chassis said Off), "silent" (no linked chassis has a PowerState), "shared" (left out by chassis_check=own),
    # "not-linked", "ignore" (set by the user), "not-asked" (IPMI, or the goal was not Off)
    chassis_check: str
    # "already-off" (no power command was sent) | "powered-off" | "already-on" | "on" | "restarted" | "read"
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an action or a read failed: the cause class, and one sentence for the operator."""

    cause: Cause
    text: str  # one sentence: the resource, and what was tried
    code: str | None = None  # "HTTP 409", "0xD5"
    message_id: str | None = None  # the MessageId of the BMC's error body
    bmc_text: str | None = None  # the message text of the BMC


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one action. Raises ValueError for CONFIRMED without evidence, or not CONFIRMED without a failure."""

    verdict: FenceVerdict
    action: Action
    commands_sent: int = 0  # power commands that were sent
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
    """Classifies the words of one reading. OFF needs exactly "Off", and no chassis word other than "Off"."""
    if word == "On":
        return Power.ON
    if word == MIXED_WORD:
        return Power.MIXED
    return Power.OFF if word == "Off" and chassis_word in (None, "Off") else Power.UNKNOWN
