"""What can be seen or said about a host. Everything that a step may react to is one of these; unknown is never dead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fencer.outcome import Failure, Reading


class Hold(StrEnum):
    """Why no power-off command may leave now."""

    BRAKE = "too many hosts of the cluster were lost at the same time"
    START = "the manager has just started"
    RATE = "too many power-offs at once"


class CommandResult(StrEnum):
    """What is known after a power command. Not one of them says that the host is off."""

    ACCEPTED = "accepted"  # 2xx, completion code 0x00
    REFUSED = "refused"  # 400, 409, 0xD5: may mean "already off", "busy" or "not now"
    AMBIGUOUS = "ambiguous"  # sent, and the answer was lost or makes no sense
    FAILED = "failed"  # an answer that no repetition changes: authentication, no such system
    NOT_SENT = "not-sent"  # the permission to send had ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time went by."""

    hold: Hold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A manager took the host over: nothing that an older epoch saw is proof any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A round of health probes: True passed, False failed, None nobody knows."""

    passed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A round of activity probes: True something writes, False nothing does, None nobody knows."""

    seen: bool | None
    epoch: int
    error: str = ""
    vms: int = 1  # how many VMs were asked about


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRead:
    """A live read that started at `started`: a reading, or why there is none."""

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
    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disable:
    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """The configuration says whether HA may act on this host (`maintenance`)."""

    eligible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualFence:
    """An operator says: this host is off, I have looked."""

    request: int
    fence_id: str
    who: str
    why: str


Observation = Tick | Claimed | Health | Activity | PowerRead | CommandReply | Enable | Disable | Eligibility | ManualFence
