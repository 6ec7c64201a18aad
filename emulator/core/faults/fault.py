"""What a fault is: settings, a seam, and at most one pure function. `emulator.faults` holds the faults themselves.

Rules
  1. A fault is a frozen dataclass without state. `board.Arming` counts how often it fired.
  2. Every fault names one seam, the place where it acts. `Seam` lists them; the front end that owns the seam asks `FaultControl`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from profiles.model import EffectStep, View


class Seam(StrEnum):
    """Where a fault acts."""

    WIRE = "wire"  # the bytes of an HTTP answer
    PROTOCOL = "protocol"  # a well-formed answer, Redfish or IPMI
    REPORT = "report"  # what the BMC says of power
    POWER = "power"  # what an accepted power command does
    CONNECT = "connect"  # a new TCP connection to the Redfish port: what comes before and in the TLS handshake
    PORT = "port"  # whether the ports answer at all; acts as long as it is armed, not per request
    DATAGRAM = "datagram"  # one UDP datagram, in or out
    LOGIN = "login"  # passwords, session tables and session tokens
    INCIDENT = "incident"  # what happens by itself when a client has been told the power of a host


class Fault(Protocol):
    """Every fault is a frozen dataclass with these two class attributes; `name` is what users type."""

    name: ClassVar[str]
    seam: ClassVar[Seam]


@runtime_checkable
class PowerFault(Protocol):
    """Changes what an accepted command does to the host. `gate`: hold the effect back for that many reads (None: no gate)."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def gate(self) -> int | None: ...

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]: ...


@runtime_checkable
class HoldingFault(PowerFault, Protocol):
    """A power fault whose gate no read and no time opens."""

    holds: ClassVar[bool]


@runtime_checkable
class ReportFault(Protocol):
    """Changes what some of the BMC's views say about power. `report` may return ABSENT or None (a null)."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def views(self) -> tuple[View, ...]: ...

    def report(self, word: str | None) -> str | None: ...


@runtime_checkable
class SequenceReportFault(ReportFault, Protocol):
    """A report fault whose word depends on how often it has acted, and on what it saw first."""

    def report_nth(self, word: str | None, n: int, first: str | None) -> str | None:
        """What is said the n-th time (from 1) instead of `word`; `first` is the word when it acted for the first time."""


class LoginPoint(StrEnum):
    """A question that the BMC's account code asks, and that a login fault may answer."""

    LOCKED = "locked"  # is this account locked?
    EXPIRED = "expired"  # must this user change the password first?
    SESSIONS_FULL = "sessions-full"  # is the session table full?
    TOKEN = "token"  # has this Redfish session come to its end?


@runtime_checkable
class LoginFault(Protocol):
    """Answers one of the account code's questions with yes."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    def answers(self, point: LoginPoint, user: str, protocol: str) -> bool:
        """Whether this fault is about that question and that user, who speaks `protocol` (redfish, ipmi)."""


class IncidentKind(StrEnum):
    """What may happen to a host or its BMC without any command of the client."""

    POWER_LOST = "power-lost"
    POWER_RESTORED = "power-restored"
    OS_CRASHED = "os-crashed"
    BMC_RESTART = "bmc-restart"


class IncidentStep(NamedTuple):
    """Happens `after_s` seconds after the answer; a restart keeps the BMC away for `for_s` seconds."""

    kind: IncidentKind
    after_s: float = 0.0
    for_s: float = 0.0


@runtime_checkable
class IncidentFault(Protocol):
    """Lets something happen once an answer has told its client a power word of the system. The answer itself is as always."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    def incidents(self) -> tuple[IncidentStep, ...]: ...
