"""Deliberate deviations, as data.

Rules
  1. A fault is settings and at most one pure function; what it has seen so far is kept here, beside the rack.
  2. Four seams, named by every fault: wire (bytes), protocol (answers), report (what the BMC says of power), power (effects).
  3. A reply table is not a fault (ruling 6). A fault that must fire and did not makes the scenario invalid, never green.

Triggers are semantic: "the second POST of a reset while the rail is up", not "after 300 ms".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from emulator.core.vocab import Rail, ResetType
from profiles.model import EffectStep, View


class Seam(StrEnum):
    WIRE = "wire"
    PROTOCOL = "protocol"
    REPORT = "report"
    POWER = "power"


class Fault(Protocol):
    """Every fault is a frozen dataclass with these two class attributes; `name` is what users type."""

    name: ClassVar[str]
    seam: ClassVar[Seam]


@runtime_checkable
class PowerFault(Protocol):
    """Changes what an accepted command does to the host; `gate` asks for one with that many reads."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def gate(self) -> int | None: ...

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]: ...


@runtime_checkable
class ReportFault(Protocol):
    """Changes what one of the BMC's views says of power. May return ABSENT or None."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def views(self) -> tuple[View, ...]: ...

    def report(self, word: str | None) -> str | None: ...


class ClientRequest(NamedTuple):
    """One request of a client, as far as triggers may look into it.

    `method` is the HTTP method, or "IPMI". `path` is the URL path without a query, or the IPMI command in words
    ("chassis-control", "chassis-status", "rakp1"). `reset` is set where the request is a power command.
    """

    protocol: str
    method: str
    path: str
    system: str | None = None
    reset: ResetType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which requests. What is not named matches everything; `path` takes shell wildcards; the first `skip` matches pass."""

    protocol: str | None = None
    method: str | None = None
    path: str | None = None
    reset: tuple[ResetType, ...] = ()
    rail: Rail | None = None
    skip: int = 0

    def matches(self, request: ClientRequest, rail: Rail | None) -> bool:
        return (
            (self.protocol is None or self.protocol == request.protocol)
            and (self.method is None or self.method == request.method)
            and (self.path is None or fnmatchcase(request.path, self.path))
            and (not self.reset or request.reset in self.reset)
            and (self.rail is None or self.rail is rail)
        )


ALWAYS = When()


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """A fault on a BMC: when it acts, how often (None: without end), and whether a scenario is void without it."""

    fault: Fault
    when: When = ALWAYS
    count: int | None = None
    must_fire: bool = True


@dataclass(slots=True)
class Arming:
    """The memory of one armed fault."""

    armed: Armed
    seen: int = 0
    fired: int = 0

    def fires(self, request: ClientRequest, rail: Rail | None) -> bool:
        """Whether it acts on this request; counts."""
        if not self.armed.when.matches(request, rail):
            return False
        self.seen += 1
        if self.seen <= self.armed.when.skip or (self.armed.count is not None and self.fired >= self.armed.count):
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class FaultBoard:
    """All faults of one BMC, in the order of arming."""

    armings: tuple[Arming, ...] = ()

    def arm(self, armed: Armed) -> None:
        self.armings += (Arming(armed),)

    def clear(self) -> None:
        self.armings = ()

    def firing(self, seam: Seam, request: ClientRequest, rail: Rail | None, view: View | None = None) -> tuple[Fault, ...]:
        """Those of a seam that act on this request; with a `view`, only those that speak through it."""
        if not self.armings:
            return ()
        return tuple(
            a.armed.fault
            for a in self.armings
            if a.armed.fault.seam is seam
            and (view is None or view in getattr(a.armed.fault, "views", (view,)))
            and a.fires(request, rail)
        )

    def unfired(self) -> tuple[Armed, ...]:
        """Those that had to fire and did not."""
        return tuple(a.armed for a in self.armings if a.armed.must_fire and a.fired == 0)
