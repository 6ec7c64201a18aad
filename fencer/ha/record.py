"""The record of one host: everything that the HA rules know about it.

The rules return a changed copy; the store writes it. If a manager ends, the next one continues from the record.

Rules
  1. Pure data, frozen. Field names are part of the state file's format.
  2. Times are seconds of the store's clock, which all managers of one store share.
  3. `command_sent` and `inflight` are written *before* the request is sent, so a request that may have been sent is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from fencer.ha.states import HAState
from fencer.identity import ShownIdentities
from fencer.outcome import Cause
from fencer.witnesses import WitnessMemory

OWN_BMC = "bmc"
"""The name of a host's own BMC among its devices."""


class FencePhase(StrEnum):
    STATUS_FIRST = "StatusFirst"
    POWER_OFF = "PowerOff"
    CONFIRM = "Confirm"
    BACK_OFF = "BackOff"
    BLOCKED = "Blocked"


class RequestKind(StrEnum):
    """The kinds of request to a BMC or another device."""

    READ = "read"
    OFF = "off"
    RESET = "reset"
    CHECK = "check"  # the device check: log-in, identity, System, Reset action, power


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcRequest:
    """A request to devices of a host. `id` is unique per host; an answer with another id than `inflight` has is late and ignored.

    `devices`: all of them are asked. `own_too`: when each of them says Off, the host's own BMC is asked too.
    """

    id: str
    ask: RequestKind
    at: float
    devices: tuple[str, ...] = (OWN_BMC,)
    own_too: bool = False

    @property
    def cuts_power(self) -> bool:
        return self.ask in (RequestKind.OFF, RequestKind.RESET)


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
    """A series of Off reads of one epoch, with no other answer between them. Missed reads are allowed (`fencer.proof`).

    `devices`: each of them said Off in each of the reads.
    """

    first: OffRead
    last: OffRead
    count: int
    epoch: int
    devices: tuple[str, ...] = (OWN_BMC,)


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
    sent_before: bool = False  # `command_sent` as it was before the command that is in flight
    attempts: int = 0
    next_attempt_at: float = 0.0
    confirm_until: float | None = None
    not_off_at: float | None = None  # start time of the last read that allows a power-off
    refusal: LastError | None = None  # how the BMC refused the power-off that is being confirmed
    signature: Signature | None = None
    level_attempts: int = 0  # failed attempts at the level that is tried now
    level_since: float | None = None  # the first power-off or failed attempt at this level
    shaken_levels: tuple[int, ...] = ()  # levels that were left with `HostRecord.shaken`


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMemory:
    """What is remembered of one device of a host."""

    name: str
    pinned: ShownIdentities = ()  # what it showed first
    witnesses: WitnessMemory = field(default_factory=WitnessMemory)
    identity_shown: bool = False  # a read of this fence showed the required identity, or none is required
    login_refused_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """What the last device check found. `error`: why the host could not be fenced now, or None."""

    at: float
    error: LastError | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOrder:
    """An order of an operator about one host: who gave it, why and when. It ends with the host's trouble."""

    who: str
    why: str
    at: float


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
    # -- from the configuration, written at the start of each epoch
    identity: str | None = None  # the UUID or serial number that the machine must show
    chassis_check: bool = True
    heartbeat: bool = False  # it has activity probes: fresh activity contradicts an Off
    delay: float = 0.0  # seconds before a power command, so that two sides do not cut one another at once
    probes: str = ""  # its health probes: if they change, it must be seen healthy again
    levels: tuple[tuple[str, ...], ...] = ()  # the devices of each fencing level; (): the BMC alone
    eligible: bool = True
    # -- health
    since: float = 0.0  # when the state was entered
    healthy: bool | None = None  # the last health check; None: unknown
    seen_healthy: bool = False  # a health check has passed; before that a failed one is unknown
    silent_since: float | None = None  # when the first failed health check in a row ended
    passed_at: float | None = None  # start of the last passed health check that was noted
    streak: int = 0  # consecutive passed health checks, counted up to `healthy_checks`
    suspect_since: float | None = None
    returned_at: float | None = None
    samples: tuple[bool, ...] = ()  # True: activity was seen
    next_activity_at: float = 0.0
    sampling_since: float | None = None  # an activity sample is awaited that may contradict the Off reads
    recovery_count: int = 0
    reset_sent: bool = False
    read_on_at: float | None = None  # start of the last read that allows a reset
    boot_until: float | None = None
    # -- what limits power commands
    storm: bool = False  # it was suspect while too many hosts were
    calm_since: float | None = None  # `storm`: since when it is not suspect any more
    held_since: float | None = None  # since when its power command is held back
    override: SignedOrder | None = None  # power commands pass the limits
    ordered: SignedOrder | None = None  # its fence was ordered
    cancelled: SignedOrder | None = None  # its fence was cancelled: no power command
    cut_at: float | None = None  # the first power command of this trouble
    cuts: tuple[float, ...] = ()  # the same, of earlier troubles
    same_machine: tuple[str, ...] = ()  # hosts whose BMC shows the same machine
    # -- its BMC and other devices
    level: int = 1  # the level that the fence has come to, or that proved the host off
    devices: tuple[DeviceMemory, ...] = ()  # without its own BMC
    inflight: BmcRequest | None = None
    requests: int = 0
    next_read_at: float = 0.0
    login_refused_at: float | None = None
    check: BmcRequest | None = None  # the device check that is in flight
    next_check_at: float = 0.0
    device: DeviceState | None = None
    pinned: ShownIdentities = ()  # what its BMC showed first
    witnesses: WitnessMemory = field(default_factory=WitnessMemory)
    identity_shown: bool = False  # a read of this trouble showed the required identity, or none is required
    shaken: bool = False  # a read or command was lost or refused as busy in this trouble: Off needs the longer proof
    off_run: OffRun | None = None
    last_read: str = ""  # the result of the last read, so that only changes get a timeline line
    fence: Fence | None = None
    fences: int = 0
    released: str | None = None  # the fence id whose VMs may be started elsewhere
    signed: bool = False  # `released` stands on an operator's signature
    last_off_at: float | None = None  # Fenced: start of the last read that said Off
    on_again_at: float | None = None  # Fenced: when a read said On again
    last_error: LastError | None = None
    alerts: tuple[SentAlert, ...] = ()

    @property
    def all_levels(self) -> tuple[tuple[str, ...], ...]:
        return self.levels or ((OWN_BMC,),)

    @property
    def asked_devices(self) -> tuple[str, ...]:
        """The devices that a read asks now: those of the level during a fence and after it, else the BMC alone."""
        if self.state in (HAState.FENCING, HAState.FENCED):
            return self.all_levels[self.level - 1]
        return (OWN_BMC,)

    def memory(self, device: str) -> DeviceMemory:
        if device == OWN_BMC:
            return DeviceMemory(
                name=OWN_BMC, pinned=self.pinned, witnesses=self.witnesses, identity_shown=self.identity_shown,
                login_refused_at=self.login_refused_at,
            )  # fmt: skip
        return next((known for known in self.devices if known.name == device), DeviceMemory(name=device))

    def remembering(self, memory: DeviceMemory) -> HostRecord:
        """Returns the record with `memory` in the place of what was remembered of this device."""
        if memory.name == OWN_BMC:
            return replace(
                self, pinned=memory.pinned, witnesses=memory.witnesses, identity_shown=memory.identity_shown,
                login_refused_at=memory.login_refused_at,
            )  # fmt: skip
        return replace(self, devices=(*(known for known in self.devices if known.name != memory.name), memory))
