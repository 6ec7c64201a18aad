"""The observations that `machine.step` and `cloudstack.step` take: probe results, reads, replies, operator requests.

`Manager` creates them. Pure data. Times are seconds of the store's clock. An unknown result is None and never counts as
a dead host.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fencer.ha.record import OWN_BMC
from fencer.outcome import Failure, Reading


class Hold(StrEnum):
    """Why nothing that cuts the power of this host may be sent now."""

    SAME_MACHINE = "its BMC shows the same machine as the BMC of another host"
    CANCELLED = "an operator has cancelled its fence"
    TOO_MANY_LOST = "too many hosts of the cluster were lost at the same time"
    WITNESS_SILENT = "the witness probes of this manager do not pass, so the manager itself may be cut off"
    MIN_HEALTHY = "too few other hosts have passed a health check since it fell silent"
    NOBODY_AVAILABLE = "no other host is Available to take its VMs"
    MAX_FENCED = "too many hosts had their power cut in the last 24 h"
    JUST_STARTED = "the manager has just started"
    RATE = "too many power-offs at once"


class CommandResult(StrEnum):
    """The result of a power command. None of them says that the host is off."""

    ACCEPTED = "accepted"  # 2xx, completion code 0x00
    REFUSED = "refused"  # 400, 409, 0xD5: may mean "already off", "busy" or "not now"
    AMBIGUOUS = "ambiguous"  # sent, and the answer was lost or is unusable
    FAILED = "failed"  # a repetition would fail too: authentication, no such System
    NOT_SENT = "not-sent"  # `permit` returned False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One round of the manager's loop.

    `hold`: why nothing that cuts the power may be sent, or None. `storm`: power commands are held because too many hosts were
    lost. `same_machine`: hosts whose BMC shows the same machine. `login_refused_at`: when this BMC last refused a log-in,
    whichever host it was for. `devices_refused_at`: the same for other devices of the host, by name.
    """

    hold: Hold | None = None
    storm: bool = False
    same_machine: tuple[str, ...] = ()
    login_refused_at: float | None = None
    devices_refused_at: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A manager claimed the host, which starts a new epoch. Reads of older epochs do not count as proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The result of a round of health probes: True passed, False failed, None unknown.

    `began`: when the round started. `wanted_since`: a fence needs to know which hosts passed a check that began after this
    time, so a passed check is noted; None: nobody needs it. `unstopped`: VMs that were fenced with the host are not yet confirmed
    to be stopped on it.
    """

    passed: bool | None
    began: float | None = None
    wanted_since: float | None = None
    unstopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The result of a round of activity probes: True the host writes, False it does not, None unknown.

    `began`: when the round started. `changed_at`: when a heartbeat was last seen to change; None: the probes do not say.
    """

    active: bool | None
    epoch: int
    began: float | None = None
    changed_at: float | None = None
    error: str = ""
    vms: int = 1  # number of VMs on the host


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRead:
    """What one device answered in a read of several: a reading or a failure. `contradicts`: see `PowerRead`."""

    device: str
    reading: Reading | None = None
    failure: Failure | None = None
    contradicts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRead:
    """The result of a live power read that started at `started`: a reading or a failure.

    `contradicts`: there was an answer, and it was about something else than what was asked for. Otherwise a read that failed
    was only missed. `others`: what the other devices of the level answered, in their order. `own`: what the host's own BMC
    answered, if it was asked.
    """

    request: str
    epoch: int
    started: float
    reading: Reading | None = None
    failure: Failure | None = None
    contradicts: bool = False
    others: tuple[DeviceRead, ...] = ()
    own: DeviceRead | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChecked:
    """The result of a device check. `failure`: why the host could not be fenced; `warnings`: what could stop a later fence.

    `device`: the one that failed. `reading` is that of the host's own BMC.
    """

    request: str
    epoch: int
    started: float
    reading: Reading | None = None
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    device: str = OWN_BMC


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReply:
    """The answer of all devices together. `device`: the one that `failure` is about."""

    request: str
    epoch: int
    result: CommandResult
    failure: Failure | None = None
    device: str = OWN_BMC


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable:
    """`unstopped`: VMs that were fenced with the host and are not yet confirmed to be stopped on it."""

    request: int
    unstopped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disable:
    """`withdrawn`: the power command that is in flight has not left and will not."""

    request: int
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """The configuration says whether HA may act on this host (`maintenance`)."""

    eligible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualFence:
    """An operator confirms that the host is off (`fence-ha confirm`)."""

    request: int
    fence_id: str
    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawManualFence:
    """The operator does not wait for the answer to this confirmation any more: it must not count."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideLimits:
    """An operator lets power commands to this silent host pass the limits (`fence-ha override`)."""

    request: int
    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """An operator says that the machine behind this BMC was replaced (`fence-ha pin`): what it shows next is pinned."""

    request: int
    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFence:
    """An operator orders a fence of the host now (`fence-ha fence`)."""

    request: int
    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelFence:
    """An operator ends the fence that is open (`fence-ha cancel`). `fence_id`: only this one; empty: whichever is open.
    `withdrawn`: see `Disable`.
    """

    request: int
    who: str
    why: str
    fence_id: str = ""
    withdrawn: bool = False


OperatorObservation = Enable | Disable | ManualFence | WithdrawManualFence | OverrideLimits | Pin | OrderFence | CancelFence
Observation = Tick | Claimed | Health | Activity | PowerRead | DeviceChecked | CommandReply | Eligibility | OperatorObservation
