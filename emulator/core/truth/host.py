"""The state of a host (its rail and its operating system) and the table of its transitions.

A host driver (`VirtualHosts`, `ContainerHosts`, `ProcessHosts`) carries out orders and reports news; `Rack.news` applies them to
the host with this table, in the emulator's one thread.

Rules
  1. The truth about a host changes only by this table.
  2. Nothing here knows a protocol, a profile or a clock: front ends translate, `power` schedules, drivers report.

Theory
  A host has two parts. The *rail* has power or not; fencing is about this fact. The *operating system* decides whether a graceful
  request is obeyed. `incarnation` counts how often the run state was lost: a reset that never drops the rail still ends the old
  operating system, and a fencer that fences by reset must be able to show that (catalogue 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from emulator.core.errors import IllegalStimulus
from emulator.core.vocab import Os, Rail

if TYPE_CHECKING:
    from emulator.core.journal import JournalScalar


class Order(StrEnum):
    """What a BMC can order of a host's driver."""

    CUT = "cut"
    ENERGISE = "energise"
    RESET = "reset"  # the run state is lost, the rail stays up
    ASK_SHUTDOWN = "ask-shutdown"
    ASK_REBOOT = "ask-reboot"
    CRASH = "crash"  # a diagnostic interrupt that the OS does not survive


class HostDriver(Protocol):
    """Carries out orders on hosts: virtual hosts, containers or local processes.

    `Rack.order` calls `perform` in the emulator's thread, so it must not block. The driver reports what happened by `Rack.news`,
    in the emulator's thread too. CUT and ENERGISE are always answered by news, also where nothing had to change.
    """

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        """Starts to carry out an order. `cause` is the `seq` to pass on with the news."""


class News(StrEnum):
    """What happened to a host, as its driver reports it."""

    WENT_DOWN = "went-down"  # the rail is dead
    CAME_UP = "came-up"  # the rail is up and an OS runs
    WAS_RESET = "was-reset"
    OS_WENT_DOWN = "os-went-down"
    OS_BOOTED = "os-booted"  # it booted again by itself
    OS_CRASHED = "os-crashed"
    OS_HUNG = "os-hung"
    OS_RECOVERED = "os-recovered"
    OUT_OF_SIGHT = "out-of-sight"  # the driver cannot find out how the host is


@dataclass(frozen=True, slots=True)
class Host:
    """The truth about one host."""

    rail: Rail
    os: Os
    incarnation: int = 1

    @property
    def writes(self) -> bool:
        """Whether the host can write to its disks now. A host with a hung OS can, so it must be fenced too."""
        return self.rail is Rail.UP and self.os is not Os.STOPPED


_ON, _OFF = Host(Rail.UP, Os.RUNNING), Host(Rail.DOWN, Os.STOPPED)


def host_on() -> Host:
    return _ON


def host_off() -> Host:
    return _OFF


class FirstTruth(Mapping[str, "JournalScalar"]):
    """The data of a host's first event in the journal. A fleet keeps one for each BMC: this takes a quarter of a dictionary."""

    __slots__ = ("_host", "_name", "_system")
    KEYS: Final = ("system", "host", "rail", "os", "incarnation", "was")

    def __init__(self, system: str, name: str, host: Host) -> None:
        self._system, self._name, self._host = system, name, host

    def __getitem__(self, key: str) -> JournalScalar:
        match key:
            case "system":
                return self._system
            case "host":
                return self._name
            case "rail":
                return self._host.rail
            case "os":
                return self._host.os
            case "incarnation":
                return self._host.incarnation
            case "was":
                return "initial"
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.KEYS)

    def __len__(self) -> int:
        return len(self.KEYS)


@dataclass(frozen=True, slots=True)
class HostTransition:
    rail: Rail
    os: Os
    loses_run_state: bool = False


_UP_RUNNING = (Rail.UP, Os.RUNNING)
_UP_HUNG = (Rail.UP, Os.HUNG)
_UP_STOPPED = (Rail.UP, Os.STOPPED)
_DOWN = (Rail.DOWN, Os.STOPPED)
_UNKNOWN = (Rail.UNKNOWN, Os.STOPPED)

TRANSITIONS: Mapping[tuple[Rail, Os, News], HostTransition] = {
    (*_UP_RUNNING, News.WENT_DOWN): HostTransition(*_DOWN, loses_run_state=True),
    (*_UP_RUNNING, News.CAME_UP): HostTransition(*_UP_RUNNING),
    (*_UP_RUNNING, News.WAS_RESET): HostTransition(*_UP_RUNNING, loses_run_state=True),
    (*_UP_RUNNING, News.OS_WENT_DOWN): HostTransition(*_UP_STOPPED, loses_run_state=True),
    (*_UP_RUNNING, News.OS_BOOTED): HostTransition(*_UP_RUNNING, loses_run_state=True),
    (*_UP_RUNNING, News.OS_CRASHED): HostTransition(*_UP_STOPPED, loses_run_state=True),
    (*_UP_RUNNING, News.OS_HUNG): HostTransition(*_UP_HUNG),
    (*_UP_RUNNING, News.OS_RECOVERED): HostTransition(*_UP_RUNNING),
    (*_UP_RUNNING, News.OUT_OF_SIGHT): HostTransition(*_UNKNOWN),
    (*_UP_HUNG, News.WENT_DOWN): HostTransition(*_DOWN, loses_run_state=True),
    (*_UP_HUNG, News.CAME_UP): HostTransition(*_UP_HUNG),
    (*_UP_HUNG, News.WAS_RESET): HostTransition(*_UP_RUNNING, loses_run_state=True),
    (*_UP_HUNG, News.OS_CRASHED): HostTransition(*_UP_STOPPED, loses_run_state=True),
    (*_UP_HUNG, News.OS_HUNG): HostTransition(*_UP_HUNG),
    (*_UP_HUNG, News.OS_RECOVERED): HostTransition(*_UP_RUNNING),
    (*_UP_HUNG, News.OUT_OF_SIGHT): HostTransition(*_UNKNOWN),
    (*_UP_STOPPED, News.WENT_DOWN): HostTransition(*_DOWN),
    (*_UP_STOPPED, News.CAME_UP): HostTransition(*_UP_RUNNING),
    (*_UP_STOPPED, News.WAS_RESET): HostTransition(*_UP_RUNNING, loses_run_state=True),
    (*_UP_STOPPED, News.OS_WENT_DOWN): HostTransition(*_UP_STOPPED),
    (*_UP_STOPPED, News.OS_BOOTED): HostTransition(*_UP_RUNNING),
    (*_UP_STOPPED, News.OS_CRASHED): HostTransition(*_UP_STOPPED),
    (*_UP_STOPPED, News.OUT_OF_SIGHT): HostTransition(*_UNKNOWN),
    (*_DOWN, News.WENT_DOWN): HostTransition(*_DOWN),
    (*_DOWN, News.CAME_UP): HostTransition(*_UP_RUNNING),
    (*_DOWN, News.OUT_OF_SIGHT): HostTransition(*_UNKNOWN),
    # The driver sees the host again: what ran before may have ended meanwhile, so the incarnation counts up.
    (*_UNKNOWN, News.WENT_DOWN): HostTransition(*_DOWN, loses_run_state=True),
    (*_UNKNOWN, News.CAME_UP): HostTransition(*_UP_RUNNING, loses_run_state=True),
    (*_UNKNOWN, News.OUT_OF_SIGHT): HostTransition(*_UNKNOWN),
}


def transition(host: Host, news: News) -> Host:
    """The host after the news.

    Raises IllegalStimulus and leaves `host` as it was where the table has no row.
    """
    row = TRANSITIONS.get((host.rail, host.os, news))
    if row is None:
        raise IllegalStimulus(f"a host with rail {host.rail} and OS {host.os} cannot have {news}")
    return Host(row.rail, row.os, host.incarnation + row.loses_run_state)
