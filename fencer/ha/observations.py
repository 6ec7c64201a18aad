"""The observations that `machine.step` and `cloudstack.step` take: probe results, reads, replies, operator requests.

`Manager` creates them. Pure data. Times are seconds of the store's clock. An unknown result is None and never counts as
a dead host.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fencer.outcome import Failure, Reading


class Hold(StrEnum):
    """Why no power-off may be sent now."""

    TOO_MANY_LOST = "too many hosts of the cluster were lost at the same time"
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
    """One round of the manager's loop. `hold`: why no power-off may be sent, or None."""

    hold: Hold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A manager claimed the host, which starts a new epoch. Reads of older epochs do not count as proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The result of a round of health probes: True passed, False failed, None unknown."""

    passed: bool | None
    unstopped: bool = False  # VMs that were fenced with the host are not yet confirmed to be stopped on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The result of a round of activity probes: True the host writes, False it does not, None unknown."""

    active: bool | None
    epoch: int
    error: str = ""
    vms: int = 1  # number of VMs on the host


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRead:
    """The result of a live power read that started at `started`: a reading or a failure."""

    request: str
    epoch: int
    started: float
    reading: Reading | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReply:
    request: str
    epoch: int
    result: CommandResult
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable:
    """`unstopped`: VMs that were fenced with the host and are not yet confirmed to be stopped on it."""

    request: int
    unstopped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disable:
    request: int


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


Observation = Tick | Claimed | Health | Activity | PowerRead | CommandReply | Enable | Disable | Eligibility | ManualFence
